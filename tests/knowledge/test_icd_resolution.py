"""Written diagnoses to ICD-10 categories: floors under what a labelled set measured, and the soundness of that set."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.diagnoses import resolve_diagnosis
from clinic_sim.knowledge.diagnosis_tables import table_forms

BENCH = Path(__file__).resolve().parents[2] / "bench" / "icd.py"
KINDS = ("pack", "synonym", "abbreviation", "misspelling", "eponym", "lay", "compound", "negative")
HELD_FLOOR = 0.93
DEV_FLOOR = 0.98
POINTED_FLOOR = 0.96
KIND_FLOOR = 0.91
KIND_FLOORS = {
    ("en", "misspelling"): 0.95,
    ("zh", "misspelling"): 0.87,
    ("en", "compound"): 0.93,
    ("zh", "compound"): 0.97,
    ("en", "synonym"): 0.96,
    ("zh", "synonym"): 0.98,
    ("zh", "pack"): 0.98,
    ("en", "negative"): 0.85,
}
"""A little below what both halves together reach; where a kind is not named, `KIND_FLOOR`."""


def _bench() -> Any:
    spec = importlib.util.spec_from_file_location("bench_icd", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


bench = _bench()


@pytest.fixture(scope="module")
def own() -> list[Any]:
    return [row for language in bench.LANGUAGES for row in bench.own(language)]


@pytest.fixture(scope="module")
def results(own: list[Any]) -> list[Any]:
    found: list[Any] = bench.resolve(own)
    return found


@pytest.fixture(scope="module")
def measured(results: list[Any]) -> Any:
    return bench.figures(results)


@pytest.fixture(scope="module")
def pointed(shared_data: Path) -> list[Any]:
    path = shared_data / "ai_hospital" / "evaluation_gpt4_onestep.jsonl"
    if not path.is_file():
        pytest.skip(f"AI Hospital's evaluation file is not there ({path})")
    return list(bench.pointed(path))


def first(text: str) -> str | None:
    """The category of the first code."""
    found = resolve_diagnosis(text, limit=1)
    return icd10.category(found[0].icd10) if found else None


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("half", "floor"), [("dev", DEV_FLOOR), ("held", HELD_FLOOR)])
def test_the_first_code_is_in_the_right_category(measured: Any, language: str, half: str, floor: float) -> None:
    group = "all" if language == "en" else "own"
    share = measured[f"{half} {language} {group}"].top1
    assert share.value >= floor, str(share)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_wording_is_read(results: list[Any], language: str, kind: str) -> None:
    share = bench.Share()
    for result in results:
        if (result.label.language, result.label.kind) == (language, kind):
            share.add(result.top1)
    assert share.value >= KIND_FLOORS.get((language, kind), KIND_FLOOR), str(share)


@pytest.mark.parametrize("half", ["dev", "held"])
def test_diagnoses_of_real_records_are_read(pointed: list[Any], half: str) -> None:
    share = bench.Share()
    for result in bench.resolve([row for row in pointed if row.half == half]):
        share.add(result.top1)
    assert share.value >= POINTED_FLOOR, str(share)


def test_the_pointers_are_many_and_lead_to_what_was_labelled(pointed: list[Any]) -> None:
    assert len(pointed) >= 600


def test_a_pointer_to_another_text_is_an_error(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "ai_hospital" / "evaluation_gpt4_onestep.jsonl"
    if not path.is_file():
        pytest.skip(f"AI Hospital's evaluation file is not there ({path})")
    other = tmp_path / "other.jsonl"
    other.write_text(path.read_text("utf-8").replace("继发性癫痫", "癫痫"), "utf-8")
    with pytest.raises(bench.StaleSetError):
        list(bench.pointed(other))


def test_the_set_is_wide_and_even(own: list[Any]) -> None:
    per_language = Counter(row.language for row in own)
    assert len(own) >= 1_000
    assert max(per_language.values()) - min(per_language.values()) <= 20
    assert {(row.language, row.kind) for row in own} == {(lang, kind) for lang in per_language for kind in KINDS}
    assert sum(row.kind == bench.NEGATIVE for row in own) >= 80
    assert 0.45 < sum(row.half == "dev" for row in own) / len(own) < 0.55
    chapters = {icd10.chapter(code) for row in own for code in row.codes if code != bench.NOTHING}
    assert len(chapters) >= 19


def test_labels_are_codes_and_texts_stand_once(own: list[Any]) -> None:
    wrong = [row for row in own for code in row.codes if code != bench.NOTHING and not icd10.is_valid(code)]
    assert wrong == []
    seen = Counter((row.language, row.text) for row in own)
    assert [text for text, times in seen.items() if times > 1] == []


def test_items_are_cut_outside_brackets_only() -> None:
    assert bench.items_of("1. 甲（乙，丙） 2、丁；戊") == ["甲（乙，丙） 2", "丁", "戊"]
    assert bench.items_of("#诊断结果#\n1. 甲\n2. 乙、丙") == ["甲", "乙", "丙"]


@pytest.mark.parametrize(
    ("text", "category"),
    [("脑埂塞", "I63"), ("急性阑尾言", "K35"), ("右侧输卵管任娠", "O00"), ("左甲状线癌", "C73"), ("肝硬话", "K74")],
)
def test_wrong_characters_are_put_right_by_their_sound(text: str, category: str) -> None:
    assert first(text) == category


@pytest.mark.parametrize(
    ("text", "category"), [("高血壓", "I10"), ("慢性腎衰竭", "N18"), ("膽囊結石", "K80"), ("闌尾炎", "K37")]
)
def test_traditional_characters_are_read(text: str, category: str) -> None:
    assert first(text) == category


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("family history of breast cancer", "Z80"),
        ("糖尿病家族史", "Z83"),
        ("家族史：高血压", "Z82"),
        ("family history: epilepsy", "Z82"),
    ],
)
def test_a_disease_of_the_relatives_is_not_the_patients(text: str, category: str) -> None:
    assert first(text) == category


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("乙状结肠癌肝转移", "C18"),
        ("肺癌脑转移", "C34"),
        ("肝转移癌", "C78"),
        ("先天性心脏病 房间隔缺损", "Q21"),
        ("T12椎体压缩性骨折", "S22"),
        ("颈6/7椎间盘突出", "M50"),
        ("甲状腺右叶结节TI-RADS 4类", "E04"),
        ("鼻部基底细胞癌", "C44"),
        ("basal cell carcinoma of the nose", "C44"),
        ("左足内侧皮神经断裂", "S94"),
        ("right forearm artery laceration", "S55"),
        ("股骨病理性骨折", "M84"),
        ("右前臂脂肪瘤", "D17"),
        ("anaemia, iron deficiency, due to blood loss", "D50"),
        ("RUL adenocarcinoma", "C34"),
    ],
)
def test_what_the_parts_say_together(text: str, category: str) -> None:
    assert first(text) == category


@pytest.mark.parametrize("text", ["血压正常", "肾功能正常", "恶性", "华法林", "胰岛素"])
def test_one_character_that_turns_the_meaning_is_not_put_right(text: str) -> None:
    assert first(text) is None


@pytest.mark.parametrize("text", ["会议", "初诊", "建议复查", "今天天气很好", "我不知道", "抽血化验", "门诊随访"])
def test_what_only_sounds_a_little_like_a_disease_is_none(text: str) -> None:
    assert first(text) is None


def test_nearly_every_category_has_chinese_names() -> None:
    categories = {code for code in icd10.items() if len(code) == 3 and icd10.is_valid(code) and code[0] not in "VWXY"}
    named = Counter(icd10.category(form.code) for form in table_forms("zh"))
    classified_elsewhere = {code for code in categories if "classified elsewhere" in icd10.title(code)}
    assert sorted(categories - classified_elsewhere - named.keys()) == []
    assert sum(named[code] > 1 for code in categories) >= 1_500
