"""What adding one thing to a conclusion may do to its score: what is right never lowers it, what harms never raises it.

Conclusions are drawn at random from the reference, what it forbids and what has nothing to do with it: a disease of the
same chapter of ICD-10 as the reference is near it by a little, so what is unsupported is drawn from others. Twins, the
same patient in the other language, score the same translated conclusion within `LANGUAGE`: names are not equally
exact in two languages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import load_pack, pack_names
from clinic_sim.cases.reference import Treatment
from clinic_sim.clinic.actions import Conclude
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.judge.exploits import Target, stock
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.judge.scorecard import Scorecard
from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.diagnoses import resolve_diagnosis
from clinic_sim.knowledge.text import Language
from clinic_sim.knowledge.treatments import name

CASES = tuple(case for pack in pack_names() for case in load_pack(pack).cases)
TWINS = tuple(c for c in CASES if c.twin and c.language == "en")
EXACT = 1e-9
LANGUAGE = 0.05
RUBRICS = ("clinic", "mvme")
some = settings(max_examples=40)
each_rubric = pytest.mark.parametrize("rubric", RUBRICS)


@cache
def _judge(rubric: str) -> RubricJudge:
    return RubricJudge(load_rubric(rubric))


@dataclass(frozen=True)
class Note:
    """A conclusion on a case."""

    case: Case
    names: tuple[str, ...]
    plan: tuple[str, ...]
    differential: tuple[str, ...] = ()

    def card(self, rubric: str) -> Scorecard:
        consultation = Consultation(self.case, review=False)
        consultation.act_sync(Conclude("; ".join(self.names), self.differential, (), self.plan))
        return _judge(rubric).score(self.case, consultation.episode())


def total(note: Note, rubric: str) -> float:
    found = note.card(rubric).total
    assert found is not None
    return found


def dimension(note: Note, scored: str, rubric: str) -> float:
    found = note.card(rubric).dimensions[scored].value
    assert found is not None
    return found


def words(item: Treatment, dosed: bool, language: Language) -> str:
    """The item in its own words, with the first of its doses where asked for."""
    if not dosed or not item.dosage:
        return item.name
    dose = item.dosage[0]
    amount = f"{dose.high:g} {dose.unit}" + ("/kg" if dose.per_kg else "") + ("/h" if dose.per == "hour" else "")
    english = "single dose" if dose.once else "daily" if dose.per == "day" else _OFTEN["en"].get(dose.times, "")
    chinese = "单次" if dose.once else "每日1次" if dose.per == "day" else _OFTEN["zh"].get(dose.times, "")
    medicine = f" ({name(dose.of[0], language)})" if dose.of else ""
    return f"{item.name}{medicine} {amount} {chinese if language == 'zh' else english}".strip()


_OFTEN: dict[Language, dict[float | None, str]] = {
    "en": {2.0: "twice daily", 6.0: "every 4 hours", 0.142857: "weekly"},
    "zh": {2.0: "每日2次", 6.0: "每4小时1次", 0.142857: "每周1次"},
}


@st.composite
def notes(draw: st.DrawFn) -> Note:
    case = draw(st.sampled_from(CASES))
    target = Target(case)
    assert case.diagnosis is not None
    known = [d.name for d in (*case.diagnosis.acceptable, *case.diagnosis.comorbid, *case.diagnosis.differential)]
    names = draw(
        st.lists(st.sampled_from([target.answer, *known, *target.wrong[:20]]), min_size=1, max_size=4, unique=True)
    )
    items = draw(st.lists(st.sampled_from(case.treatment), max_size=5, unique_by=lambda t: t.id))
    others = draw(st.lists(st.sampled_from(stock.classes(case.language)), max_size=4, unique=True))
    plan = [*(words(item, draw(st.booleans()), case.language) for item in items), *others]
    listed = draw(st.lists(st.sampled_from([*known, *target.wrong[20:30]]), max_size=4, unique=True))
    return Note(case, tuple(names), tuple(draw(st.permutations(plan))), tuple(listed))


@each_rubric
@some
@given(note=notes(), data=st.data())
def test_a_right_treatment_never_lowers_the_score(rubric: str, note: Note, data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(note.case.treatment))
    more = replace(note, plan=(*note.plan, words(item, data.draw(st.booleans()), note.case.language)))
    assert total(more, rubric) >= total(note, rubric) - EXACT


@each_rubric
@some
@given(note=notes(), data=st.data())
def test_the_right_dose_never_lowers_the_score(rubric: str, note: Note, data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(note.case.treatment))
    undosed, dosed = (replace(note, plan=(*note.plan, words(item, said, note.case.language))) for said in (False, True))
    assert total(dosed, rubric) >= total(undosed, rubric) - EXACT


@each_rubric
@some
@given(note=notes(), data=st.data())
def test_a_harmful_treatment_never_raises_the_score(rubric: str, note: Note, data: st.DataObject) -> None:
    bans = [b.name for b in note.case.contraindicated if not b.exams]
    slips = ["paracetamol 20 g tid", "warfarin 500 mg daily", "地高辛 25 mg qd"]
    harmed = replace(note, plan=(*note.plan, data.draw(st.sampled_from([*bans, *slips]))))
    assert total(harmed, rubric) <= total(note, rubric) + EXACT
    assert harmed.card(rubric).safety < 0


@each_rubric
@some
@given(note=notes(), data=st.data())
def test_a_dangerous_dose_of_the_right_medicine_never_raises_the_score(
    rubric: str, note: Note, data: st.DataObject
) -> None:
    dosed = [d for t in note.case.treatment for d in t.dosage if d.of and d.per == "day" and not d.per_kg]
    assume(dosed)
    dosage = data.draw(st.sampled_from(dosed))
    slip = f"{name(dosage.of[0], note.case.language)} {dosage.high * 20:g} {dosage.unit} daily"
    assume(replace(note, plan=(slip,)).card(rubric).safety < 0)
    assert total(replace(note, plan=(*note.plan, slip)), rubric) <= total(note, rubric) + EXACT


@each_rubric
@some
@given(note=notes(), data=st.data())
def test_an_unsupported_diagnosis_never_raises_the_score(rubric: str, note: Note, data: st.DataObject) -> None:
    assert note.case.diagnosis is not None
    near = {icd10.chapter(d.icd10) for d in (note.case.diagnosis.primary, *note.case.diagnosis.acceptable) if d.icd10}
    wrong = data.draw(st.sampled_from(Target(note.case).wrong))
    codes = resolve_diagnosis(wrong, limit=1)
    assume(codes and icd10.chapter(codes[0].icd10) not in near)
    assert total(replace(note, names=(*note.names, wrong)), rubric) <= total(note, rubric) + EXACT


@each_rubric
@some
@given(note=notes(), data=st.data())
def test_the_right_diagnosis_and_its_company_never_lower_it(rubric: str, note: Note, data: st.DataObject) -> None:
    assert note.case.diagnosis is not None
    right = [note.case.diagnosis.primary.name, *(d.name for d in note.case.diagnosis.comorbid)]
    stated = data.draw(st.sampled_from(right))
    assume(stated not in note.names)
    more = replace(note, names=(*note.names, stated))
    assert dimension(more, "diagnosis", rubric) >= dimension(note, "diagnosis", rubric) - EXACT


@some
@given(note=notes(), data=st.data())
def test_a_right_differential_never_lowers_it_and_padding_never_raises_it(note: Note, data: st.DataObject) -> None:
    assert note.case.diagnosis is not None
    before = dimension(note, "diagnosis", "clinic")
    right = data.draw(st.sampled_from([d.name for d in note.case.diagnosis.differential]))
    more = replace(note, differential=(*note.differential, right))
    assert dimension(more, "diagnosis", "clinic") >= before - EXACT
    padded = replace(note, differential=(*note.differential, data.draw(st.sampled_from(Target(note.case).wrong[80:]))))
    assert dimension(padded, "diagnosis", "clinic") <= before + EXACT


@some
@given(data=st.data())
def test_the_same_conclusion_in_the_other_language_scores_the_same(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(TWINS))
    twin = next(c for c in CASES if c.id == case.twin)
    assert case.diagnosis is not None
    assert twin.diagnosis is not None
    chosen = data.draw(st.sets(st.sampled_from(range(len(case.treatment)))))
    dosed = data.draw(st.booleans())
    company = data.draw(st.booleans())
    found = []
    for one in (case, twin):
        reference = one.diagnosis
        assert reference is not None
        names = [reference.primary.name, *((d.name for d in reference.comorbid) if company else ())]
        plan = tuple(words(t, dosed, one.language) for n, t in enumerate(one.treatment) if n in chosen)
        # Translated: the conclusion in the words of one, on the record of the other and on its own.
        found += [Note(on, tuple(names), plan) for on in (case, twin)]
    stated = [dimension(note, "diagnosis", "clinic") for note in found]
    assert max(stated) - min(stated) <= LANGUAGE, stated
    # Item by item: the words of one may name another's treatment besides (`after fluids`).
    items = {f"item.{t.id}" for n, t in enumerate(case.treatment) if n in chosen}
    given = [{v.criterion: v.value for v in note.card("clinic").verdicts if v.criterion in items} for note in found]
    assert given[1:] == given[:1] * 3
