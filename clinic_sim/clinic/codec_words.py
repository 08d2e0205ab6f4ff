"""The words of the codec: tags and headings that it accepts, and what it answers when it cannot read an action."""

from __future__ import annotations

ACCEPTED = {
    "en": (
        "Send one action a turn: `ASK: question`, `EXAMINE: manoeuvre; manoeuvre`, `ORDER: test; test`, "
        "`CONSULT: question for the chief physician`, or to end `CONCLUDE:` followed by lines `Diagnosis:`, "
        "`Differential:`, `Basis:`, `Treatment:`. JSON such as "
        '{"action": "order", "exams": ["ECG"]} and tool calls of the same names work too.'
    ),
    "zh": (
        "每轮发送一个动作：`问诊：问题`、`查体：项目；项目`、`检查：项目；项目`、`请示：向上级医师提的问题`，"
        "结束时用 `结论：`，其后各行写 `诊断：`、`鉴别诊断：`、`诊断依据：`、`治疗：`。"
        '也可用 JSON，如 {"action": "order", "exams": ["心电图"]}，或同名的工具调用。'
    ),
}

TAGS = {
    "ask": ("ask", "question", "say", "问诊", "询问", "提问"),
    "examine": ("examine", "examination", "physical exam", "physical examination", "查体", "体格检查", "体检"),
    "order": ("order", "orders", "test", "request test", "检查", "检验", "辅助检查", "开单"),
    "consult": ("consult", "chief", "请示", "请教", "会诊"),
    "conclude": ("conclude", "conclusion", "diagnosis ready", "final diagnosis", "结论", "诊断结论", "结束"),
}
NAME_OF_TAG = {form: name for name, forms in TAGS.items() for form in forms}

HEADS = {
    "differential": ("differential diagnosis", "differential diagnoses", "differential", "鉴别诊断"),
    "basis": ("diagnostic basis", "basis", "evidence", "rationale", "诊断依据", "依据"),
    "treatment": ("treatment plan", "treatment", "management", "plan", "治疗方案", "治疗计划", "治疗", "处理"),
    "diagnosis": ("primary diagnosis", "final diagnosis", "diagnosis", "诊断结果", "主要诊断", "初步诊断", "诊断"),
}
HEAD_OF = {form: field for field, forms in HEADS.items() for form in forms}

OTHERS = ("patient", "examiner", "chief physician", "clinic", "患者", "病人", "检查科", "上级医师", "系统")
"""Whom a line in the doctor's own message may imitate: the labels under which the doctor hears them."""

REASONS: dict[str, tuple[str, str]] = {
    "type": ("an action is text or a mapping, not {}", "动作应为文本或映射，而不是 {}"),
    "unreadable": ("what was sent cannot be read ({})", "发送的内容无法读取（{}）"),
    "long": ("the action has {} characters; at most {} are read", "动作共 {} 个字符，最多读取 {} 个"),
    "surrogates": (
        "the text holds lone surrogates; send valid Unicode",
        "文本含有不成对的代理字符，请发送有效的 Unicode",
    ),
    "empty": ("the text is empty", "文本为空"),
    "json": ("the text starts like JSON but is not valid JSON", "文本像 JSON 开头，但不是有效的 JSON"),
    "several": ("{} actions in one turn; send one", "一轮里有 {} 个动作，请只发一个"),
    "silent": ("`{}` says nothing", "`{}` 没有内容"),
    "headless": (
        "this looks like a conclusion; begin it with `CONCLUDE:`",
        "这像是结论；请以 `结论：` 开头",
    ),
    "no_diagnosis": ("the conclusion names no diagnosis", "结论里没有诊断"),
    "cut": (
        "the message was cut off before an action was complete; be shorter",
        "消息在动作完成之前被截断，请写得短一些",
    ),
    "stopped": (
        "the agent stopped although the consultation goes on; call `conclude` to end it",
        "智能体停下了，但问诊尚未结束；请调用 `conclude` 来结束",
    ),
    "calls": ("one tool call a turn", "每轮只能有一个工具调用"),
    "arguments": ("the tool call's arguments are not a JSON object", "工具调用的参数不是 JSON 对象"),
    "no_action": ("the mapping has no `action`", "映射里没有 `action`"),
    "unknown": ("unknown action {}; the actions are {}", "未知动作 {}；可用的动作是 {}"),
    "needs_text": ("`{}` needs `{}`, a non-empty text", "`{}` 需要 `{}`，且为非空文本"),
    "needs_list": ("`{}` needs `{}`, a list of at most 200 texts", "`{}` 需要 `{}`，为至多 200 条文本的列表"),
}


def explained(key: str, language: str, *details: object) -> str:
    """Why an action was not read, and the accepted form."""
    chinese = language == "zh"
    reason = REASONS[key][chinese].format(*details)
    return f"{reason}。{ACCEPTED['zh']}" if chinese else f"{reason}. {ACCEPTED['en']}"
