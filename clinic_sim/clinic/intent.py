"""Whether plain, untagged text is an order to the examiner rather than words for the patient."""

from __future__ import annotations

import re

from clinic_sim.knowledge.orders import read_order

_ORDERING = re.compile(
    r"\b(?:order|get|run|obtain|request|perform|check|send|do|i'd like|i would like|let'?s|please|we need|i want)\b"
    r"|开(?:一?个|具|点)?|做(?:一?个|下|一下)?|查(?:一?个|下|一下)?|安排|完善|建议.*检查|去.*检查|行.{0,12}检查",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"[?？]|\b(?:have you|did you|do you|are you|any|when|where|why|how|what|tell me)\b"
    r"|吗|呢|有没有|是否|什么|怎么|多久|哪",
    re.IGNORECASE,
)


def is_plain_order(text: str) -> bool:
    """An imperative that names at least one examination of the catalogue and asks nothing."""
    if len(text) > 400 or _ASKING.search(text) or not _ORDERING.search(text):
        return False
    return bool(read_order(text).items)
