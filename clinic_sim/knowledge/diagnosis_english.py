"""An English diagnosis to codes: exact by its words, then a site with what is wrong there, then the nearest names.

Each way has a ceiling, so that a surer way always wins: the name itself 1, a decorated name 0.95, site and head 0.86,
nearest name 0.84; a misspelling and words left over lower each.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from itertools import combinations

from clinic_sim.knowledge import diagnosis_index as index
from clinic_sim.knowledge import diagnosis_text as text
from clinic_sim.knowledge.diagnosis_tables import Form
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
    if not tokens or all(len(t) == 1 for t in tokens):
        return found
    _keep(found, exact(tokens), faith)
    if not found and "intoxication" in tokens:
        _keep(found, exact(["poisoning" if t == "intoxication" else t for t in tokens]), 0.95 * faith)
    if _best(found) >= 0.95 * faith:
        return found
    outside, inside = _brackets(prepared)
    if inside:
        _keep(found, _bracketed(outside, inside), 1.0)
    if _best(found) >= 0.9 * faith:
        return found
    outside = _METASTATIC.sub("", outside)
    main, rest = _segments(outside)
    main_tokens, main_faith = _read(main)
    if rest:
        _keep(found, exact(main_tokens), 0.95 * main_faith)
        if turned := _TURNED.match(outside):
            turned_tokens, turned_faith = _read(turned.group())
            _keep(found, exact(turned_tokens), 0.97 * turned_faith)
    _keep(found, _compose(main_tokens, index.head_of(main)), 0.86 * main_faith)
    if _best(found) < 0.9:
        outer_tokens, outer_faith = _read(outside) if inside else (tokens, faith)
        _keep(found, _nearest(outside, outer_tokens), 0.84 * outer_faith)
        # A kind of tumour implies a site; the site that the writer names overrules it.
        sited = any(code[0] in "CD" for code in found)
        _keep(found, _contained(outside, outer_tokens, 0.9 if sited else 1.0), outer_faith)
        if rest:
            _keep(found, _nearest(main, main_tokens), 0.8 * main_faith)
    for piece in rest:
        piece_tokens, piece_faith = _read(piece)
        _keep(found, exact(piece_tokens), 0.6 * piece_faith)
    return found


def whole(prepared: str) -> Found:
    """Names that the text is with all its words, at most decorated, or a site and what is wrong there."""
    tokens, faith = _read(prepared)
    found: Found = {}
    if tokens:
        _keep(found, exact(tokens), faith)
        outside, inside = _brackets(prepared)
        if inside:
            _keep(found, exact(_read(outside)[0]), 0.95)
        if not found:
            _keep(found, _compose(tokens, index.head_of(prepared)), 0.86 * faith)
    return found


def leads(prepared: str) -> bool:
    """Whether the text begins with a name, before the words that link it to its company and cause."""
    return bool(exact(_read(_segments(prepared)[0])[0]))


def only_says_what(prepared: str) -> bool:
    """Whether the words say at most what is wrong (`infection`, `fracture`), not where or by what."""
    tokens = text.content(text.english_words(prepared))
    return bool(tokens) and all(_is_common(t) for t in tokens)


def _is_common(token: str) -> bool:
    return token in _bare_heads() or token in text.weak_words() or token in text.modifier_words() or token in _REMAINDER


_REMAINDER = frozenset(("nec", "nos"))
"""`Not elsewhere classified` after a name; alone NEC is a disease."""


@cache
def _bare_heads() -> frozenset[str]:
    return frozenset(text.canonical(form) for form in words().heads_en if " " not in form) - {text.canonical("pain")}


def _best(found: Found) -> float:
    return max((score for score, _ in found.values()), default=0.0)


_METASTATIC = re.compile(r"\bmetastatic\s+(?!to\b|cancer|carcinoma|adenocarcinoma|tumou?r|disease|lesion)")
"""Before an organ and its cancer it says where the cancer began: metastatic lung cancer is cancer of the lung."""
_TURNED = re.compile(r"[^,;:]+, [^,;:]+(?=[,;:])")
"""A name turned at its comma, before what the writer adds: `anaemia, iron deficiency, due to heavy periods`."""
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")


def _brackets(prepared: str) -> tuple[str, list[str]]:
    """The text without its brackets, and what stands in them."""
    inside = [piece.strip() for piece in _BRACKETS.findall(prepared) if piece.strip()]
    return (" ".join(_BRACKETS.sub(" ", prepared).split()) or prepared, inside) if inside else (prepared, [])


def _bracketed(outside: str, inside: list[str]) -> Found:
    """A name with its abbreviation, another name or a qualifier in brackets."""
    found: Found = {}
    tokens, faith = _read(outside)
    _keep(found, exact(tokens), 0.98 * faith)
    for piece in inside:
        other, other_faith = _read(piece)
        # An abbreviation made of the words before it says what they say; any other name in brackets adds to them.
        _keep(found, exact(other), (0.93 if _abbreviates(piece, outside) else 0.7) * other_faith)
        together, both = _read(f"{piece} {outside}")
        _keep(found, exact(together), 0.97 * both)
    return found


def _abbreviates(short: str, long: str) -> bool:
    from rapidfuzz.distance import LCSseq

    # One letter may come from inside a word: BPPV, PML of progressive multifocal (leuko)encephalopathy.
    initials = "".join(word[0] for word in re.findall(r"[a-z0-9]+", long))
    return short.isalnum() and 2 <= len(short) <= 7 and LCSseq.similarity(short, initials) >= max(2, len(short) - 1)


def _keep(found: Found, more: Found, factor: float) -> None:
    for code, (score, name) in more.items():
        if code not in found or found[code][0] < score * factor:
            found[code] = (score * factor, name)


def _read(prepared: str) -> tuple[list[str], float]:
    """The content words, misspellings corrected, and how faithful the correction is."""
    faith = 1.0
    tokens = []
    for word in text.written_words(prepared)[:_WORDS_READ]:
        right, near = index.correct(word)
        faith *= near
        tokens.append(right)
    return (text.content(tokens) if tokens else []), faith


def exact(tokens: list[str]) -> Found:
    """Names that these words are, in any order, with modifiers left out where need be."""
    if not tokens:
        return {}
    names = index.english()
    hit = names.ordered(tokens)
    if hit:
        return _forms(hit, 1.0)
    if all(len(t) == 1 for t in tokens):
        return {}
    hit = names.bag(tokens)
    if hit and _says_something(tokens):
        return _forms(hit, 0.98)
    if "without" in tokens:
        # What is absent must not be matched: only a name that says so itself would do.
        return {}
    core = text.core(tokens)
    hit = names.core(core) or names.bag(core)
    if hit and _says_something(tokens):
        return _forms(hit, 0.96)
    return _without_modifiers(tokens)


def _without_modifiers(tokens: list[str]) -> Found:
    kinds = text.modifier_words()
    strong = text.core(tokens)
    droppable = [t for t in dict.fromkeys(strong) if t in kinds or t.isdigit()][:_MODIFIERS_TRIED]
    names = index.english()
    for count in range(1, len(droppable) + 1):
        hits = []
        for dropped in combinations(droppable, count):
            left = [t for t in strong if t not in dropped]
            known = names.bag(left) or names.core(left)
            hit = known if left and _says_something(left) else None
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
    return any(t not in sites and t not in kinds and t not in weak for t in tokens)


def _forms(forms: tuple[Form, ...], score: float) -> Found:
    best = min(form.source for form in forms)
    found: Found = {}
    for place, form in enumerate(sorted(forms, key=lambda f: (f.source, len(f.code)))):
        worse = 0.004 * place if form.source == best else 0.05 + 0.004 * place
        found.setdefault(form.code, (score - worse, form.name))
    return found


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


def _phrase(kind: str, tokens: list[str], lead: str = "") -> tuple[frozenset[str], str] | None:
    """The longest phrase all of whose words are here; of equals, the one inside the other, else the first.

    One that has the leading word, which says what is wrong, comes before any longer one.
    """
    have = set(tokens)
    best: tuple[frozenset[str], str] | None = None
    best_rank = (False, 0, 0)
    for token in tokens:
        for bag, ident in _phrases_by_word(kind).get(token, ()):
            rank = (lead in bag, len(bag), _depth(ident))
            if bag <= have and (best is None or rank > best_rank):
                best, best_rank = (bag, ident), rank
    return best


def _depth(site: str) -> int:
    """How many sites a site lies in: the trochanter in the hip, so that it says more than `femur` beside it."""
    depth = 0
    parents = words().parents
    while site in parents and depth < 4:
        site, depth = parents[site], depth + 1
    return depth


def _compose(tokens: list[str], lead: str = "") -> Found:
    """What a head and a site make together: cancer and liver are C22.9; `*` where the site does not matter."""
    head = _phrase("head", tokens, lead)
    if head is None:
        return {}
    rest = [t for t in tokens if t not in head[0]]
    site = _phrase("site", rest)
    # Words that neither head nor site explains make the reading less sure.
    left = [t for t in rest if t not in (site[0] if site else ()) and t not in text.modifier_words() and _is_strong(t)]
    share = 1 - 0.06 * min(len(left), 5)
    others = [form for word in left for form in index.english().bag([*head[0], word])]
    if any(form.code[0] not in "CD" for form in others):
        # The words left over make another disease of what is wrong: a hydatid cyst is no cyst. A tumour stays a tumour.
        share -= 0.2
    if site is not None:
        code = words().code_of(head[1], site[1])
        if code is not None:
            return {code: (share, f"{' '.join(sorted(site[0]))} {' '.join(sorted(head[0]))}")}
    anywhere = words().codes.get((head[1], "*"))
    if anywhere is not None and site is not None:
        return {anywhere: (share - 0.05, " ".join(sorted(head[0])))}
    return {}


def _is_strong(token: str) -> bool:
    return token in index.english().weights and token not in text.weak_words()


def _nearest(prepared: str, tokens: list[str]) -> Found:
    """Names that share most of what the words weigh."""
    names = index.english()
    weights = {t: weight for t in tokens if (weight := names.weights.get(t)) is not None}
    have = list(weights)
    if not have or not _says_something(have):
        return {}
    total = sum(weights[t] for t in have) + sum(
        _UNKNOWN for t in dict.fromkeys(tokens) if t not in weights and not t.isdigit()
    )
    shared: dict[int, float] = defaultdict(float)
    postings = index.postings()
    having = {t: postings.having(t) for t in have}
    openers = [t for t in have if len(having[t]) <= _COMMON] or have[:1]
    for token in openers:
        weight = weights[token]
        for place in having[token]:
            shared[place] += weight
    common = [(weights[t], frozenset(having[t])) for t in have if t not in openers]
    head = index.head_of(prepared)
    have_set = set(have)
    found: Found = {}
    for place, overlap in shared.items():
        more = overlap + sum(weight for weight, places in common if place in places) if common else overlap
        near = more / (more + 0.45 * (total - more) + 0.65 * (postings.weights[place] - more))
        if near < NEAR:
            continue
        form = names.name(names.listed[place])
        own = tuple(names.words[token] for token in names.tokens[place])
        near *= _heads_agree(index.head_of_name(form.name), own, head, have_set)
        if near >= NEAR and (form.code not in found or found[form.code][0] < near):
            found[form.code] = (near - 0.02 * form.source, form.name)
    return dict(sorted(found.items(), key=lambda pair: (-pair[1][0], pair[0]))[:8])


_LONGEST_INSIDE = 6


def _contained(prepared: str, tokens: list[str], tumors: float) -> Found:
    """The names inside the text, the more of it they are and the nearer to its head, the better."""
    names = index.english()
    weights = {t: _UNKNOWN if (weight := names.weights.get(t)) is None else weight for t in tokens}
    total = sum(weights[t] for t in tokens)
    head = index.head_of(prepared)
    found: Found = {}
    taken: list[tuple[int, int]] = []
    for length in range(min(_LONGEST_INSIDE, len(tokens)), 0, -1):
        for start in range(len(tokens) - length + 1):
            if any(a <= start and start + length <= b for a, b in taken):
                continue
            inside = tokens[start : start + length]
            forms = names.ordered(inside)
            if not forms or not _tells(inside):
                continue
            taken.append((start, start + length))
            share = sum(weights[t] for t in inside) / total
            score = 0.4 + 0.42 * share + (0.06 if head in inside else -0.02)
            for code, (near, name) in _forms(forms, score).items():
                _keep(found, {code: (near, name)}, tumors if code[0] in "CD" else 1.0)
    return found


def _tells(tokens: list[str]) -> bool:
    """Whether words out of a longer text are a name that tells: not `infection`, not `congenital`."""
    return (
        _says_something(tokens)
        and " ".join(tokens) not in _generic()
        and not all(_is_common(t) for t in tokens)
        and (len(tokens) > 1 or len(tokens[0]) > 4)
    )


@cache
def _generic() -> frozenset[str]:
    return frozenset(" ".join(text.english_words(form)) for form in words().generic_en)


_UNKNOWN = 4.0
"""What a word that no name has weighs: about as much as a rare one, for it says something that no name says."""


def _heads_agree(own: str, tokens: tuple[str, ...], head: str, have: set[str]) -> float:
    """What is wrong must be the same, not only where: the head of the name among the words, and the other way round."""
    factor = 1.0 if not own or own in have else 0.6
    return factor if not head or head in tokens else factor * 0.8
