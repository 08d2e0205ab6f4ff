"""One finished episode as one line of JSON. Nothing in it depends on clock or machine: same plan, same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from clinic_sim.clinic.episode import Episode
from clinic_sim.judge.scorecard import Scorecard
from clinic_sim.sweeps.outcome import Outcome

LINE_SCHEMA = 2
KEY_START = b'{"key":"'
"""How every line begins: its key can be read without parsing it."""


def canonical(data: Any) -> str:
    """JSON with sorted keys and no spare spaces: the same data is the same text."""
    return encoded(data).decode()


def encoded(data: Any) -> bytes:
    """The same as UTF-8 bytes; half a surrogate pair, which a model may have written, stands escaped."""
    try:
        return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return json.dumps(data, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def decoded(line: bytes) -> Any:
    """The data of a line; ValueError where it is none."""
    try:
        return orjson.loads(line)
    except ValueError:
        return json.loads(line)  # half a surrogate pair


def line_data(outcome: Outcome) -> dict[str, Any]:
    """What stands in an episode's line."""
    return {
        "schema": LINE_SCHEMA,
        "at": outcome.at,
        "doctor": outcome.doctor,
        "failure": outcome.failure,
        "repeat": outcome.repeat,
        "models": dict(outcome.models),
        "usage": dict(outcome.usage),
        "scorecard": outcome.scorecard.to_dict(),
        "episode": outcome.episode.to_dict(),
        **({"attempts": list(outcome.attempts)} if outcome.attempts else {}),
    }


def line_of(key: str, data: Mapping[str, Any]) -> bytes:
    """The line, its key in front."""
    return b'%s%s",%s\n' % (KEY_START, key.encode("ascii"), encoded(dict(data))[1:])


def outcome_of(data: Mapping[str, Any]) -> Outcome:
    """The outcome of its line's data; KeyError, TypeError or ValueError where it is none."""
    if data["schema"] != LINE_SCHEMA:
        raise ValueError(f"episode line of schema {data['schema']!r}; this version reads {LINE_SCHEMA}")
    return Outcome(
        Episode.from_dict(data["episode"]),
        Scorecard.from_dict(data["scorecard"]),
        data["doctor"],
        data["failure"],
        data["models"],
        data["usage"],
        data["repeat"],
        data["at"],
        tuple(data.get("attempts", ())),
    )


def key_of(line: bytes) -> str | None:
    """The key of a whole line; None where it is torn or something else."""
    if not line.startswith(KEY_START) or not line.endswith(b"}\n"):
        return None
    end = line.find(b'"', len(KEY_START), 200)
    return line[len(KEY_START) : end].decode("ascii", "replace") if end > 0 else None
