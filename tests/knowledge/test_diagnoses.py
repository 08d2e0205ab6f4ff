"""Free-text diagnoses in both languages, as doctors and records write them, to ICD-10 categories."""

from __future__ import annotations

import time
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.diagnoses import (
    names_diagnosis,
    names_of,
    preferred_name,
    read_diagnoses,
    resolve_diagnosis,
    split_diagnoses,
)


def category(text: str) -> str | None:
    found = resolve_diagnosis(text)
    return icd10.category(found[0].icd10) if found else None


def read(text: str) -> list[tuple[str | None, str]]:
    """Category and certainty of every diagnosis of a text."""
    return [(icd10.category(r.matches[0].icd10) if r.matches else None, r.certainty) for r in read_diagnoses(text)]


class TestNames:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("appendicitis", "K35"),
            ("renal colic", "N23"),
            ("gastroenteritis", "A09"),
            ("migraine", "G43"),
            ("inferior STEMI", "I21"),
            ("heart attack", "I21"),
            ("MI", "I21"),
            ("NSTEMI", "I21"),
            ("COPD", "J44"),
            ("DVT", "I80"),
            ("PE", "I26"),
            ("GERD", "K21"),
            ("GORD", "K21"),
            ("SLE", "M32"),
            ("DKA", "E14"),
            ("PCOS", "E28"),
            ("ITP", "D69"),
            ("Graves' disease", "E05"),
            ("Crohn's", "K50"),
            ("Legg-Calvé-Perthes disease", "M91"),
            ("Legg-Calve-Perthes disease", "M91"),
            ("haemolytic uraemic syndrome", "D59"),
            ("hemolytic-uremic syndrome", "D59"),
            ("pre-eclampsia", "O14"),
            ("preeclampsia", "O14"),
            ("post partum haemorrhage", "O72"),
            ("normal behavior", "Z03"),
            ("breast milk jaundice", "P59"),
            ("erythema toxicum", "P83"),
            ("lung infection", "J18"),
            ("急性阑尾炎", "K35"),
            ("急性下壁ST段抬高型心肌梗死", "I21"),
            ("甲亢", "E05"),
            ("Graves病", "E05"),
            ("慢阻肺", "J44"),
            ("宫外孕", "O00"),
            ("乙肝", "B18"),
        ],
    )
    def test_common_diseases_by_any_common_name(self, text: str, expected: str) -> None:
        assert category(text) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("pnuemonia", "J18"),
            ("apendicitis", "K35"),
            ("diabetis", "E14"),
            ("Larygospasm", "J38"),
            ("soriasis", "L40"),
            ("hypothyrodism", "E03"),
            ("meningitits", "G03"),
        ],
    )
    def test_misspellings(self, text: str, expected: str) -> None:
        assert category(text) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("left-sided pleural effusion", "J90"),
            ("acute uncomplicated diverticulitis", "K57"),
            ("stage IV pancreatic cancer", "C25"),
            ("severe mitral regurgitation", "I34"),
            ("heart failure, NYHA III", "I50"),
            ("multiple sclerosis relapse", "G35"),
            ("STEMI (inferior wall)", "I21"),
            ("Progressive multifocal encephalopathy (PML)", "A81"),
            ("高血压病3级（极高危）", "I10"),
            ("股骨颈骨折（右）", "S72"),
            ("左肾囊肿", "N28"),
            ("喉鳞状细胞癌（T3N0M0）", "C32"),
            ("肝炎后肝硬化代偿期", "K74"),
        ],
    )
    def test_side_stage_and_severity_change_nothing(self, text: str, expected: str) -> None:
        assert category(text) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("cancer of the liver", "C22"),
            ("cancer of the head of the pancreas", "C25"),
            ("left femoral intertrochanteric fracture", "S72"),
            ("Concomitant colonic atresia", "Q42"),
            ("schwannoma of the stomach", "D13"),
            ("adrenal hydatid cyst", "B67"),
            ("metastatic breast cancer", "C50"),
            ("左股骨粗隆间骨折", "S72"),
            ("胃窦印戒细胞癌", "C16"),
            ("右侧鼻腔，鼻窦内翻性乳头状瘤", "D14"),
            ("左上尺桡关节半脱位", "S53"),
        ],
    )
    def test_a_site_and_what_is_wrong_there_make_a_diagnosis(self, text: str, expected: str) -> None:
        assert category(text) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "   ",
            "asdf qwer zxcv",
            "diagnosis unclear",
            "no idea",
            "I don't know",
            "unknown",
            "A",
            "C",
            "left lower lobe",
            "liver",
            "诊断不明",
            "不知道",
            "待查",
            "左侧",
            "肝脏",
            "手术知情同意",
            "12345",
            "???",
        ],
    )
    def test_what_is_no_diagnosis_is_refused(self, text: str) -> None:
        assert resolve_diagnosis(text) == ()

    def test_a_symptom_is_its_symptom_code(self) -> None:
        assert category("headache") == "R51"
        assert category("发热待查") == "R50"

    @pytest.mark.parametrize(
        ("pneumonia", "cancer"),
        [("pneumonia", "lung cancer"), ("right lower lobe pneumonia", "right lung carcinoma"), ("左肺炎", "左肺癌")],
    )
    def test_pneumonia_is_never_lung_cancer(self, pneumonia: str, cancer: str) -> None:
        assert not any(m.icd10.startswith(("C", "D")) for m in resolve_diagnosis(pneumonia))
        assert not any(m.icd10.startswith("J") for m in resolve_diagnosis(cancer))

    def test_a_word_that_turns_a_name_round_is_read(self) -> None:
        assert category("非霍奇金淋巴瘤") == "C85"
        assert category("无菌性脑膜炎") in {"A87", "G03"}
        assert not any(m.icd10 == "K29.4" for m in resolve_diagnosis("非萎缩性胃炎"))
        assert not any(m.icd10 == "K35.2" for m in resolve_diagnosis("acute appendicitis without perforation"))


class TestSeveral:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("gastroenteritis, not appendicitis", [("A09", "stated"), ("K35", "ruled_out")]),
            ("tension headache but not migraine", [("G44", "stated"), ("G43", "ruled_out")]),
            ("ischemic stroke rather than TIA", [("I63", "stated"), ("G45", "ruled_out")]),
            ("gout; asthma; migraine", [("M10", "stated"), ("J45", "stated"), ("G43", "stated")]),
            ("1. Gout 2. Asthma", [("M10", "stated"), ("J45", "stated")]),
            ("hypertension, heart failure", [("I10", "stated"), ("I50", "stated")]),
            ("possible gout or pseudogout", [("M10", "possible"), ("M11", "possible")]),
            ("no appendicitis or cholecystitis", [("K35", "ruled_out"), ("K81", "ruled_out")]),
            ("appendicitis? cholecystitis?", [("K35", "possible"), ("K81", "possible")]),
            ("likely gout", [("M10", "likely")]),
            ("gout ruled out", [("M10", "ruled_out")]),
            ("gout cannot be ruled out", [("M10", "possible")]),
            ("（1）肺炎（2）糖尿病", [("J18", "stated"), ("E14", "stated")]),
            ("肺炎，糖尿病，高血压", [("J18", "stated"), ("E14", "stated"), ("I10", "stated")]),
            ("慢性心力衰竭，心功能III级，冠心病", [("I50", "stated"), ("I25", "stated")]),
            ("考虑肺炎", [("J18", "likely")]),
            ("考虑肺炎、支气管炎", [("J18", "likely"), ("J40", "likely")]),
            ("排除肺炎、痛风", [("J18", "ruled_out"), ("M10", "ruled_out")]),
            ("肺炎而非痛风", [("J18", "stated"), ("M10", "ruled_out")]),
            ("肺炎待查", [("J18", "possible")]),
            ("胃癌可能性大", [("C16", "likely")]),
            ("不除外肺炎", [("J18", "possible")]),
        ],
    )
    def test_each_with_its_certainty(self, text: str, expected: list[tuple[str, str]]) -> None:
        assert read(text) == expected

    @pytest.mark.parametrize(
        ("certainty", "english", "chinese"),
        [
            ("ruled_out", "{} (unlikely)", "{}（不太可能）"),
            ("ruled_out", "{} is very unlikely", "{}不太可能"),
            ("ruled_out", "very unlikely {}", "不太可能是{}"),
            ("ruled_out", "unlikely {}", "不太可能{}"),
            ("ruled_out", "less likely {}", "{}可能性较小"),
            ("ruled_out", "{} less likely", "{}可能性不大"),
            ("ruled_out", "{}, low probability", "{}可能性小"),
            ("ruled_out", "{} excluded", "{}除外"),
            ("ruled_out", "excluded {}", "除外{}"),
            ("ruled_out", "{} ruled out", "排除{}"),
            ("possible", "rule out {}", "{}待排"),
            ("possible", "r/o {}", "待排{}"),
            ("possible", "{} (r/o)", "{}（待排）"),
            ("possible", "need to rule out {}", "需排除{}"),
            ("possible", "cannot exclude {}", "不能除外{}"),
            ("likely", "likely {}", "{}可能性大"),
        ],
    )
    def test_an_idiom_means_the_same_in_both_languages(self, certainty: str, english: str, chinese: str) -> None:
        assert read(english.format("pneumonia")) == [("J18", certainty)]
        assert read(chinese.format("肺炎")) == [("J18", certainty)]
        assert read(english.format("肺炎")) == [("J18", certainty)]

    def test_what_is_unlikely_does_not_lower_what_stands_beside_it(self) -> None:
        for text in (
            "gout, less likely pneumonia",
            "痛风，不太可能肺炎",
            "gout, pneumonia (unlikely)",
            "痛风，肺炎可能性小",
        ):
            assert read(text) == [("M10", "stated"), ("J18", "ruled_out")], text
        assert read("gout, rule out pneumonia") == [("M10", "stated"), ("J18", "possible")]
        assert read("痛风，肺炎待排") == [("M10", "stated"), ("J18", "possible")]
        assert category("NO中毒") == "T58"

    @pytest.mark.parametrize(
        "joint",
        [
            " and ",
            " accompanied by ",
            " secondary to ",
            " complicated by ",
            " + ",
            "伴",
            "合并",
            "并发",
            "继发",
            "继发于",
        ],
    )
    def test_a_joining_word_cuts_in_both_languages(self, joint: str) -> None:
        for one in ("pneumonia", "肺炎"):
            for other in ("gout", "痛风"):
                assert read(f"{one}{joint}{other}") == [("J18", "stated"), ("M10", "stated")]

    def test_words_of_a_name_do_not_join(self) -> None:
        assert read("继发性高血压") == [("I15", "stated")]
        assert read("secondary hypertension") == [("I15", "stated")]
        assert read("肺炎accompanied by痛风") == [("J18", "stated"), ("M10", "stated")]
        assert read("肺炎 or 痛风") == [("J18", "possible"), ("M10", "possible")]
        assert read("pneumonia 而非 gout") == [("J18", "stated"), ("M10", "ruled_out")]

    def test_an_unknown_last_one_does_not_glue_the_others_together(self) -> None:
        assert [c for c, _ in read("pneumonia + gout + asthma + blah")] == ["J18", "M10", "J45"]
        assert [c for c, _ in read("肺炎合并痛风合并哮喘合并某某")] == ["J18", "M10", "J45"]

    def test_a_differential_is_possible_only(self) -> None:
        text = "Diagnosis: gout\nDifferential diagnosis:\n1. pseudogout\n2. cellulitis"
        assert read(text) == [("M10", "stated"), ("M11", "possible"), ("L03", "possible")]
        assert read("诊断：肺炎\n鉴别诊断：肺栓塞、痛风") == [
            ("J18", "stated"),
            ("I26", "possible"),
            ("M10", "possible"),
        ]

    @pytest.mark.parametrize(
        "text",
        [
            "anemia, iron deficiency",
            "heart failure, NYHA III",
            "head and neck cancer",
            "nausea and vomiting",
            "community acquired pneumonia, right lower lobe",
            "胆囊结石伴慢性胆囊炎",
            "左足第1、2趾骨骨折",
        ],
    )
    def test_one_diagnosis_stays_whole(self, text: str) -> None:
        assert len(split_diagnoses(text)) == 1

    def test_company_and_cause_do_not_take_the_place_of_the_disease(self) -> None:
        assert category("anemia secondary to colon cancer") == "D64"
        assert category("pneumonia with pleural effusion") == "J18"
        assert category("2型糖尿病并周围神经病变") == "E11"

    def test_ruled_out_diagnoses_are_not_resolved(self) -> None:
        assert resolve_diagnosis("not pneumonia") == ()
        assert resolve_diagnosis("排除肺炎") == ()
        assert category("gout, not pneumonia") == "M10"

    def test_what_was_written_is_kept(self) -> None:
        assert split_diagnoses("Gout; Asthma") == ["Gout", "Asthma"]
        assert [r.text for r in read_diagnoses("possible gout")] == ["possible gout"]

    def test_names_come_in_the_language_of_the_text(self) -> None:
        assert resolve_diagnosis("肺炎")[0].name == "肺炎"
        assert resolve_diagnosis("pneumonia", language="zh")[0].name == "肺炎"
        assert "Pneumonia" in resolve_diagnosis("pneumonia")[0].name


class TestLeaks:
    @pytest.mark.parametrize(
        ("said", "code"),
        [
            ("My father died of a heart attack.", "I21.1"),
            ("They told me it was an MI", "I21.1"),
            ("It's appendicitis, isn't it?", "K35.8"),
            ("they mentioned haemolytic uraemic syndrome", "D59.3"),
            ("I have lung cancer", "C34.9"),
            ("Graves' disease runs in the family", "E05.0"),
            ("医生说是宫外孕", "O00.1"),
            ("我得了阑尾炎", "K35.8"),
        ],
    )
    def test_a_name_of_the_diagnosis_is_found(self, said: str, code: str) -> None:
        assert names_diagnosis(said, (code,)) is not None

    @pytest.mark.parametrize(
        ("said", "code"),
        [
            ("I have chest pain and I sweat", "I21.1"),
            ("Ms Smith takes it as needed", "G35"),
            ("I take it as needed", "I35.0"),
            ("I feel depressed and tired", "F32.2"),
            ("I have a sore throat", "J02.9"),
            ("my lung hurts", "C34.9"),
            ("I am bleeding, could I be pregnant?", "O00.1"),
            ("I have a temporal headache", "M31.6"),
            ("我肚子疼，发烧", "K35.8"),
        ],
    )
    def test_what_a_patient_feels_betrays_nothing(self, said: str, code: str) -> None:
        assert names_diagnosis(said, (code,)) is None

    def test_a_symptom_does_not_name_the_syndrome_of_it(self) -> None:
        for felt in ("respiratory distress", "chronic fatigue", "cyclic vomiting"):
            name = f"{felt.capitalize()} syndrome"
            assert names_diagnosis(f"I came with {felt}", (), (name,)) is None
            assert names_diagnosis(f"they said {felt} syndrome", (), (name,)) == name
        assert names_diagnosis("acute respiratory distress", ("J80",)) is None
        assert names_diagnosis("acute respiratory distress syndrome", ("J80",)) is not None
        assert names_diagnosis("my irritable bowel", ("K58.9",)) is not None
        assert names_diagnosis("Guillain-Barre", ("G61.0",)) is not None

    def test_extra_names_are_found_too(self) -> None:
        assert names_diagnosis("it is the Xyz syndrome", (), ("xyz syndrome",)) == "xyz syndrome"
        assert names_diagnosis("nothing", (), ("xyz syndrome",)) is None

    def test_the_form_found_is_given_as_the_table_writes_it(self) -> None:
        assert names_diagnosis("kidney stones", ("N20.0",)) == "kidney stone"

    def test_names_of_a_code(self) -> None:
        assert "heart attack" in names_of("I21", "en")
        assert "宫外孕" in names_of("O00", "zh")
        assert names_of("nonsense", "en") == ()
        assert preferred_name("I21.1", "zh") == "急性下壁心肌梗死"


_PIECES = (
    *("not", "no", "possible", "and", "or", ",", ";", "(", ")", "?", "1.", "（2）", "排除", "考虑", "合并", "、"),
    *("pneumonia", "gout", "肺炎", "炎", "左", "stage", "IV", "\ud800", "\u0000", "癌"),
)
_AWKWARD = st.text(max_size=80) | st.lists(st.sampled_from(_PIECES), max_size=14).map(" ".join)


class TestRobustness:
    @given(_AWKWARD)
    def test_any_text_is_read(self, text: str) -> None:
        for part in read_diagnoses(text):
            scores = [m.score for m in part.matches]
            assert scores == sorted(scores, reverse=True)
            assert all(0.5 <= s <= 1.0 for s in scores)
            assert all(icd10.is_valid(m.icd10) for m in part.matches)
        assert len(resolve_diagnosis(text, limit=2)) <= 2
        names_diagnosis(text, ("J18.9",), (text,))

    @pytest.mark.parametrize(
        "unit", ["pneumonia ", "肺炎，", "不是", "not ", "and or ", "((((", "甲型肝炎合并", "1.", "a"]
    )
    def test_ten_megabytes_take_no_time(self, unit: str) -> None:
        text = unit * (10_000_000 // len(unit))
        read_diagnoses("warm up")
        start = time.process_time()
        read_diagnoses(text)
        resolve_diagnosis(text)
        names_diagnosis(text, ("J18.9",))
        assert time.process_time() - start < 2.0

    @pytest.mark.parametrize(
        "unit",
        [
            *("pneumonia + " * 22 + "lung, ", "肺炎和", "a+", "pneumonia and ", "、", "a、", "foo, ", "(", "rule out "),
            *("acute severe chronic left lung and ", "急性左侧肺炎合并", "1. gout and asthma, x\n", "pnuemonai and "),
            "肺炎 and gout、possible 糖尿病 + a(b), not 痛风伴x, ",
        ],
    )
    def test_time_does_not_grow_with_what_is_joined(self, unit: str) -> None:
        read_diagnoses("warm up, pneumonia and 肺炎")
        for size, limit in ((4_000, 0.3), (20_000, 0.3), (10_000_000, 0.5)):
            text = (unit * (size // len(unit) + 1))[:size]
            start = time.process_time()
            found = read_diagnoses(text)
            assert time.process_time() - start < limit
            assert len(found) <= 40

    def test_many_joined_names_are_all_counted_as_far_as_they_are_read(self) -> None:
        assert len(read_diagnoses("pneumonia + " * 22 + "lung")) == 22
        assert len(read_diagnoses("肺炎和" * 3_000)) == 40

    def test_the_same_text_gives_the_same_answer(self) -> None:
        text = "acute right-sided something-itis of the liver with fracture"
        first = read_diagnoses(text)
        for n in range(50):
            read_diagnoses(f"{text} {n}")
        assert read_diagnoses(text) == first


class TestEnglishTable:
    def test_every_row_is_a_known_code_with_names_of_its_own(self) -> None:
        text = files("clinic_sim.knowledge").joinpath("data/icd10_en.tsv").read_text(encoding="utf-8")
        rows = [line.split("\t") for line in text.splitlines()[1:] if line and not line.startswith("#")]
        seen: dict[str, str] = {}
        for code, forms in rows:
            assert icd10.is_valid(code), code
            for form in forms.split("|"):
                assert form, code
                assert form == form.strip(), code
                assert seen.setdefault(form.lower(), code) == code, f"{form} under {code} and {seen[form.lower()]}"
        assert len(rows) > 900
        assert len(seen) > 1500

    def test_every_name_resolves_to_its_own_category(self) -> None:
        text = files("clinic_sim.knowledge").joinpath("data/icd10_en.tsv").read_text(encoding="utf-8")
        rows = [line.split("\t") for line in text.splitlines()[1:] if line and not line.startswith("#")]
        wrong = [
            (form, code, category(form))
            for code, forms in rows[::7]
            for form in forms.split("|")
            if category(form) != icd10.category(code)
        ]
        assert len(wrong) <= 0.01 * sum(forms.count("|") + 1 for _, forms in rows[::7]), wrong
