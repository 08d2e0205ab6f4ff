"""`ModelSpec`: which model plays a role and how it is asked, as one line: `openai/gpt-4o?temperature=0`."""

from __future__ import annotations

import json
import os
import re
from typing import Any, Literal, get_args
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clinic_sim.errors import ConfigError

_KEY = re.compile(r"[\x21-\x7e]+")
Provider = Literal["openai", "vllm", "langchain", "scripted"]


class ModelSpec(BaseModel):
    """One model and its parameters. A parameter that is None is not sent: the server's default holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    provider: Provider
    model: str = Field(min_length=1, max_length=500)
    """The server's name of the model, the file of a script, or `module:attribute` of a LangChain model."""
    base_url: str | None = None
    """Of an OpenAI-compatible server, up to and with `/v1`; `OPENAI_BASE_URL` or OpenAI's own when None."""
    api_key_env: str = "OPENAI_API_KEY"
    """The environment variable that holds the key; one that is named must be set. The key itself never stands in a
    file."""
    client: Literal["http", "sdk"] = "http"
    """`http`: our lean chat-completions client; `sdk`: the official OpenAI SDK, for what only it does."""
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of one reply; each role has a default."""
    reasoning_effort: str | None = None
    seed: bool = True
    """Send a sampling seed derived from the episode's."""
    structured: Literal["json_schema", "json_object", "prompt"] = "json_schema"
    """How an object is asked for; a server that refuses one is asked in the next way."""
    form: Literal["tools", "json", "text"] = "text"
    """How a doctor acts: by tool calls, by JSON objects or by tagged text."""
    attempts: int = Field(default=6, ge=1, le=50)
    connect_s: float = Field(default=5, gt=0)
    attempt_s: float = Field(default=60, gt=0)
    total_s: float = Field(default=180, gt=0)
    concurrency: int = Field(default=256, ge=1)
    """Most calls in flight at this endpoint for one role; a 429 lowers it for a while."""
    price_in: float | None = Field(default=None, ge=0)
    """US dollars for a million prompt tokens; the cost is unknown when None."""
    price_out: float | None = Field(default=None, ge=0)
    price_cached: float | None = Field(default=None, ge=0)
    """For prompt tokens from the server's cache; the prompt price when None."""
    extra: dict[str, Any] = {}
    """Further fields of the request's body, as they are."""

    @classmethod
    def parse(cls, text: str, **defaults: Any) -> ModelSpec:
        """The spec of `provider/model?name=value&...`; `extra` takes JSON, and `defaults` are what the text leaves out.

        Raises:
            ConfigError: an unknown provider or parameter, or a value that does not fit.
        """
        name, _, query = text.partition("?")
        provider, _, model = name.partition("/")
        if provider not in get_args(Provider) or not model:
            raise ConfigError(
                f"no model {text!r}: a model is `provider/name`, and the providers are {', '.join(get_args(Provider))}"
            )
        # From here on the values are not shown: somebody may have written a key among them.
        pairs = parse_qsl(query, keep_blank_values=True)
        options: dict[str, Any] = dict(pairs)
        known = [f for f in cls.model_fields if f not in ("provider", "model")]
        for parameter in sorted(options):
            if parameter not in known:
                raise ConfigError(f"model {name!r}: unknown parameter {parameter!r}; there are {', '.join(known)}")
            if not options[parameter]:
                raise ConfigError(f"model {name!r}: {parameter} has no value")
        if len(pairs) > len(options):
            raise ConfigError(f"model {name!r}: a parameter is given twice")
        if "extra" in options:
            options["extra"] = _object(name, options["extra"])
        try:
            return cls.model_validate({**defaults, **options, "provider": provider, "model": model})
        except ValidationError as exc:
            lines = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors(include_url=False))
            raise ConfigError(f"model {name!r}: {lines}") from exc

    @property
    def name(self) -> str:
        """`provider/model`."""
        return f"{self.provider}/{self.model}"

    def key(self) -> str:
        """The key of its server; empty where none was named and none is there.

        Raises:
            ConfigError: the variable that was named is not set, so that calls would go out without a key; or what
                it holds is no key.
        """
        found = os.environ.get(self.api_key_env, "").strip()
        if not found and "api_key_env" in self.model_fields_set:
            raise ConfigError(
                f"model {self.name!r}: no key: {self.api_key_env}, which api_key_env names, is not set or is empty; "
                "set it, or leave api_key_env out where the server wants no key"
            )
        if found and not _KEY.fullmatch(found):
            raise ConfigError(f"model {self.name!r}: what {self.api_key_env} holds is no key")
        return found

    def settings(self) -> dict[str, Any]:
        """What stands in the record: every parameter that is not at its default, and the name."""
        data = self.model_dump(mode="json", exclude_defaults=True, exclude={"provider", "model", "api_key_env"})
        return {"model": self.name, **data}


def _object(name: str, text: str) -> Any:
    """The JSON of `extra`; what of it is no object, the validation says."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"model {name!r}: `extra` is no JSON: {exc}") from exc


def _no_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")
