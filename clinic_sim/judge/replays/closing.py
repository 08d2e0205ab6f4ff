"""A doctor's closing report in words as a conclusion: diagnosis, basis and treatment under their headings."""

from __future__ import annotations

import re

from clinic_sim.clinic.actions import Conclude

MOST_ITEMS = 60
"""Items of a list that are kept."""

_HEADINGS = {
    "symptoms": ("症状", "病情摘要", "symptoms?", "history", "summary"),
    "examinations": ("辅助检查", "检查结果", "检查", "(?:auxiliary )?examinations?", "tests?", "investigations?"),
    "differential": ("鉴别诊断", "differential(?: diagnos[ei]s)?"),
    "basis": ("诊断依据", "依据", "(?:diagnostic )?basis", "rationale", "reasoning"),
    "diagnosis": ("诊断结果", "最终诊断", "初步诊断", "诊断", "(?:final )?diagnos[ei]s"),
    "treatment": ("治疗方案", "治疗计划", "治疗建议", "治疗", "(?:treatment )?plan", "treatment", "management"),
    "other": ("注意事项", "备注", "notes?"),
}
_NAMES = "|".join(f"(?P<{part}>{'|'.join(names)})" for part, names in _HEADINGS.items())
_EDGE = r"[#*＃【】\[\]_ \t]*"
_HEADING = re.compile(
    # Marked as a heading, the rest of the line may follow; unmarked, it is a line of its own or ends in a colon.
    rf"^[ \t]*(?:(?:[#＃*【\[_]+){_EDGE}(?:{_NAMES}){_EDGE}[:：]?"
    rf"|(?:{_NAMES.replace('?P<', '?P<bare_')})\s*(?:[:：]|$))",
    re.IGNORECASE | re.MULTILINE,
)
_BULLET = re.compile(r"^[\s*•·\-–—]*(?:[(（]?\d{1,2}[)）.、．](?!\d)|[①-⑳])?[\s*]*")
_SENTENCE = re.compile(r"[^。！？!?；;]+[。！？!?；;]?")
_RESTS_ON = re.compile(
    r"^[\s（(]*(?:然而|但是?|不过|因此|所以)?[，,]?\s*(?:根据|基于|依据|结合|综合|通过|从)[^，,。:：]{2,60}[，,]\s*"
    r"|^\s*(?:based on|according to|given|considering|in view of)\b[^,:]{2,120},\s*",
    re.IGNORECASE,
)
"""What a diagnosis is said to rest on."""
_FRAME = re.compile(
    r"^\s*(?:我(?:们)?|目前|现|因此|所以|故|综上(?:所述)?[，,]?)*(?:的)?(?:初步|可能|临床|主要|最终|可疑|考虑|高度)*(?:的)?"
    r"(?:诊断|判断|怀疑|考虑)(?:结果|考虑|可能|初步|病人|患者|您|你|他|她|的|应)*"
    r"(?:涉及|包括(?:了)?|患有|患了|得了|为|是|有)?(?:以下(?:几种)?(?:情况|疾病|可能)?)?[:：]?\s*"
    r"|^\s*(?:the |my |our )?(?:most likely |likely |probable |possible |working |preliminary |final |primary )*"
    r"(?:diagnos[ei]s|impression)\s*(?:is|are|would be|could be|may be|includes?|:)\s*",
    re.IGNORECASE,
)
"""That what follows is a diagnosis."""
_DOUBT = re.compile(r"可能|怀疑|可疑|possible|could|may be", re.IGNORECASE)
_UNSURE = {"zh": "可能为", "en": "possible "}
_HAN = re.compile("[\u3400-\u9fff]")
_NONE_MADE = re.compile(
    r"(?:无法|不能|难以|尚未能?|未能|没有)[^。，,]{0,24}(?:诊断|确诊|判断)|(?:具体|确切|最终|明确|准确)的?诊断[^。]{0,12}(?:需|有待|待|应|还要|必须)"
    r"|^\s*(?:非常|很)?抱歉|^\s*祝[您你]|^\s*如果?[您你]|^\s*谢谢"
    r"|\b(?:cannot|can't|unable to|not possible to)\b[^.]{0,40}\bdiagnos|^\s*(?:i am |i'm )?sorry\b",
    re.IGNORECASE,
)
"""A sentence that says that no diagnosis is made, or wishes well; it is none."""
_INTRODUCES = re.compile(
    r"(?:提示|包括|可能|如下|以下|考虑|诊断|\bfollowing|\binclud\w+|\bdiagnos[ei]s)[^:：]{0,16}[:：]\s*$", re.IGNORECASE
)
"""A line that only introduces the list below it."""
_MARKS = re.compile(r"[*#＃]{1,3}")


def conclusion(report: str) -> Conclude:
    """The conclusion that a report states.

    What stands under no heading is the diagnosis as a whole: headings were asked for, not promised. Where there are
    headings and none of a diagnosis, none was stated.
    """
    parts = sections(report)
    if not parts:
        return Conclude("\n".join(_stated(report)))
    return Conclude(
        "\n".join(_stated(parts.get("diagnosis", ""))),
        _items(parts.get("differential", "")),
        _items(parts.get("basis", "")),
        _items(parts.get("treatment", "")),
    )


def sections(report: str) -> dict[str, str]:
    """The parts of a report by the kind of their headings; what stands before the first one belongs to none."""
    marks = list(_HEADING.finditer(report))
    found: dict[str, str] = {}
    for n, mark in enumerate(marks):
        kind = next(name.removeprefix("bare_") for name, words in mark.groupdict().items() if words)
        text = report[mark.end() : marks[n + 1].start() if n + 1 < len(marks) else len(report)].strip()
        found[kind] = f"{found[kind]}\n{text}" if kind in found else text
    return found


def _stated(text: str) -> tuple[str, ...]:
    """The lines of a diagnosis without the prose around it: what it rests on, that it is one, that there is none."""
    lines = []
    for line in _items(text):
        if _INTRODUCES.search(line):
            continue
        kept = (_unframed(sentence) for sentence in _SENTENCE.findall(line) if not _NONE_MADE.search(sentence))
        lines.append("".join(kept).strip())
    return tuple(line for line in lines if line)


def _unframed(sentence: str) -> str:
    """`根据检查结果，初步诊断为胰腺炎` says 胰腺炎; how sure the doctor is stays."""
    bare = _RESTS_ON.sub("", sentence)
    framed = _FRAME.match(bare)
    if framed is None:
        return sentence if bare == sentence or len(bare.strip()) < 2 else bare
    rest = bare[framed.end() :].strip(' “”"')
    if not rest or not _DOUBT.search(framed.group()):
        return rest
    return _UNSURE["zh" if _HAN.search(rest) else "en"] + rest


def _items(text: str) -> tuple[str, ...]:
    """The lines of a list without their bullets."""
    lines = (_MARKS.sub("", _BULLET.sub("", line)).strip() for line in text.splitlines())
    return tuple(line for line in lines if line)[:MOST_ITEMS]
