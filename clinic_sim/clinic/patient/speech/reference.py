"""What must not be given away of a case: its diagnosis with all its names, its treatment and its reports.

Read once a compiled case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.patient.speech.lexicon import mentions, organ_codes
from clinic_sim.clinic.patient.speech.naming import (
    HAN,
    eponyms_zh,
    felt,
    initials,
    plain_zh,
    says_something,
    spellings_zh,
    telling_names,
    telling_pairs,
    telling_words,
)
from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.diagnoses import names_of
from clinic_sim.knowledge.patterns import Pattern
from clinic_sim.knowledge.text import fold, stem
from clinic_sim.knowledge.treatments import read_treatment

LATIN = re.compile(r"[a-z]{2,}")


@dataclass(frozen=True, slots=True)
class Reference:
    """What must not be given away."""

    codes: frozenset[str]
    """Categories of the diagnosis and what counts as it."""
    blocks: frozenset[str]
    names: tuple[str, ...]
    exact_codes: tuple[str, ...]
    words: tuple[str, ...]
    """Single English words that give it away, as they are written."""
    stems: frozenset[str]
    phrases: Pattern | None
    """Names of several words, stemmed, in words that stand between spaces."""
    vocabulary: tuple[str, ...]
    """The words of those names."""
    corrected: dict[str, str]
    """Words met so far to the stems they stand for: a cache."""
    innocent: set[str]
    """Words met so far that give nothing away: a cache."""
    runs: tuple[str, ...]
    """Names without spaces, long enough to be found in letters run together."""
    initials: tuple[str, ...]
    """Names in lower case: what a hint could be the beginning of."""
    chinese: Pattern | None
    han_names: tuple[str, ...]
    """The Chinese names that tell, without Latin letters in them."""
    name_stems: frozenset[str]
    """The stems of what its own names say beyond any disease's name: one of them tells beside a guess."""
    name_pairs: frozenset[str]
    """Pairs of Chinese characters of its own names, likewise."""
    backwards: frozenset[str]
    """The telling English words from their ends."""
    concepts: frozenset[str]
    """What its names name in the lexicon of speech."""
    abbreviations: Pattern | None
    treatments: tuple[str, ...]
    report_runs: frozenset[str]
    report_words: frozenset[str]
    exam_codes: frozenset[str]
    numbers: frozenset[str]
    short_reports: tuple[str, ...]
    """Whole reports so short that no run of them is looked for."""

    def near(self, code: str) -> bool:
        """Whether a disease is the reference's or so near that naming it tells."""
        if icd10.category(code) in self.codes or (code[0] == "C" and any(c[0] == "C" for c in self.codes)):
            return True
        return icd10.normalise_code(code) is not None and icd10.block(code) in self.blocks

    def organ(self, organ: str) -> bool:
        """Whether the reference is a disease of that organ."""
        return any(code.startswith(organ_codes(organ)) for code in self.exact_codes)


_SHORT_REPORT = 48
_MOST_READ = 40


def _build(compiled: CompiledCase) -> Reference:
    case = compiled.case
    answers = (case.diagnosis.primary, *case.diagnosis.acceptable) if case.diagnosis else ()
    codes = tuple(dict.fromkeys(a.icd10 for a in answers if a.icd10 and icd10.normalise_code(a.icd10)))
    own = [n for a in answers for n in (a.name, *a.names)]
    names = list(own)
    for code in codes:
        category = icd10.category(code)
        for near in dict.fromkeys((code, category, f"{category}.9")):
            if icd10.normalise_code(near):
                names += [*names_of(near, "en"), *names_of(near, "zh")]
        names += [*names_of(code, "en", whole_category=True), *names_of(code, "zh", whole_category=True)]
    several_words = [n for n in own if len(LATIN.findall(fold(n))) > 1 and not felt(n)]
    names = [n for n in (*telling_names(names), *eponyms_zh(names), *several_words) if n in own or not felt(n)]
    english = [n for n in names if not HAN.search(n)]
    short = [n for n in english if n.isupper() and len(n) <= 6 and " " not in n]
    long = [n for n in english if n not in short]
    single = [w for n in long if len(w := fold(n)) > 5 and w.isalpha() and w.isascii() and not felt(n)]
    words = tuple(dict.fromkeys((*telling_words(long), *single)))
    short += [s for n in long if len(s := initials(n)) > 2]
    several = [n for n in long if 2 <= len(LATIN.findall(fold(n))) <= 5]
    phrases = {" ".join(stem(w) for w in LATIN.findall(fold(n))) for n in several}
    vocabulary = tuple(dict.fromkeys(w for n in several for w in LATIN.findall(fold(n)) if len(w) >= 5))
    runs = tuple(dict.fromkeys(r for n in long for r in ("".join(LATIN.findall(fold(n))),) if len(r) >= 8))
    chinese = sorted(
        {m for n in names if len(HAN.findall(n)) >= 2 for m in (n, plain_zh(n)) if not felt(m)},
        key=lambda n: (-len(n), n),
    )
    patterns = [p for name in chinese for p in spellings_zh(re.sub(r"[\s()（）]", "", name))]
    concepts: set[str] = set()
    for name in (*own, *(w for n in own for w in n.split()), *names[:_MOST_READ]):
        folded = fold(name)
        for mention in mentions(name, folded, english=True, chinese=bool(HAN.search(name))):
            if mention.id.startswith("dx.") or (mention.id.startswith("icd:") and name in own):
                concepts.add(mention.id)
    treatments = []
    for item in case.treatment:
        treatments += list(item.concepts) or [m.concept for m in read_treatment(item.name)]
        treatments += [m.concept for words_ in item.alternatives for m in read_treatment(words_)]
    runs_of_reports: set[str] = set()
    report_words: set[str] = set()
    numbers: set[str] = set()
    exam_codes: set[str] = set()
    for exam in case.exams:
        folded = fold(exam.report)
        runs_of_reports.update(word_runs(folded))
        report_words.update(re.findall(r"[a-z]+|\d+(?:\.\d+)?", folded))
        numbers.update(re.findall(r"\d+(?:\.\d+)?", folded))
        numbers.update(f"{m.value:g}" for m in exam.measurements if isinstance(m.value, int | float))
        exam_codes.update(exam.codes)
    reports = [fold(e.report).strip(" .。;") for e in case.exams]
    return Reference(
        frozenset(icd10.category(c) for c in codes),
        frozenset(icd10.block(c) for c in codes if not c.startswith("R")),
        tuple(own),
        codes,
        words,
        frozenset(map(stem, words)),
        Pattern(" (?:" + "|".join(sorted(map(re.escape, phrases), key=lambda p: (-len(p), p))) + ") ")
        if phrases
        else None,
        vocabulary,
        {},
        set(),
        runs,
        tuple(dict.fromkeys(fold(n) for n in long)),
        Pattern("|".join(dict.fromkeys(patterns))) if patterns else None,
        tuple(n for n in chinese if len(HAN.findall(n)) == len(n)),
        frozenset(stem(w) for n in own for w in LATIN.findall(fold(n)) if len(w) > 3 and says_something(w)),
        frozenset(pair for n in own for pair in telling_pairs(n)),
        frozenset(w[::-1] for w in words if len(w) > 5),
        frozenset(concepts),
        Pattern(r"(?<![A-Za-z0-9])(?:" + "|".join(map(re.escape, short)) + r")(?![A-Za-z0-9])") if short else None,
        tuple(dict.fromkeys(treatments)),
        frozenset(runs_of_reports),
        frozenset(report_words),
        frozenset(n for n in numbers if len(n.replace(".", "")) > 1),
        frozenset(exam_codes),
        tuple(r for r in reports if (9 if r.isascii() else 4) <= len(r) <= _SHORT_REPORT),
    )


_FUNCTION = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "in",
        "on",
        "at",
        "to",
        "for",
        "with",
        "and",
        "or",
        "is",
        "was",
        "are",
        "were",
        "no",
        "not",
        "by",
        "as",
        "from",
        "it",
        "there",
        "this",
        "that",
    ]
)


def word_runs(folded: str) -> Iterator[str]:
    """Runs of words that nobody says twice by chance: four English words with two of content, eight Han characters."""
    for sentence in re.split(r"[.;\n。]", folded):
        words = re.findall(r"[a-z]+|\d+(?:\.\d+)?", sentence)
        for n in range(len(words) - 3):
            run = words[n : n + 4]
            if sum(w not in _FUNCTION and len(w) > 3 for w in run) >= 2:
                yield " ".join(run)
        for han in re.findall("[\u3400-\u9fff]{8,}", sentence):
            for n in range(len(han) - 7):
                yield han[n : n + 8]


def quoted(folded: str, reference: Reference) -> str | None:
    """A run of words of a report, None where there is none."""
    if not reference.report_runs:
        return None
    held = reference.report_words
    for sentence in re.split(r"[.;\n。]", folded):
        words = re.findall(r"[a-z]+|\d+(?:\.\d+)?", sentence)
        if sum([w in held for w in words]) >= 4:
            for n in range(len(words) - 3):
                run = " ".join(words[n : n + 4])
                if run in reference.report_runs:
                    return run
        for han in re.findall("[\u3400-\u9fff]{8,}", sentence):
            for n in range(len(han) - 7):
                if han[n : n + 8] in reference.report_runs:
                    return str(han[n : n + 8])
    return None


_references: WeakKeyDictionary[CompiledCase, Reference] = WeakKeyDictionary()


def reference_of(compiled: CompiledCase) -> Reference:
    """The reference of a case, read once."""
    found = _references.get(compiled)
    if found is None:
        found = _references[compiled] = _build(compiled)
    return found
