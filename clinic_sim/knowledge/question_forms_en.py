"""The form of English questions: by how a clause begins, what wraps it and what stands at its end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise

from clinic_sim.knowledge.question_cues import MOST, Formed, cue, shortened

_BREAK = re.compile(r"[,;:]\s+(?:(?:and|but|so|also|then|or)\s+)?|\s+-\s+|\s+(?:and|but)\s+")
_LIST = re.compile(r",\s*(?:and|or|nor)\s+|[,;/]\s*|\s+(?:and|or|nor|as well as)\s+")
_LOOSE = re.compile(r"thing|at all|so on|etc|any of|stuff|or so|or what")
"""Whatever a trailing "or anything like that" has in it; looked for first, being quicker."""
_OR = re.compile(r"\bor\b")
_OR_NOT = re.compile(r"\bor (?:not|no)\b")
_OR_ANEW = re.compile(r"\bor (?:do|does|did|is|are|was|were|has|have|can|just|more|rather|would)\b")
_BE_IT = re.compile(
    r"(?:is|was|are|were|am)\s+(?!any|there|someone|something)(?:it|they|this|that|these|those|the|your|his|her|you|he|she)\b"
)
_ANY = re.compile(
    r"\b(?:any|anyone|anybody|anything|ever|allerg\w*|there|aware|taking|using)\b|\b(?:you|he|she|they) \w+ing\b"
)
_TO_ME = re.compile(r"(?:(?:to|for|with) (?:me|us)|in (?:english|chinese|short|brief|detail))\b,?\s*")
_IF = re.compile(r"(?:if|whether)\b")
_ABOUT = re.compile(r"(?:how|what) about\b")
_HEADINGS = re.compile(r"how(?:'s| is| are| has| have| was| were)\b")
_NUMBER = re.compile(r"^\W*(?:\(?\d{1,2}[).:]|[-*•]|\(?[a-h]\))\s*")
_STAMMER = re.compile(
    r"(?:do|does|did|have|has|had|is|are|was|were|can|could|would)\W+(?:you|it|he|she|they|there|your|the|any)\W*"
)
_CALLED = re.compile(r"would you (?:say|call)\b")
_SIDED = re.compile(r"(?:how|where|which|what)\b")
_ITEM_VERB = re.compile(r"(?:name|list|say|know|hear|point)\b")
"""Words that go on with a list of nouns as often as they begin a request."""
_TAG = 40
"""Characters in which a tag at the end stands."""
_AHEAD = 160
"""Characters that tell whether a clause begins a question."""


@lru_cache(maxsize=8_192)
def formed(sentence: str) -> tuple[str, tuple[Formed, ...]]:
    """A sentence without what only fills, and its questions; sentences recur in utterances that do not."""
    words = _bare(shortened(sentence))
    return words, tuple(_sentence(words)) if words else ()


def _bare(words: str) -> str:
    """Without a number before it, and without what only fills."""
    words = _NUMBER.sub("", words.strip())
    for _ in range(8):
        shorter = _filler().sub("", words, count=1).lstrip(" ,.-:\"'")
        if shorter == words:
            return words
        words = shorter
    return words


@cache
def _filler() -> re.Pattern[str]:
    return cue("en", "filler", "^{}")


def _sentence(words: str) -> Iterator[Formed]:
    if cue("en", "consent", "^{}").match(words):
        return
    marked = "?" in words
    if marked and cue("en", "consented").search(words, max(0, len(words) - _TAG)) and not _starts(words):
        return
    tag = cue("en", "tag").search(words, max(0, len(words) - _TAG)) if marked else None
    if tag and not _starts(words):
        yield "leading", _items(words[: tag.start()]), words
        return
    clauses = _clauses(words)
    for clause in clauses:
        formed = _clause(clause, marked=marked)
        if formed is not None:
            yield formed


def _clauses(words: str) -> list[str]:
    """The clauses of a sentence that begin a question of their own; what goes before the first is dropped."""
    cuts = [0]
    for seam in _BREAK.finditer(words):
        joint = seam.group().strip(" ,;:-")
        rest = words[seam.end() : seam.end() + _AHEAD]
        if joint == "or" or (joint == "and" and _lists(rest)):
            continue
        if _begins(rest) or _begins(_bare(rest)):
            cuts.append(seam.end())
    if len(cuts) == 1:
        return [words] if words.strip(" ?.!,") and not _STAMMER.fullmatch(words) else []
    pieces = [_bare(words[a:b]) for a, b in pairwise([*cuts, len(words)])]
    if not _starts(pieces[0]):
        pieces = pieces[1:]
    return [piece for piece in pieces[:MOST] if piece.strip(" ?.!,") and not _STAMMER.fullmatch(piece)]


def _lists(rest: str) -> bool:
    """After a plain "and", a verb or noun that looks like a beginning goes on with the list."""
    return bool(re.match(r"(?:any|anything|ever|either|had any)\b", rest))


def _begins(words: str) -> bool:
    """Words within a sentence with which another question begins."""
    return any(cue("en", name, "^{}").match(words) for name in ("wh", "aux", "asking_not")) or (
        not _ITEM_VERB.match(words) and bool(cue("en", "wrap", "^{}").match(words))
    )


def _starts(words: str) -> bool:
    """It begins as a question or a request does."""
    return any(cue("en", name, "^{}").match(words) for name in ("wh", "aux", "wrap", "know"))


def _clause(words: str, *, marked: bool) -> Formed | None:
    """The form of one clause; `marked` where its sentence has a question mark."""
    if cue("en", "consent", "^{}").match(words):
        return None
    if cue("en", "goes_on", "^{}").match(words):
        return "open", 1, words
    if cue("en", "slanted", "^{}").match(words):
        return ("leading", _items(words), words) if marked or words.startswith("is it") else None
    know = cue("en", "know", "^{}").match(words)
    if know:
        return _wrapped(words[know.end() :].lstrip(), words, known=True)
    if cue("en", "open", "^{}").match(words):
        return _unless_listed(words)
    if _CALLED.match(words):
        return ("choice", 1, words) if _OR.search(words) else ("closed", _items(words), words)
    wrap = cue("en", "wrap", "^{}").match(words)
    if wrap:
        return _wrapped(words[wrap.end() :].lstrip(" ,"), words, names=bool(cue("en", "names").search(wrap.group())))
    if marked and (cue("en", "asking_not", "^{}").match(words) or cue("en", "negated", "^{}").match(words)):
        return "leading", _items(words), words
    if _ABOUT.match(words):
        return "closed", _items(words), words
    if cue("en", "wh", "^{}").match(words):
        if not marked and not cue("en", "asks", "^{}").match(words):
            return None
        if _tail_choice(words):
            return "choice", 1, words
        return "specific", _items(words) if _HEADINGS.match(words) else 1, words
    if cue("en", "aux", "^{}").match(words):
        return ("choice", 1, words) if _offers(words) else ("closed", _items(words), words)
    if not marked:
        return ("closed", _items(words), words) if words.rstrip(" .").endswith("at all") else None
    if cue("en", "elided", "^{}").match(words):
        return "closed", _items(words), words
    if cue("en", "inner").search(words):
        return "specific", 1, words
    if cue("en", "told", "^{}").match(words):
        return "leading", _items(words), words
    if _OR.search(words) and cue("en", "pair").search(words):
        return "choice", 1, words
    return "closed", _items(words), words


def _unless_listed(words: str) -> Formed:
    """`Any other symptoms, such as fever or rash?` asks for what it lists."""
    named = cue("en", "examples").search(words)
    if named and not cue("en", "wh", "^{}").match(words):
        return "closed", _items(words), words
    return "open", 1, words


def _wrapped(rest: str, words: str, *, known: bool = False, names: bool = False) -> Formed | None:
    """What a request asks for: `could you tell me *when it began*`."""
    rest = _TO_ME.sub("", rest)
    if _IF.match(rest):
        return "closed", _items(rest), words
    if cue("en", "wh", "^{}").match(rest):
        if cue("en", "open", "^{}").match(rest) or (
            re.match(r"(?:how|what) (?:this|it|all|everything|you|has|have)\b", rest) and not known
        ):
            return "open", 1, words
        return ("choice", 1, words) if _tail_choice(rest) else ("specific", 1, words)
    if known:
        return "closed", _items(rest), words
    if names:
        return "specific", 1, words
    if re.match(
        r"(?:me |us )?(?:your|the|his|her) (?:name|age|date of birth|address|phone|weight|height|temperature)\b", rest
    ):
        return "specific", 1, words
    return "open", 1, words


def _tail_choice(words: str) -> bool:
    """`How did it start, *suddenly or bit by bit*?`."""
    head, comma, tail = words.partition(",")
    short = len(tail.split()) <= 6 and not tail.lstrip().startswith("or ")
    offered = comma and _OR.search(tail) and (short or cue("en", "pair").search(tail))
    return bool(offered and _SIDED.match(words)) and not _OR.search(head)


def _offers(words: str) -> bool:
    """It names the answers between which to choose."""
    if not _OR.search(words) or _OR_NOT.search(words):
        return False
    if _OR_ANEW.search(words):
        return True
    if cue("en", "pair").search(words) and not re.match(
        r"(?:any|have you had|do you have|is there|are there)\b", words
    ):
        return True
    return bool(_BE_IT.match(words)) and not _ANY.search(words)


def _items(words: str) -> int:
    """The things that a question lists; at least one."""
    if not _LIST.search(words):
        return 1
    if _LOOSE.search(words):
        words = cue("en", "trailer", r"{}\b").sub("", words)
    words = cue("en", "idiom", r"\b{}\b").sub("it", words)
    named = cue("en", "examples").search(words)
    if named:
        words = words[named.end() :]
    return max(1, sum(any(map(str.isalpha, item)) for item in _LIST.split(words.strip(" ?.!,"))[:MOST]))
