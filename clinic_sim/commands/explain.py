"""`clinic-sim explain`: how the clinic understands a question, an order or a diagnosis."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, BinaryIO

from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import Pack, load_pack
from clinic_sim.commands.console import console, print_json
from clinic_sim.commands.understanding import explain_diagnosis, explain_order, explain_question
from clinic_sim.errors import ClinicSimError, ConfigError

_MARK = b"\xef\xbb\xbf"
"""The byte order mark with which some editors begin UTF-8 files."""


def explain_one(
    what: str, text: str | None, scenarios: str, case: str | None, language: str | None, *, as_json: bool
) -> int:
    """Explain one text; returns 0."""
    if text is None:
        raise ConfigError("explain needs a TEXT, or --jsonl and lines on standard input")
    explained = _explainer(what)(text, _case(load_pack(scenarios), case, what), language)
    if as_json:
        print_json(explained)
        return 0
    for key, value in explained.items():
        if isinstance(value, list):
            console().print(f"{key}:" + ("" if value else " none"))
            for item in value:
                console().print("  " + "  ".join(str(v) for v in item.values() if v not in (None, "")))
        elif value:
            console().print(f"{key}: {value}")
    return 0


def explain_many(what: str, scenarios: str, language: str | None, lines: BinaryIO) -> int:
    """Explain a JSON line each; a line that cannot be explained gets an `error`. Returns 1 where there was one."""
    explain, failed, pack = _explainer(what), 0, None
    for n, line in enumerate(lines, 1):
        raw = line.removeprefix(_MARK) if n == 1 else line
        if not raw.strip():
            continue
        asked: dict[str, Any] = {}
        try:
            asked = _line(raw)
            if pack is None and asked.get("case") is not None:
                pack = load_pack(scenarios)
            case = pack.case(str(asked["case"])) if pack is not None and asked.get("case") is not None else None
            if what == "question" and case is None:
                raise ConfigError("a question needs a `case`")
            explained = explain(asked["text"], case, asked.get("language", language))
        except ClinicSimError as exc:
            failed += 1
            explained = {"error": f"line {n}: {exc}"}
        print_json({**{k: asked[k] for k in ("case", "text") if k in asked}, **explained})
    return 1 if failed else 0


def _line(raw: bytes) -> dict[str, Any]:
    try:
        data = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"not a JSON object in UTF-8: {exc}") from exc
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        raise ConfigError('a line is {"case": ..., "text": "..."}')
    return data


def _case(pack: Pack, case: str | None, what: str) -> Case | None:
    if case is not None:
        return pack.case(case)
    if what == "question":
        raise ConfigError("a question needs --case: whose facts should it select?")
    return None


def _explainer(what: str) -> Callable[[str, Case | None, str | None], dict[str, Any]]:
    explainers = {"question": explain_question, "order": explain_order, "diagnosis": explain_diagnosis}
    if what not in explainers:
        raise ConfigError(f"explain {what!r}: it is one of {', '.join(explainers)}")
    return explainers[what]
