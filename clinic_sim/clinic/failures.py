"""What a model's failure means for the episode: an unusable answer is covered, a server that is gone is not."""

from __future__ import annotations

from clinic_sim.errors import BadReply, ContextOverflow, ProviderError, Refusal, SimulatorError

_COVERED = (BadReply, ContextOverflow, Refusal)


def content_failure(exc: ProviderError) -> str:
    """The kind under which the event counts a failure that the record's own words cover.

    Raises:
        SimulatorError: nothing came from the server at all; an episode that went on without it would no longer be the
            one that was planned, so it ends unscored.
    """
    if isinstance(exc, _COVERED):
        return f"model:{type(exc).__name__}"
    raise SimulatorError(f"a role's model failed: {type(exc).__name__}: {exc}") from exc
