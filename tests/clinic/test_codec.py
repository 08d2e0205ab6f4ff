"""The codec reads what models really send, and never raises."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.clinic import codec
from clinic_sim.clinic.actions import Ask, Conclude, Consult, Examine, Invalid, Order, to_dict
from clinic_sim.clinic.codec import MAX_CHARS, parse
from clinic_sim.clinic.codec_words import OTHERS
from clinic_sim.clinic.events import action_from_dict
from clinic_sim.clinic.scene import _SPEAKERS


@pytest.mark.parametrize(
    ("raw", "action"),
    [
        ("Where does it hurt?", Ask("Where does it hurt?")),
        ("您哪里不舒服？", Ask("您哪里不舒服？")),
        ("ASK: Any fever?", Ask("Any fever?")),
        ("问诊：有没有发热？", Ask("有没有发热？")),
        ("ORDER: CBC; chest X-ray", Order(("CBC", "chest X-ray"))),
        ("检查：血常规；心电图", Order(("血常规", "心电图"))),
        ("EXAMINE: abdomen", Examine(("abdomen",))),
        ("查体：腹部", Examine(("腹部",))),
        ("CONSULT: what am I missing?", Consult("what am I missing?")),
        ("请示：还缺什么？", Consult("还缺什么？")),
        ("I think it may be cardiac.\nORDER: ECG", Order(("ECG",))),
        ("<think>ORDER: CT?</think>ASK: Any pain?", Ask("Any pain?")),
        ("**Order:** ECG", Order(("ECG",))),
        ("1. ASK: since when?", Ask("since when?")),
        ("<order>ECG</order>", Order(("ECG",))),
        ('{"action": "order", "exams": ["ECG", "troponin"]}', Order(("ECG", "troponin"))),
        ('```json\n{"action": "ask", "text": "Any fever?"}\n```', Ask("Any fever?")),
        ({"action": "examine", "manoeuvres": ["abdomen"]}, Examine(("abdomen",))),
        ({"name": "ask", "arguments": '{"question": "Any fever?"}'}, Ask("Any fever?")),
        ({"type": "function", "function": {"name": "order", "arguments": {"tests": "ECG"}}}, Order(("ECG",))),
        (
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"function": {"name": "consult", "arguments": '{"question": "?"}'}}],
            },
            Consult("?"),
        ),
        ({"role": "assistant", "content": "ASK: Any fever?"}, Ask("Any fever?")),
        (Ask("as it is"), Ask("as it is")),
        ('{"action": "Order", "exams": ["ECG"]}', Order(("ECG",))),
        ('I want an ECG.\n{"action": "order", "exams": ["ECG"]}', Order(("ECG",))),
        ('{"action": "ask", "text": "Any fever?"} That is my question.', Ask("Any fever?")),
        ('<tool_call>{"name": "order", "arguments": {"tests": ["ECG"]}}</tool_call>', Order(("ECG",))),
        ({"role": "assistant", "content": [{"type": "text", "text": "ASK: Any fever?"}]}, Ask("Any fever?")),
        ("```\n检查：心电图\n```", Order(("心电图",))),
        ("I'll order an ECG. ORDER: ECG", Order(("ECG",))),
        ("It may be cardiac.\n</think>\nASK: Any pain?", Ask("Any pain?")),  # the template opened the block itself
        ("ASK: Any pain?\nPatient: In my chest.\nORDER: ECG\nExaminer: ST elevation.", Ask("Any pain?")),
        ("检查：心电图\n检查科：ST段抬高\n结论：心肌梗死", Order(("心电图",))),
        ("Any pain?\n\n**Patient:** In my chest.", Ask("Any pain?")),
    ],
)
def test_reads_an_action(raw: object, action: object) -> None:
    assert parse(raw) == action


def test_reads_a_conclusion_with_headings() -> None:
    text = (
        "CONCLUDE:\nDiagnosis: inferior STEMI\nDifferential: aortic dissection; gastritis\n"
        "Basis:\n- ST elevation\n- troponin\nTreatment:\n1. aspirin 300 mg\n2. primary PCI"
    )
    assert parse(text) == Conclude(
        "inferior STEMI",
        ("aortic dissection", "gastritis"),
        ("ST elevation", "troponin"),
        ("aspirin 300 mg", "primary PCI"),
    )


def test_reads_a_chinese_conclusion() -> None:
    text = "结论：\n诊断：急性下壁心肌梗死\n鉴别诊断：主动脉夹层；胃炎\n诊断依据：ST段抬高\n治疗：阿司匹林；急诊PCI"
    assert parse(text, "zh") == Conclude(
        "急性下壁心肌梗死", ("主动脉夹层", "胃炎"), ("ST段抬高",), ("阿司匹林", "急诊PCI")
    )


def test_reads_ai_hospitals_report_form() -> None:
    text = "#症状#\n(1)腹痛\n#诊断结果#\n急性阑尾炎\n#诊断依据#\n(1)转移性右下腹痛\n#治疗方案#\n(1)手术"
    action = parse(text, "zh")
    assert isinstance(action, Conclude)
    assert "急性阑尾炎" in action.diagnosis
    assert any("手术" in t for t in action.treatment)


def test_a_test_named_inside_a_conclusion_stays_in_it() -> None:
    action = parse("CONCLUDE:\nDiagnosis: anaemia\nTreatment: iron\nTest: ferritin in 4 weeks")
    assert isinstance(action, Conclude)
    assert action.diagnosis == "anaemia"


def test_the_patient_named_in_a_conclusion_does_not_end_it() -> None:
    action = parse("CONCLUDE:\nPatient: a man of 60\nDiagnosis: anaemia\nTreatment: iron")
    assert isinstance(action, Conclude)
    assert action.diagnosis == "anaemia"


def test_the_others_are_known_by_the_labels_under_which_they_are_heard() -> None:
    labels = {label.lower() for speakers in _SPEAKERS.values() for label in speakers.values()}
    assert labels <= set(OTHERS)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "   \n\t ",
        "ASK:",
        "ASK: fever?\nORDER: CBC",
        "<ask>a</ask><order>b</order>",
        '{"action": "order"',
        '{"action": "dance"}',
        '{"action": "order", "exams": []}',
        '{"action": "order", "exams": [1, 2]}',
        '{"action": "order", "exams": {"a": 1}}',
        '{"action": "ask", "text": 5}',
        '{"action": "conclude", "treatment": ["rest"]}',
        '{"action": null}',
        "{}",
        {},
        {"name": "ask", "arguments": "not json"},
        {"name": "ask", "arguments": "[1]"},
        {"tool_calls": [{}, {}]},
        None,
        5,
        ["ASK: x"],
        b"ASK: x",
        "a" * (MAX_CHARS + 1),
        "broken \ud83d surrogate",
        "Diagnosis: pneumonia\nTreatment: amoxicillin",
        "ORDER: ; ;",
        {"action": "conclude", "diagnosis": "x", "treatment": ["y" * 15_000, "z" * 15_000]},
        {"action": "ask", "text": "\udc00"},
        {"action": "ask", "text": "a" * (MAX_CHARS + 1)},
    ],
)
def test_what_cannot_be_read_is_invalid_and_says_the_accepted_form(raw: object) -> None:
    for language in ("en", "zh"):
        action = parse(raw, language)
        assert isinstance(action, Invalid)
        assert codec.ACCEPTED[language] in action.reason
        action.text.encode("utf-8")  # printable anywhere


def test_a_foreign_object_that_raises_or_never_ends_is_invalid() -> None:
    class Odd(dict[str, object]):
        def get(self, key: object, default: object = None) -> object:
            raise OSError("odd")

    endless: dict[str, object] = {}
    endless["function"] = endless
    deep: dict[str, object] = {"action": "ask", "text": "x"}
    for _ in range(5000):
        deep = {"function": deep}
    for raw in (Odd(), endless, deep):
        assert isinstance(parse(raw), Invalid)


def test_the_reason_is_in_the_language_of_the_clinic() -> None:
    action = parse("", "zh")
    assert isinstance(action, Invalid)
    assert action.reason.startswith("文本为空")


def test_ten_megabytes_are_refused_without_being_kept() -> None:
    action = parse("x" * 10_000_000)
    assert isinstance(action, Invalid)
    assert len(action.text) <= 200
    assert "10000000 characters" in action.reason


def test_control_characters_become_spaces() -> None:
    assert parse("ASK: any\x00 fever\x1b?") == Ask("any  fever ?")


def test_plain_order_needs_an_examination_and_no_question() -> None:
    assert isinstance(parse("Let's get an ECG and a troponin."), Order)
    assert isinstance(parse("Have you ever had an ECG done?"), Ask)
    assert isinstance(parse("我先给您开个血常规。"), Order)
    assert isinstance(parse("您做过心电图吗？"), Ask)


def test_plain_text_never_concludes() -> None:
    assert isinstance(parse("My final diagnosis is pneumonia. Goodbye. <END> 结束"), Ask)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
_names = st.sampled_from(["ask", "examine", "order", "consult", "conclude", "dance", ""])
_shapes = st.one_of(
    st.text(max_size=200),
    st.builds(
        lambda tag, body: f"{tag}: {body}",
        st.sampled_from(["ASK", "ORDER", "结论", "检查", "CONCLUDE"]),
        st.text(max_size=80),
    ),
    st.builds(
        lambda name, rest: {**rest, "action": name},
        _names,
        st.dictionaries(st.sampled_from(["text", "exams", "diagnosis", "treatment", "question"]), _json, max_size=4),
    ),
    st.builds(lambda name, rest: {"name": name, "arguments": rest}, _names, _json),
    st.builds(lambda data: json.dumps(data), _json),
    _json,
)


@given(_shapes)
def test_no_input_raises_and_every_action_survives_its_wire_form(raw: object) -> None:
    action = parse(raw)
    wire = json.loads(json.dumps(to_dict(action)))
    assert action_from_dict(wire) == action


@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_gives_an_action_without_surrogates_or_control_characters(text: str) -> None:
    data = json.dumps(to_dict(parse(text)), ensure_ascii=False)
    data.encode("utf-8")
    assert "\x00" not in data
