"""Every error the package raises on purpose.

ClinicSimError
├── ConfigError      a plan, an option or an argument that cannot be used
├── CaseError        a case, a pack or a source record that cannot be used
├── RubricError      a rubric that cannot be used
├── ProviderError    a model's server: what it answered or did not
│   ├── RateLimited      429, after all attempts
│   ├── ProviderTimeout  connect, attempt or total time ran out
│   ├── Unavailable      5xx, a broken connection, an endpoint that is down
│   ├── Rejected         4xx: a wrong key, an unknown model, a parameter that the server does not take
│   ├── ContextOverflow  the prompt is longer than the model's context
│   ├── Refusal          the model or its filter declined
│   └── BadReply         what came back is not what the protocol promises
├── JudgeError       a judge that failed; its criterion is unscored
├── CostCapReached   a run has cost what it may: no model is called any more
├── SimulatorError   the clinic itself failed; the episode is unscored
└── StoreError       a run directory that cannot be read or written
    └── ReplayMismatch   a recorded reply belongs to another request than the one that was made

Each message says what was wrong, where, and what to do.
"""

from __future__ import annotations


class ClinicSimError(Exception):
    """Base of every error raised on purpose."""


class ConfigError(ClinicSimError):
    """A plan, an option or an argument that cannot be used."""


class CaseError(ClinicSimError):
    """A case, a pack or a source record that cannot be used."""


class RubricError(ClinicSimError):
    """A rubric that cannot be used."""


class ProviderError(ClinicSimError):
    """A model's server refused, failed or did not answer."""

    retry_after: float | None = None
    """Seconds after which the server wants to be asked again; None where it did not say."""
    usage: object = None
    """The tokens that the failure used up all the same, as `models.chat.Usage`; None where the server did not say."""


class RateLimited(ProviderError):
    """The server kept answering 429."""


class ProviderTimeout(ProviderError):
    """Connecting, one attempt or the whole call took too long."""


class Unavailable(ProviderError):
    """The server failed (5xx), the connection broke, or the endpoint is down."""


class Rejected(ProviderError):
    """The server does not take this request (4xx): a wrong key, an unknown model. Asking again is no use."""


class ContextOverflow(ProviderError):
    """The prompt is longer than the model's context."""


class Refusal(ProviderError):
    """The model, or a filter before it, declined to answer."""


class BadReply(ProviderError):
    """What came back is not what the protocol or the schema promises."""


class JudgeError(ClinicSimError):
    """A judge failed: the criterion is unscored, never zero."""


class CostCapReached(ClinicSimError):
    """A run has cost what it may cost: no model is called any more, and what is not finished stays owed."""


class SimulatorError(ClinicSimError):
    """The clinic itself failed: the episode is unscored, never zero."""


class StoreError(ClinicSimError):
    """A run directory cannot be read or written."""


class ReplayMismatch(StoreError):
    """A recorded reply belongs to another request than the one that was made."""
