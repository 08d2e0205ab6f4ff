"""Exceptions of other people's clients (OpenAI's SDK, httpx, LangChain and its providers), as ours.

They are told apart by the HTTP answer that they carry, or else by the names of their classes, so nothing is imported
for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

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
from clinic_sim.models import wire
from clinic_sim.models.usage import failed_with

_BY_NAME: dict[str, type[ProviderError]] = {
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


def provider_error(exc: BaseException) -> ProviderError | None:
    """The failure of a model's server that an exception tells of; None where it tells of none.

    The new error has no cause set; raise it `from` the exception.
    """
    if isinstance(exc, ProviderError):
        return exc
    # Class by class from the exception's own: a timeout is a connection error too, and its own name says more.
    kind = next((_BY_NAME[c.__name__] for c in type(exc).__mro__ if c.__name__ in _BY_NAME), None)
    response = getattr(exc, "response", None)
    status = getattr(exc, "status_code", None) or getattr(response, "status_code", None)
    if isinstance(status, int) and status >= 400 and kind is not ContextOverflow:
        error = wire.failure(status, _body(exc, response))
        headers = getattr(response, "headers", None)
        if isinstance(headers, Mapping):
            error.retry_after = wire.retry_after(headers.get("retry-after"))
        return error
    if kind is None:
        return None
    # The SDK's error of an answer that was cut off holds the answer, which was paid for.
    told = getattr(getattr(exc, "completion", None), "usage", None)
    counts = told.model_dump() if isinstance(told, BaseModel) else None
    return failed_with(kind(wire.shown(f"{type(exc).__name__}: {exc}")), wire.read_usage(counts))


def _body(exc: BaseException, response: Any) -> str:
    try:
        return str(response.text)
    except Exception:  # noqa: BLE001 - no response, or one whose body was not read: the exception's words do
        return str(exc)
