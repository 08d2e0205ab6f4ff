"""An episode made ready to be shown: what each turn revealed and cost, verdicts, and links between the two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from clinic_sim.reports.chosen import Chosen
from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.shown import Judged, Line, Link, Revealed, Shown, Turn
from clinic_sim.reports.statements import Statements
from clinic_sim.reports.table import decode

_REVEALING = frozenset({"recorded", "recorded_normal", "derived"})


def shown_of(roster: Roster, chosen: Chosen, data: Mapping[str, Any], anchor: str, statements: Statements) -> Shown:
    """An episode to show.

    Args:
        data: Its line in `episodes.jsonl`, or its record in `failures.jsonl`.
        anchor: What its places in the page are named after.
    """
    card = data.get("scorecard") or {"verdicts": (), "dimensions": {}, "total": None, "failure": ""}
    episode = data.get("episode") or {"case": data.get("case", ""), "language": "", "case_hash": "", "events": ()}
    verdicts: Sequence[Mapping[str, Any]] = card["verdicts"]
    known = statements.of(episode["case"], episode["case_hash"], verdicts)
    turns = list(_turns(episode["events"], anchor, known, _citations(verdicts, anchor)))
    failure = card["failure"] or data.get("failure") or ""
    if not failure and chosen.why == "failed":
        failure = f"{data.get('kind', '')} ({data.get('stage', '')}): {data.get('message', '')}"
    table = roster.table
    place = {name: int(level[0]) for name, level in _levels(roster, chosen.at).items()}
    places = {line.anchor: turn.number for turn in turns for line in (*turn.lines, *turn.quiet)}
    places |= {turn.anchor: turn.number for turn in turns}
    return Shown(
        anchor=anchor,
        why=chosen.why,
        key=chosen.key,
        doctor=roster.doctors[chosen.doctor],
        case=episode["case"],
        language=episode["language"],
        factors=(
            ("persona", table.personas[place["persona"]]),
            ("roles", roster.clinics[place["roles"]]),
            ("seed", str(place["seed"])),
            ("repeat", str(place["repeat"])),
        ),
        total=card["total"],
        failure=failure,
        dimensions=tuple(_by_dimension(roster, card, verdicts, anchor, places)),
        turns=tuple(_quieted(turn) for turn in turns),
        turns_taken=sum(bool(turn.action) for turn in turns),
        money=sum(turn.money for turn in turns),
        ended=next((e["reason"] for e in reversed(episode["events"]) if e["type"] == "ended"), ""),
    )


def _levels(roster: Roster, at: int) -> Mapping[str, Any]:
    return decode(roster.table.manifest, np.array([at], dtype=np.int64))


def _citations(verdicts: Sequence[Mapping[str, Any]], anchor: str) -> dict[int, list[Link]]:
    """Event to the verdicts that rest on it."""
    found: dict[int, list[Link]] = {}
    for n, verdict in enumerate(verdicts):
        for event in verdict["evidence"]:
            link = Link(f"{anchor}-v{n}", verdict["criterion"], verdict["status"])
            found.setdefault(event, []).append(link)
    return found


def _turns(
    events: Sequence[Mapping[str, Any]], anchor: str, known: Mapping[str, str], citations: Mapping[int, list[Link]]
) -> Iterator[Turn]:
    seen: set[str] = set()
    turn = Turn(0, f"{anchor}-start", "")
    number = 0
    for n, event in enumerate(events):
        place = f"{anchor}-e{n}"
        if event["type"] == "doctor_acted":
            if turn.action or turn.lines:
                yield turn
            number += 1
            turn = Turn(number, place, event["action"]["action"], _said(event["action"]), cited=citations.get(n, []))
            continue
        line = _line(event, place, known, seen)
        line.cited = citations.get(n, [])
        turn.lines.append(line)
    if turn.action or turn.lines:
        yield turn


def _said(action: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """The fields of an action that say something."""
    fields = ((name, value) for name, value in action.items() if name != "action" and value)
    order = ("text", "question", "manoeuvres", "exams", "diagnosis", "differential", "basis", "treatment", "reason")
    found = [(name, [value] if isinstance(value, str) else list(value)) for name, value in fields]
    return sorted(found, key=lambda f: order.index(f[0]) if f[0] in order else len(order))


def _line(event: Mapping[str, Any], place: str, known: Mapping[str, str], seen: set[str]) -> Line:
    kind = event["type"]
    line = Line(place, "", str(event.get("text", "")))
    by = event.get("by", "record")
    line.by = "" if by == "record" else by
    if kind in ("opened", "patient_answered"):
        line.kind, line.tag = "patient", event.get("kind", "")
        line.revealed = _new(event.get("facts", ()), known, seen)
    elif kind == "exam_reported":
        line.kind, line.name, line.tag = "exam", event["name"], event["outcome"]
        line.money, line.minutes = event["price"], event["minutes"]
        if event["outcome"] in _REVEALING:
            line.revealed = _new(event["exams"], {e: known.get(e, event["name"]) for e in event["exams"]}, seen)
        if event.get("repeat"):
            line.tag = "repeat"
    elif kind == "exam_clarified":
        line.kind = "clarify"
    elif kind == "chief_spoke":
        line.kind, line.tag = "chief", event.get("kind", "")
    elif kind == "action_rejected":
        line.kind, line.tag = "rejected", event.get("reason", "")
    else:
        line.kind, line.tag = "ended", event.get("reason", "")
    return line


def _new(evidence: Sequence[str], known: Mapping[str, str], seen: set[str]) -> list[Revealed]:
    fresh = [e for e in dict.fromkeys(evidence) if e not in seen]
    seen.update(fresh)
    return [Revealed(e, known.get(e, "")) for e in fresh]


def _quieted(turn: Turn) -> Turn:
    """Many orders without a result are told in one line."""
    quiet = [x for x in turn.lines if x.kind == "exam" and not x.revealed and not x.cited and x.tag != "repeat"]
    if len(quiet) > 3:
        turn.quiet = quiet
        turn.lines = [x for x in turn.lines if x not in quiet]
    return turn


def _by_dimension(
    roster: Roster,
    card: Mapping[str, Any],
    verdicts: Sequence[Mapping[str, Any]],
    anchor: str,
    places: Mapping[str, int],
) -> Iterator[tuple[str, float | None, tuple[Judged, ...]]]:
    """Verdicts of each dimension, safety last."""
    names = dict.fromkeys((*roster.dimensions, *card["dimensions"], *(v["dimension"] for v in verdicts)))
    for name in names:
        own = tuple(_judged(v, n, anchor, places) for n, v in enumerate(verdicts) if v["dimension"] == name)
        score = card["dimensions"].get(name, {"value": card.get("safety")})["value"]
        if own or name in card["dimensions"]:
            yield name, score, own


def _judged(verdict: Mapping[str, Any], n: int, anchor: str, places: Mapping[str, int]) -> Judged:
    links = [
        Link(f"{anchor}-e{event}", str(places[f"{anchor}-e{event}"]))
        for event in verdict["evidence"]
        if f"{anchor}-e{event}" in places
    ]
    # Several events of one turn: the first speaks for it.
    first = tuple({link.text: link for link in reversed(links)}.values())[::-1]
    value = verdict["value"]
    return Judged(
        anchor=f"{anchor}-v{n}",
        criterion=verdict["criterion"],
        status=verdict["status"],
        points=verdict["points"],
        earned=None if value is None else value * verdict["points"],
        reason=verdict["reason"],
        failure=verdict["failure"],
        quote=verdict.get("quote", ""),
        votes=verdict.get("votes"),
        evidence=first,
    )
