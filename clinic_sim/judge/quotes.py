"""Verbatim quotes: a verdict counts only if what it quotes stands in the transcript, said by whom it must be said.

Verbatim forgives what copying changes (width, case, kinds of quotation marks, spaces), and nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from clinic_sim.judge.addressed import MARK
from clinic_sim.judge.lines import CONCLUDED, Line, Shown
from clinic_sim.judge.rubric import Speaker

LEAST_CHARS = 8
LEAST_HAN = 4
LONGEST = 600
"""Characters of a quote that is looked for; a longer one is no quote but a copy."""
_SAME = str.maketrans(
    {
        **dict.fromkeys("‘’ʼ`´′", "'"),
        **dict.fromkeys("“”„«»「」『』″", '"'),
        **dict.fromkeys("–—−‐‑", "-"),
        "。": ".",
        "、": ",",
    }
)
_HAN = re.compile("[\u3400-\u9fff]")
_HAN_SPACE = re.compile(" (?=[\u3400-\u9fff])|(?<=[\u3400-\u9fff]) ")
_LABEL = re.compile(
    r"\A\W{0,3}(?:\[\d{1,6}\] ?[^:：]{1,40}|(?:Doctor|Patient|Examiner|Chief physician|医生|患者|检查科|上级医师)"
    r"(?: ?[(（][^)）]{1,30}[)）])?) ?[:：]"
)
_BETWEEN = re.compile("[;；\n]")
_AROUND = " \"'.,;:!?-"
_WORD = re.compile(r"[^\W_]")


def find_quote(shown: Shown, quote: str, speaker: Speaker) -> int | None:
    """Number of the event whose line holds the quote, said by that speaker; None where none does.

    The quote must lie within one line and be long enough to prove something, or be the whole of what was written as one
    item of a conclusion: `gout` is all that there is to quote of it. Where it spans words that were taken out, what is
    around them must stand in the line.
    """
    parts = _parts(quote)
    long = any(_proves(part) for part in parts)
    if not parts or (not long and len(parts) > 1):
        return None
    for line in shown.lines:
        if line.said_by(speaker):
            text = searchable(line)
            if all(part in text for part in parts) if long else parts[0] in _items(line.role, text):
                return line.n
    return None


def _items(role: str, text: str) -> list[str]:
    """What was written in a line of a conclusion, item by item."""
    return [item.strip(_AROUND) for item in _BETWEEN.split(text)] if role in CONCLUDED else []


def plain(text: str) -> str:
    """The text as quotes are compared."""
    if text.isascii():  # most of English; of these characters one is written otherwise
        return " ".join(text.replace("`", "'").lower().split())
    folded = unicodedata.normalize("NFKC", text.translate(_SAME)).casefold()
    return _HAN_SPACE.sub("", " ".join(folded.split()))


def _parts(quote: str) -> list[str]:
    if len(quote) > LONGEST:
        return []
    words = _LABEL.sub("", quote.strip())
    return [part for part in (plain(piece).strip(_AROUND) for piece in words.split(MARK)) if part]


def _proves(part: str) -> bool:
    return len(_HAN.findall(part)) >= LEAST_HAN or len(_WORD.findall(part)) >= LEAST_CHARS


@lru_cache(maxsize=4_096)
def searchable(line: Line) -> str:
    """The words of a line as quotes are compared; kept, since a case's own words come again."""
    # Words on either side of a removed passage were never said together.
    return "\n".join(plain(piece) for piece in line.text.split(MARK))
