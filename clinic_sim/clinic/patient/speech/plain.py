"""Words in plain letters: a name stays a name when it is spaced out, dotted, written in look-alike letters or with
characters that nobody sees.
"""

from __future__ import annotations

import re
import unicodedata

_ALIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТХУаеѕіјорсухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεικνορτυχıɑɡłøđ",
    "ABESIJKMHOPCTXYaesijopcyxhdqwABEZHIKMNOPTYXaeikvoptuxiaglod",
)
"""Letters of other scripts that look like Latin ones."""


_DIGITS_ALIKE = str.maketrans("01345@$!", "oieasasi")


_WITH_DIGITS = re.compile(r"(?<![A-Za-z0-9@$])[A-Za-z]+[01345@$!]+[A-Za-z]+(?:[01345@$!]*[A-Za-z]+)*")


_SPACED = re.compile(r"(?<![A-Za-z'])(?:[A-Za-z][ .\-_*·•/|~,]+){2,}[A-Za-z](?![A-Za-z'])")


_DOTTED = re.compile(r"(?<![A-Za-z])[A-Z]\.[A-Z]\.?(?![A-Za-z])")


_BETWEEN_HAN = re.compile("(?<=[\u3400-\u9fff])[ \u3000.\\-_*·•/|~+#&]+(?=[\u3400-\u9fff])")


_LETTER = re.compile("[A-Za-z]")


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
        if " " in text or _BETWEEN_HAN.search(text):
            text = _BETWEEN_HAN.sub("", text)
    text = _SPACED.sub(_joined, text)
    if "." in text:
        text = _DOTTED.sub(lambda m: m.group().replace(".", ""), text)
    return _WITH_DIGITS.sub(lambda m: m.group().translate(_DIGITS_ALIKE), text)


def _joined(match: re.Match[str]) -> str:
    """Spaced letters as words: two spaces or more part them."""
    return " ".join("".join(_LETTER.findall(word)) for word in re.split(r"\s{2,}", match.group()))


_PLAIN = re.compile("[\\x00-\\x7f\u3000-\u30ff\u3400-\u9fff\uff00-\uffef\u2018-\u201d\u2013\u2014\u2026\u2103]*")


def _only_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None
