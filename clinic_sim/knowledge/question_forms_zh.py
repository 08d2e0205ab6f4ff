"""The form of Chinese questions: by particles, question words, A-not-A and what stands at the end, marked or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from clinic_sim.knowledge.question_cues import MOST, Formed, cue, shortened

_LIST = re.compile(r"[、,/;]|以及|或者?(?!多或少)|和|及|跟|与")
_NUMBER = re.compile(r"^\W*(?:\(?[\d一二三四五六七八九十]{1,2}[).:、]|[-*•])\s*")
_END = r"(?=\W*$)"
_WH = re.compile(
    r"什么|啥|哪|谁|多少|多久|多长|多大|多高|多远|多重|多快|多深|几(?!乎|率|个问题|点(?:要|问题)|项)|何|怎|咋"
)
_YES_NO_END = re.compile(rf"(?:吗|么|没有?|没有过|没得过|与否){_END}")
_WHETHER = re.compile(r"有没有|有无|是否|会不会|是不是|能不能|([^\W\d]{1,2})[不没]\1")
_CHOICE = re.compile(r"还是(?!有点|很|老是|一直|会不会|经常|总)")
_STILL = re.compile(r"^(?:您|你|他|她|孩子|现在|最近|目前)*还是")
_SUPPOSES = re.compile(rf"吧{_END}")
_SO = re.compile(r"^(?:所以|也就是说|这么说|那就是说?|就是说|看来|看样子|听起来|您是说|你是说|您的意思是|想必)")
_ADDRESSED = re.compile(r"^(?:那|那么)?(?:您|你|孩子|他|她)(?!.*(?:吗|呢|还是))")
_WE = re.compile(r"我们?|咱")
_BESIDES = re.compile(r"除了?[^,]*?(?:以外|之外|外)?[,]?(?=还|其他|别的|有没有|有无|是否)")
_ON = re.compile(r"^\W*(?:还是|或者?|以及|和|比如|例如|譬如|诸如|包括|像)")
_AND = re.compile(r"^\W*(?:或者?|以及)")
_WITH_WHOM = re.compile(r"^\W*(?:和|跟|与)(?:谁|哪|什么|几)")
_MODE = re.compile(r"怎么|怎样|如何")
_FEELS = re.compile(r"觉得|感到|感觉|有|想|认为|得|会|能|是|“|'|\"")
_ENDS_IN_BE = re.compile(r"是\W*$")
_UNMARKED = 24
"""Characters of a piece that is a question without any mark or particle at its end."""
_ITEM = 8
"""Characters of a piece that only goes on with a list."""
_PARTICLE_END = re.compile(rf"(?:吗|么|呢|没有?|吧|啊|呀){_END}")


@lru_cache(maxsize=8_192)
def formed(sentence: str) -> tuple[str, tuple[Formed, ...]]:
    """A sentence without what only fills, and its questions; sentences recur in utterances that do not."""
    words = _bare(shortened(sentence))
    return words, tuple(_sentence(words)) if words else ()


def _bare(words: str) -> str:
    words = _NUMBER.sub("", words.strip())
    filler = cue("zh", "filler", "^{}")
    for _ in range(8):
        shorter = filler.sub("", words, count=1).lstrip(" ,.:。-\"'")
        if shorter == words or not shorter.strip("?!。 "):
            return words
        words = shorter
    return words


def _sentence(words: str) -> Iterator[Formed]:
    if _consents(words):
        return
    marked = "?" in words
    pieces = _pieces(_BESIDES.sub("", words))
    last = pieces[-1] if pieces else ""
    if len(pieces) > 1 and cue("zh", "tag", rf"^(?:那|这)?\W*{{}}{_END}").match(last):
        head = ",".join(pieces[:-1])
        yield "leading", _items(pieces[-2]), head
        return
    for piece, more, tail in _grouped(pieces):
        formed = _piece(piece, more, tail, marked=marked)
        if formed is not None:
            yield formed


def _pieces(words: str) -> list[str]:
    return [piece for piece in words.split(",")[:MOST] if piece.strip(" ?。.!")]


def _asks(piece: str) -> bool:
    return bool(
        cue("zh", "marker").search(piece) or cue("zh", "request").search(piece) or cue("zh", "names").search(piece)
    )


def _grouped(pieces: list[str]) -> Iterator[tuple[str, int, str]]:
    """Each piece that asks, how many items the pieces after it add to its list, and what they say."""
    current: str | None = None
    more, tail = 0, ""
    for n, piece in enumerate(pieces):
        if current is not None and _goes_on(current, piece):
            tail += "," + piece
            if _AND.match(piece) or (not _asks(piece) and not _ON.match(piece) and len(piece.strip(" ?。")) <= _ITEM):
                more += _items(_AND.sub("", piece))
        elif _asks(piece) or (n + 1 < len(pieces) and pieces[n + 1].lstrip().startswith("还是")):
            if current is not None:
                yield current, more, tail
            current, more, tail = piece, 0, ""
    if current is not None:
        yield current, more, tail
    elif pieces:
        yield pieces[-1], 0, ""


def _goes_on(current: str, piece: str) -> bool:
    """A piece that only adds to the question before it: examples, an alternative, items of its list."""
    if _AND.match(piece) and _WHETHER.search(piece):
        return False
    return (
        bool(_ON.match(piece) and not _WITH_WHOM.match(piece))
        or bool(_MODE.search(current) and _CHOICE.search(piece))
        or not _asks(piece)
    )


def _consents(words: str) -> bool:
    return bool(cue("zh", "consent").search(words))


def _piece(words: str, more: int, tail: str, *, marked: bool) -> Formed | None:
    """The form of one piece; `more` items and a `tail` follow it, and its sentence may be `marked` as a question."""
    words = _bare(words)
    examples = cue("zh", "examples").search(words + tail)
    matters = _items(words + tail) if examples else _items(words) + more
    if not marked and _states(words):
        return None
    if cue("zh", "goes_on", r"^\W*{}").match(words):
        return "open", 1, words
    know = cue("zh", "know").search(words)
    rest = words[: know.start()] + words[know.end() :] if know else words
    if know and _WH.search(rest):
        rest = re.sub(rf"[吗么]{_END}", "", rest)
    if cue("zh", "slanted").search(words) and (marked or _SUPPOSES.search(words) or _YES_NO_END.search(words)):
        return "leading", matters, words
    if _leads(words, marked=marked):
        return "leading", matters, words
    choice = _CHOICE.search(rest + tail)
    if choice and not _STILL.match(rest) and not re.search(rf"[吗么]{_END}", rest):
        return "choice", 1, words
    if cue("zh", "open").search(rest) and not (examples or "、" in rest):
        return "open", 1, words
    if cue("zh", "names").search(rest) or (marked and _ENDS_IN_BE.search(rest)):
        return "specific", 1, words
    if _WH.search(rest) and not _YES_NO_END.search(rest) and not _WHETHER.search(rest):
        return "specific", 1, words
    if cue("zh", "request").search(rest) and not (_WHETHER.search(rest) and "能不能" not in rest):
        return "open", 1, words
    if cue("zh", "marker").search(words):
        if _SUPPOSES.search(words):
            return None if _WE.search(words) else ("leading", matters, words)
        return "closed", matters, words
    if not marked:
        return None
    if _SO.match(words) or (_ADDRESSED.match(words) and len(words) > 8 and "、" not in words):
        return "leading", matters, words
    return "closed", matters, words


def _states(words: str) -> bool:
    """An unmarked piece that tells or advises, whatever question words stand in it."""
    if cue("zh", "advice").search(words):
        return True
    if _PARTICLE_END.search(words) or cue("zh", "request").search(words) or cue("zh", "names").search(words):
        return False
    return len(words) > _UNMARKED


def _leads(words: str, *, marked: bool) -> bool:
    """It gives the answer that it expects."""
    if _WE.search(words) and not marked:
        return False
    if cue("zh", "tag", rf"{{}}{_END}").search(words) and not _WHETHER.match(words) and not _WH.search(words):
        return True
    if _SUPPOSES.search(words):
        return (
            not cue("zh", "request").search(words) and not _WE.search(words) and not cue("zh", "advice").search(words)
        )
    if _WHETHER.search(words):
        return False
    negated = cue("zh", "negated").search(words)
    return bool(negated and not _FEELS.search(words[: negated.start()])) and not _WH.search(words)


def _items(words: str) -> int:
    """The things that a question lists; at least one."""
    examples = cue("zh", "examples").search(words)
    if examples:
        words = words[examples.end() :]
    words = cue("zh", "fixed").sub("", words)
    return max(1, sum(any(map(str.isalpha, item)) for item in _LIST.split(words)[:MOST]))
