"""Which facts answer: all that were asked for, and nothing else."""

from __future__ import annotations

import pytest

from clinic_sim.knowledge.clauses import split_clauses
from clinic_sim.knowledge.fact_index import Index, index
from clinic_sim.knowledge.meaning import annotate_record
from clinic_sim.knowledge.questions import read_question
from clinic_sim.knowledge.selection import select
from clinic_sim.knowledge.text import Language
from clinic_sim.knowledge.topics import Topic

EN = [
    (Topic.CHIEF_COMPLAINT, "Burning upper abdominal pain for 3 weeks."),
    (Topic.PRESENT_ILLNESS, "It is worse at night and better after eating. It does not radiate to the back."),
    (Topic.REVIEW_OF_SYSTEMS, "Reports bloating. Denies vomiting, black stools, or weight loss."),
    (Topic.PAST_HISTORY, "Osteoarthritis of the knees. No other significant past medical history."),
    (Topic.MEDICATION, "Takes naproxen most days."),
    (Topic.FAMILY, "Father died of stomach cancer. Mother has diabetes."),
    (None, "Smokes half a pack a day. Drinks no alcohol. Retired bus driver."),
    (Topic.CONCERN, "Afraid that it is cancer."),
]
ZH = [
    (Topic.CHIEF_COMPLAINT, "发作性胸闷2个月。"),
    (Topic.PRESENT_ILLNESS, "上楼时加重，休息后缓解。每次持续5分钟。无心悸、晕厥。"),
    (Topic.GENERAL_STATE, "饮食、睡眠正常，大小便正常，体重无明显变化。"),
    (Topic.PAST_HISTORY, "高血压5年，否认糖尿病。"),
    (Topic.ALLERGY, "青霉素过敏。"),
    (Topic.FAMILY, "父亲因心肌梗死去世，母亲体健。"),
    (None, "吸烟30年，每天1包。偶尔饮酒。"),
]


def facts(record: list[tuple[Topic | None, str]], language: Language) -> tuple[list[str], Index]:
    statements = [(c.text, topic, c.polarity) for topic, text in record for c in split_clauses(text, language)]
    return [s[0] for s in statements], index(annotate_record(statements, language=language))


def chosen(question: str, record: list[tuple[Topic | None, str]], language: Language) -> set[str]:
    texts, built = facts(record, language)
    return {texts[c.index] for c in select(read_question(question), built)}


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("Any vomiting?", {"Denies vomiting"}),
        ("Have you been throwing up, or passing tarry stools?", {"Denies vomiting", "black stools"}),
        ("How long have you had this?", {"Burning upper abdominal pain for 3 weeks"}),
        ("What makes the pain worse?", {"It is worse at night"}),
        ("Does anything make it better?", {"better after eating"}),
        ("Does the pain go anywhere else?", {"It does not radiate to the back"}),
        ("Have you shed any pounds lately?", {"weight loss"}),
        ("Do you suffer from high blood pressure?", {"No other significant past medical history"}),
        ("Any arthritis?", {"Osteoarthritis of the knees"}),
        ("Are you on any medications?", {"Takes naproxen most days"}),
        ("Any cancers in the family?", {"Father died of stomach cancer"}),
        ("Is your mother healthy?", {"Mother has diabetes"}),
        ("Do you smoke?", {"Smokes half a pack a day"}),
        ("What do you do for a living?", {"Retired bus driver"}),
        ("Is there anything you are particularly worried about?", {"Afraid that it is cancer"}),
        ("Any earache?", set()),
        ("Your symptoms suggest an ulcer caused by naproxen.", set()),
        ("What is your diagnosis?", set()),
    ],
)
def test_english(question: str, answers: set[str]) -> None:
    assert chosen(question, EN, "en") == answers


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("这种情况有多久了？", {"发作性胸闷2个月"}),
        ("什么时候会加重？", {"上楼时加重"}),
        ("怎么样能缓解？", {"休息后缓解"}),
        ("每次发作持续多长时间？", {"每次持续5分钟"}),
        ("有没有心慌？", {"无心悸"}),
        ("晕倒过吗？", {"晕厥"}),
        ("睡得好吗？", {"饮食、睡眠正常"}),
        ("大便怎么样？", {"大小便正常"}),
        ("血压高不高？有糖尿病吗？", {"高血压5年", "否认糖尿病"}),
        ("对什么药过敏吗？", {"青霉素过敏"}),
        ("家里有人得过心脏病吗？", {"父亲因心肌梗死去世"}),
        ("您母亲身体怎么样？", {"母亲体健"}),
        ("抽烟吗？喝酒吗？", {"吸烟30年，每天1包", "偶尔饮酒"}),
        ("您考虑做个冠脉造影，我给您安排检查。", set()),
    ],
)
def test_chinese(question: str, answers: set[str]) -> None:
    assert chosen(question, ZH, "zh") == answers


def test_an_open_question_is_answered_with_the_story_of_the_complaint() -> None:
    texts, built = facts(EN, "en")
    choices = select(read_question("What brings you in today?"), built)
    assert texts[choices[0].index] == "Burning upper abdominal pain for 3 weeks"
    assert {c.strength for c in choices} == {"open"}


def test_the_same_question_chooses_the_same_facts_in_order() -> None:
    _, built = facts(EN, "en")
    reading = read_question("Any bloating, vomiting or black stools?")
    assert select(reading, built) == select(reading, built)
    assert select(reading, built) == select(reading, built.meanings)
