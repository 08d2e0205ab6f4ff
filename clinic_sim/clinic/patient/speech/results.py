"""Treatments and results that the patient cannot know."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clinic_sim.clinic.patient.speech.heard import Heard, widened
from clinic_sim.clinic.patient.speech.hearing import Mode
from clinic_sim.clinic.patient.speech.leaks import covers_reference
from clinic_sim.clinic.patient.speech.profile import Profile
from clinic_sim.clinic.patient.speech.reference import Reference, quoted
from clinic_sim.clinic.patient.speech.support import WORDS, Found, in_words, supported
from clinic_sim.clinic.patient.speech.tables import pattern, word_list
from clinic_sim.knowledge import treatment_lexicon

_TESTS = pattern("tests")
_TEST_WORDS = word_list("test.words")
"""With which the names of tests begin in English: most answers hold none of them."""


_SHOWS = pattern("shows")


_FUTURE = pattern("planned")


_GENERIC_TX = frozenset({"surgery", "emergency_surgery", "elective_surgery", "minimally_invasive_surgery"})


def treatments(profile: Profile, heard: Heard, allowed: int, reference: Reference) -> Iterator[Found]:
    folded = heard.speech.folded
    if heard.speech.chinese:
        yield from _planned_zh(profile, heard, allowed)
    for mention in heard.mentions:
        if not mention.id.startswith("tx:"):
            continue
        concept = mention.id[3:]
        if supported(profile, mention, folded, allowed) or any(
            (profile.exact_present.get(i, 0) | profile.exact_absent.get(i, 0)) & allowed for i in widened(mention.id)
        ):
            continue
        if heard.speech.denied(mention.start, mention.end) and profile.exact_absent.get("hx.medication", 0) & allowed:
            continue
        if any(
            m.start <= mention.start
            and mention.end <= m.end
            and (profile.exact_present.get(m.id, 0) | profile.exact_absent.get(m.id, 0)) & allowed
            for m in heard.mentions
            if m.id.startswith("drug.") and concept.startswith("class.")
        ):
            continue
        known = treatment_lexicon.concepts()[concept]
        words = heard.speech.text[mention.start : mention.end]
        if concept.removeprefix("tx.") in _GENERIC_TX:
            continue
        mode = heard.speech.mode(mention.start)
        if covers_reference(concept, reference) >= (1.0 if mode is not Mode.SAYS else 0.5):
            if known.kind in ("drug", "procedure") or _TOLD.search(heard.speech.stretch_text(mention.start)):
                yield "leak:treatment", words
        elif (known.kind == "drug" and (not _is_class(concept) or _allergic(heard, mention.start))) or (
            known.kind == "procedure"
            and heard.speech.mode(mention.start) is Mode.SAYS
            and _TOLD.search(heard.speech.stretch_text(mention.start))
        ):
            yield "invention", words


_OPERATED = pattern("operated")


_PLANNED_ZH = pattern("planned.zh")


def operations_zh(profile: Profile, heard: Heard, allowed: int) -> Iterator[Found]:
    """A treatment that is to come, in lay words: 补片, 根管, 把它切掉."""
    for match in _PLANNED_ZH.finditer(heard.speech.folded):
        if not (in_words(profile, match["zh"], allowed) or heard.speech.denied(match.start("zh"), match.end("zh"))):
            yield "leak:treatment", match.group()


_JUST_EXAMINED = pattern("shows.just")


def operations(profile: Profile, heard: Heard, allowed: int, reference: Reference) -> Iterator[Found]:
    """An operation that is planned, without its name."""
    for match in _OPERATED.finditer(heard.speech.folded):
        stretch = heard.speech.stretch_text(match.start())
        if match.group().startswith("need") and stretch.rstrip().endswith("?"):
            continue
        if not (_TOLD.search(stretch) or _FUTURE_ONLY.search(stretch)) or in_words(profile, match.group(), allowed):
            continue
        if not reference.treatments or any(
            treatment_lexicon.concepts()[t].kind == "procedure" for t in reference.treatments
        ):
            yield "leak:treatment", match.group()


_CURE_ZH = pattern("cure.zh")


def _planned_zh(profile: Profile, heard: Heard, allowed: int) -> Iterator[Found]:
    """A cure that is announced in everyday words: 今晚就得割掉."""
    speech = heard.speech
    for match in _CURE_ZH.finditer(speech.folded):
        if speech.mode(match.start()) is Mode.SAYS and not in_words(profile, match["cure"][-2:], allowed):
            yield "leak:treatment", match.group()


def _allergic(heard: Heard, at: int) -> bool:
    """Whether an allergy is spoken of: to a whole class as much as to one medicine."""
    here = heard.speech.stretch(at)
    return any(m.id.endswith("hx.allergy") and heard.speech.stretch(m.start) == here for m in heard.mentions)


def _is_class(concept: str) -> bool:
    return not treatment_lexicon.concepts()[concept].atc


_TOLD = pattern("told.plan")


def results(profile: Profile, heard: Heard, allowed: int, reference: Reference, asked: Heard | None) -> Iterator[Found]:
    speech = heard.speech
    folded = speech.folded
    for mention in heard.mentions:
        if mention.id == "found" and not in_words(profile, folded[mention.start : mention.end], allowed):
            yield "leak:result", speech.text[mention.start : mention.end]
    if speech.chinese:
        for match in _JUST_EXAMINED.finditer(folded):
            if speech.mode(match.start()) is Mode.SAYS and not profile.about.get("hx.prior_tests", 0) & allowed:
                yield "leak:result", speech.text[match.start() : match.end()]
    last = -1
    held = [
        word
        for words, ids in _TOLD_LEVELS.items()
        if any(profile.about.get(i, 0) & allowed for i in ids)
        for word in words
    ]
    spoken_of = speech.chinese or not _TEST_WORDS.isdisjoint(WORDS.findall(folded))
    for match in _TESTS.finditer(folded) if spoken_of else ():
        if match.start() < last or in_words(profile, match.group(), allowed):
            continue
        mode = speech.mode(match.start())
        if mode is Mode.ASKS or mode is Mode.WISHES:
            continue
        if folded.startswith(match.group(), match.end()):
            continue  # 该抽血抽血: whatever has to be done
        if (
            match.group().removeprefix("my ") in held
            and not any(
                match.end() <= q.start < match.end() + _BESIDE_EN and q.kind in _READINGS for q in heard.quantities
            )
            and not _NUMERAL_ZH.match(folded, match.end())
        ):
            continue
        reach = _BESIDE_ZH if match.group()[-1] > "\u33ff" or speech.chinese else _BESIDE_EN
        before = _STOPS.split(folded[max(0, match.start() - reach // 3) : match.start()])[-1]
        around = f"{before} {_STOPS.split(folded[match.end() : match.end() + reach])[0]}"
        if _SHOWS.search(around) and (mode is Mode.SAYS) and not _FUTURE_ONLY.search(around):
            yield "leak:result", speech.text[match.start() : match.end()]
            last = match.end() + 40
    for mention in heard.mentions:
        if not mention.id.startswith("exam:") or mention.start < last:
            continue
        if supported(profile, mention, folded, allowed) or speech.mode(mention.start) is not Mode.SAYS:
            continue
        if mention.id.startswith("exam:lab.infection") and speech.denied(mention.start, mention.end):
            continue  # the disease by the name of its test
        if any(m.start == mention.start and m.id.startswith(("tx:", "drug.", "hx.", "sx.")) for m in heard.mentions):
            continue
        stretch = speech.stretch_text(mention.start)
        if _FUTURE.search(stretch):
            continue
        if asked is not None and any(m.id == mention.id for m in asked.mentions):
            continue
        yield "invention", speech.text[mention.start : mention.end]
    for report in reference.short_reports:
        if report in folded and not in_words(profile, report, allowed):
            yield "leak:result", report
    run = quoted(folded, reference)
    if run is not None and not in_words(profile, run, allowed):
        yield "leak:result", run


_NUMERAL_ZH = re.compile(
    "[^,。;!?]{0,4}?(?:[一二两三四五六七八九]百|[一二三四五六七八九]?十[一二三四五六七八九]|[二三四五六七八九]十)"
)
_READINGS = frozenset({"bare", "pressure", "percent", "degrees"})


_TOLD_LEVELS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("cholesterol", "胆固醇", "血脂"): ("dx.hyperlipidemia",),
    ("blood pressure", "血压"): ("dx.hypertension", "dx.hypotension"),
    ("blood sugar", "sugar", "sugars", "血糖"): ("dx.diabetes",),
    ("uric acid", "尿酸"): ("dx.gout",),
    ("temperature", "体温"): ("sx.fever",),
    ("pulse", "heart rate", "心率", "脉搏"): ("sx.palpitations",),
    ("iron levels", "iron level"): ("dx.blood", "drug.iron"),
}
"""What a known disease lets a patient say of its measure, without a figure."""


_BESIDE_EN, _BESIDE_ZH = 45, 14


_STOPS = re.compile(r"[。;!?\n]|\.(?!\d)")


_FUTURE_ONLY = pattern("planned.only")
