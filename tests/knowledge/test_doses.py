"""Doses in words of both languages come out as amounts that can be compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.knowledge.doses import Regimen, read_regimens
from clinic_sim.knowledge.text import fold
from clinic_sim.knowledge.treatments import read_treatment


def only(text: str) -> Regimen:
    found = read_regimens(fold(text))
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    "text",
    [
        "500 mg tid",
        "500 mg three times daily",
        "500 mg t.i.d.",
        "0.5 g q8h",
        "0.5g 每日三次",
        "0.5 g，一天3次",
        "每日3次，每次0.5 g",
        "500毫克 3次/日",
        "500 mg every 8 hours",
        "0.5 g 每8小时1次",
        "1.5 g daily in three divided doses",
        "1.5 g/day",
        "每日1.5 g，分3次",
        "1,500 mg per day",
        "500,000 µg tds",
    ],
)
def test_equivalent_schedules_are_one_amount_a_day(text: str) -> None:
    assert only(text).daily == pytest.approx((1500, 1500))


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("5 mg qd", 1),
        ("5 mg once daily", 1),
        ("5 mg nocte", 1),
        ("5 mg 每晚1次", 1),
        ("5 mg bid", 2),
        ("5 mg twice a day", 2),
        ("5 mg 一天两次", 2),
        ("5 mg 早晚各1次", 2),
        ("5 mg qid", 4),
        ("5 mg q4h", 6),
        ("5 mg 每4小时1次", 6),
        ("5 mg every other day", 0.5),
        ("5 mg 隔日1次", 0.5),
        ("5 mg weekly", 1 / 7),
        ("5 mg 每周1次", 1 / 7),
        ("5 mg twice a week", 2 / 7),
    ],
)
def test_how_often(text: str, times: float) -> None:
    assert only(text).times == pytest.approx((times, times))


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("150-300 mg", 150, 300, "mg"),
        ("30～50 mg", 30, 50, "mg"),
        ("1 to 2 g", 1000, 2000, "mg"),
        ("250 mg-500 mg", 250, 500, "mg"),
        ("25 mcg", 0.025, 0.025, "mg"),
        ("400万U", 4_000_000, 4_000_000, "iu"),
        ("5000 units", 5000, 5000, "iu"),
        ("1 L", 1000, 1000, "ml"),
        ("40 mmol", 40, 40, "mmol"),
    ],
)
def test_amounts_and_units(text: str, low: float, high: float, unit: str) -> None:
    found = only(text)
    assert found.low == pytest.approx(low)
    assert found.high == pytest.approx(high)
    assert found.unit == unit


@pytest.mark.parametrize("text", ["30-50 mg/kg/day", "30～50 mg/(kg·d)", "30-50 mg/kg per day", "每日30～50 mg/kg"])
def test_by_weight_and_day(text: str) -> None:
    found = only(text)
    assert (found.per_kg, found.per, found.daily) == (True, "day", (30, 50))


@pytest.mark.parametrize("text", ["18 IU/kg/h", "每小时18 U/kg", "18 units/kg/hr"])
def test_by_weight_and_hour(text: str) -> None:
    found = only(text)
    assert (found.per_kg, found.per, found.low) == (True, "hour", 18)


def test_a_loading_dose_and_a_daily_one_are_told_apart() -> None:
    loading, daily = read_regimens(fold("300 mg chewed, then 75 mg daily"))
    assert (loading.once, loading.low) == (True, 300)
    assert daily.daily == (75, 75)


def test_a_bracket_repeats_the_amount_and_shares_what_follows() -> None:
    by_weight, plain = read_regimens(fold("2 g/kg（30 g），单次静脉输注"))
    assert by_weight.once
    assert plain.once
    assert (by_weight.route, plain.low) == ("iv", 30_000)


@pytest.mark.parametrize("text", ["1 g four times a day, not more than 4 g a day", "1 g，每日4次，每日不超过4 g"])
def test_a_ceiling_is_no_dose_of_its_own(text: str) -> None:
    assert only(text).daily == (4000, 4000)


@pytest.mark.parametrize(
    "text", ["", "as needed", "2 tablets bid", "37.5 °C", "375 mg/m2 weekly", "in 2 weeks", "每日1次"]
)
def test_what_is_no_amount_is_none(text: str) -> None:
    assert read_regimens(fold(text)) == ()


@pytest.mark.parametrize(
    ("text", "route"),
    [("1 g iv", "iv"), ("1 g 静脉滴注", "iv"), ("1 g 口服", "oral"), ("1 g by mouth", "oral"), ("1 mg 肌内注射", "im")],
)
def test_routes(text: str, route: str) -> None:
    assert only(text).route == route


@pytest.mark.parametrize(
    ("text", "days"), [("1 g daily for 7 days", 7), ("1 g qd，连用2周", 14), ("1 g qd 疗程3个月", 90)]
)
def test_courses(text: str, days: float) -> None:
    assert only(text).days == (days, days)


def doses(text: str) -> dict[str, list[float]]:
    return {m.concept: [r.low for r in m.regimens] for m in read_treatment(text)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("aspirin 300 mg, ticagrelor 180 mg", {"drug.aspirin": [300], "drug.ticagrelor": [180]}),
        ("aspirin, 500 mg of amoxicillin tid", {"drug.aspirin": [], "drug.amoxicillin": [500]}),
        ("口服阿莫西林0.5g 每日三次", {"drug.amoxicillin": [500]}),
        ("0.5g阿莫西林 每日三次，布洛芬0.3g bid", {"drug.amoxicillin": [500], "drug.ibuprofen": [300]}),
        ("alendronate 70 mg weekly with calcium 1000 mg", {"drug.alendronate": [70]}),
    ],
)
def test_each_medicine_of_a_line_has_its_own_dose(text: str, found: dict[str, list[float]]) -> None:
    assert {c: d for c, d in doses(text).items() if c in found} == found


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    for regimen in read_regimens(fold(text)):
        assert 0 <= regimen.low <= regimen.high


@pytest.mark.parametrize(
    ("text", "daily"),
    [
        ("ceftriaxone i.v. 1 g q12h", 2000),
        ("Omeprazole 20 mg twice-daily", 40),
        ("二甲双胍0.5g 3/日", 1500),
        ("阿莫西林每次 0.5 克，每天 3 次，连用七天", 1500),
        ("alprazolam 0.4 mg p.o. t.i.d.", 1.2),
        ("vancomycin 1 g IV every 8-12 hours", 2000),
    ],
)
def test_as_doctors_write_it(text: str, daily: float) -> None:
    (mention,) = read_treatment(text)
    assert mention.regimens[0].daily is not None
    assert mention.regimens[0].daily[0] == pytest.approx(daily)
