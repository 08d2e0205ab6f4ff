"""Words as a listener takes them, before they are read: disguises undone, parts told apart, denials given their reach.

A name stays a name when it is spaced out, dotted, written in look-alike letters or with characters that nobody sees.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from clinic_sim.knowledge.text import fold

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
_HAN = re.compile("[\u3400-\u9fff]")


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


class Mode(StrEnum):
    """What a stretch of speech does."""

    SAYS = "says"
    ASKS = "asks"
    WISHES = "wishes"  # asks for something to be done, or wonders whether it will be
    UNSURE = "unsure"  # says that the speaker does not know


_BREAK = re.compile(r"[.!?;\n。…]+(?!\d)|--+|\s-\s|—+")
_UNSURE = re.compile(
    r"\b(?:(?:do|did|would|could|can)(?:n'?t| not) (?:really |quite |honestly )?(?:know|recall|remember|say|tell|think of)"
    r"|cannot (?:say|tell|remember|recall)|(?:not|n't) (?:really |quite |so |too |entirely |very )?(?:sure|certain)|unsure"
    r"|no idea|hard to say|couldn't tell you|never (?:noticed|checked|thought|paid|measured|been told|asked)|who knows|haven't (?:noticed|checked|looked|measured|been told))\b"
    r"|不知道|不清楚|不太清楚|说不清|说不上|说不好|不确定|不太确定|记不清|记不得|不记得|没注意|没留意|没量|没印象|不晓得|没查过"
    r"|不好说|没问过|搞不清|弄不清"
)
_WISHES = re.compile(
    r"\b(?:do i (?:need|have to|really need)|will i|will you|will it|would (?:it|you|i)|should i|shall i|can you|could you|can i|could i|may i"
    r"|are you going to|am i going to|is it going to|going to have to|do you (?:think|want|need|have)|i (?:want|need|hope|wish|would like|just want|just need|was hoping|am hoping)\b"
    r"|i'?d like|hoping|please|what (?:if|about|should|can|do i|happens)|how (?:long|soon|much) (?:will|do|does|until|is)|let me|give me)"
    r"|要不要|需不需要|需要.{0,8}[吗么?]|能不能|可不可以|可以.{0,8}吗|会不会|是不是要|是不是得|用不用|得不得|希望|想要|麻烦您|请您|能给|能帮|帮我|要做.{0,8}[吗么?]"
    r"|该不该|怎么办|多久能|什么时候能|得.{0,6}吗"
)
_QUESTION_ZH = re.compile(r"(?:吗|么|呢|是不是|会不会|有没有|要不要|能不能)[^,。!;]{0,6}$")

_NO_EN = re.compile(
    r"\b(?:no(?! ?,| ?\.| matter| doubt| wonder| idea| more than| longer than| one\b| i\b| way\b| point\b| good\b| sooner| choice)"
    r"|not(?! only| just| sure| certain| to mention| quite sure| stop| stopped| let up| go away| gone away| eas| getting| got better| better| able| long| help| until| too (?:long|sure)| so much| because| that i know)"
    r"|never(?! stop| goes| lets| eas| mind| gets better| really stop| know)|without(?! stop| warning| a break)|none of|nobody|no one|no-one|neither|nor|nothing like|free of|den(?:y|ied|ies)|lack of|not? longer"
    r"|(?:do|does|did|have|has|had|is|was|are|were|would|ai)n'?t(?! (?:stop|stopped|let up|go away|gone|going away|eas|get better|getting|gotten|better|know|sure|been (?:well|right|able|great|good|myself)|remember|help|helping|helped|work|worked|last|able|think|want|mind|really know|kept?|manage|feel (?:well|right|good|great|myself|like)|feeling|well|great|good|right|normal|like|even|seem|move|leave|wait|believe))(?: think i)?)(?=\W|$)"
)
_END_EN = re.compile(
    r"[.;!?\n:]|\b(?:but|however|except|apart from|aside from|although|though|just|because|since|until|unless|so|which|"
    r"that's why|when|if|while|only|yet|instead)\b|,\s*(?:and |but |so |or )?(?:i|i'm|i've|i'd|it|it's|its|my|he|she|his|her|we|they|"
    r"there|there's|that|that's|this|the|now|then|some|maybe|yes|yeah|mostly|mainly|a|an|doctor|sometimes|"
    r"sorry|thank|thanks|you|what|is|do|can|could|will|should)\b|\band (?:i|i'm|i've|it|it's|my|he|she|his|her|the|now|there|then|that|a|an)\b|--+|\s-\s"
)
_ADJECTIVE = re.compile(
    r"\b(?:sharp|dull|constant|constantly|severe|bad|badly|terrible|strong|always|exactly|(?<!such )as|that|so|worse|usual|normal|"
    r"particularly|quite|worst|sudden|suddenly|specific|all the|every|like|bothered|relieved|helped|better|same)\b"
)
_NO_ZH = re.compile(
    r"从来?没有?|没人|没有?(?!想|办法|事|关系|错|完|用|停|断|注意|留意|力|劲|胃口|食欲|精神|精力|睡|吃|好|说|量|查|敢|多久|多大|什么用|知觉|怎么睡)"
    r"|(?<![睡吃咽喘说看听走站坐躺抬使提忍憋受止拉尿解记动排撑停离了差合闻尝嚼消好喝摸数分想舍保治])不(?!停|断|小心|知道|清楚|好|错|但|仅|光|舒服|得不|过|然|确定|太?确定|太舒|敢|管|同|久|少|安|适|便|晓|太?清|止|是很?清|算|至|放心|踏实|由|时|正常|顺|准|规律|愿|想|能|够|行|要|用|如|应|见好|退|堪|明|稳|起眼)"
    r"|无(?!力|法|论|所谓|精)|未(?!来|必)|否认"
)
_END_ZH = re.compile(r"[,。;!?\n]|但|不过|就是|只是|而是|除了|可是|却|只有|—|\.\.\.")
_NONE_OF_IT_ZH = re.compile(r"(?:这些|这种|那些|以上|上面(?:说)?的|您说的|你说的)[^,。;!?]{0,4}(?:都|也|全|倒)?(?:没有|没|不)(?=[,。;!?]|$)")
_HERE_ZH = 5
_AFTER_NO = re.compile(
    r"\s*[,?:\-]+\s*(?:um,? |well,? |er,? )?(?:no|nope|none|never|not (?:really|at all|that i))(?:,? (?:doctor|not at all|never|sir))?\s*(?=[.,;!]|$)"
    r"(?!,? but)|(?:的?(?:情况|症状)?)?(?:倒|也|都|是|就|还|那|这些?|[?,吗嘛呀啊])*(?:没有|没|不明显|没得|没出现过?|没发生过?)(?:过|的|了|啊|呢)*(?=[,。;!?]|$)"
)


@dataclass(frozen=True, slots=True)
class Speech:
    """Text ready to be read."""

    text: str
    """Undisguised."""
    folded: str
    chinese: bool
    """Some Han characters are in it."""
    english: bool
    """Some words of two or more Latin letters are in it."""
    starts: tuple[int, ...]
    """Where each stretch begins."""
    modes: tuple[Mode, ...]
    denials: tuple[tuple[int, int], ...]
    """From the end of a denying word to the end of its reach."""

    def stretch(self, at: int) -> int:
        """The number of the stretch that holds a position."""
        return bisect_right(self.starts, at) - 1

    def mode(self, at: int) -> Mode:
        """What the stretch around a position does."""
        return self.modes[self.stretch(at)]

    def stretch_text(self, at: int) -> str:
        """The words of the stretch around a position."""
        n = self.stretch(at)
        return self.folded[self.starts[n] : self.starts[n + 1] if n + 1 < len(self.starts) else None]

    def denied(self, start: int, end: int) -> bool:
        """Whether what stands there is denied, before or after it."""
        for begin, until in self.denials:
            if begin <= start < until:
                between = self.folded[begin:start]
                return not _ADJECTIVE.search(between)
        return _AFTER_NO.match(self.folded, end) is not None


_LATIN_WORD = re.compile("[A-Za-z]{2}")


def hear(text: str) -> Speech:
    """Text as a listener takes it."""
    plain = undisguise(text)
    folded = fold(plain)
    starts = [0]
    for mark in _BREAK.finditer(folded):
        if mark.end() < len(folded) and not (mark.group() == "." and folded[mark.end()] not in " \n\"'"):
            starts.append(mark.end())
    ends = [*starts[1:], len(folded)]
    modes = tuple(_mode(folded[a:b]) for a, b in zip(starts, ends, strict=True))
    chinese = _HAN.search(folded) is not None
    english = _LATIN_WORD.search(folded) is not None
    return Speech(plain, folded, chinese, english, tuple(starts), modes, tuple(_denials(folded, chinese, english)))


@lru_cache(maxsize=8_192)
def _mode(words: str) -> Mode:
    if _UNSURE.search(words):
        return Mode.UNSURE
    asks = words.rstrip().endswith("?") or _QUESTION_ZH.search(words.rstrip(" .。!")) is not None
    if _WISHES.search(words):
        return Mode.WISHES
    return Mode.ASKS if asks else Mode.SAYS


def _denials(folded: str, chinese: bool, english: bool) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    if english:
        for cue in _NO_EN.finditer(folded):
            stop = _END_EN.search(folded, cue.end())
            found.append((cue.end(), stop.start() if stop else len(folded)))
    if chinese:
        for cue in _NO_ZH.finditer(folded):
            stop = _END_ZH.search(folded, cue.end())
            until = stop.start() if stop else len(folded)
            if cue.group() == "不":
                until = min(until, cue.end() + _HERE_ZH)
            found.append((cue.end(), until))
        for none in _NONE_OF_IT_ZH.finditer(folded):
            begin = max(folded.rfind(c, 0, none.start()) for c in "。!?;\n") + 1
            found.append((begin, none.start()))
    return found
