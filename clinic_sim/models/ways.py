"""`Ways`: how a model of a server wants to be asked, as far as the server has said so by refusing another way."""

from __future__ import annotations

import re

from clinic_sim.errors import ConfigError
from clinic_sim.models import wire
from clinic_sim.models.spec import ModelSpec

_OURS = ("messages", "model", "stream", "n")
"""Fields of a request that `extra` cannot set: the record and the answer would be of something else."""
_ABOUT_OBJECTS = re.compile(r"response.?format|json.?schema|json.?object|structured|grammar|guided", re.IGNORECASE)
REFUSED = (400, 422)
"""Statuses under which servers refuse a parameter."""
MOST = len(wire.STRUCTURED) + 1
"""Times that one call may be asked in another way: each way for an object, and the other name of the limit."""


class Ways:
    """The ways of one model; learned once, and kept for all its calls.

    Args:
        spec: The model and its parameters.
        newer_limit: The limit of tokens has its newer name at first.

    Raises:
        ConfigError: `extra` sets what is not its own to set.
    """

    __slots__ = ("_spec", "newer_limit", "static", "structured")

    def __init__(self, spec: ModelSpec, *, newer_limit: bool) -> None:
        for field in _OURS:
            if field in spec.extra:
                raise ConfigError(f"model {spec.name!r}: `extra` cannot set {field!r}")
        self._spec = spec
        self.newer_limit = newer_limit
        self.structured: str = spec.structured
        """How an object is asked for now."""
        self.static = wire.static_body(spec, newer_limit=newer_limit)
        """The part of the body that every request has now."""

    def learn(self, told: str, structured: str, newer_limit: bool, *, object_wanted: bool) -> bool:
        """Remember another way to send a parameter that the server refused; False where there is none.

        Args:
            told: What the server said.
            structured: How the refused request asked for an object; another call may have learned since.
            newer_limit: Which name of the limit it used.
            object_wanted: It asked for an object at all.
        """
        limited = self._spec.max_tokens is not None
        other = "max_tokens" if newer_limit else "max_completion_tokens"
        if limited and other in told:
            if self.newer_limit == newer_limit:
                self.newer_limit = not newer_limit
                self.static = wire.static_body(self._spec, newer_limit=self.newer_limit)
            return True
        if object_wanted and structured != wire.STRUCTURED[-1] and _ABOUT_OBJECTS.search(told):
            if self.structured == structured:
                self.structured = wire.STRUCTURED[wire.STRUCTURED.index(structured) + 1]
            return True
        return False
