"""The reference of a case as a patient might give it away: names of any spelling, hints, what it is made of.

Read once a compiled case. `names_diagnosis` finds names as the tables write them; here is what a chatty model does
besides: misspellings, names run together or spelt out, the beginning of a name, the organ and what went wrong in it,
the treatment, and the words and numbers of reports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from weakref import WeakKeyDictionary

from rapidfuzz.distance import OSA

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.patient.words_lexicon import mentions, organ_codes
from clinic_sim.knowledge import diagnosis_text as texts
from clinic_sim.knowledge import icd10
from clinic_sim.knowledge import diagnosis_words
from clinic_sim.knowledge.diagnoses import names_of
from clinic_sim.knowledge.text import fold, stem
from clinic_sim.knowledge.treatments import covers, read_treatment

_WORD = re.compile(r"[a-z]{2,}")
_HAN = re.compile("[\u3400-\u9fff]")
_MEDICAL = re.compile(
    r"(?:itis|oma|osis|a?emia|opathy|uria|plegia|rrh\w+|rrhoea|embol\w*|thromb\w*|infarct\w*|sclero\w*|aneurysm|"
    r"dissecti\w*|herni\w*|ulcer\w*|tumou?r|carcin\w*|cancer|lymphom\w*|leuk\w+|asthma|diabet\w*|epilep\w*|pneum\w+|"
    r"angina|stroke|gout|lupus|psoria\w*|eczema|dementia|migraine|measles|mumps|malaria|dengue|typhoid|tetanus|"
    r"cirrho\w*|fibro\w+|cataract|glaucoma|hyper\w{4,}|hypo\w{4,}|intussus\w*|volvulus|torsion|eclampsia|ectopic|"
    r"phyl\w+|cyst\w*|stenosis|megaly|spasm|edema|oedema|rickets|scurvy|rabies|plague|anthrax|botulism|syphilis|"
    r"gonorrh\w*|chlamyd\w*|herpes|shingles|zoster|polio\w*|schizo\w*|bipolar|autis\w*|parkinson\w*|alzheimer\w*)$"
)
_ALLOWED_SLIPS = ((12, 3), (8, 2), (6, 1))
_PLAIN_WORDS = frozenset(
    """strike strikes struck stroked stroking stoke storke dancer cancel cancels answer answers genuine gone other others
    mother father hepatic hernias brother vertical vaccine migrate migrated migraines hyper hypothesis personal arthur
    matters matter colitas gout goat pneumatic embrace emotion common commotion infection infected injection inflection
    affection fraction friction direction location vocation vacation starting standing""".split()
)
_HINT_EN = re.compile(
    r"\b(?:starts?|begins?|beginning|starting|began) with (?:an? |the |the letters? |the word )?[\"'“‘]?(?P<start>[a-z]{1,9})(?=[\"'”’.…,;!?)]|\s*$|\s*-|\.\.\.)"
    r"|\b(?P<told>rhymes with|first letter|(?:my|the|its|has the|with the) initials|initials are|sounds like (?:the word )?[\"'“]|sounds (?:a bit )?like .{0,12}-?(?:itis|osis|oma|emia)|ends? (?:in|with) (?:the letters? )?[\"'“-]?(?:itis|osis|oma|emia|algia|pathy|ism)|spelt|spelled|letters long|the letters)"
)
_HINT_ZH = re.compile(
    r"(?P<told>谐音|第[一二三]个字|头一个字|开头(?:是|的字)|首字母|拼音|[两三四五六]个字的(?:病|那)|什么什么(?:炎|病|症|癌|瘤|梗|塞)|[XxＸ某]{1,3}(?:炎|病|症|癌|瘤|梗))"
)


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
    phrases: re.Pattern[str] | None
    """Names of several words, stemmed, in words that stand between spaces."""
    vocabulary: tuple[str, ...]
    """The words of those names."""
    corrected: dict[str, str]
    """Words met so far to the stems they stand for: a cache."""
    runs: tuple[str, ...]
    """Names without spaces, long enough to be found in letters run together."""
    initials: tuple[str, ...]
    """Names in lower case: what a hint could be the beginning of."""
    chinese: re.Pattern[str] | None
    concepts: frozenset[str]
    """What its names name in the lexicon of speech."""
    abbreviations: re.Pattern[str] | None
    treatments: tuple[str, ...]
    report_runs: frozenset[str]
    report_stems: frozenset[str]
    exam_codes: frozenset[str]
    numbers: frozenset[str]

    def near(self, code: str) -> bool:
        """Whether a disease is the reference's or so near that naming it tells."""
        return icd10.category(code) in self.codes or (icd10.normalise_code(code) is not None and icd10.block(code) in self.blocks)

    def organ(self, organ: str) -> bool:
        """Whether the reference is a disease of that organ."""
        return any(code.startswith(organ_codes(organ)) for code in self.exact_codes)


_HOMOPHONES = {
    "炎": "言严盐颜岩延研眼", "癌": "爱艾挨哎碍", "瘤": "留流刘", "梗": "埂哽耿更", "塞": "赛色", "栓": "拴", "疝": "扇善",
    "痨": "劳", "疹": "诊", "症": "证", "病": "并", "结": "节", "石": "实时", "卒": "猝", "中": "重", "风": "疯", "肺": "费", "阑": "兰拦栏", "尾": "委伟",
    "胰": "移宜姨", "腺": "线", "脑": "恼", "肾": "慎", "肝": "干甘", "胆": "但", "囊": "馕", "疡": "扬阳", "溃": "愧", "糖": "塘唐", "尿": "鸟", "痛": "通",
    "哮": "孝笑", "喘": "传", "癫": "颠滇", "痫": "闲贤", "狼": "郎", "疮": "窗创",
}  # fmt: skip


def _homophones(char: str) -> str:
    others = _HOMOPHONES.get(char)
    return f"[{char}{others}]" if others else re.escape(char)


def _fuzzy_zh(name: str) -> Iterator[str]:
    """A name, with characters of the same sound, and with one character inside it wrong."""
    yield "".join(map(_homophones, name))
    if len(name) >= 4:
        for at in range(1, len(name) - 1):
            yield re.escape(name[:at]) + r"[^\s\x00-\x7f。]" + re.escape(name[at + 1 :])
        yield r"[的得了着有个\s]{0,2}".join(map(re.escape, (name[:2], name[2:])))


def _telling(names: Iterable[str]) -> tuple[str, ...]:
    """The names that tell something by themselves."""
    return tuple(n for n in dict.fromkeys(names) if _tells(n))


@cache
def _generic() -> frozenset[str]:
    known = diagnosis_words.words()
    return frozenset(fold(w) for w in (*known.generic_en, *known.generic_zh))


@lru_cache(maxsize=16_384)
def _tells(name: str) -> bool:
    """Whether a name is more than a word for any disease, a part of the body, or what says which sort."""
    folded = fold(name)
    if folded in _generic() or len(folded) < 2:
        return False
    if _HAN.search(name):
        return True
    known = texts.weak_words() | texts.site_words() | texts.modifier_words().keys() | _generic()
    return not all(w in known for w in texts.english_words(texts.prepare(name)))


def _felt(name: str) -> bool:
    """Whether a name is that of what is felt (low back pain): everybody says it."""
    folded = fold(name)
    found = mentions(name, folded, english=True, chinese=_HAN.search(name) is not None)
    return any(m.id.startswith(("sx.", "hx.")) and (m.end - m.start) * 5 >= len(folded) * 3 for m in found) and not any(
        m.id.startswith("dx.") for m in found
    )


_OF_A_PERSON = frozenset({"disease", "syndrome", "tumor", "tumour", "palsy", "thyroiditis", "sarcoma", "contracture", "arteritis"})
_TITLED = frozenset(
    """heart kidney liver lung celiac coeliac sickle motor inflammatory chronic acute coronary irritable nephrotic nephritic
    metabolic carpal restless polycystic down cat legionnaires common mixed primary peptic facial cerebral gallbladder
    valvular vascular pelvic peripheral infectious sexually hand autoimmune congenital graft serum travel toxic dry""".split()
)


def diagnosis_english_word(word: str) -> bool:
    """Whether a word is one of the words around names, not a person's."""
    return word in texts.modifier_words() or word in texts.weak_words() or word in texts.site_words() or bool(_MEDICAL.search(word))


def _words(names: Iterable[str]) -> Iterator[str]:
    weak, sites, modifiers = texts.weak_words(), texts.site_words(), texts.modifier_words()
    for name in names:
        raws = re.findall(r"[A-Za-z][a-z'’]+", name)
        for n, raw in enumerate(raws):
            following = raws[n + 1].lower() if n + 1 < len(raws) else ""
            word = raw.lower().removesuffix("'s").removesuffix("’s")
            if len(word) < 4 or word in modifiers or word in weak or word in sites or texts.canonical(word) in sites | weak:
                continue
            eponym = raw[0].isupper() and (
                (n > 0 and not name.istitle())
                or raw.endswith(("'s", "’s"))
                or (following in _OF_A_PERSON and word not in _TITLED and not diagnosis_english_word(word))
            )
            if _MEDICAL.search(word) or eponym:
                yield word


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
    names = [n for n in _telling(names) if n in own or not _felt(n)]
    english = [n for n in names if not _HAN.search(n)]
    short = [n for n in english if n.isupper() and len(n) <= 6 and " " not in n]
    long = [n for n in english if n not in short]
    words = tuple(dict.fromkeys(w for w in _words(long)))
    several = [n for n in long if 2 <= len(_WORD.findall(fold(n))) <= 5]
    phrases = {" ".join(stem(w) for w in _WORD.findall(fold(n))) for n in several}
    vocabulary = tuple(dict.fromkeys(w for n in several for w in _WORD.findall(fold(n)) if len(w) >= 5))
    runs = tuple(dict.fromkeys(r for n in long for r in ("".join(_WORD.findall(fold(n))),) if len(r) >= 8))
    chinese = sorted({n for n in names if len(_HAN.findall(n)) >= 2}, key=lambda n: (-len(n), n))
    patterns = [p for name in chinese for p in _fuzzy_zh(re.sub(r"[\s()（）]", "", name))]
    concepts: set[str] = set()
    for name in own:
        folded = fold(name)
        for mention in mentions(name, folded, english=True, chinese=bool(_HAN.search(name))):
            if mention.id.startswith(("dx.", "icd:")):
                concepts.add(mention.id)
    treatments = []
    for item in case.treatment:
        treatments += list(item.concepts) or [m.concept for m in read_treatment(item.name)]
        treatments += [m.concept for words_ in item.alternatives for m in read_treatment(words_)]
    runs_of_reports: set[str] = set()
    report_stems: set[str] = set()
    numbers: set[str] = set()
    exam_codes: set[str] = set()
    for exam in case.exams:
        folded = fold(exam.report)
        runs_of_reports.update(word_runs(folded))
        report_stems.update(stem(w) for w in _WORD.findall(folded))
        numbers.update(re.findall(r"\d+(?:\.\d+)?", folded))
        numbers.update(f"{m.value:g}" for m in exam.measurements if isinstance(m.value, int | float))
        exam_codes.update(exam.codes)
    return Reference(
        frozenset(icd10.category(c) for c in codes),
        frozenset(icd10.block(c) for c in codes if not c.startswith("R")),
        tuple(own),
        codes,
        words,
        frozenset(map(stem, words)),
        re.compile(" (?:" + "|".join(sorted(map(re.escape, phrases), key=lambda p: (-len(p), p))) + ") ") if phrases else None,
        vocabulary,
        {},
        runs,
        tuple(dict.fromkeys(fold(n) for n in long)),
        re.compile("|".join(dict.fromkeys(patterns))) if patterns else None,
        frozenset(concepts),
        re.compile(r"(?<![A-Za-z0-9])(?:" + "|".join(map(re.escape, short)) + r")(?![A-Za-z0-9])") if short else None,
        tuple(dict.fromkeys(treatments)),
        frozenset(runs_of_reports),
        frozenset(report_stems),
        frozenset(n for n in numbers if len(n.replace(".", "")) > 1),
        frozenset(exam_codes),
    )


_FUNCTION = frozenset("a an the of in on at to for with and or is was are were no not by as from it there this that".split())


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


_references: WeakKeyDictionary[CompiledCase, Reference] = WeakKeyDictionary()


def reference_of(compiled: CompiledCase) -> Reference:
    """The reference of a case, read once."""
    found = _references.get(compiled)
    if found is None:
        found = _references[compiled] = _build(compiled)
    return found


def hinted(folded: str, reference: Reference) -> str | None:
    """A hint at the name: what it begins or rhymes with, how it is spelt."""
    for match in _HINT_EN.finditer(folded):
        start = match["start"]
        if start is None:
            return match.group()
        words = {w for name in reference.initials for w in (name, *name.split())}
        if any(w.startswith(start) and w != start for w in words) or len(start) == 1:
            return match.group()
    found = _HINT_ZH.search(folded)
    return found.group() if found else None


_PHONETIC = (("ph", "f"), ("ae", "e"), ("oe", "e"), ("y", "i"), ("ck", "k"), ("ch", "k"), ("c", "k"), ("z", "s"), ("rh", "r"), ("gh", "g"), ("x", "ks"))


def _sound(word: str) -> str:
    for this, that in _PHONETIC:
        word = word.replace(this, that)
    word = re.sub(r"(.)\1+", r"\1", word)
    return re.sub(r"^(?:pn|ps|pt)", lambda m: m.group()[1], word)


def misspelt(word: str, reference: Reference) -> str | None:
    """The word of the reference that a word of text is a misspelling or a part of, None where it is none."""
    if word in _PLAIN_WORDS or len(word) < 5:
        return None
    for wanted in reference.words:
        if word == wanted:
            return wanted
        slips = next((n for least, n in _ALLOWED_SLIPS if len(wanted) >= least), 0)
        if len(wanted) >= 6 and abs(len(word) - len(wanted)) <= slips + 1:
            if slips and OSA.distance(word, wanted, score_cutoff=slips) <= slips:
                return wanted
            if len(wanted) >= 6 and OSA.distance(_sound(word), _sound(wanted), score_cutoff=1) <= (1 if len(wanted) >= 8 else 0):
                return wanted
        if len(word) >= 6 and (wanted.startswith(word) or (len(wanted) >= 7 and wanted[:6] == word[:6] and word.endswith(("itis", "ytis", "ites", "iti", "osis", "emia", "oma")))):
            return wanted
    return None


def run_together(folded: str, reference: Reference) -> str | None:
    """A name in letters run together or apart: `appendi citis`, `heart-attack` as one word."""
    if not reference.runs:
        return None
    letters = "".join(_LETTERS.findall(folded))
    return next((run for run in reference.runs if run in letters), None)


def spelt_right(word: str, reference: Reference) -> str:
    """The stem of a word, or of the word of the reference's names that it is a slip away from."""
    known = reference.corrected.get(word)
    if known is None:
        known = stem(word)
        if len(word) >= 5 and word not in _PLAIN_WORDS:
            slips = 2 if len(word) >= 9 else 1
            for wanted in reference.vocabulary:
                if wanted[0] == word[0] and OSA.distance(word, wanted, score_cutoff=slips) <= slips:
                    known = stem(wanted)
                    break
        if len(reference.corrected) < _MOST_WORDS:
            reference.corrected[word] = known
    return known


_MOST_WORDS = 4_096


def phrase(words: list[str], reference: Reference) -> str | None:
    """A name of several words, however they are spelt."""
    if reference.phrases is None:
        return None
    found = reference.phrases.search(f" {' '.join([spelt_right(w, reference) for w in words])} ")
    return found.group().strip() if found else None


_LETTERS = re.compile("[a-z]+")


def covers_reference(concept: str, reference: Reference) -> float:
    """How far a named treatment is one of the reference's; half where it is the class of one."""
    return max((covers(concept, wanted) for wanted in reference.treatments), default=0.0)
