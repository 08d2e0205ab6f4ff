"""What a doctor says beside the question: circumstances, examples, consent. It names things and asks for none."""

from __future__ import annotations

import re

from clinic_sim.knowledge.concepts import ASKED
from clinic_sim.knowledge.queries import SUBJECT
from clinic_sim.knowledge.scan import Mention

_ASIDE_ZH = re.compile(
    r"除了?[^,;?]*?(?=[,;?]|还|其他|别的|有没有|$)"
    r"|(?:自从|从)[^,;?]{1,10}?(?:开始|以来|以后|之后)(?=[,您你]|到现在|有没有)"
    r"|[^,;?]*?(?:的时候|(?<!何)(?<!小)(?<!平)(?<!当)(?<!及)时|(?<=[^,;?你您来])(?:之前|以前|之后|以后))(?=[,您你会也还觉有伴肚怎])"
)


# A question that only adds to the one before: "... or anything similar?"
GOES_ON_ZH = re.compile("或|比如|例如|像|包括")


ENDS_ASKING_ZH = re.compile(r"(?:吗|呢|么|没有|没|吧|什么|多少|多久|哪里|几次|怎么样|如何)\W*$")


WILLING_ZH = re.compile(
    r"愿意?.{0,10}(?:检查|治疗|手术|住院|化验|方案)|接受(?:这|该|此|进一步|我们)|(?:做|进行)(?:这个|这项|这些|该|此项)检查|(?:这样|这么做)可以吗"
)


# "..., all right?" asks for consent, not for an answer.
CONSENT_ZH = re.compile(
    r"[,。]\s*(?:您看|你看)?(?:这样)?(?:好吗|可以吗|行吗|好不好|行不行|可以吧|好吧|明白吗|懂吗|清楚吗|没问题吧|同意吗)\W*$"
)


_ASIDE_EN = re.compile(
    r"\b(?:besides|apart from|aside from|other than|in addition to|along with|together with|"
    r"(?<!problems )(?<!problem )(?<!trouble )(?<!issues )(?<!issue )(?<!wrong )(?<!difficulty )(?<!happened )"
    r"with (?:the|your|this|that|these)|during (?:the|your|this|her) pregnancy|when (?:she|he) wakes up|"
    r"(?:before|after) (?:the|your|this|that|(?:he|she) was born)|"
    r"while (?:you|she) (?:were|was) (?:pregnant|carrying))\b"
    r"[^,;?]*?(?=,|;|\?|\b(?:do|did|have|has|is|are|any)\b|$)"
)


# What an English aside begins with; looked for first, being quicker.
_SCENES_EN = (
    "with ",
    "besides",
    " from",
    "other than",
    "in addition",
    "during ",
    "before ",
    "after ",
    "while ",
    "when ",
)


def asides_in(words: str, mentions: list[Mention]) -> list[Mention]:
    """What a question names only to set its scene ("besides the cough, ...", "咳嗽的时候..."), if it names more."""
    if words.isascii():
        scenes = [m.span() for m in _ASIDE_EN.finditer(words)] if any(map(words.__contains__, _SCENES_EN)) else []
    else:
        pattern = _ASIDE_ZH if any("\u4e00" <= c <= "\u9fff" for c in words[:20]) else _ASIDE_EN
        scenes = [m.span() for m in pattern.finditer(words)]
    if not scenes:
        return []
    aside = [m for m in mentions if any(a <= m.start < b for a, b in scenes)]
    rest = [m for m in mentions if m not in aside and (m.id.startswith(SUBJECT) or m.id.startswith(ASKED))]
    # At what time or under which condition is part of the question: "are you short of breath *at rest*?"
    return [m for m in aside if not m.id.startswith((ASKED, "attr."))] if rest else []
