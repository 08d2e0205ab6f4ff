"""Reads the outline of a free-text section of results: headings, bullets and sentences become a tree of nodes.

Chinese records write `- 血常规：\\n  - WBC 5.16×10^9/L`, `头颅CT：未见异常。随机血糖：11.2mmol/L。` or plain prose; the
same section of another record of the same source may use any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_BULLET = re.compile(
    r"^(?P<indent>\s*)(?P<mark>[-•·*●○]|(?:\d{1,2}|[一二三四五六七八九十]{1,2})[.、)）]|[(（]\d{1,2}[)）])?\s*(?P<text>.*)$"
)
_LABEL = re.compile(r"(?P<label>[^:：。；;，,\n]{1,40}?(?:[(（][^)）]*[)）])?)\s*[:：]\s*(?P<rest>.*)", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[。；;])(?![)）\]])|(?<=[.])(?=\s+[A-Z])")
_VERB = re.compile(
    r"(?P<label>[^，。；,;]{1,30}?)(?P<rest>(?:均?(?:提示|显示|示|可见|见|未见|正常|阴性|阳性|检查未|均|为|呈|回报|大于|小于|无异常)).*)",
    re.DOTALL,
)


@dataclass(slots=True)
class Node:
    """One heading or line: its label, its own words and what stands under it."""

    label: str
    text: str
    children: list[Node] = field(default_factory=list)

    def words(self) -> str:
        """The words of the node and all below, without its label."""
        parts = [self.text] if self.text else []
        for child in self.children:
            inner = child.words()
            parts.append(f"{child.label}：{inner}" if child.label and inner else child.label or inner)
        return "；".join(p.strip().strip("。；;") for p in parts if p.strip())

    def lines(self) -> Iterator[tuple[str, str]]:
        """Label and own words of every node below."""
        for child in self.children:
            if child.text or not child.children:
                yield child.label, child.text
            yield from child.lines()


def parse_outline(text: str) -> list[Node]:
    """The top nodes of an outline. Prose becomes one node a sentence."""
    root = Node("", "")
    stack: list[tuple[float, Node]] = [(-1.0, root)]
    for line in text.split("\n"):
        if not line.strip():
            continue
        match = _BULLET.match(line)
        assert match is not None  # noqa: S101 - the pattern matches any single line
        # A heading without a bullet stands above the bullets that follow it at the same indent.
        depth = len(match["indent"].replace("\t", "  ")) + (0.5 if match["mark"] else 0.0)
        pieces = _pieces(match["text"])
        for node in pieces:
            while stack[-1][0] >= depth:
                stack.pop()
            stack[-1][1].children.append(node)
        if len(pieces) == 1:
            stack.append((depth, pieces[0]))
    return root.children


def _pieces(line: str) -> list[Node]:
    """The nodes of one line: several where it holds several labelled sentences."""
    nodes: list[Node] = []
    for sentence in _SENTENCE.split(line):
        sentence = sentence.strip()
        if not sentence:
            continue
        match = _LABEL.fullmatch(sentence)
        if match:
            nodes.append(Node(match["label"].strip(), match["rest"].strip()))
        elif nodes and not _VERB.match(sentence):
            nodes[-1].text += sentence
        else:
            nodes.append(Node("", sentence))
    return nodes


def split_reported(text: str) -> tuple[str, str]:
    """Name and result of a line such as `心电图正常` or `腹部彩超提示肠腔积气较多`; an empty name where none is "
    "told."""
    match = _VERB.fullmatch(text.strip())
    return (match["label"].strip(), match["rest"].strip()) if match else ("", text.strip())
