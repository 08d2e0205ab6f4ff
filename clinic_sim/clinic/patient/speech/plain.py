"""Words in plain letters: a name stays a name when it is spaced out, dotted, written in look-alike letters or with
characters that nobody sees.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from clinic_sim.clinic.patient.speech.tables import table
from clinic_sim.knowledge.patterns import Pattern

_ALIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТХУаеѕіјорсухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεικνορτυχıɑɡłøđ",
    "ABESIJKMHOPCTXYaesijopcyxhdqwABEZHIKMNOPTYXaeikvoptuxiaglod",
)
"""Letters of other scripts that look like Latin ones."""


_DIGITS_ALIKE = str.maketrans("01345@$!", "oieasasi")


_CANTONESE = str.maketrans("唔冇呒", "不没没")
_WITH_DIGITS = re.compile(
    r"(?<![A-Za-z0-9@$])(?:\d(?=[a-z]{1,4}\d[a-z\d]{3}))?[A-Za-z]+[01345@$!]+[A-Za-z]+(?:[01345@$!]*[A-Za-z]+)*[013]?(?![A-Za-z0-9])"
)


_SPACED = re.compile(
    r"(?<![A-Za-z'])[A-Za-z](?P<mark>[.\-_*·•/|~,])\s*[A-Za-z](?:(?P=mark)\s*[A-Za-z](?![A-Za-z'])|(?<=[A-Za-z])\s{2,}[A-Za-z](?=(?P=mark)))+"
    r"|(?<![A-Za-z'])(?:[A-Za-z]\s+){2,}[A-Za-z](?![A-Za-z'])"
)
_DROPPED = re.compile(r"(?<=[a-z]{3}in)['’](?=[\s,.!?]|$)")


_DOTTED = re.compile(r"(?<![A-Za-z])[A-Z]\.[A-Z]\.?(?![A-Za-z])")


_BETWEEN_HAN = Pattern("(?<=[\u3400-\u9fff])[ \u3000.\\-_·•/|~+#&]+(?=[\u3400-\u9fff])")


_LETTER = re.compile("[A-Za-z]")


@cache
def _simplified() -> dict[int, int]:
    return {ord(t): ord(s) for ours, theirs in table("traditional.tsv") for s, t in zip(ours, theirs, strict=True)}


def _in_simplified(text: str) -> str:
    """The text in simplified characters; what the national character set holds is in them already."""
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return text.translate(_simplified())
    return text


def undisguise(text: str) -> str:
    """The text in plain letters: what nobody sees taken out, spelt-out names joined."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        if not _only_plain(text):
            decomposed = unicodedata.normalize("NFD", text.translate(_ALIKE))
            text = unicodedata.normalize(
                "NFC",
                "".join(c for c in decomposed if unicodedata.category(c) not in ("Cf", "Mn", "Me") or c in "\n\t"),
            )
        text = _in_simplified(text)
        if "唔" in text or "冇" in text or "呒" in text:
            text = text.translate(_CANTONESE)
        if " " in text or _BETWEEN_HAN.search(text):
            text = _BETWEEN_HAN.sub("", text)
    text = _SPACED.sub(_joined, text)
    if "in'" in text or "in’" in text:
        text = _DROPPED.sub("g", text)
    if "." in text:
        text = _DOTTED.sub(lambda m: m.group().replace(".", ""), text)
    return _WITH_DIGITS.sub(lambda m: m.group().translate(_DIGITS_ALIKE), text)


def _joined(match: re.Match[str]) -> str:
    """Spaced letters as words: two spaces or more part them."""
    return " ".join("".join(_LETTER.findall(word)) for word in re.split(r"\s{2,}", match.group()))


_PLAIN = Pattern("[\\x00-\\x7f\u3000-\u30ff\u3400-\u9fff\uff00-\uffef\u2018-\u201d\u2013\u2014\u2026\u2103]*")


def _only_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None
