"""What words claim about the patient, held against the facts: inventions, facts told unchosen, facts turned round."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.patient.speech.alignment import aligned, denied_beside
from clinic_sim.clinic.patient.speech.answers import answers, turned_round
from clinic_sim.clinic.patient.speech.attributes import numbers, values, ways
from clinic_sim.clinic.patient.speech.circumstances import all_well, broken, of_kin_zh, relatives, sizes_zh, work
from clinic_sim.clinic.patient.speech.heard import Heard, name_of, negative
from clinic_sim.clinic.patient.speech.hearing import Mode, Speech, feared
from clinic_sim.clinic.patient.speech.lexicon import CLAIM, mentions
from clinic_sim.clinic.patient.speech.profile import Profile
from clinic_sim.clinic.patient.speech.sites import sites
from clinic_sim.clinic.patient.speech.support import Found
from clinic_sim.clinic.patient.speech.tables import pattern, word_list
from clinic_sim.clinic.patient.speech.verdicts import BLAND, SYSTEM, turned, verdict
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.scan import Mention

_EMOTION = pattern("emotion")


_BY_EMOTION = frozenset(
    {
        "sx.insomnia",
        "sx.tremor",
        "sx.sweating",
        "sx.irritable",
        "sx.anxiety",
        "sx.depressed",
        "sx.palpitations",
        "sx.poor_appetite",
    }
)


def claims(
    compiled: CompiledCase, profile: Profile, heard: Heard, allowed: int, chosen: int, asked: Heard | None
) -> Iterator[Found]:
    """Every claim that the allowed facts do not hold."""
    yield from _concepts(profile, heard, allowed, chosen, asked)
    yield from answers(profile, heard, chosen, asked)
    yield from relatives(profile, heard, allowed)
    yield from all_well(profile, heard, chosen)
    yield from work(profile, heard, allowed, chosen)
    yield from broken(profile, heard, allowed)
    yield from turned_round(profile, heard, chosen & ~profile.base, asked)
    yield from sites(profile, heard, allowed, asked)
    if heard.speech.chinese:
        yield from sizes_zh(profile, heard, allowed)
        yield from of_kin_zh(profile, heard, allowed)
    yield from values(profile, heard, allowed, chosen)
    yield from ways(profile, heard, chosen)
    yield from numbers(compiled, profile, heard, allowed, chosen & ~profile.base, asked)


def _echoed(asked: Heard | None, id_: str) -> bool:
    return asked is not None and any(
        name_of(m.id) == id_ or id_ in _closure(name_of(m.id)) or name_of(m.id) in _closure(id_) for m in asked.mentions
    )


def _closure(id_: str) -> frozenset[str]:
    known = ontology()
    return known.closure(id_) if id_ in known.concepts else frozenset({id_})


def _checked(id_: str) -> bool:
    return (id_.startswith(("sx.", "drug.", "dx.")) and id_ not in BLAND) or id_.startswith(CLAIM)


def _concepts(profile: Profile, heard: Heard, allowed: int, chosen: int, asked: Heard | None) -> Iterator[Found]:
    known = ontology()
    speech = heard.speech
    by_span: dict[tuple[int, int], list[Mention]] = {}
    for mention in heard.mentions:
        if _checked(mention.id) or negative(mention, heard.speech.folded):
            by_span.setdefault((mention.start, mention.end), []).append(mention)
    held = [
        (v.start, v.end)
        for v in heard.contrasts
        if v.id.startswith("quality=") and profile.values.get("quality", {}).get(v.id[8:], 0) & allowed
    ]
    for (start, end), named in by_span.items():
        mode = speech.mode(start)
        if (mode is Mode.WISHES and named[0].id != "sx.suicidal") or mode is Mode.UNSURE:
            continue
        if _of_another(speech.folded, start):
            continue
        if profile.denials & allowed and _NOT_EVEN.search(speech.folded, max(0, start - 60), start):
            continue  # a figure of speech for the denial of more
        if any(m.id == "sx.head_injury" for m in named):
            named = [m for m in named if m.id == "sx.head_injury"]
        if any(s < end and start < e for s, e in held):
            continue  # the quality of a chosen fact in a word that is also a complaint: squeezing
        if speech.chinese and len(named) > 1:
            named = _placed_here(heard, named)
        verdicts: list[str | None] = []
        for mention in named:
            id_ = name_of(mention.id)
            if id_ in known.concepts and known.concepts[id_].kind == SYSTEM:
                continue
            if mode is Mode.ASKS and _echoed(asked, id_):
                continue
            if _woken(profile, id_, speech.folded[end - 1], allowed):
                verdicts.append(None)
            denied = speech.denied(start, end) or negative(mention, speech.folded)
            if id_ == "sx.vomiting" and _KEPT_DOWN.match(speech.folded, start):
                denied = not denied and not _STRUGGLES.search(speech.folded, max(0, start - _YOURS_REACH), start)
            if denied and speech.folded.startswith("no ", start) and speech.folded.endswith(", ", 0, start):
                denied = False  # no energy, no appetite: each has its own no
            if (
                id_ == "sx.weight_loss"
                and speech.folded[start:end] == "轻了"
                and (profile.values.get("course", {}).get("better", 0) & allowed)
            ):
                verdicts.append(None)
                continue
            if id_ == "sx.vomiting" and speech.folded[start] == "吐" and _coughed_up(profile) & allowed:
                verdicts.append(None)
                continue
            if denied and profile.untriggered & allowed and id_ in _TRIGGERS:
                verdicts.append(None)
                continue
            if id_.startswith("dx."):
                # Whether a disease may be named at all is the business of disclosure; here is only what is said of it.
                here = speech.stretch(start)
                kin = [
                    m.id
                    for m in heard.mentions
                    if m.id.startswith("kin.")
                    and speech.stretch(m.start) == here
                    and not (speech.english and speech.denied(m.start, m.end))
                ]
                if turned(profile, id_, allowed, denied, kin):
                    verdicts.append("contradiction")
                continue
            if denied and id_.startswith("drug.") and profile.exact_absent.get("hx.medication", 0) & allowed:
                continue
            if not denied and id_.startswith("drug.") and _known_medicine(profile, heard, start, end, allowed):
                continue  # a medicine of the facts by another of its names
            found = verdict(profile, mention, heard, allowed, denied)
            if found == "contradiction" and _HARDLY.search(speech.folded, max(0, start - _YOURS_REACH), start):
                found = None if profile.about.get(id_, 0) & allowed else found
            verdicts.append(found)
        if not verdicts or None in verdicts:
            continue
        if "contradiction" not in verdicts and _denied_with(profile, heard, named[0], allowed):
            continue
        if profile.own_clauses.get(_clause(speech.folded, start, end), 0) & allowed:
            continue
        stretch = speech.stretch_text(start)
        if all(name_of(m.id) in _BY_EMOTION for m in named) and _EMOTION.search(stretch):
            continue
        # Of several readings of the same words the mildest counts.
        kind = next((k for k in ("unchosen", "invention", "contradiction") if k in verdicts), "invention")
        if kind != "contradiction" and (
            _says_nothing(speech.folded, start, end)
            or (
                _COULD.search(speech.folded, max(0, start - _YOURS_REACH), start)
                and not _SENSES.match(speech.folded, start)
            )
        ):
            continue
        if feared(speech.folded, start) and named[0].id != "sx.suicidal":
            continue
        if kind != "contradiction" and _pain_of_the_facts(profile, speech, start, end, named, allowed):
            continue
        if (
            speech.chinese
            and (kind != "contradiction" or profile.absent.get("sx.pain", 0) & chosen)
            and speech.denied(start, end)
            and _BARE_PAIN.fullmatch(speech.folded, start, end)
        ):
            continue  # no pain of the place that was asked for
        if kind != "contradiction" and _by_its_other_name(profile, heard, start, end, allowed):
            continue
        if kind == "invention" and speech.denied(start, end) and denied_beside(profile, named, chosen & ~profile.base):
            continue
        if kind != "contradiction" and aligned(profile, heard, named, chosen & ~profile.base, asked):
            continue
        yield kind, speech.text[start:end]


_FRAMED = word_list("framed")


_PREDICATED = pattern("predicated")


_LOOSE = pattern("loose.en")
"""Words for what one can do and how one lives, by which records find a complaint and people claim none."""


_FILLERS = frozenset(
    {
        *("a", "an", "the", "my", "his", "her", "your", "their", "very", "really", "quite", "just", "so", "all"),
        *("bit", "little", "pretty"),
    }
)


_DRINKS, _DRINKS_OTHER = pattern("drinks"), pattern("drinks.other")


_DRINK_WORDS = frozenset({"drink", "drinks", "drinking"})


def _says_nothing(folded: str, start: int, end: int) -> bool:
    """Whether a single word of everyday speech stands alone, or is not said of how somebody is."""
    word = folded[start:end].removesuffix("'s")
    if word in _AMBIGUOUS or _LOOSE.fullmatch(" ".join(w for w in word.split() if w not in _FILLERS)):
        return True
    before = max(0, start - _YOURS_REACH)
    if word in _DRINK_WORDS:
        return _DRINKS.search(folded, before, start) is None or _DRINKS_OTHER.match(folded, end) is not None
    if word not in _FRAMED:
        return False
    return _PREDICATED.search(folded, before, start) is None or _EMOTION.search(folded, before, end + 30) is not None


def _coughed_up(profile: Profile) -> int:
    """The facts with something that is spat out."""
    return profile.present.get("sx.sputum", 0) | profile.present.get("sx.hemoptysis", 0)


def _by_its_other_name(profile: Profile, heard: Heard, start: int, end: int, allowed: int) -> bool:
    """Whether the same words name something of another kind that the facts have: a birth that was an operation."""
    return any(
        (m.start, m.end) == (start, end)
        and m.id.startswith(("hx.", "tx:", "dx.", "icd:"))
        and profile.about.get(m.id, 0) & allowed
        for m in heard.mentions
    )


_KEPT_DOWN = re.compile(r"(?:keep|kept|keeping|hold|holding|held)\b")


_STRUGGLES = re.compile(r"unable|struggl|hard|trouble|n't|not|cannot|barely|hardly|never|difficult")


_TRIGGERS = frozenset({"sx.injury", "sx.fall", "sx.head_injury", "hx.injury", "hx.exposure", "hx.exercise"})
"""What is denied with "for no reason"."""


_BARE_PAIN = re.compile(r"(?:疼|痛|酸|胀)[了得着起]?|hurt\w*|pain\w*|ach\w+|sore")


def _pain_of_the_facts(
    profile: Profile, speech: Speech, start: int, end: int, named: list[Mention], allowed: int
) -> bool:
    """Whether a bare word for pain, joined with a place of another clause, is the pain that the facts have."""
    if not _BARE_PAIN.fullmatch(speech.folded, start, end) or not all(
        "sx.pain" in _closure(name_of(m.id)) for m in named
    ):
        return False
    left = max(speech.folded.rfind(c, 0, start) for c in ",.;!?。、\n") + 1
    known = ontology().concepts
    near = speech.folded[left:start]
    sited = [p for m in named if m.id in known for p in known[m.id].parents if p.startswith("site.")]
    here = {i for m in mentions(near, near, english=speech.english, chinese=speech.chinese) for i in _closure(m.id)}
    return bool(sited) and here.isdisjoint(sited) and bool(profile.present.get("sx.pain", 0) & allowed)


def _of_another(folded: str, start: int) -> bool:
    """Whether what stands there is said of the doctor, a thing or somebody just spoken of."""
    before = max(0, start - _YOURS_REACH)
    if _YOURS.search(folded, before, start):
        return True
    return _THEY_DID.search(folded, before, start) is not None and _MY_PEOPLE.search(folded, 0, start) is not None


def _known_medicine(profile: Profile, heard: Heard, start: int, end: int, allowed: int) -> bool:
    return any(
        (m.start, m.end) == (start, end) and m.id.startswith("tx:drug.") and profile.about.get(m.id, 0) & allowed
        for m in heard.mentions
    )


def _placed_here(heard: Heard, named: list[Mention]) -> list[Mention]:
    """Of complaints at several places in one word, those whose place stands in its own clause: 往右肩窜,后背也疼."""
    speech = heard.speech
    left = max(speech.folded.rfind(c, 0, named[0].start) for c in ",。;!?") + 1
    here = {m.id for m in heard.mentions if m.id.startswith("site.") and left <= m.start < named[0].start}
    at = [m for m in named if not here.isdisjoint(_closure(name_of(m.id)))] if here else []
    return at or named


def _denied_with(profile: Profile, heard: Heard, mention: Mention, allowed: int) -> bool:
    """Whether a thing is denied in one breath with what a fact denies: 尿的时候哭闹喊疼 for 尿痛."""
    speech = heard.speech
    if not speech.chinese or not speech.denied(mention.start, mention.end):
        return False
    begin = max(speech.folded.rfind(c, 0, mention.start) for c in ",、。;!?") + 1
    ends = [at for c in ",、。;!?" if (at := speech.folded.find(c, mention.end)) >= 0]
    until = min(ends, default=len(speech.folded))
    return any(
        begin <= m.start < until
        and (m.start, m.end) != (mention.start, mention.end)
        and m.id.startswith("sx.")
        and profile.absent.get(m.id, 0) & allowed
        and speech.denied(m.start, m.end)
        for m in heard.mentions
    )


_AMBIGUOUS = word_list("ambiguous")
"""Single words of everyday speech that records use for findings: alone they claim nothing."""


def _woken(profile: Profile, id_: str, last: str, allowed: int) -> bool:
    """To be woken (疼醒) by what comes at night is no other complaint."""
    return id_ == "sx.insomnia" and last == "醒" and bool(profile.values.get("daytime", {}).get("night", 0) & allowed)


def _clause(folded: str, start: int, end: int) -> str:
    left = max(folded.rfind(c, 0, start) for c in ",.;!?。\n") + 1
    ends = [at for c in ",.;!?。\n" if (at := folded.find(c, end)) >= 0]
    return folded[left : min(ends, default=len(folded))].strip()


_HARDLY = pattern("hardly")


_COULD = re.compile(r"(?:\b(?:could|would)|'d) (?:just |have |happily |easily |almost )?$")


_SENSES = re.compile(r"see|hear|feel|smell|taste")
"""What one could do is nothing one has: I could scream; what one could see was seen."""


_YOURS = pattern("of.others")


_THEY_DID = pattern("they.did")


_MY_PEOPLE = pattern("my.people")


_YOURS_REACH = 30


_NOT_EVEN = pattern("not.even")
