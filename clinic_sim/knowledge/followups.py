"""Follow-up and safety advice in free words: `regular review of your kidney function`, `发热立即返院`.

The lexicon names usual phrases; these patterns read what is put together freely: a verb of watching with what is
watched, or a return with its reason. Nothing here raises on any text, and time is linear in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from clinic_sim.knowledge.concepts import rows
from clinic_sim.knowledge.patterns import Pattern

SAFETY_NET = "tx.safety_net"
_WATCH = re.compile(
    r"\b(?:re-?check|repeat(?:ed)?|monitor(?:ed|ing)?|review(?: of)?|re-?assess|re-?test|re-?measure"
    r"|surveillance of|track|follow[- ]?up(?: of| on)?|serial|regular|periodic)\b"
)
_WATCH_ZH = re.compile(r"复查|复测|监测|监控|随访|定期查|定期检测|动态观察|密切观察|观察")
_MOST = 200
"""Verbs of a plan that are read."""
_BETWEEN = 40
"""Characters between the verb and what it watches."""
_GO_BACK = (
    r"(?:return|come back|go (?:back )?to (?:the |an )?(?:hospital|emergency|a&e|ed)|re-?attend"
    r"|seek (?:urgent |immediate |medical )*(?:help|care|attention|advice|review)"
    r"|call (?:an )?(?:ambulance|999|911|112|120)|contact (?:us|the clinic|a doctor))"
)
_RETURN = Pattern(
    rf"\b{_GO_BACK}\b[^.;\n]{{0,40}}\b(?P<cue>if|should|in case|when(?:ever)?|for any|with any|at the first)\b"
    rf"|\b(?P<cue2>if|should)\b[^.;\n]{{0,80}}\b{_GO_BACK}\b"
)
_RETURN_ZH = re.compile(
    r"(?P<cue>立即|及时|随时|尽快|尽早|马上|立刻|速|即刻)(?:返院|就诊|就医|来院|来诊|复诊|回院|急诊就诊|到医院|去医院|拨打120|呼叫120)"
)


@cache
def _watched() -> tuple[tuple[str, ...], re.Pattern[str]]:
    """The concepts, and one pattern whose groups stand for them in order."""
    table = rows("watched.tsv")
    return tuple(row[0] for row in table), re.compile("|".join(rf"(\b(?:{en})\b|(?:{zh}))" for _, en, zh in table))


def follow_ups(folded: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, concept) of what a folded plan says in free words, in no order: the word that is watched, or the one
    that makes a return depend on something, so that the names around it stand."""
    for pattern in (_RETURN, _RETURN_ZH):
        for match in islice(pattern.finditer(folded), _MOST):
            group = match.lastgroup or "cue"
            yield match.start(group), match.end(group), SAFETY_NET
    concepts, watched = _watched()
    for pattern, ends in ((_WATCH, ".;\n"), (_WATCH_ZH, "。；;\n，")):
        for verb in islice(pattern.finditer(folded), _MOST):
            until = min((p for e in ends if (p := folded.find(e, verb.end(), verb.end() + _BETWEEN)) >= 0), default=-1)
            until = until if until >= 0 else verb.end() + _BETWEEN
            for found in watched.finditer(folded, verb.end(), until):
                yield found.start(), found.end(), concepts[(found.lastindex or 1) - 1]
