"""One vote: what is asked in it, under which ids, and what its answer says of each criterion.

The ids that a judge sees are numbers in an order of the vote's own; control questions stand among the criteria. Each
criterion gets exactly one of met, not met, or the reason why the vote says nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clinic_sim.judge.controls import Control, digest
from clinic_sim.judge.lines import Shown
from clinic_sim.judge.prompts import Asked
from clinic_sim.judge.quotes import find_quote
from clinic_sim.judge.rubric import Criterion
from clinic_sim.judge.stages import Stages
from clinic_sim.models.chat import Reply
from clinic_sim.models.structured import parse_object

MISSING = "missing"
DUPLICATE = "duplicate"
TYPES = "types"
FORMAT = "format"
QUOTE = "quote"
CONTROL = "control"

_LOOSE = {"type": "object", "properties": {"verdicts": {"type": "array"}}, "required": ["verdicts"]}
_TEXT = 400
"""Characters of a reason or a quote that are kept."""


@dataclass(frozen=True, slots=True)
class Voice:
    """What one vote says of one criterion."""

    met: bool | None
    """None where it says nothing that counts."""
    reason: str = ""
    quote: str = ""
    event: int | None = None
    """Number of the event that the quote stands in."""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Ballot:
    """The questions of one vote."""

    asked: tuple[tuple[str, Criterion | Control], ...]
    """The id that the judge sees, and what it stands for, in the order of asking."""

    @classmethod
    def of(cls, criteria: Sequence[Criterion], controls: Sequence[Control], key: str) -> Ballot:
        """Criteria and controls in an order that the key decides."""
        items: list[Criterion | Control] = [*criteria, *controls]
        items.sort(key=lambda item: digest(f"{key}:order:{item.id}"))
        return cls(tuple((f"k{n}", item) for n, item in enumerate(items, 1)))

    def questions(self, language: str) -> list[Asked]:
        """What is asked, as `prompts.messages` takes it."""
        found: list[Asked] = []
        proofs = tuple((i.speaker, i.stage, i.quote_required) for _, i in self.asked if isinstance(i, Criterion))
        for n, (name, item) in enumerate(self.asked):
            assert item.question is not None  # noqa: S101 - the rubric refuses a judged criterion without one
            if isinstance(item, Criterion):
                speaker, stage, quote = item.speaker, item.stage, item.quote_required
            else:
                # A control asks for the proof that a criterion beside it asks for, so that it looks like one. What a
                # true one asks about may stand in another stage than that.
                speaker, stage, quote = proofs[n % len(proofs)]
                stage = None if item.answer else stage
            found.append(Asked(name, item.question.in_language(language), speaker, stage, quote))
        return found

    def failed(self, failure: str) -> dict[str, Voice]:
        """The vote says nothing of any criterion."""
        return {item.id: Voice(None, failure=failure) for _, item in self.asked if isinstance(item, Criterion)}

    def read(self, items: Sequence[Any], shown: Shown, stages: Stages) -> dict[str, Voice]:
        """What the vote says of each criterion, by its id in the rubric."""
        given: dict[str, list[Mapping[str, Any]]] = {}
        for item in items:
            if isinstance(item, Mapping) and isinstance(item.get("id"), str):
                given.setdefault(item["id"].strip(), []).append(item)
        voices: dict[str, Voice] = {}
        for name, item in self.asked:
            own = given.get(name, [])
            if isinstance(item, Control):
                if len(own) != 1 or own[0].get("met") is not item.answer:
                    return self.failed(CONTROL)
            else:
                voices[item.id] = _voice(own, item, shown if item.stage is None else shown.within(item.stage, stages))
        return voices


def verdicts_in(reply: Reply) -> Sequence[Any] | None:
    """The list of verdicts that the reply is, whatever is in it; None where it is no such thing."""
    data = reply.parsed if reply.parsed is not None else parse_object(reply.text, _LOOSE)
    verdicts = data.get("verdicts") if data is not None else None
    return verdicts if isinstance(verdicts, list) else None


def _voice(given: Sequence[Mapping[str, Any]], criterion: Criterion, shown: Shown) -> Voice:
    if not given:
        return Voice(None, failure=MISSING)
    if len(given) > 1:
        return Voice(None, failure=DUPLICATE)
    met, reason, quote = (given[0].get(name) for name in ("met", "reason", "quote"))
    if not isinstance(met, bool) or not isinstance(reason, str) or not isinstance(quote, str):
        return Voice(None, failure=TYPES)
    if not met:
        return Voice(False, _printable(reason))
    event = find_quote(shown, quote, criterion.speaker)
    if event is None and (criterion.quote_required or quote.strip()):
        return Voice(None, _printable(reason), failure=QUOTE)
    return Voice(True, _printable(reason), _printable(quote), event)


def _printable(text: str) -> str:
    """A model's text as a record can hold it."""
    text = text[: 2 * _TEXT]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())[:_TEXT]
