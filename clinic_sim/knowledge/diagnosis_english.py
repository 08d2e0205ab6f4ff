"""An English diagnosis to codes: exact by its words, then a site with what is wrong there, then the nearest names.

Each way has a ceiling, so that a surer way always wins: the name itself 1, a decorated name 0.95, site and head 0.86,
nearest name 0.84; a misspelling and words left over lower each.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from itertools import combinations
import re

from clinic_sim.knowledge import diagnosis_index as index
from clinic_sim.knowledge import diagnosis_text as text
from clinic_sim.knowledge.diagnosis_index import Form, Posting
from clinic_sim.knowledge.diagnosis_words import words

Found = dict[str, tuple[float, str]]
"""A code to its score and the name that was found."""

NEAR = 0.62
"""Overlap below which a name is not near; lower, unlike diseases of one organ begin to match."""
_MODIFIERS_TRIED = 6
_WORDS_READ = 40
_COMMON = 600
"""A word in more names than this opens no candidates of its own; it still counts in the overlap."""


def resolve(prepared: str) -> Found:
    """Codes for one prepared English diagnosis without hedges, each with its best score."""
    found: Found = {}
    tokens, faith = _read(prepared)
    if not tokens:
        return found
    _keep(found, exact(tokens), faith)
    if not found or max(score for score, _ in found.values()) < 0.9 * faith:
        main, rest = _segments(prepared)
        if rest:
            main_tokens, main_faith = _read(main)
            _keep(found, exact(main_tokens), 0.95 * main_faith)
        _keep(found, _compose(tokens if not rest else _read(main)[0]), 0.86 * faith)
        _keep(found, _nearest(prepared, tokens), 0.84 * faith)
        if rest:
            _keep(found, _nearest(main, main_tokens), 0.8 * main_faith)
            for piece in rest:
                piece_tokens, piece_faith = _read(piece)
                _keep(found, exact(piece_tokens), 0.6 * piece_faith)
    return found


def _keep(found: Found, more: Found, factor: float) -> None:
    for code, (score, name) in more.items():
        if code not in found or found[code][0] < score * factor:
            found[code] = (score * factor, name)


def _read(prepared: str) -> tuple[list[str], float]:
    """The content words, misspellings corrected, and how faithful the correction is."""
    faith = 1.0
    tokens = []
    for token in text.english_words(prepared)[:_WORDS_READ]:
        right, near = index.correct(token)
        right = text.canonical(right) if right != token else token
        faith *= near
        tokens.append(right)
    return (text.content(tokens) if tokens else []), faith


def exact(tokens: list[str]) -> Found:
    """Names that these words are, in any order, with modifiers left out where need be."""
    if not tokens:
        return {}
    names = index.english()
    hit = names.ordered.get(" ".join(tokens))
    if hit:
        return _forms(hit, 1.0)
    for score, reduced in ((0.98, tokens), (0.96, text.core(tokens))):
        hit = names.bags.get(_bag(reduced))
        if hit and _says_something(tokens):
            return _forms(hit, score)
    return _without_modifiers(tokens)


def _without_modifiers(tokens: list[str]) -> Found:
    kinds = text.modifier_words()
    strong = text.core(tokens)
    droppable = [t for t in dict.fromkeys(strong) if t in kinds or t.isdigit()][:_MODIFIERS_TRIED]
    bags = index.english().bags
    for count in range(1, len(droppable) + 1):
        hits = []
        for dropped in combinations(droppable, count):
            left = [t for t in strong if t not in dropped]
            hit = bags.get(_bag(left)) if left and _says_something(left) else None
            if hit:
                cost = sum(_COST.get(kinds.get(t, "stage"), 0.02) for t in dropped)
                hits.append((cost, hit))
        if hits:
            cost, hit = min(hits, key=lambda pair: pair[0])
            return _forms(hit, max(0.8, 0.95 - cost))
    return {}


_COST = {"side": 0.01, "stage": 0.01, "severity": 0.015, "state": 0.02, "place": 0.02, "course": 0.03, "nature": 0.03}


def _says_something(tokens: list[str]) -> bool:
    """Whether the words name more than a place in the body."""
    sites, weak, kinds = text.site_words(), text.weak_words(), text.modifier_words()
    return any(t not in sites and t not in kinds for t in tokens) and not all(t in weak for t in tokens)


def _forms(forms: tuple[Form, ...], score: float) -> Found:
    best = min(form.source for form in forms)
    found: Found = {}
    for place, form in enumerate(sorted(forms, key=lambda f: (f.source, len(f.code)))):
        worse = 0.004 * place if form.source == best else 0.05 + 0.004 * place
        found.setdefault(form.code, (score - worse, form.name))
    return found


def _bag(tokens: list[str]) -> tuple[str, ...]:
    return tuple(sorted(set(tokens)))


@cache
def _link() -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(map(re.escape, words().links_en)) + r")\b|[,;:()]")


def _segments(prepared: str) -> tuple[str, list[str]]:
    """The disease itself, and what the writer adds about company and cause."""
    pieces = [piece.strip() for piece in _link().split(prepared) if piece.strip()]
    strong = [p for p in pieces if any(t not in text.modifier_words() for t in text.content(text.english_words(p)))]
    return (strong[0], strong[1:4]) if strong else (prepared, [])


@cache
def _phrases(kind: str) -> tuple[tuple[frozenset[str], str], ...]:
    table = words().heads_en if kind == "head" else words().sites_en
    found = [(frozenset(text.english_words(form)), ident) for form, ident in table.items()]
    return tuple(sorted(found, key=lambda pair: -len(pair[0])))


@cache
def _phrases_by_word(kind: str) -> dict[str, tuple[tuple[frozenset[str], str], ...]]:
    table: dict[str, list[tuple[frozenset[str], str]]] = defaultdict(list)
    for bag, ident in _phrases(kind):
        for token in sorted(bag):
            table[token].append((bag, ident))
    return {token: tuple(found) for token, found in table.items()}


def _phrase(kind: str, tokens: list[str]) -> tuple[frozenset[str], str] | None:
    """The longest phrase all of whose words are here; of equals, the one whose words come first."""
    have = set(tokens)
    best: tuple[frozenset[str], str] | None = None
    for token in tokens:
        for bag, ident in _phrases_by_word(kind).get(token, ()):
            if bag <= have and (best is None or len(bag) > len(best[0])):
                best = (bag, ident)
    return best


def _compose(tokens: list[str]) -> Found:
    """What a head and a site make together: cancer and liver are C22.9; `*` where the site does not matter."""
    head = _phrase("head", tokens)
    if head is None:
        return {}
    rest = [t for t in tokens if t not in head[0]]
    site = _phrase("site", rest)
    # Words that neither head nor site explains make the reading less sure.
    left = [t for t in rest if t not in (site[0] if site else ()) and t not in text.modifier_words() and t in _strong()]
    share = 1 - 0.06 * min(len(left), 5)
    if site is not None:
        code = words().code_of(head[1], site[1])
        if code is not None:
            return {code: (share, f"{' '.join(sorted(site[0]))} {' '.join(sorted(head[0]))}")}
    anywhere = words().codes.get((head[1], "*"))
    if anywhere is not None and site is not None:
        return {anywhere: (share - 0.05, " ".join(sorted(head[0])))}
    return {}


@cache
def _strong() -> frozenset[str]:
    return frozenset(index.english().weights) - text.weak_words()


def _nearest(prepared: str, tokens: list[str]) -> Found:
    """Names that share most of what the words weigh."""
    names = index.english()
    weights = names.weights
    have = [t for t in dict.fromkeys(tokens) if t in weights]
    if not have or not _says_something(have):
        return {}
    total = sum(weights[t] for t in have) + sum(
        _UNKNOWN for t in dict.fromkeys(tokens) if t not in weights and not t.isdigit()
    )
    shared: dict[int, float] = defaultdict(float)
    openers = [t for t in have if len(names.by_token[t]) <= _COMMON] or have[:1]
    for token in openers:
        weight = weights[token]
        for number in names.by_token[token]:
            shared[number] += weight
    common = [t for t in have if t not in openers]
    head = index.head_of(prepared)
    have_set = set(have)
    found: Found = {}
    for number, overlap in shared.items():
        posting = names.postings[number]
        more = overlap + sum(weights[t] for t in common if t in posting.tokens)
        near = more / (more + 0.45 * (total - more) + 0.65 * (posting.weight - more))
        if near < NEAR:
            continue
        near *= _heads_agree(posting, head, have_set)
        if near >= NEAR and (posting.form.code not in found or found[posting.form.code][0] < near):
            found[posting.form.code] = (near - 0.02 * posting.form.source, posting.form.name)
    return dict(sorted(found.items(), key=lambda pair: (-pair[1][0], pair[0]))[:8])


_UNKNOWN = 4.0
"""What a word that no name has weighs: about as much as a rare one, for it says something that no name says."""


def _heads_agree(posting: Posting, head: str, have: set[str]) -> float:
    """What is wrong must be the same, not only where: the head of the name among the words, and the other way round."""
    factor = 1.0 if not posting.head or posting.head in have else 0.6
    return factor if not head or head in posting.tokens else factor * 0.8
