"""A Chinese diagnosis to codes: exact, then without decoration, then the name it contains, then a site with what is
wrong there, then the nearest names of the same type.

The ceilings are those of the English way, so that scores mean the same in both languages.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from itertools import combinations
from typing import NamedTuple

from clinic_sim.knowledge import diagnosis_english as english
from clinic_sim.knowledge import diagnosis_index as index
from clinic_sim.knowledge import diagnosis_sounds as sounds
from clinic_sim.knowledge import diagnosis_text as text
from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.diagnosis_english import Found
from clinic_sim.knowledge.diagnosis_words import words
from clinic_sim.knowledge.patterns import Pattern

NEAR = 0.58
"""Share of character pairs below which a name is not near."""
SURE = 0.75
"""From here on a text is taken as it is spelt."""
_MODIFIERS_TRIED = 6
_NAME_READ = 120
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_COLON = re.compile("[::]")
_LIST = re.compile("[,;、]")
_LATIN = re.compile(r"[a-z0-9 .'\-/]+")


def resolve(prepared: str) -> Found:
    """Codes for one prepared Chinese diagnosis without hedges, each with its best score."""
    found = _spelt(prepared)
    if not _sure(found, SURE):
        simple = sounds.simplified(prepared)
        if simple != prepared:
            _keep(found, _spelt(simple), 0.99)
        if not _sure(found, SURE):
            _keep(found, _misspelt(simple), 1.0)
        if not found:
            _keep(found, _guessed(simple), 1.0)
    return found


def _spelt(prepared: str) -> Found:
    """Codes for the diagnosis as it is written."""
    found: Found = {}
    packed = text.chinese(prepared)[:_NAME_READ]
    name = text.chinese_name(packed)
    if not name:
        return found
    _keep(found, exact(name), 1.0)
    if _sure(found, 0.95):
        return _with_disease(found, name)
    for variant, factor in _variants(packed):
        _keep(found, _decorated(variant), factor)
    if _sure(found, 0.85):
        return _with_disease(found, name)
    main, rest = _segments(text.chinese(_SPACED.sub(",", prepared))[:_NAME_READ])
    full = text.chinese_name(main)
    bare = _undress(full)
    if rest:
        _keep(found, _decorated(full), 0.95)
    if not says_something(bare):
        return found
    _keep(found, _compose(bare), 0.86)
    if not found and bare != full:
        _keep(found, _compose(full), 0.84)
    _keep(found, _contained(bare), 0.9)
    if not _sure(found, 0.8):
        _keep(found, _nearest(bare), 0.84)
    for piece in rest:
        added = _decorated(text.chinese_name(piece))
        _keep(found, added, 0.97 if _says_which(found, added) else 0.6)
    return found


def _says_which(general: Found, added: Found) -> bool:
    """Whether what is added says which of a family of diseases it is: 先天性心脏病 房间隔缺损."""
    if not general or not added:
        return False
    one, other = (max(found, key=lambda code: found[code][0]) for found in (general, added))
    loose = icd10.is_unspecified(one) and icd10.category(one) != icd10.category(other)
    return loose and icd10.block(one) == icd10.block(other) and not icd10.is_unspecified(other)


def _misspelt(prepared: str) -> Found:
    """Codes for the diagnosis with its wrong characters put right."""
    found: Found = {}
    for name in _mains(prepared):
        for right, faith in sounds.corrections(name):
            _keep(found, _spelt(right), faith)
        if found:
            break
    return found


def _guessed(prepared: str) -> Found:
    """The code of all listed names that the diagnosis may be meant for."""
    found: Found = {}
    for name in _mains(prepared):
        # What ends as diseases do is one: 血压正常 is no 血压异常.
        for right, faith in sounds.guesses(name, any_letter=text_type(name) is not None):
            _keep(found, _decorated(right), faith)
    return found if len({icd10.category(code) for code in found}) == 1 else {}


def _mains(prepared: str) -> tuple[str, ...]:
    """The disease itself as a name, with and without what decorates it."""
    main = text.chinese_name(_segments(text.chinese(_SPACED.sub(",", prepared))[:_NAME_READ])[0])
    return tuple(dict.fromkeys((main, _undress(main))))


def whole(prepared: str) -> Found:
    """Names that the text is with all its characters, at most decorated, or a site and what is wrong there."""
    packed = text.chinese(prepared)[:_NAME_READ]
    name = text.chinese_name(packed)
    found: Found = {}
    if name:
        _keep(found, exact(name), 1.0)
        for variant, factor in _variants(packed) if not found else ():
            _keep(found, _decorated(variant), factor)
        if not found and not _link().search(packed):
            _keep(found, {c: v for c, v in _compose(_undress(name)).items() if v[0] >= 0.999}, 0.86)
    return found


def leads(prepared: str) -> bool:
    """Whether the text begins with a name, before the words that link it to its company and cause."""
    return bool(_decorated(text.chinese_name(_segments(text.chinese(prepared)[:_NAME_READ])[0])))


def _with_disease(found: Found, name: str) -> Found:
    """A code for the state after a treatment (Z) says not what was treated: the disease itself comes second."""
    if not any(code[0] == "Z" for code in found) or len(name) > _NAME_READ:
        return found
    bare = _AFTER.sub("", name)
    if bare != name and len(bare) >= 2 and bare not in words().generic_zh:
        _keep(found, _decorated(bare), 0.85)
    return found


_AFTER = re.compile(r"(?:术|治疗|化疗|放疗|化放疗|放化疗)后(?:状态)?")
_SPACED = Pattern(
    r"(?<=[\u3400-\u9fff)])\s+(?=[\u3400-\u9fff(0-9a-z])"
    r"|(?<=[癌瘤])(?=(?:[^癌瘤,;。、]{1,8}、)*[^癌瘤,;。、]{1,8}转移(?:[癌瘤灶]|$))"
)
"""Where a writer goes on to something else: after a blank, and from a tumour to where it has spread."""


def says_something(name: str) -> bool:
    """Whether a name says more than a place in the body, how much and where."""
    left = _places().sub("", index.chinese().modifiers.sub("", name))
    return bool(left)


def only_says_what(prepared: str) -> bool:
    """Whether the characters say at most what is wrong or how much (`感染`, `心功能III级`), not where or by what."""
    name, heads = text.chinese_name(prepared), index.chinese().bare_heads
    if name in heads:
        # 假体松动 says where by saying what.
        return name not in index.chinese().exact
    left = index.chinese().modifiers.sub("", name)
    return not left or (left in heads and not _places().search(name))


@cache
def _places() -> re.Pattern[str]:
    sites = sorted({text.chinese_name(text.prepare(form)) for form in words().sites_zh}, key=lambda f: (-len(f), f))
    return re.compile("|".join(map(re.escape, sites)) + r"|[上下左右前后内外中段部区叶侧及和第、0-9]")


def _keep(found: Found, more: Found, factor: float) -> None:
    for code, (score, name) in more.items():
        if code not in found or found[code][0] < score * factor:
            found[code] = (score * factor, name)


def _sure(found: Found, score: float) -> bool:
    return any(known >= score for known, _ in found.values())


def exact(name: str) -> Found:
    """Names that this canonical string is."""
    names = index.chinese()
    hit = index.forms(names.exact.get(name))
    if hit:
        return {form.code: (1.0 - 0.004 * place, form.name) for place, form in enumerate(hit)}
    dropped = text.chinese_loose(name)
    hit = (*index.forms(names.exact.get(dropped)), *index.forms(names.loose.get(dropped)))
    if hit:
        found: Found = {}
        for place, form in enumerate(hit):
            found.setdefault(form.code, (0.97 - 0.004 * place, form.name))
        return found
    if len(name) >= 2 and _LATIN.fullmatch(name):
        return {code: (0.97 * score, found) for code, (score, found) in english.exact(text.english_words(name)).items()}
    return {}


def _variants(packed: str) -> list[tuple[str, float]]:
    """The ways to read brackets and colons: `糖尿病(2型)`, `心律失常:心房颤动`."""
    outside = _BRACKETS.sub("", packed)
    inside = "".join(_BRACKETS.findall(packed))
    parts = [text.chinese_name(p) for p in _COLON.split(outside)]
    plain = "".join(parts)
    variants = [(plain, 1.0)]
    if inside:
        inner = text.chinese_name(inside)
        variants = [(inner + plain, 0.99), (plain + inner, 0.99), (plain, 0.98)]
        if len(inner) >= 3:
            variants.append((inner, 0.85))
    if len(parts) > 1 and not _LIST.search(outside):
        variants += [
            (part, 0.96 - 0.06 * place) for place, part in enumerate(reversed([p for p in parts if len(p) > 1]))
        ]
    return [(variant, factor) for variant, factor in variants if variant]


def _decorated(name: str) -> Found:
    """The name with as few of its decorations left out as make it a known one."""
    found = exact(name)
    if found:
        return found
    spots = [m.span() for m in index.chinese().modifiers.finditer(name)][:_MODIFIERS_TRIED]
    for count in range(1, len(spots) + 1):
        for dropped in combinations(spots, count):
            left = _without(name, dropped)
            known = exact(left) if len(left) >= 2 and left not in words().generic_zh else {}
            if known:
                return {code: (score * (0.97 - 0.02 * count), form) for code, (score, form) in known.items()}
    return {}


def _without(name: str, spans: tuple[tuple[int, int], ...]) -> str:
    left, at = [], 0
    for start, end in spans:
        left.append(name[at:start])
        at = end
    return "".join(left) + name[at:]


def _undress(name: str) -> str:
    bare = index.chinese().modifiers.sub("", name)
    return bare if len(bare) >= 2 else name


@cache
def _link() -> re.Pattern[str]:
    # 继发孔 is a hole in the heart, 继发性 a kind of disease.
    links = (re.escape(form) + ("(?![孔性])" if form == "继发" else "") for form in words().links_zh)
    return re.compile("|".join(links) + r"|[,;:。、()\[\]]")


def _segments(packed: str) -> tuple[str, list[str]]:
    """The disease itself, and what the writer adds about company and cause."""
    pieces: list[str] = []
    place = ""
    for piece in _link().split(packed):
        name = text.chinese_name(piece)
        if len(_undress(name)) >= 2 and says_something(name):
            pieces.append(place + piece)
            place = ""
        elif not pieces:
            # A place that stands before a comma is the place of what comes after it.
            place += piece
    return (pieces[0], pieces[1:4]) if pieces else (packed, [])


def _compose(name: str) -> Found:
    """What a head at the end of the name and a site before it make together: 肺 and 腺癌 are C34.9."""
    heads = [(form, ident) for form, ident in index.chinese().heads if name.endswith(form) and form != name]
    for form, ident in heads:
        best: tuple[str, str] | None = None
        before = name[: -len(form)]
        for number, _, end in index.chinese().sites.find(before):
            site_form, site = index.chinese().site_names[number]
            # Between site and head nothing else may be wrong: the rupture of a 肝癌 is no rupture of the liver.
            code = words().code_of(ident, site) if text_type(before[end:]) is None else None
            if code and (best is None or len(site_form) >= len(best[0])):
                best = (site_form, code)
        if best is not None:
            share = 0.8 + 0.2 * (len(best[0]) + len(form)) / len(name)
            # A longer name at the end says more of what is wrong than its last part: 心绞痛 is no 痛.
            longer = [name[start:] for start in range(1, len(name) - len(form) - 1)]
            others = [f.code for other in longer for f in index.forms(index.chinese().exact.get(other))]
            if any(icd10.chapter(code) != icd10.chapter(best[1]) for code in others):
                share *= 0.85
            return {best[1]: (share, best[0] + form)}
    anywhere = [(code, form) for form, ident in heads if (code := words().codes.get((ident, "*")))]
    return {anywhere[0][0]: (0.85, anywhere[0][1])} if anywhere else {}


class _Piece(NamedTuple):
    start: int
    end: int
    name: str


def _contained(name: str) -> Found:
    """The names inside the name: one at its end is the disease, one elsewhere is part of it."""
    names = index.chinese()
    pieces = [
        _Piece(start, end, name[start:end])
        for start, end in names.exact.places(name)
        if end - start >= 2 and not name[start:end].isascii()
    ]
    found: Found = {}
    for piece in pieces:
        if (
            piece.name in words().generic_zh
            or name[piece.start - 1 : piece.start] in _OPPOSITE
            or any(other.start <= piece.start and piece.end <= other.end and other != piece for other in pieces)
        ):
            continue
        share = len(piece.name) / len(name)
        before, after = name[: piece.start], name[piece.end :]
        kind = text_type(piece.name)
        if not after and len(piece.name) >= 3:
            score = 0.62 + 0.36 * share
        elif kind is not None and len(piece.name) >= 3 and text_type(after) is None:
            # A disease and then its site, kind or stage: nothing after it says what else is wrong.
            score = 0.56 + 0.36 * share + (0.06 if not before else 0.0)
        else:
            score = 0.4 + 0.45 * share + (0.08 if not before else 0.0)
            if after and before and text_type(name) != kind:
                score -= 0.1
        for place, form in enumerate(index.forms(names.exact[piece.name])):
            _keep(found, {form.code: (score - 0.004 * place, form.name)}, 1.0)
    return {code: value for code, value in found.items() if value[0] >= 0.5}


_OPPOSITE = ("非", "无", "抗")
"""What turns the name after it into another: 非萎缩性胃炎 is no 萎缩性胃炎."""


def text_type(name: str) -> str | None:
    """The type of disease that the last part of a name says: 肺炎 inflammation, 肺癌 cancer."""
    for form, kind in _types():
        if name.endswith(form):
            return kind
    return None


@cache
def _types() -> tuple[tuple[str, str], ...]:
    table = {text.chinese_name(form): kind for form, kind in words().types.items()}
    return tuple(sorted(table.items(), key=lambda pair: (-len(pair[0]), pair[0])))


def _nearest(name: str) -> Found:
    """Names of the same type that share most character pairs and contradict in nothing."""
    if len(name) < 3:
        return {}
    have = index.pairs(name)
    names, by_pair = index.chinese_pairs()
    shared: dict[int, int] = defaultdict(int)
    for pair in sorted(have):
        for number in by_pair.get(pair, ()):
            shared[number] += 1
    found: Found = {}
    kind = text_type(name)
    for number, overlap in shared.items():
        other = names[number]
        near = 2 * overlap / (len(have) + len(index.pairs(other)))
        if near < NEAR or text_type(other) != kind or contradict(name, other):
            continue
        for form in index.forms(index.chinese().exact[other]):
            _keep(found, {form.code: (near, form.name)}, 1.0)
    return dict(sorted(found.items(), key=lambda pair: (-pair[1][0], pair[0]))[:8])


def contradict(one: str, other: str) -> bool:
    """Whether two names differ in a word that makes them different diseases: 高 and 低, 甲型 and 乙型, 肺 and 胃."""
    return any({m for m in group if m in one} != {m for m in group if m in other} for group in words().contrasts)
