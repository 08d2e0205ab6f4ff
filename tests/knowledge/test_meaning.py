"""Statements are mapped to concepts, whatever their words."""

from __future__ import annotations

import pytest

from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.meaning import Polarity, annotate, annotate_record
from clinic_sim.knowledge.topics import Topic


@pytest.mark.parametrize(
    ("text", "language", "concept"),
    [
        ("my tummy hurts", "en", "sx.abdominal_pain"),
        ("throwing up since last night", "en", "sx.vomiting"),
        ("swelling of the left knee", "en", "sx.swelling"),
        ("she has dysponea".replace("dysponea", "palpitatons"), "en", "sx.palpitations"),
        ("肚子疼", "zh", "sx.abdominal_pain"),
        ("走路时喘不上气", "zh", "sx.dyspnea"),
        ("膝关节肿胀", "zh", "sx.swelling"),
        ("双手麻木", "zh", "sx.numb_limb"),
    ],
)
def test_lay_and_misspelt_words_name_the_concept(text: str, language: str, concept: str) -> None:
    assert concept in annotate(text, language=language).closure


def test_a_finding_at_a_site_is_both() -> None:
    meaning = annotate("sharp pain in the right lower quadrant", language="en")
    assert {"sx.abdominal_pain", "sx.pain", "site.rlq", "site.abdomen"} <= meaning.closure


def test_words_refine_a_broad_heading() -> None:
    statements = [("Hypertension", Topic.PAST_HISTORY, None), ("smokes 10 cigarettes a day", Topic.PAST_HISTORY, None)]
    disease, habit = annotate_record(statements, language="en")
    assert disease.topics[0] is Topic.PAST_HISTORY
    assert habit.topics[0] is Topic.SMOKING


def test_a_clause_without_a_subject_inherits_it() -> None:
    first, second = annotate_record(
        [("burning chest pain", Topic.PRESENT_ILLNESS, None), ("worse at night", Topic.PRESENT_ILLNESS, None)],
        language="en",
    )
    assert "sx.chest_pain" in second.inherited
    assert "attr.aggravating" in second.attributes
    assert not first.inherited


def test_relatives_are_told_from_informants() -> None:
    relative = annotate("母亲患有高血压", language="zh")
    assert relative.topics == (Topic.FAMILY,)
    assert "kin.mother" in relative.kin
    informant = annotate("His mother reports that he has had a fever", language="en", topic=Topic.PRESENT_ILLNESS)
    assert informant.topics[0] is Topic.PRESENT_ILLNESS
    assert not informant.kin


def test_summaries_are_general() -> None:
    assert annotate("No significant past medical history", language="en").general
    assert annotate("饮食、睡眠正常", language="zh").general
    assert not annotate("denies fever", language="en").general


def test_polarity_of_the_clause_counts() -> None:
    assert annotate("cough", language="en", polarity=Polarity.ABSENT).polarity is Polarity.ABSENT


def test_the_hierarchy_is_sound() -> None:
    known = ontology()
    for id_, concept in known.concepts.items():
        assert all(parent in known.concepts for parent in concept.parents), id_
        assert id_ not in {a for parent in concept.parents for a in known.closure(parent)}, f"{id_} is its own ancestor"
