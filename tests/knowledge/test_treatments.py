"""Free-text plans as treatments: both languages, what is avoided, doses, and the integrity of the tables."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import case_files, load_pack, pack_folder
from clinic_sim.clinic.actions import Conclude
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.knowledge.concepts import rows
from clinic_sim.knowledge.text import fold
from clinic_sim.knowledge.treatments import ancestors, concepts, covers, name, plan_words, read_treatment, text_overlap

NITRATES = {"class.nitrate", "drug.nitroglycerin", "drug.isosorbide_dinitrate"}
KINDS = frozenset(["procedure", "non_drug", "diet", "referral", "admission", "monitoring", "follow_up", "education"])


def named(text: str, language: str | None = None) -> list[str]:
    return [m.concept for m in read_treatment(text) if not m.negated]


def avoided(text: str) -> list[str]:
    return [m.concept for m in read_treatment(text) if m.negated]


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("Remove the appendix tonight.", "tx.appendicectomy"),
        ("She needs an appendectomy.", "tx.appendicectomy"),
        ("患者需行阑尾切除术。", "tx.appendicectomy"),
        ("尽快切除阑尾", "tx.appendicectomy"),
        ("lap chole this admission", "tx.laparoscopic_cholecystectomy"),
        ("emergency C-section", "tx.caesarean"),
        ("急诊剖宫产终止妊娠", "tx.caesarean"),
        ("low-sodium diet", "tx.low_salt_diet"),
        ("低盐饮食", "tx.low_salt_diet"),
        ("quitting smoking", "tx.smoking_cessation"),
        ("嘱患者戒烟", "tx.smoking_cessation"),
        ("CBT weekly", "tx.cbt"),
        ("refer to cardiology", "tx.refer_cardiology"),
        ("请心内科会诊", "tx.refer_cardiology"),
        ("admit to ICU", "tx.icu_admission"),
        ("转入ICU", "tx.icu_admission"),
        ("monitor vital signs", "tx.vital_signs_monitoring"),
        ("监测生命体征", "tx.vital_signs_monitoring"),
        ("packed red blood cells", "tx.red_cell_transfusion"),
        ("输注红细胞2单位", "tx.red_cell_transfusion"),
        ("Stop the offending drug.", "tx.stop_drug"),
        ("停用可疑药物", "tx.stop_drug"),
    ],
)
def test_clinical_and_lay_names_are_read_in_both_languages(text: str, concept: str) -> None:
    assert concept in named(text)


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("laparoscopic appendicectomy", ["tx.laparoscopic_appendicectomy"]),
        ("腹腔镜下阑尾切除术", ["tx.laparoscopic_appendicectomy"]),
        ("gluten-free diet", ["tx.gluten_free_diet"]),
        ("primary PCI", ["tx.pci"]),
        ("无创正压通气", ["tx.niv"]),
    ],
)
def test_the_longest_name_wins(text: str, only: list[str]) -> None:
    assert named(text) == only


def test_one_text_may_mix_the_languages() -> None:
    assert named("行ECT治疗,同时给予sertraline") == ["tx.ect", "drug.sertraline"]


@pytest.mark.parametrize("text", ["intravenous injection", "the infection improved", "best response at rest stop"])
def test_abbreviations_are_not_found_inside_words(text: str) -> None:
    assert not set(named(text)) & {"tx.ect", "tx.ercp", "tx.emr_esd"}


@pytest.mark.parametrize("text", ["0.9% saline 500 ml", "0.9%氯化钠 500ml静滴"])
def test_normal_saline_is_not_hypertonic_saline(text: str) -> None:
    assert "drug.hypertonic_saline" not in named(text)


@pytest.mark.parametrize(
    ("text", "concept"),
    [("vitamin B12", "drug.vitamin_b12"), ("vitamin B6", "drug.vitamin_b6"), ("IL-11", "drug.interleukin_11")],
)
def test_the_number_in_a_name_counts(text: str, concept: str) -> None:
    assert named(text) == [concept]
    assert concept not in named("vitamin B1, IL-6, vitamin B2")


@pytest.mark.parametrize("text", ["于2020年9月28日出院", "1-2 times a day", "every 3-4 weeks", "120/80"])
def test_bare_numbers_are_no_treatment(text: str) -> None:
    assert [c for c in named(text) if c.startswith("drug.")] == []


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("Avoid NSAIDs.", "class.nsaid"),
        ("Do not give NSAIDs.", "class.nsaid"),
        ("Metoprolol is contraindicated.", "drug.metoprolol"),
        ("No surgery is needed.", "tx.surgery"),
        ("Discontinue warfarin.", "drug.warfarin"),
        ("禁用普萘洛尔。", "drug.propranolol"),
        ("停用二甲双胍。", "drug.metformin"),
        ("暂不手术", "tx.surgery"),
        ("青霉素过敏", "drug.penicillin_g"),
        ("普萘洛尔禁用", "drug.propranolol"),
    ],
)
def test_what_is_avoided_or_stopped_is_not_given(text: str, concept: str) -> None:
    assert concept in avoided(text)
    assert concept not in named(text)


@pytest.mark.parametrize(
    ("text", "given_", "not_given"),
    [
        ("Avoid NSAIDs; give paracetamol.", "drug.paracetamol", "class.nsaid"),
        ("Stop warfarin and start apixaban.", "drug.apixaban", "drug.warfarin"),
        ("Do not use morphine, start paracetamol.", "drug.paracetamol", "drug.morphine"),
        ("停用二甲双胍，改用胰岛素。", "class.insulin", "drug.metformin"),
        ("暂不手术，先抗感染治疗。", "class.anti_infective", "tx.surgery"),
    ],
)
def test_what_replaces_an_avoided_treatment_is_given(text: str, given_: str, not_given: str) -> None:
    assert given_ in named(text)
    assert not_given in avoided(text)


@pytest.mark.parametrize(
    ("text", "advice", "drug"),
    [
        ("避免劳累，口服阿司匹林100mg", "tx.rest", "drug.aspirin"),
        ("戒烟、避免受凉，雾化吸入布地奈德", "tx.smoking_cessation", "drug.budesonide"),
        ("Avoid alcohol, aspirin 81 mg daily", "tx.alcohol_abstinence", "drug.aspirin"),
        ("No smoking, atorvastatin 20 mg nightly", "tx.smoking_cessation", "drug.atorvastatin"),
    ],
)
def test_advice_to_avoid_something_does_not_forbid_the_medicine_beside_it(text: str, advice: str, drug: str) -> None:
    assert {advice, drug} <= set(named(text))


def test_both_items_of_a_forbidden_list_are_forbidden() -> None:
    assert set(avoided("Avoid ibuprofen and aspirin.")) == {"drug.ibuprofen", "drug.aspirin"}
    assert set(avoided("避免使用布洛芬、阿司匹林。")) == {"drug.ibuprofen", "drug.aspirin"}


@pytest.mark.parametrize(
    ("text", "concepts_"),
    [
        ("不要给硝酸甘油", {"drug.nitroglycerin"}),
        ("别用硝酸甘油", {"drug.nitroglycerin"}),
        ("不应给予硝酸甘油", {"drug.nitroglycerin"}),
        ("硝酸甘油不可用", {"drug.nitroglycerin"}),
        ("硝酸甘油不应使用", {"drug.nitroglycerin"}),
        ("避免使用静脉呋塞米", {"drug.furosemide"}),
        ("避免使用口服布洛芬", {"drug.ibuprofen"}),
        ("避免肌注双氯芬酸", {"drug.diclofenac"}),
        ("Nitroglycerin should not be given.", {"drug.nitroglycerin"}),
        ("Nitroglycerin should not be used.", {"drug.nitroglycerin"}),
        ("Ibuprofen is to be avoided.", {"drug.ibuprofen"}),
        ("nitrates (contraindicated)", {"class.nitrate"}),
        ("Nitrates: contraindicated", {"class.nitrate"}),
        ("Contraindicated: nitrates, diuretics", {"class.nitrate", "class.diuretic"}),
        ("Nitrates (nitroglycerin, isosorbide dinitrate) are to be avoided", NITRATES),
        ("硝酸酯类药物（硝酸甘油、硝酸异山梨酯）不可用", NITRATES),
        ("硝酸甘油禁用于右室梗死", {"drug.nitroglycerin"}),
        ("禁忌：硝酸甘油、呋塞米", {"drug.nitroglycerin", "drug.furosemide"}),
        ("硝酸甘油、呋塞米均禁用", {"drug.nitroglycerin", "drug.furosemide"}),
        (
            "Nitrates, beta blockers or diuretics is contraindicated",
            {"class.nitrate", "class.beta_blocker", "class.diuretic"},
        ),
        ("Avoid nitrates, beta blockers, diuretics.", {"class.nitrate", "class.beta_blocker", "class.diuretic"}),
        ("Delay MMR and varicella vaccines for 11 months", {"tx.live_vaccination"}),
        ("推迟11个月接种麻腮风疫苗", {"tx.live_vaccination"}),
    ],
)
def test_every_way_to_forbid_is_understood(text: str, concepts_: set[str]) -> None:
    assert set(avoided(text)) == concepts_
    assert named(text) == []


@pytest.mark.parametrize(
    ("text", "given_", "not_given"),
    [
        ("硝酸甘油不可用，阿司匹林300mg嚼服", ["drug.aspirin"], ["drug.nitroglycerin"]),
        (
            "Give aspirin; nitrates and diuretics are contraindicated",
            ["drug.aspirin"],
            ["class.nitrate", "class.diuretic"],
        ),
        ("aspirin 300 mg, heparin, nitrates contraindicated", ["drug.aspirin", "drug.heparin"], ["class.nitrate"]),
        ("Paracetamol - avoid NSAIDs", ["drug.paracetamol"], ["class.nsaid"]),
        ("Avoid ibuprofen, aspirin 30 mg/kg daily", ["drug.aspirin"], ["drug.ibuprofen"]),
        ("停用二甲双胍，胰岛素治疗", ["class.insulin"], ["drug.metformin"]),
        ("阿司匹林避免与布洛芬合用", ["drug.aspirin"], ["drug.ibuprofen"]),
        ("青霉素过敏，头孢曲松静滴", ["drug.ceftriaxone"], ["drug.penicillin_g"]),
    ],
)
def test_what_stands_beside_a_forbidden_treatment_is_given(text: str, given_: list[str], not_given: list[str]) -> None:
    assert len(named(text)) == len(given_)
    assert all(covers(c, g) or covers(g, c) for c, g in zip(named(text), given_, strict=True))
    assert avoided(text) == not_given


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("Do not stop aspirin.", "drug.aspirin"),
        ("不要停用阿司匹林", "drug.aspirin"),
        ("不要擅自停用泼尼松", "drug.prednisone"),
        ("继续甲巯咪唑，不可停用", "drug.methimazole"),
    ],
)
def test_what_must_not_be_stopped_is_given(text: str, concept: str) -> None:
    assert named(text) == [concept]


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("MMR vaccine at 15 months", "tx.live_vaccination"),
        ("接种水痘疫苗", "tx.live_vaccination"),
        ("intralipid 20% infusion", "drug.lipid_emulsion"),
        ("脂肪乳250ml静滴", "drug.lipid_emulsion"),
        ("0.9% saline 500 ml bolus", "tx.iv_fluids"),
        ("生理盐水500ml快速静滴", "tx.iv_fluids"),
    ],
)
def test_vaccines_emulsions_and_saline_have_their_own_names(text: str, concept: str) -> None:
    assert concept in named(text)


def test_the_words_of_a_plan_come_without_what_it_avoids() -> None:
    assert plan_words("Wear loose clothing, no CT of the abdomen") == ("Wear loose clothing", " no CT of the abdomen")
    assert plan_words("Avoid heavy lifting, wear loose clothing")[0] == ""
    assert plan_words("避免使用局部蜂胶")[0] == ""
    assert "honey" in plan_words("Avoid cough syrup; give honey")[0]


AVOIDANCES = ("avoid ", "Avoid ", "避免使用", "do not give ", "Do not give ", "不要给")
PLANS = [(pack, file.stem) for pack in ("core-en", "core-zh") for file in case_files(pack_folder(pack))]


def treatment_score(case: Case, *plan: str) -> float | None:
    assert case.diagnosis is not None
    consultation = Consultation(case, review=False)
    consultation.act_sync(Conclude(case.diagnosis.primary.name, treatment=plan))
    scorecard = RubricJudge(load_rubric("clinic")).score(case, consultation.episode())
    return scorecard.dimensions["treatment"].value


@pytest.mark.parametrize("avoidance", AVOIDANCES)
@pytest.mark.parametrize(("pack", "case_id"), PLANS, ids=[c for _, c in PLANS])
def test_who_avoids_the_reference_treatment_gets_nothing_for_it(pack: str, case_id: str, avoidance: str) -> None:
    case = load_pack(pack).case(case_id)
    assert treatment_score(case, *(avoidance + item.name for item in case.treatment)) == 0


@pytest.mark.parametrize(("pack", "case_id"), PLANS, ids=[c for _, c in PLANS])
def test_every_reference_item_is_known_by_concept(pack: str, case_id: str) -> None:
    for item in load_pack(pack).case(case_id).treatment:
        assert item.concepts or read_treatment(item.name), item.name


@pytest.mark.parametrize("twin", ["stemi-inferior", "ectopic-pregnancy", "kawasaki-disease", "hyperthyroidism-graves"])
def test_the_plan_in_the_other_language_scores_the_same(twin: str) -> None:
    english, chinese = load_pack("core-en").case(f"{twin}-en"), load_pack("core-zh").case(f"{twin}-zh")
    for case, other in ((english, chinese), (chinese, english)):
        # With its doses where the case asks for them.
        plan = (f"{item.name}: {item.dose}" if item.dosage else item.name for item in other.treatment)
        score = treatment_score(case, *plan)
        assert score is not None
        assert score >= 0.95


def test_a_forbidden_examination_in_the_plan_is_harm_unless_it_is_avoided() -> None:
    case = load_pack("core-en").case("appendicitis-pregnancy-en")
    judge = RubricJudge(load_rubric("clinic"))

    def safety(*plan: str) -> float:
        consultation = Consultation(case, review=False)
        consultation.act_sync(Conclude("Acute appendicitis", treatment=plan))
        return judge.score(case, consultation.episode()).safety

    assert safety("CT of the abdomen") < 0
    assert safety("腹部CT检查") < 0
    assert safety("No CT of the abdomen", "CT of the abdomen is contraindicated", "避免腹部CT") == 0


def test_an_avoidance_of_the_reference_is_met_by_avoiding_it_or_its_class() -> None:
    case = load_pack("core-en").case("kawasaki-disease-en")
    assert (treatment_score(case, "Discontinue ibuprofen") or 0) > 0
    assert (treatment_score(case, "避免使用非甾体抗炎药") or 0) > 0
    assert treatment_score(case, "ibuprofen 10 mg/kg") == 0


def test_a_class_covers_its_member_in_part_and_a_member_its_class_in_full() -> None:
    assert covers("drug.ceftriaxone", "class.antibiotic") == 1.0
    assert 0.0 < covers("class.cephalosporin", "drug.ceftriaxone") < 1.0
    assert covers("tx.laparoscopic_appendicectomy", "tx.appendicectomy") == 1.0
    assert covers("tx.appendicectomy", "tx.appendicectomy") == 1.0
    assert 0.0 < covers("tx.surgery", "tx.appendicectomy") < 1.0


def test_the_wrong_treatment_covers_nothing() -> None:
    assert covers("tx.appendicectomy", "tx.cholecystectomy") == 0.0
    assert covers("drug.ceftriaxone", "drug.aspirin") == 0.0
    assert covers("tx.low_salt_diet", "no such treatment") == 0.0


@pytest.mark.parametrize(
    ("text", "amount", "unit", "per_kg"),
    [
        ("ceftriaxone 2 g IV daily", 2.0, "g", False),
        ("paracetamol 15 mg/kg PO q6h", 15.0, "mg", True),
        ("口服阿司匹林100mg", 100.0, "mg", False),
        ("阿莫西林0.5g口服 每日3次", 0.5, "g", False),
        ("乳酸林格液 20 ml/kg 静滴", 20.0, "ml", True),
    ],
)
def test_doses_are_read(text: str, amount: float, unit: str, per_kg: bool) -> None:
    dose = read_treatment(text)[0].dose
    assert dose is not None
    assert (dose.amount, dose.unit, dose.per_kg) == (amount, unit, per_kg)


def test_a_dose_has_its_route_and_frequency() -> None:
    dose = read_treatment("amoxicillin 500 mg po tid")[0].dose
    assert dose is not None
    assert (dose.route, dose.frequency) == ("po", "tid")


def test_a_dose_belongs_to_the_medicine_before_it() -> None:
    first, second = read_treatment("aspirin and clopidogrel 75 mg")
    assert first.dose is None
    assert second.dose is not None
    assert second.dose.amount == 75.0


@pytest.mark.parametrize(
    ("written", "concept"),
    [
        ("amoxycilin 500mg", "drug.amoxicillin"),
        ("metformine", "drug.metformin"),
        ("paracetmol", "drug.paracetamol"),
        ("阿斯匹林", "drug.aspirin"),
    ],
)
def test_a_slip_of_the_pen_is_understood(written: str, concept: str) -> None:
    assert named(written) == [concept]


def test_mentions_point_at_their_place_in_the_text() -> None:
    text = "Give oxygen, then perform ERCP. 随后禁食、补液。"
    for mention in read_treatment(text):
        assert text[mention.start : mention.end] == mention.text


@pytest.mark.parametrize("piece", ["avoid aspirin ", "阿司匹林手术", "no ", "1 mg. "])
def test_ten_megabytes_are_read_in_bounded_time(piece: str) -> None:
    text = piece * (10_000_000 // len(piece))
    began = time.perf_counter()
    read_treatment(text)
    assert time.perf_counter() - began < 2.0


@given(st.text(alphabet=st.characters(), max_size=200))
def test_no_text_raises(text: str) -> None:
    for mention in read_treatment(text):
        assert mention.concept in concepts()
    assert 0.0 <= text_overlap(text, text, "zh") <= 1.0


def test_control_characters_and_surrogates_do_no_harm() -> None:
    assert named("\x00\ud800aspirin\udfff\x07") == ["drug.aspirin"]
    assert read_treatment("") == ()


def test_unknown_treatments_are_compared_by_their_words() -> None:
    assert text_overlap("wear loose clothing", "advise loose clothing", "en") > 0.5
    assert text_overlap("局部涂抹蜂胶", "每日局部涂抹蜂胶两次", "zh") == 1.0
    assert text_overlap("wear loose clothing", "aspirin", "en") == 0.0
    assert text_overlap("", "aspirin", "en") == 0.0


def test_every_row_of_the_table_is_whole() -> None:
    ids = [row[0] for row in rows("treatments.tsv")]
    assert len(ids) == len(set(ids))
    assert len(ids) > 380
    for row in rows("treatments.tsv"):
        id_, kind, parents, en, zh = row
        assert id_.startswith("tx."), id_
        assert kind in KINDS, id_
        assert all(form and form == form.strip() for form in (*en.split("|"), *zh.split("|"))), id_
        assert all(parent in concepts() for parent in parents.split("|") if parent), id_
        assert not any(form.isascii() for form in zh.split("|")), f"{id_}: a Latin name stands with the English ones"


@pytest.mark.parametrize("column", [3, 4])
def test_no_form_names_two_treatments(column: int) -> None:
    seen = Counter(fold(form) for row in rows("treatments.tsv") for form in {fold(f) for f in row[column].split("|")})
    assert [form for form, times in seen.items() if times > 1] == []


def test_every_treatment_has_names_and_no_treatment_is_its_own_ancestor() -> None:
    for id_ in concepts():
        assert name(id_, "en") or name(id_, "zh")
        assert id_ not in ancestors(id_)
        assert all(parent in concepts() for parent in ancestors(id_))
    with pytest.raises(KeyError):
        ancestors("tx.no_such_treatment")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_display_name_reads_back_as_its_treatment(language: str) -> None:
    wrong = []
    for row in rows("treatments.tsv"):
        shown = name(row[0], language)
        if row[0] not in {m.concept for m in read_treatment(shown)}:
            wrong.append((row[0], shown))
    assert wrong == []
