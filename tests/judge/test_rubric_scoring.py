"""What criteria earn together: doing right never costs, doing harm never pays, a failing judge never helps."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from clinic_sim.cases.compiled import compile_case
from clinic_sim.judge.prerequisites import settle
from clinic_sim.judge.rubric import Rubric
from clinic_sim.judge.scheme import scheme_of
from clinic_sim.judge.scorecard import Status, Verdict
from clinic_sim.judge.scoring import Scores, score
from clinic_sim.testing import small_case

FAILED = "judge_failed:missing"
LACKS = "missing_reference"
Values = Mapping[str, float | str | None]
"""By criterion: its degree, the failure that leaves it unscored, or None where it does not apply."""
QUESTION = "Does the doctor do it at all?"


def one(name: str, points: float = 1, **fields: Any) -> dict[str, Any]:
    """A judged criterion; `graded` makes it one that may give a degree."""
    graded = fields.pop("graded", False)
    kind = {"check": "icd_match"} if graded else {"check": "judged", "question": QUESTION}
    return {"id": name, "dimension": "d", "points": points, **kind, **fields}


def rubric(*criteria: dict[str, Any], **fields: Any) -> Rubric:
    names = dict.fromkeys(c["dimension"] for c in criteria if c["dimension"] != "safety")
    return Rubric.model_validate(
        {
            "schema_version": 1,
            "name": "r",
            "title": "r",
            "dimensions": {name: {"weight": 1} for name in names},
            "criteria": list(criteria),
            **fields,
        }
    )


def scored(rules: Rubric, values: Values) -> tuple[Scores, dict[str, Verdict]]:
    """What these verdicts amount to; a criterion that is not named is not met."""
    scheme = scheme_of(rules, compile_case(small_case()))

    def look(n: int) -> Verdict | None:
        c = scheme.criteria[n]
        value = values.get(c.id, 0.0)
        if value is None:
            return None
        if isinstance(value, str):
            return Verdict(c.id, c.dimension, Status.UNSCORED, c.points, None, failure=value)
        return Verdict(c.id, c.dimension, Status.MET if value >= 0.5 else Status.NOT_MET, c.points, value)

    found = settle(scheme, look)
    return score(rules, scheme, found), {v.criterion: v for v in found if v is not None}


def value(rules: Rubric, values: Values, dimension: str = "d") -> float | None:
    return scored(rules, values)[0].dimensions[dimension].value


# Prerequisites --------------------------------------------------------------------------------------------------------


def test_what_requires_another_counts_only_with_it() -> None:
    rules = rubric(one("a"), one("b", requires="a"))
    assert value(rules, {"a": 1, "b": 1}) == 1
    assert value(rules, {"a": 1}) == 0.5
    assert value(rules, {"b": 1}) == 0
    verdict = scored(rules, {"b": 1})[1]["b"]
    assert (verdict.status, verdict.value) == (Status.NOT_MET, 0.0)
    assert "counts only with a" in verdict.reason


def test_prerequisites_reach_through_several() -> None:
    rules = rubric(one("c", requires="b"), one("b", requires="a"), one("a"))
    assert value(rules, {"b": 1, "c": 1}) == 0
    assert value(rules, {"a": 1, "b": 1, "c": 1}) == 1


@pytest.mark.parametrize(
    ("needs", "met", "counts"),
    [
        ({"all": ["a", "b"]}, {"a"}, False),
        ({"all": ["a", "b"]}, {"a", "b"}, True),
        ({"any": ["a", "b"]}, {"b"}, True),
        ({"any": ["a", "b"]}, set(), False),
        (["a", {"any": ["b", "c"]}], {"a"}, False),
        (["a", {"any": ["b", "c"]}], {"a", "c"}, True),
        (["a", "b"], {"a"}, False),
    ],
)
def test_all_and_any(needs: Any, met: set[str], counts: bool) -> None:
    rules = rubric(one("a"), one("b"), one("c"), one("z", requires=needs))
    verdict = scored(rules, {**dict.fromkeys(met, 1.0), "z": 1})[1]["z"]
    assert (verdict.status is Status.MET) is counts


def test_an_unscored_prerequisite_leaves_its_dependent_unscored_for_the_same_cause() -> None:
    rules = rubric(one("a"), one("b", requires="a"), one("c", requires="b"), one("d"), one("e"), one("f"))
    for cause in (FAILED, LACKS):
        verdicts = scored(rules, {"a": cause, "b": 1, "c": 1})[1]
        assert [verdicts[n].failure for n in "abc"] == [cause] * 3
    any_ = rubric(one("a"), one("x"), one("b", requires={"any": ["a", "x"]}))
    assert scored(any_, {"a": FAILED, "x": 1, "b": 1})[1]["b"].status is Status.MET
    assert scored(any_, {"a": FAILED, "b": 1})[1]["b"].failure == FAILED
    all_ = rubric(one("a"), one("x"), one("b", requires=["a", "x"]))
    assert scored(all_, {"a": FAILED, "b": 1})[1]["b"].status is Status.NOT_MET


def test_what_takes_away_does_not_apply_without_its_prerequisite() -> None:
    rules = rubric(one("drug", 3), one("overdose", -2, requires="drug"), one("rest"))
    assert "overdose" not in scored(rules, {"overdose": 1})[1]
    assert value(rules, {"rest": 1, "overdose": 1}) == 0.25
    assert value(rules, {"rest": 1, "drug": 1, "overdose": 1}) == 0.5
    assert value(rules, {"rest": 1, "drug": 1}) == 1


def test_what_takes_away_takes_no_more_than_what_it_hangs_on_has_earned() -> None:
    rules = rubric(one("drug", 3), one("overdose", -9, requires="drug"), one("rest"))
    assert value(rules, {"rest": 1, "drug": 1, "overdose": 1}) == 0.25
    free = rubric(one("drug", 3), one("overdose", -9), one("rest"))
    assert value(free, {"rest": 1, "drug": 1, "overdose": 1}) == 0


def test_in_a_case_without_it_a_prerequisite_leaves_its_dependent_out() -> None:
    absent = {"id": "x", "dimension": "d", "check": "fact_disclosed", "target": "of_another_patient"}
    rules = rubric(one("a"), absent, one("b", requires="x"), one("c", requires={"all": ["x"]}))
    verdicts = scored(rules, {"a": 1, "b": 1, "c": 1})[1]
    assert set(verdicts) == {"a", "c"}
    assert "b" not in scored(rubric(one("a"), one("x"), one("b", requires="x")), {"x": None, "b": 1})[1]


def test_a_generating_prerequisite_stands_for_all_that_it_makes() -> None:
    flags = {"id": "fact", "dimension": "d", "check": "fact_disclosed", "generate": "facts"}
    facts = ["fact.migration", "fact.nausea", "fact.no_fever", "fact.allergy", "fact.cannabis", "fact.onset"]
    for mode, met in (("all", facts), ("any", facts[:1])):
        rules = rubric(flags, one("b", requires={mode: ["fact"]}))
        assert scored(rules, {**dict.fromkeys(met, 1.0), "b": 1})[1]["b"].status is Status.MET
        assert scored(rules, {**dict.fromkeys(met[1:], 1.0), "b": 1})[1]["b"].status is Status.NOT_MET


# Alternatives, caps ---------------------------------------------------------------------------------------------------


def test_any_of_several_earns_the_points_once_and_the_best_counts() -> None:
    rules = rubric(one("ct", 3), one("scan", 2), one("rest"), alternatives=[["ct", "scan"]])
    assert value(rules, {"ct": 1}) == 0.75
    assert value(rules, {"scan": 1}) == 0.5
    assert value(rules, {"ct": 1, "scan": 1}) == 0.75
    assert value(rules, {"ct": 1, "scan": 1, "rest": 1}) == 1
    assert value(rules, {"ct": LACKS, "scan": 1, "rest": 1}) == 1


def test_an_unjudged_alternative_matters_only_where_it_could_be_the_best() -> None:
    rules = rubric(one("ct", 2), one("scan", 2), one("r1"), one("r2"), alternatives=[["ct", "scan"]])
    assert value(rules, {"ct": 1, "scan": FAILED, "r1": 1, "r2": 1}) == 1
    assert value(rules, {"scan": FAILED, "r1": 1}) == 0.5
    assert value(rules, {"scan": FAILED, "ct": FAILED, "r1": FAILED}) is None


def test_a_cap_bounds_what_a_set_earns_and_what_it_is_worth() -> None:
    rules = rubric(*(one(n) for n in "abcd"), one("rest"), caps=[{"of": list("abcd"), "points": 2}])
    assert value(rules, {"a": 1}) == pytest.approx(1 / 3)
    assert value(rules, {"a": 1, "b": 1}) == value(rules, dict.fromkeys("abcd", 1.0)) == pytest.approx(2 / 3)
    assert value(rules, {"a": 1, "c": 1, "rest": 1}) == 1


def test_a_dimension_may_have_more_ways_than_are_needed() -> None:
    rules = rubric(*(one(n) for n in "abcde"), dimensions={"d": {"weight": 1, "cap": 3}})
    assert value(rules, {"a": 1}) == pytest.approx(1 / 3)
    assert value(rules, dict.fromkeys("abc", 1.0)) == value(rules, dict.fromkeys("abcde", 1.0)) == 1


def test_alternatives_inside_a_cap_count_once_in_it() -> None:
    rules = rubric(
        *(one(n) for n in "abc"), one("rest", 2), alternatives=[["a", "b"]], caps=[{"of": ["a", "b", "c"], "points": 2}]
    )
    assert value(rules, {"a": 1, "b": 1}) == 0.25
    assert value(rules, {"a": 1, "c": 1}) == 0.5


# Required, vetoes, what only takes away -------------------------------------------------------------------------------


@pytest.mark.parametrize(("required", "most"), [(True, 0.59), ("below B", 0.59), ("below A", 0.84), (0.2, 0.2), (0, 0)])
def test_missing_a_required_item_holds_its_dimension_down(required: Any, most: float) -> None:
    rules = rubric(one("allergy", required=required), one("rest", 9))
    met, missed = scored(rules, {"allergy": 1, "rest": 1})[0], scored(rules, {"rest": 1})[0]
    assert met.dimensions["d"].value == 1
    assert missed.dimensions["d"].value == most
    assert missed.dimensions["d"].limited_by == ("allergy",)
    assert met.dimensions["d"].limited_by == ()
    assert scored(rules, {"allergy": LACKS, "rest": 1})[0].dimensions["d"].value == 1
    assert scored(rules, {"allergy": FAILED, "rest": 1})[0].total is None


def test_a_required_item_may_be_worth_nothing_by_itself() -> None:
    rules = rubric(one("allergy", 0, required=0.5), one("rest"))
    assert value(rules, {"rest": 1}) == 0.5
    assert value(rules, {"rest": 1, "allergy": 1}) == 1


def test_a_veto_holds_down_its_dimension_or_the_total() -> None:
    other = one("other") | {"dimension": "e"}
    own = rubric(one("rest"), one("harm", 0, veto="dimension"), other)
    found = scored(own, {"rest": 1, "harm": 1, "other": 1})[0]
    assert (found.dimensions["d"].value, found.dimensions["e"].value, found.total) == (0, 1, 0.5)
    assert found.dimensions["d"].limited_by == ("harm",)
    total = rubric(one("rest"), one("harm", -1, veto={"of": "total", "at_most": 0.3}) | {"dimension": "safety"}, other)
    assert scored(total, {"rest": 1, "other": 1})[0].total == 1
    found = scored(total, {"rest": 1, "harm": 1, "other": 1})[0]
    assert (found.total, found.limited_by, found.safety) == (0.3, ("harm",), -0.03)
    low = scored(total, {"harm": 1})[0]
    assert (low.total, low.limited_by) == (0.0, ())


@pytest.mark.parametrize("of", ["dimension", "total"])
def test_an_unjudged_veto_leaves_the_total_unscored(of: str) -> None:
    rules = rubric(one("rest"), one("harm", 0, veto=of))
    assert scored(rules, {"rest": 1, "harm": FAILED})[0].total is None
    assert scored(rules, {"rest": 1, "harm": LACKS})[0].total == 1


def test_a_dimension_of_negative_points_takes_from_the_total_and_adds_nothing() -> None:
    rules = rubric(one("a"), one("rude", -3) | {"dimension": "manner"}, one("loud", -1) | {"dimension": "manner"})
    assert rules.deducting == {"manner"}
    clean, rude, silent = (scored(rules, v)[0] for v in ({"a": 1}, {"a": 1, "rude": 1}, {}))
    assert (clean.dimensions["manner"].value, clean.total) == (1, 1)
    assert (rude.dimensions["manner"].value, rude.total) == (0.25, 0.25)
    assert silent.total == 0
    assert scored(rules, {"a": 1, "rude": FAILED})[0].total is None


def test_what_is_only_reported_changes_nothing() -> None:
    rules = rubric(one("a"), one("told", 0))
    for told in (0.0, 1.0, FAILED, LACKS):
        assert scored(rules, {"a": 1, "told": told})[0].total == 1


# Properties -----------------------------------------------------------------------------------------------------------

NAMES = "abcdefgh"


@st.composite
def rules(draw: st.DrawFn) -> Rubric:
    """Rubrics of every feature at once, as far as the language takes them."""
    criteria: list[dict[str, Any]] = []
    for n, name in enumerate(NAMES):
        fields: dict[str, Any] = {"graded": draw(st.booleans())}
        before = [c["id"] for c in criteria]
        if before and draw(st.booleans()):
            some = draw(st.lists(st.sampled_from(before), min_size=1, max_size=3, unique=True))
            fields["requires"] = draw(st.sampled_from([some[:1], [{"any": some}], [{"all": some}], some]))
        points = draw(st.sampled_from([1, 2, 3, 5, 0, -1, -2, -6] if n else [1, 2, 3]))
        if points >= 0 and draw(st.integers(0, 4)) == 0:
            fields["required"] = draw(st.sampled_from([True, 0.25, 0.5, "below A"]))
        elif points <= 0 and draw(st.integers(0, 2)) == 0:
            fields["veto"] = draw(st.sampled_from([{"of": "dimension", "at_most": 0.3}, {"of": "total"}]))
        dimension = draw(st.sampled_from(["d", "d", "d", "e"])) if n else "d"
        criteria.append(one(name, points, **fields) | {"dimension": dimension})
    positive = [c["id"] for c in criteria if c["points"] > 0]
    fields = {}
    if len(positive) > 2 and draw(st.booleans()):
        fields["alternatives"] = [draw(st.lists(st.sampled_from(positive), min_size=2, max_size=3, unique=True))]
    if positive and draw(st.booleans()):
        of = draw(st.lists(st.sampled_from(positive), min_size=1, max_size=4, unique=True))
        fields["caps"] = [{"of": of, "points": draw(st.integers(1, 5))}]
    # What the language refuses is dropped piece by piece, so that nearly every draw gives a rubric.
    while True:
        try:
            return rubric(*criteria, **fields)
        except ValidationError as exc:
            text = str(exc)
            if "alternatives" in text or "cap" in text:
                fields.clear()
                continue
            loose = next((c for c in reversed(criteria) if "requires" in c), None)
            if loose is not None:
                del loose["requires"]
            else:
                criteria = [c for c in criteria if c["dimension"] == "d"]


DEGREES = st.sampled_from([0.0, 0.3, 0.49, 0.5, 0.8, 1.0])


@st.composite
def played(draw: st.DrawFn) -> tuple[Rubric, dict[str, float]]:
    """A rubric and a degree for each of its criteria; yes or no where its check has nothing between."""
    made = draw(rules())
    degrees = {c.id: draw(DEGREES) for c in made.criteria}
    return made, {c.id: degrees[c.id] if c.check == "icd_match" else round(degrees[c.id]) for c in made.criteria}


@given(played(), st.data())
def test_meeting_more_never_lowers_a_dimension(case: tuple[Rubric, dict[str, float]], data: st.DataObject) -> None:
    made, values = case
    positive = [c for c in made.criteria if c.points > 0]
    raised = dict(values)
    for c in positive:
        most = data.draw(DEGREES if c.check == "icd_match" else st.sampled_from([0.0, 1.0]))
        raised[c.id] = max(values[c.id], most)
    before, after = scored(made, values)[0], scored(made, raised)[0]
    for name, score_ in before.dimensions.items():
        assert (after.dimensions[name].value or 0) >= (score_.value or 0) - 1e-6, (name, values, raised)


@given(played(), st.data())
def test_a_judge_that_fails_never_gives_more_than_it_could_have_granted(
    case: tuple[Rubric, dict[str, float]], data: st.DataObject
) -> None:
    """Unscored, or no more than if all that it left open had been met; and where harm is open, unscored."""
    made, values = case
    open_ = data.draw(st.sets(st.sampled_from([c.id for c in made.criteria]), max_size=4))
    points = {c.id: c.points for c in made.criteria}
    failed = scored(made, {**values, **dict.fromkeys(open_, FAILED)})[0]
    granted = scored(made, {**values, **{n: float(points[n] >= 0) for n in open_}})[0]
    if failed.total is not None:
        assert granted.total is not None
        assert failed.total <= granted.total + 1e-6


@given(played(), st.data())
def test_a_judge_that_fails_on_what_takes_away_leaves_no_total(
    case: tuple[Rubric, dict[str, float]], data: st.DataObject
) -> None:
    made, values = case
    grave = [c.id for c in made.criteria if c.points < 0 or c.veto or c.required is not False]
    if not grave:
        return
    name = data.draw(st.sampled_from(grave))
    whole, failed = scored(made, values), scored(made, {**values, name: FAILED})
    verdict = failed[1].get(name)
    if verdict is not None and verdict.judge_failed:
        assert failed[0].total is None
    else:  # its prerequisites had settled it before anybody was asked
        assert failed[0] == whole[0]


@given(played(), st.randoms(use_true_random=False))
def test_the_order_of_criteria_says_nothing(case: tuple[Rubric, dict[str, float]], rng: random.Random) -> None:
    made, values = case
    data = made.model_dump()
    shuffled = dict(data)
    for part in ("criteria", "alternatives", "caps"):
        shuffled[part] = list(data.get(part, []))
        rng.shuffle(shuffled[part])
    for set_ in shuffled["caps"]:
        set_["of"] = rng.sample(list(set_["of"]), len(set_["of"]))
    again = Rubric.model_validate(shuffled)
    first, second = scored(made, values)[0], scored(again, values)[0]
    assert first.total == pytest.approx(second.total, abs=2e-6)
    for name, own in first.dimensions.items():
        assert own.value == pytest.approx(second.dimensions[name].value, abs=2e-6)


@given(played())
def test_every_score_is_in_range(case: tuple[Rubric, dict[str, float]]) -> None:
    made, values = case
    found, verdicts = scored(made, values)
    assert found.total is None or 0 <= found.total <= 1
    assert all(d.value is None or 0 <= d.value <= 1 for d in found.dimensions.values())
    assert len(verdicts) <= len(made.criteria)


@given(played(), st.data())
def test_harm_never_raises_the_total(case: tuple[Rubric, dict[str, float]], data: st.DataObject) -> None:
    made, values = case
    harmful = [c.id for c in made.criteria if c.points < 0 or c.veto]
    if not harmful:
        return
    name: str = data.draw(st.sampled_from(harmful))
    totals: Sequence[float | None] = [scored(made, {**values, name: v})[0].total for v in (0.0, 1.0)]
    assert (totals[1] or 0) <= (totals[0] or 0) + 1e-6
