"""Which dose of a plan belongs to which treatment: behind its name, right before it, or behind an aside."""

from __future__ import annotations

import re

from clinic_sim.knowledge.doses import WINDOW, Regimen, has_amount, leading_amount, read_regimens
from clinic_sim.knowledge.matcher import Hit
from clinic_sim.knowledge.treatment_lexicon import ancestors, concepts

SENTENCE = re.compile(r"[.;!?\n](?!\d)|[。；！？]")
_DOTTED = re.compile(r"\b[a-z](?:\.[a-z]){1,2}\.")
"""`i.v.`, `t.i.d.`: their points end no sentence."""
_PARTED = re.compile(r"[,、;+/]|\band\b|和|及|与|加")


def bound_regimens(folded: str, hits: list[Hit]) -> list[tuple[Regimen, ...]]:
    """The doses of each named treatment: what stands behind its name, or right before it (`500 mg of amoxicillin`).

    Said of a class beside its own member (`heparin anticoagulation, 5000 IU`), a dose is the member's.
    """
    folded = _DOTTED.sub(lambda match: match.group().replace(".", "").ljust(len(match.group())), folded)
    found: list[tuple[Regimen, ...]] = []
    lead = "" if not hits else folded[max(0, hits[0].start - 40) : hits[0].start]
    lead = leading_amount(lead)
    for n, hit in enumerate(hits):
        until = hits[n + 1].start if n + 1 < len(hits) else len(folded)
        window = SENTENCE.split(folded[hit.end : min(until, hit.end + WINDOW)], maxsplit=1)[0]
        passed_on = ""
        if n + 1 < len(hits) and hit.end + len(window) == until:
            ahead = leading_amount(window)
            if ahead and _PARTED.search(window[: len(window) - len(ahead)]) and not _doses_behind(folded, hits, n + 1):
                window, passed_on = window[: len(window) - len(ahead)], ahead
        text = f"{lead} {window}" if lead and not has_amount(window) else window
        found.append(read_regimens(text) if has_amount(text) else ())
        lead = passed_on
    for n in reversed(range(len(hits) - 1)):
        own, other = hits[n].ids[0], hits[n + 1].ids[0]
        if not found[n] and found[n + 1] and not SENTENCE.search(folded[hits[n].end : hits[n + 1].start]):
            # `fenofibrate (after meals): 0.2 g`: what is no medicine has no dose in milligrams.
            aside = concepts()[own].kind == "drug" != concepts()[other].kind and found[n + 1][0].unit in ("mg", "iu")
            if aside or other in ancestors(own):
                found[n] = found[n + 1]
    return found


def _doses_behind(folded: str, hits: list[Hit], n: int) -> bool:
    """Whether a dose stands behind the name itself."""
    until = hits[n + 1].start if n + 1 < len(hits) else len(folded)
    window = SENTENCE.split(folded[hits[n].end : min(until, hits[n].end + WINDOW)], maxsplit=1)[0]
    return has_amount(window) and (n + 1 >= len(hits) or not leading_amount(window))
