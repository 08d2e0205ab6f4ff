"""Signs of words that do not keep to the facts: what is unlicensed in them, and in what frames it stands.

No sign decides by itself. Rules object to what they can name; signs describe the rest, and what the rules object to, so
that a weighing learned from labelled answers (`weighing.py`) can tell a guess told in nobody's terms from small talk.
Some signs are of the whole answer; those of each sentence are kept apart (`sentence_signs.py`), since one sentence is
enough to give something away, however harmless the others are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log1p

from clinic_sim.clinic.patient.speech.answers import affirms, denies
from clinic_sim.clinic.patient.speech.contrary import BACKING, contrary_signs
from clinic_sim.clinic.patient.speech.hearing import Mode
from clinic_sim.clinic.patient.speech.quantity import same
from clinic_sim.clinic.patient.speech.sentence_signs import CAP, Signs, sentence_signs
from clinic_sim.clinic.patient.speech.spoken import NEGATION, Answer, Named, Sentence, kind_of, named_in, spoken_in
from clinic_sim.clinic.patient.speech.support import Found
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.text import fold, stem

_SHARE = 0.34
"""Share of a fact's own words above which a sentence is plainly about it."""
_PLAIN, _SMALL = 1.0, 0.5


@dataclass(frozen=True, slots=True)
class Described:
    """The signs of an answer."""

    whole: Signs
    sentences: tuple[Signs, ...]
    """In order; at least one."""
    words: tuple[str, ...]
    """Of each sentence."""


def described(answer: Answer, objections: Sequence[Found]) -> Described:
    """The signs of an answer; what is not there is 0.

    Args:
        objections: What the rules object to.
    """
    spoken, named = spoken_in(answer), named_in(answer)
    whole: Signs = {}
    for name, size in _all(answer, spoken, named, objections):
        whole[name] = min(CAP, whole.get(name, 0.0) + size)
    each = tuple(sentence_signs(answer, sentence, named, len(spoken)) for sentence in spoken)
    for at, name, size in contrary_signs(answer):
        for sentence, signs in zip(spoken, each, strict=True):
            if sentence.start <= at <= sentence.end:
                signs[name] = min(CAP, signs.get(name, 0.0) + size)
                break
    if "rule:contradiction" in whole:
        backed = any(BACKING & signs.keys() for signs in each)
        whole["rule:contradiction.backed" if backed else "rule:contradiction.alone"] = _PLAIN
    return Described(whole, each or ({},), tuple(sentence.words.strip() for sentence in spoken) or ("",))


def _all(
    answer: Answer, spoken: list[Sentence], named: Named, objections: Sequence[Found]
) -> Iterator[tuple[str, float]]:
    yield ("zh" if answer.heard.speech.chinese else "en"), _PLAIN
    yield from _objected(answer, objections)
    yield from _measured(answer, spoken)
    yield from _named(answer, named)
    yield from _counted(answer)
    yield from _valued(answer)
    yield from _turned(answer, spoken)
    yield from _close(answer, spoken, named)


def _objected(answer: Answer, objections: Sequence[Found]) -> Iterator[tuple[str, float]]:
    """What rules object to, and what sort of thing that is: a drug that nothing holds is surer than a phrase."""
    for kind in sorted({kind for kind, _ in objections}):
        yield f"rule:{kind}", _PLAIN
    for sort in sorted({f"{kind}:{_sort_of(answer, words)}" for kind, words in objections}):
        yield f"rule:{sort}", _PLAIN
    if objections:
        yield "rule:any", _PLAIN
    if len(objections) > 1:
        yield "rule:many", _PLAIN


def _sort_of(answer: Answer, words: str) -> str:
    """What the words of an objection are: the kind of what they name, a number, a value, or only words."""
    heard = answer.heard
    start = heard.speech.folded.find(fold(words).strip())
    if start < 0:
        return "words"
    end = start + len(fold(words).strip())
    for mention in heard.mentions:
        if mention.start == start and mention.end == end:
            if heard.speech.denied(start, end):
                return f"{kind_of(mention.id)}.denied"
            return f"{kind_of(mention.id)}{'.name' if _by_name(mention.id, heard.speech.folded[start:end]) else ''}"
    if any(said.start < end and start < said.end for said in heard.quantities):
        return "number"
    if any(value.start < end and start < value.end for value in heard.contrasts):
        return "value"
    return "words"


def _by_name(id_: str, words: str) -> bool:
    """Whether a symptom is called by its name, which nobody says in passing, as many other words for it are."""
    concept = ontology().concepts.get(id_) if kind_of(id_) == "sx" else None
    return concept is not None and (words == fold(concept.label_zh) or stem(words) == stem(fold(concept.label_en)))


def _measured(answer: Answer, spoken: list[Sentence]) -> Iterator[tuple[str, float]]:
    held = answer.profile.stems
    free = [len(sentence.free) for sentence in spoken]
    for sentence in spoken:
        elsewhere = sum(1 for s in sentence.free if held.get(s, 0))
        if elsewhere:
            yield "elsewhere", 0.3 * elsewhere
    yield "free", log1p(sum(free))
    yield "free.share", sum(free) / max(1, sum(len(sentence.carried) for sentence in spoken))
    yield "free.worst", log1p(max(free, default=0))
    yield "free.last", log1p(free[-1]) if len(spoken) > 1 else 0.0
    yield "sentences", log1p(len(spoken))
    yield "length", log1p(len(answer.heard.speech.folded)) / 4


def _named(answer: Answer, named: Named) -> Iterator[tuple[str, float]]:
    speech = answer.heard.speech
    for mention in named.held:
        yield f"held:{kind_of(mention.id)}", 0.3
    for mention in named.akin:
        yield f"akin:{kind_of(mention.id)}", _PLAIN
    for mention in named.unheld:
        denied = ".denied" if speech.denied(mention.start, mention.end) else ""
        yield f"unheld:{kind_of(mention.id)}{denied}", _PLAIN
        mode = speech.mode(mention.start)
        if mode is not Mode.SAYS:
            yield f"unheld.{mode}", _PLAIN


def _counted(answer: Answer) -> Iterator[tuple[str, float]]:
    profile, allowed, chosen = answer.profile, answer.allowed, answer.chosen
    folded = answer.heard.speech.folded
    for said in answer.heard.quantities:
        held = profile.digits.get(folded[said.start : said.end], 0)
        for known, bit in profile.numbers:
            if bit & allowed and same(said, known):
                held |= bit
        if held & chosen or (held & allowed and not chosen):
            yield "number.held", _SMALL
            continue
        yield ("number.elsewhere" if held & allowed else "number.unheld"), _SMALL
        if not held & allowed:
            yield f"number:{said.kind}", _SMALL
        if any(bit & chosen and known.kind == said.kind for known, bit in profile.numbers):
            yield "number.clash", _PLAIN


def _valued(answer: Answer) -> Iterator[tuple[str, float]]:
    chosen = answer.chosen
    for value in answer.heard.contrasts:
        attribute, _, which = value.id.partition("=")
        known = answer.profile.values.get(attribute, {})
        if known.get(which, 0) & answer.allowed:
            yield "value.held", _SMALL
            continue
        other = any(bits & chosen for name, bits in known.items() if name != which)
        yield ("value.other" if other else "value.unheld"), _SMALL
        yield f"value:{attribute}", _SMALL


def _turned(answer: Answer, spoken: list[Sentence]) -> Iterator[tuple[str, float]]:
    """How yes, no and denials stand to the polarity of the chosen facts."""
    profile, folded = answer.profile, answer.heard.speech.folded
    negations = len(NEGATION.findall(folded))
    yield "negations", log1p(negations)
    if not answer.facts:
        yield "facts:0", _PLAIN
        return
    denying = [f for f in answer.facts if profile.bit[f] & (profile.denied | profile.denials)]
    kind = "none" if len(denying) == len(answer.facts) else "some" if denying else "all"
    yield f"facts:{kind}", _PLAIN
    no, yes = denies(folded), affirms(folded)
    if no:
        yield f"no:{kind}", _PLAIN
    if yes:
        yield f"yes:{kind}", _PLAIN
    if not no and not yes:
        yield f"neither:{kind}", _PLAIN
    yield f"negations:{kind}", log1p(negations)
    if not negations:
        yield f"unnegated:{kind}", _PLAIN
    for fact in answer.facts:
        own = profile.fact_stems[fact]
        shared, nearest = 0, ""
        for sentence in spoken:
            if not nearest or len(sentence.carried & own) > shared:
                shared, nearest = len(sentence.carried & own), sentence.words
        touched = "none" if not shared else "some" if shared < _SHARE * max(1, len(own)) else "most"
        side = "denied" if fact in denying else "told"
        way = "no" if NEGATION.search(nearest) else "yes"
        yield f"fact:{side}.{way}.{touched}", 1 / len(answer.facts)


def _close(answer: Answer, spoken: list[Sentence], named: Named) -> Iterator[tuple[str, float]]:
    """What comes near to the diagnosis or the reports of the case, in words that nothing allowed holds."""
    reference = answer.reference
    free = {s for sentence in spoken for s in sentence.free}
    yield "close.name", log1p(sum(1 for s in free if s in reference.name_stems or s in reference.name_pairs))
    yield "close.report", log1p(sum(1 for s in free if s in reference.report_words))
