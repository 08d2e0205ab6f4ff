"""Chinese questions as doctors ask them, of Chinese records as they are written: what answers and what must not."""

from __future__ import annotations

import pytest

from clinic_sim.knowledge.meaning import annotate_record
from clinic_sim.knowledge.queries import QueryKind
from clinic_sim.knowledge.questions import read_question
from clinic_sim.knowledge.selection import select
from clinic_sim.knowledge.topics import Topic

RECORD: tuple[tuple[str, Topic], ...] = (
    ("腹痛2年，加重3天", Topic.CHIEF_COMPLAINT),
    ("呈隐痛，多于饭后出现", Topic.PRESENT_ILLNESS),
    ("改变体位不能缓解", Topic.PRESENT_ILLNESS),
    ("无关节疼痛", Topic.REVIEW_OF_SYSTEMS),
    ("就诊于当地医院", Topic.PRIOR_CARE),
    ("予奥美拉唑口服3天", Topic.PRIOR_CARE),
    ("症状未缓解", Topic.PRESENT_ILLNESS),
    ("大小便如常，体重无明显变化", Topic.GENERAL_STATE),
    ("无糖尿病等慢性病史", Topic.PAST_HISTORY),
    ("已婚", Topic.LIVING),
    ("配偶体健", Topic.LIVING),
    ("周期28天", Topic.MENSTRUAL),
    ("经期4-5天", Topic.MENSTRUAL),
    ("足月顺产1子1女，均体健", Topic.OBSTETRIC),
    ("吸烟20年，每日10支", Topic.SMOKING),
    ("无毒物接触史", Topic.EXPOSURE),
)


def told(question: str) -> set[str]:
    """The statements of the record that answer a question."""
    meanings = annotate_record([(text, topic, None) for text, topic in RECORD], language="zh")
    choices = select(read_question(question), meanings, focus=meanings[0])
    return {RECORD[c.index][0] for c in choices}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("关节疼吗？", {"无关节疼痛"}),
        ("麻烦您说一下大小便的情况。", {"大小便如常，体重无明显变化"}),
        ("有没有姿势能缓解？", {"改变体位不能缓解"}),
        ("治疗后有好转吗？", {"症状未缓解"}),
        ("去哪看过吗？", {"就诊于当地医院"}),
        ("吃过什么药？", {"予奥美拉唑口服3天"}),
        ("您结婚了吗？", {"已婚"}),
        ("您爱人身体怎么样？", {"配偶体健"}),
        ("孩子们身体怎么样？", {"足月顺产1子1女，均体健"}),
        ("多长时间来一次月经？", {"周期28天"}),
        ("每次来几天？", {"经期4-5天"}),
        ("每天抽几支？", {"吸烟20年，每日10支"}),
        ("接触过有毒的东西吗？", {"无毒物接触史"}),
        ("接触过结核病人吗？", set()),
        ("有肾病吗？", {"无糖尿病等慢性病史"}),
        ("接下来给您做个检查，好吗？", set()),
        ("您是否愿意进行进一步的检查？", set()),
        ("你的诊断是慢性胃炎。", set()),
    ],
)
def test_a_question_gets_what_answers_it_and_no_more(question: str, answer: set[str]) -> None:
    assert told(question) == answer


def test_a_second_question_in_one_utterance_is_read_too() -> None:
    first, second = read_question("大小便怎么样？睡眠呢？").queries
    assert set(first.concepts) == {"hx.stool", "hx.urine"}
    assert second.concepts == ("hx.sleep",)


def test_a_follow_up_without_a_site_is_about_the_site_before() -> None:
    assert read_question("脖子肿吗？疼不疼？").queries[-1].concepts == ("sx.neck_pain",)


def test_a_question_that_goes_on_is_still_about_the_family() -> None:
    queries = read_question("您父母身体怎么样？或者有类似的疾病吗？").queries
    assert all(query.kin for query in queries)


@pytest.mark.parametrize(
    "words", ["请尽快就医，祝您早日康复。", "我建议您去做CT，看看是否有骨折。", "请您完成检查后告诉我结果。"]
)
def test_advice_asks_for_nothing(words: str) -> None:
    assert not read_question(words).asks


@pytest.mark.parametrize("words", ["能再具体说一下吗？", "请说说您这次来医院的原因。", "您怎么了？"])
def test_an_open_question_is_open(words: str) -> None:
    assert [query.kind for query in read_question(words).queries] == [QueryKind.OPEN]
