"""Exceptions of other people's clients (OpenAI's SDK, httpx, LangChain and its providers), as ours.

They are told apart by the names of their classes and by the HTTP status that they carry, so nothing is imported for it.
"""

from __future__ import annotations

import re

from clinic_sim.errors import (
    BadReply,
    ContextOverflow,
    ProviderError,
    ProviderTimeout,
    RateLimited,
    Refusal,
    Rejected,
    Unavailable,
)

_BY_NAME: dict[str, type[ProviderError]] = {
    # before the more general classes that they derive from
    "ContextOverflowError": ContextOverflow,
    "ContentFilterFinishReasonError": Refusal,
    "LengthFinishReasonError": BadReply,
    "OutputParserException": BadReply,
    "APIResponseValidationError": BadReply,
    "APITimeoutError": ProviderTimeout,
    "TimeoutException": ProviderTimeout,
    "TimeoutError": ProviderTimeout,
    "ModelTimeoutError": ProviderTimeout,
    "RateLimitError": RateLimited,
    "ModelRateLimitError": RateLimited,
    "APIConnectionError": Unavailable,
    "ModelConnectionError": Unavailable,
    "TransportError": Unavailable,
    "ClientConnectionError": Unavailable,
    "ConnectionError": Unavailable,
    "InternalServerError": Unavailable,
    "ModelAPIError": Unavailable,
    "ModelInvalidRequestError": Rejected,
    "ModelAuthenticationError": Rejected,
    "ModelPermissionDeniedError": Rejected,
    "ModelNotFoundError": Rejected,
}
_OVERFLOW = re.compile(
    r"context_length_exceeded|context.{0,12}(length|window|size)|maximum context|prompt is too long"
    r"|too many (input )?tokens|input is too long|max_model_len",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content_filter|content management policy|safety system", re.IGNORECASE)
_MAX_MESSAGE = 500


def provider_error(exc: BaseException) -> ProviderError | None:
    """The failure of a model's server that an exception tells of; None where it tells of none.

    The new error has no cause set; raise it `from` the exception.
    """
    if isinstance(exc, ProviderError):
        return exc
    kind = _kind(exc)
    if kind is None:
        return None
    text = " ".join(f"{type(exc).__name__}: {exc}".split())
    return kind(text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE] + "…")


def _kind(exc: BaseException) -> type[ProviderError] | None:
    named = next((_BY_NAME[c.__name__] for c in type(exc).__mro__ if c.__name__ in _BY_NAME), None)
    if named is not None and named is not Rejected:
        return named
    status = getattr(exc, "status_code", None) or getattr(getattr(exc, "response", None), "status_code", None)
    if not isinstance(status, int):
        return _of_rejection(exc) if named else None
    if status == 429:
        return RateLimited
    if status == 408:
        return ProviderTimeout
    if status >= 500:
        return Unavailable
    return _of_rejection(exc) if status >= 400 else None


def _of_rejection(exc: BaseException) -> type[ProviderError]:
    words = f"{getattr(exc, 'code', '')} {exc}"
    if _OVERFLOW.search(words):
        return ContextOverflow
    return Refusal if _FILTERED.search(words) else Rejected
