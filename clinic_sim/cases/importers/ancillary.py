"""Chinese ancillary results (辅助检查) in free text: outlines, labelled lines and prose, into exams."""

from __future__ import annotations

import re

from clinic_sim.cases.importers.codes import code_exam
from clinic_sim.cases.importers.exams import ExamBook, Part, guess_kind, is_part
from clinic_sim.cases.importers.measurements import read_item
from clinic_sim.cases.importers.outlines import Node, parse_outline, split_reported

SECTION = "辅助检查"

_GROUP = re.compile(
    r"(?:其[他它]|辅助|特殊|相关|实验室|影像学?|血液|生化?|免疫(?:相关)?|化验|入院|院外|外院|门诊|急诊|本院|我院|术前|术后)*(?:学)?(?:相关)?(?:检查|检验|化验|结果|资料)*(?:结果)?"
)
_ASIDE = re.compile(r"[(（][^()（）]{0,40}(?:院|\d{1,2}[-月.]\d{1,2}|日期)[^()（）]{0,40}[)）]")
_LEAD = re.compile(
    r"^(?:入院后|院外的?|外院的?|我院|本院|当地医院|门诊|急诊|复查|查|行|做|示|术前|术后|患者|\[日期\]|于|[,，、\s])+"
)
_TEST = re.compile(r"检查|检测|测定|试验|抗体|抗原|培养|涂片|常规|功能|化验|标志物|酶|蛋白|血糖|因子")
_ADVICE = re.compile(r"^(?:建议|请结合|必要时|定期|随访)")


def read_ancillary(exams: ExamBook, path: str, text: str) -> None:
    """Add the exams of one section."""
    for node in parse_outline(text):
        _node(exams, path, node)


def _node(exams: ExamBook, path: str, node: Node) -> None:
    title = _name(node.label)
    if node.children and not node.label:
        # A line without a colon that has lines below it is their heading.
        title, node = _name(node.text), Node(_name(node.text), "", node.children)
    if node.children and (not title or _is_group(title)):
        for child in node.children:
            _node(exams, path, child)
        return
    if not title:
        _reported(exams, path, node.text)
        return
    if not node.children and not node.text:
        _reported(exams, path, title)
        return
    if not node.children and _is_group(title):
        for inner in parse_outline(node.text):
            _node(exams, path, inner)
        return
    exams.add(SECTION, [title], _parts(node, path), kind=guess_kind([title], physical=False))


def _parts(node: Node, path: str) -> list[Part]:
    parts = [Part("", node.text, path)] if node.text else []
    for label, text in node.lines():
        if not text:
            continue
        item = read_item(text) if not label else None
        if item:
            parts.append(Part(item.name, text.strip()[len(item.name) :].strip(" :：") or text, path))
        elif not _ADVICE.match(text):
            parts.append(Part("" if is_part(label) else label, text, path))
    return parts


def _reported(exams: ExamBook, path: str, text: str) -> None:
    """A line of prose: `心电图正常`, `院外的胸部ct提示双肺多发高密度`."""
    name, result = split_reported(_ASIDE.sub("", text))
    name = _name(name)
    if not name or len(name) > 24:
        item = read_item(text)
        if item is None:
            # Words that name no examination belong to the one before them.
            if exams.drafts and exams.drafts[-1].section == SECTION and not _ADVICE.match(text):
                exams.drafts[-1].parts.append(Part("", text, path))
            return
        name, result = item.name, text.strip()[len(item.name) :].strip(" :：")
    kind = guess_kind([name], physical=False)
    coded = code_exam([name], "zh", kind)
    strange = not coded.known and kind == "laboratory" and not _TEST.search(name)
    before = exams.drafts and exams.drafts[-1].section == SECTION
    if before and (strange or coded.kind == "physical"):
        # A sentence whose subject is no examination goes on with the report before it.
        exams.drafts[-1].parts.append(Part("", text, path))
        return
    exams.add(SECTION, [name], [Part("", result, path)], kind=kind)


def _name(label: str) -> str:
    return _LEAD.sub("", _ASIDE.sub("", label)).strip(" :：，,。-")


def _is_group(title: str) -> bool:
    return bool(_GROUP.fullmatch(title)) and not code_exam([title], "zh", "laboratory").known
