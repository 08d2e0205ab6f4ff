"""What the words of a case support: each concept, number, side and word, with the facts that hold it.

Facts are bits of an integer, so that what the chosen and the told facts allow is one `&`, and a word held only by a
fact that was not chosen is told apart from one that nothing holds. Read once a compiled case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from weakref import WeakKeyDictionary

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.cases.facts import Polarity
from clinic_sim.clinic.patient.guard import said
from clinic_sim.clinic.patient.speech.heard import (
    Heard,
    content,
    directions,
    listen,
    name_of,
    negative,
    sentences_of,
    stems_of,
    widened,
)
from clinic_sim.clinic.patient.speech.poles import Told, poles_in, told
from clinic_sim.clinic.patient.speech.quantities_en import numbers_in_words
from clinic_sim.clinic.patient.speech.quantity import Quantity
from clinic_sim.clinic.patient.speech.tables import pattern
from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.text import fold
from clinic_sim.knowledge.topics import Topic


class View(NamedTuple):
    """A fact as it is held against a clause of an answer."""

    told: Told
    stems: frozenset[str]
    numbers: tuple[Quantity, ...]
    """Also those written as words without a unit."""
    side: str
    """`denied`: something is not there; `normal`: all is well; `told`: something is there."""


@dataclass(slots=True)
class Profile:
    """The support of a case's words, by what they name."""

    base: int = 0
    """The bit of what everybody knows: complaint, opening, age and sex."""
    everything: int = 0
    present: dict[str, int] = field(default_factory=dict)
    """Facts that affirm the concept or one below it."""
    absent: dict[str, int] = field(default_factory=dict)
    exact_present: dict[str, int] = field(default_factory=dict)
    exact_absent: dict[str, int] = field(default_factory=dict)
    about: dict[str, int] = field(default_factory=dict)
    """Facts that are about it in whatever way."""
    stems: dict[str, int] = field(default_factory=dict)
    numbers: list[tuple[Quantity, int]] = field(default_factory=list)
    digits: dict[str, int] = field(default_factory=dict)
    own: dict[str, int] = field(default_factory=dict)
    """Sentences as the facts have them."""
    own_clauses: dict[str, int] = field(default_factory=dict)
    """Clauses of them whose denials are their own."""
    values: dict[str, dict[str, int]] = field(default_factory=dict)
    directions: dict[str, dict[str, int]] = field(default_factory=dict)
    """By what changes a complaint: facts in which it makes it `better`, and `worse`."""
    codes: dict[str, int] = field(default_factory=dict)
    """By ICD-10 category."""
    family: int = 0
    normal: int = 0
    """Facts that say that all is well."""
    denials: int = 0
    """Facts that say that something is not there."""
    denied: int = 0
    """Facts that are marked as something that is not there."""
    inflamed: int = 0
    """Facts with an infection or inflammation in them."""
    untriggered: int = 0
    """Facts that say that it came for no reason."""
    fears: int = 0
    """Facts that tell what the patient thinks or is afraid of."""
    guesses: int = 0
    """Those of them that name something of the body."""
    frames: dict[str, int] = field(default_factory=dict)
    """By frame: facts with somebody else's word, a test or a guess in them."""
    occupations: int = 0
    by_proxy: bool = False
    """Somebody else speaks for the patient, and the family's illnesses are the speaker's own."""
    kin_named: int = 0
    """Facts that name a relative."""
    keys: dict[str, frozenset[str]] = field(default_factory=dict)
    """What each fact says that words must share to carry it: concepts and codes."""
    fact_stems: dict[str, frozenset[str]] = field(default_factory=dict)
    fact_numbers: dict[str, tuple[Quantity, ...]] = field(default_factory=dict)
    bit: dict[str, int] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)

    def allowed(self, facts: Iterable[str], told: Iterable[str]) -> int:
        """The bits that words may rest on."""
        mask = self.base
        for fact in (*facts, *told):
            mask |= self.bit.get(fact, 0)
        return mask


def _add(table: dict[str, int], key: str, bit: int) -> None:
    table[key] = table.get(key, 0) | bit


FRAMES = ("third", "test", "guess", "had", "what", "also")
"""Somebody else's word, a test, a guess, somebody who had the same, what a thing is said to be, and one thing more."""
_MODIFYING = frozenset({"attr.rest", "attr.food", "attr.position", "attr.exertion", "attr.cold", "attr.relieving"})
_FEW = 3
_SUBJECTS = frozenset({"sx.vaginal_discharge", "sx.sputum"})
_DENIABLE = frozenset({"prior", "spread"})
"""Attributes of yes and no: denying one gives the other."""
_WITHOUT: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(expression), id_)
    for expression, id_ in (
        (r"\bpainless\b|\bpain[- ]free\b|无痛|不痛不痒", "sx.pain"),
        (r"\b(?:non-?tender)\b", "sx.pain"),
        (r"\b(?:non-?itchy|non-?pruritic)\b|不痛不痒", "sx.itch"),
        (r"\bafebrile\b", "sx.fever"),
        (r"\b(?:non-?productive|unproductive)\b|干咳", "sx.sputum"),
        (r"\bnon-?bloody\b", "sx.bleeding"),
        (r"\bnon-?bilious\b", "sx.bilious_vomit"),
        (r"\bnon-?radiating\b", "attr.radiation"),
    )
)
"""Words that deny a finding within themselves."""


_OF_TOPIC: dict[Topic, tuple[str, ...]] = {
    Topic.SURGERY: ("hx.surgery",),
    Topic.SMOKING: ("hx.smoking",),
    Topic.ALCOHOL: ("hx.alcohol",),
    Topic.SUBSTANCE: ("hx.substance",),
    Topic.TRAVEL: ("hx.travel",),
    Topic.EXPOSURE: ("hx.exposure",),
    Topic.ALLERGY: ("hx.allergy",),
    Topic.MEDICATION: ("hx.medication",),
    Topic.SEXUAL: ("hx.sexual",),
    Topic.TRANSFUSION: ("hx.transfusion",),
    Topic.DIET: ("hx.diet",),
}
"""What a fact under a heading is about, whatever its words."""


def _read_into(profile: Profile, text: str, bit: int, *, absent: bool) -> Heard:
    heard = listen(text, record=True)
    speech = heard.speech
    for mention in heard.mentions:
        denied = absent or speech.denied(mention.start, mention.end) or negative(mention, speech.folded)
        if absent and mention.id in _SUBJECTS and any(mention.end <= begin for begin, _ in speech.denials):
            denied = False  # what is denied is something of it: its smell
        exact, wide = (profile.exact_absent, profile.absent) if denied else (profile.exact_present, profile.present)
        _add(exact, name_of(mention.id), bit)
        for id_ in widened(mention.id):
            _add(wide, id_, bit)
            _add(profile.about, id_, bit)
        if mention.id.startswith("icd:"):
            _add(profile.codes, icd10.category(mention.id[4:]), bit)
    for without, id_ in _WITHOUT:
        if without.search(speech.folded):
            _add(profile.exact_absent, id_, bit)
            for above in ontology().closure(id_):
                _add(profile.absent, above, bit)
                _add(profile.about, above, bit)
    for value in heard.contrasts:
        attribute, _, which = value.id.partition("=")
        if attribute != "daytime" and (absent or speech.denied(value.start, value.end)):
            other = _OTHER_VALUE.get(which)
            if not absent:
                if other is not None:
                    _add(profile.values.setdefault(attribute, {}), other, bit)
                continue
        if (
            attribute == "help"
            and not speech.folded.startswith(("控制", "未见", "疗效", "效果"), value.start)
            and not any(m.id.startswith(("drug.", "tx:", "hx.medication")) for m in heard.mentions)
            and (
                any(m.id.startswith("attr.") for m in heard.mentions if m.id in _MODIFYING)
                or len(heard.mentions) > _FEW
            )
        ):
            continue  # what rest or food does is no effect of a treatment
        if attribute in _DENIABLE and (absent or speech.denied(value.start, value.end)):
            which = "no" if which == "yes" else "yes"
        _add(profile.values.setdefault(attribute, {}), which, bit)
    if any(v.id == "course=better" for v in heard.contrasts) and any(m.id.startswith("drug.") for m in heard.mentions):
        _add(profile.values.setdefault("help", {}), "yes", bit)
    for mention in heard.mentions:
        if mention.id in ("sx.sputum", "sx.dry_cough"):
            dry = mention.id == "sx.dry_cough" or absent or speech.denied(mention.start, mention.end)
            _add(profile.values.setdefault("cough", {}), "dry" if dry else "wet", bit)
    for modifier, way, _, _ in directions(heard):
        _add(profile.directions.setdefault(modifier, {}), way, bit)
    for number in heard.quantities:
        profile.numbers.append((number, bit))
        if number.kind == "score" and not _MILD < number.value < _SEVERE:
            which = "mild" if number.value <= _MILD else "severe"
            _add(profile.values.setdefault("severity", {}), which, bit)
    if speech.english:
        profile.numbers += [(number, bit) for number in numbers_in_words(speech.folded, heard.quantities)]
    for digits in re.findall(r"\d+(?:\.\d+)?", speech.folded):
        _add(profile.digits, digits, bit)
    for one in stems_of(speech.folded):
        _add(profile.stems, one, bit)
    return heard


_MILD, _SEVERE = 3, 7
"""Scores out of ten that patients call mild, and severe."""
_OTHER_VALUE = {"constant": "intermittent", "intermittent": "constant", "regular": "irregular", "irregular": "regular"}
"""The value left where a fact denies one of two."""


_INFLAMED = pattern("inflamed")
_UNTRIGGERED = pattern("untriggered")
_CLAUSE = 4
_NEGATION = re.compile(r"\b(?:no|not|never|without|denies)\b|n't|[不没无未]")


_WEAK_KEYS = frozenset({"attr", "neg", "normal", "unknown", "informant", "who", "organ", "proc"})


def _build(compiled: CompiledCase) -> Profile:
    case = compiled.case
    profile = Profile()
    known = ontology()
    profile.base = base = 1 << len(case.facts)
    profile.everything = (base << 1) - 1
    profile.by_proxy = case.speaker != "patient"
    for text in (case.chief_complaint, case.opening):
        if text:
            _read_into(profile, text, base, absent=False)
            for one in sentences_of(fold(text)):
                _add(profile.own, one, base)
    person = case.demographics
    if person.age is not None:
        hours = {"years": 8766, "months": 730, "weeks": 168, "days": 24}[person.age_unit]
        profile.numbers.append((Quantity("age", person.age * hours / 8766, 0, 0), base))
        profile.numbers.append((Quantity("time", person.age * hours, 0, 0), base))
        _add(profile.digits, f"{person.age:g}", base)
    for n, fact in enumerate(case.facts):
        bit = profile.bit[fact.id] = 1 << n
        absent = fact.polarity is Polarity.ABSENT
        text = fact.statement if not fact.words or fact.words == fact.statement else f"{fact.statement}\n{fact.words}"
        heard = _read_into(profile, text, bit, absent=absent)
        for one in sentences_of(f"{heard.speech.folded}\n{fold(said(compiled, fact.id))}"):
            _add(profile.own, one, bit)
            denies = absent or bool(heard.speech.denials)
            for clause in one.split(","):
                if len(clause) >= _CLAUSE and (not denies or _NEGATION.search(clause)):
                    _add(profile.own_clauses, clause.strip(), bit)
        for id_ in fact.about:
            _add(profile.exact_absent if absent else profile.exact_present, id_, bit)
            for wide in known.closure(id_) if id_ in known.concepts else ():
                _add(profile.absent if absent else profile.present, wide, bit)
                _add(profile.about, wide, bit)
        meaning = compiled.meanings[n]
        for id_ in (*meaning.closure, *meaning.inherited, *meaning.sites, *meaning.kin):
            _add(profile.about, id_, bit)
        if "site.limb" in meaning.sites or any(heard.speech.folded.find(w) >= 0 for w in ("肢体", "limb", "extremit")):
            _add(profile.exact_present, "site.limb", bit)
        read = {wide for m in heard.mentions for wide in widened(m.id)}
        for id_ in meaning.concepts:
            if id_ in read:
                continue  # read with its own polarity
            _add(profile.exact_absent if absent else profile.exact_present, id_, bit)
            for wide in known.closure(id_):
                _add(profile.absent if absent else profile.present, wide, bit)
        for id_ in _OF_TOPIC.get(fact.topic, ()):
            _add(profile.about, id_, bit)
            if absent:
                _add(profile.exact_absent, id_, bit)
                _add(profile.absent, id_, bit)
        if meaning.general or any(m.id == "normal" for m in heard.mentions):
            profile.normal |= bit
        if absent:
            profile.denied |= bit
        if absent or heard.speech.denials:
            profile.denials |= bit
        if _INFLAMED.search(heard.speech.folded):
            profile.inflamed |= bit
        if _UNTRIGGERED.search(heard.speech.folded):
            profile.untriggered |= bit
        for frame in FRAMES:
            if pattern(f"sign.{frame}").search(heard.speech.folded):
                _add(profile.frames, frame, bit)
        if fact.topic is Topic.FAMILY:
            profile.family |= bit
        if meaning.kin or any(m.id.startswith("kin.") for m in heard.mentions):
            profile.kin_named |= bit
        if fact.topic in (Topic.IDEA, Topic.CONCERN):
            profile.fears |= bit
            _add(profile.frames, "guess", bit)
            if any(m.id.startswith(("dx.", "icd:", "organ.", "proc.", "site.", "sx.")) for m in heard.mentions):
                profile.guesses |= bit
        if fact.topic is Topic.OCCUPATION:
            profile.occupations |= bit
        keys = {name_of(m.id) for m in heard.mentions if m.id.partition(".")[0] not in _WEAK_KEYS}
        keys.update(fact.about)
        keys.update(c for c in meaning.concepts if c.partition(".")[0] not in _WEAK_KEYS)
        profile.keys[fact.id] = frozenset(keys)
        profile.fact_stems[fact.id] = frozenset(content(stems_of(heard.speech.folded)))
        profile.fact_numbers[fact.id] = heard.quantities
        profile.views[fact.id] = _view(profile, heard, fact.id, absent=absent)
    return profile


def _view(profile: Profile, heard: Heard, fact: str, *, absent: bool) -> View:
    speech, bit = heard.speech, profile.bit[fact]
    found = told(poles_in(speech, heard.contrasts))
    side = "denied" if absent else "normal" if profile.normal & bit else "told"
    well = found.poles.get("well", frozenset())
    if side != "told":
        well = frozenset({"good"})
    elif not well and any(key.startswith("sx.") for key in profile.keys[fact]):
        well = frozenset({"bad"})  # a complaint is no good news, whatever its words
    numbers = heard.quantities
    if speech.english:
        numbers = (*numbers, *numbers_in_words(speech.folded, heard.quantities))
    poles = {**found.poles, "well": well} if well else found.poles
    return View(Told(found.areas, poles), profile.fact_stems[fact], numbers, side)


_profiles: WeakKeyDictionary[CompiledCase, Profile] = WeakKeyDictionary()


def profile_of(compiled: CompiledCase) -> Profile:
    """The profile of a case, read once."""
    found = _profiles.get(compiled)
    if found is None:
        found = _profiles[compiled] = _build(compiled)
    return found
