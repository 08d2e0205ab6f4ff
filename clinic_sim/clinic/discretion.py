"""Discretion: what the examiner and the chief physician must never say in a model's words.

The prompts hold nothing that may not be said, so this is the second wall: words that name the diagnosis in any
disguise, that tell a result or a fact which the doctor has not found out, that answer a guess with yes or no, or that
are no speech at all, are rejected whatever the model knows or guesses. A rejection costs nothing but the wording.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakKeyDictionary

from rapidfuzz import fuzz

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.cases.leaks import betrays
from clinic_sim.clinic.mentions import mentions, undisguised
from clinic_sim.clinic.room import Room
from clinic_sim.knowledge.automaton import Automaton
from clinic_sim.knowledge.diagnoses import names_diagnosis, names_of
from clinic_sim.knowledge.exam_catalogue import catalogue, is_bedside
from clinic_sim.knowledge.patterns import Pattern
from clinic_sim.knowledge.text import Language, fold, stem

LONGEST = 600
"""Characters of one saying."""
_LONG_NAME = 7
"""Letters of an English name from which on a near spelling is that name."""
_LONG_NAME_ZH = 3
_NEAR = 86.0
_BOTH: tuple[Language, ...] = ("en", "zh")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MARKUP = re.compile(r"```|<[/!?a-zA-Z|]|\]\(|[{}]|\|im_|\[/?[A-Z]{3,}\]|<<|>>|[A-Za-z0-9+/]{24,}|&#?\w+;")
_LABEL = re.compile(
    r"^\W*(?:patient|doctor|examiner|chief(?: physician)?|clinic|system|assistant|user|judge|患者|医生|检查科|上级医师|"
    r"系统|评委)\s*[:：]",
    re.IGNORECASE,
)
_CONFIRMS = Pattern(
    r"^\W*(?:(?:yes|yeah|yep|nope|correct|incorrect|exactly|precisely|agreed|bingo|bravo)\b"
    r"|(?:no|right|wrong|indeed|absolutely|certainly|true|false|warm|hot|cold)\b(?=\W*(?:[,.!;:]|$)))"
    r"|\b(?:you(?:['’]re| are| were| have it) (?:\w+ )?"
    r"(?:right|correct|wrong|mistaken|there|close|warm|on (?:the right|to))"
    r"|(?:that|it)(?:['’]s| is| was) (?:\w+ )?(?:right|correct|wrong|it|incorrect|not it)\b"
    r"|(?:good|great|excellent|correct|right|wrong|nice) (?:guess|diagnosis|thinking|call|idea|track|answer)"
    r"|spot on|well done|i (?:dis)?agree|on the (?:right|wrong) (?:track|path)|(?:right|wrong) track|you guessed"
    r"|your (?:guess|suspicion|diagnosis|idea|hunch|answer|impression) (?:is|was|fits|holds|does|seems|sounds|looks)"
    r"|(?:can|may|should) (?:safely )?(?:exclude|rule (?:that|it|this) out|strike)|i (?:can )?confirm|confirmed)\b"
    r"|^\W*(?:对(?![于照比症方])|是的|是[，,。！!]|没错|正确|不对|不是|错|否|嗯|同意|热|冷|有道理)"
    r"|(?:你|您)(?:说|猜|想|判断|考虑|诊断)?(?:得|的)?(?:很|都|完全|基本|就)?(?:对[了的。，,！!]|没错|正确|错了|不对|靠谱)"
    r"|猜[对错中]|方向(?:是)?(?:对|正确|没错|不对|错)|(?:诊断|判断|想法|猜测|思路|结论)(?:是|很|完全|基本)?(?:对的|正确|成立|没错|错|不对|有误)"
    r"|我(?:也)?(?:不)?(?:同意|认同|赞同|确认|证实)|就是(?:这个|它|你)|可以(?:排除|确诊|确认)",
    re.IGNORECASE | re.MULTILINE,
)
_HINTS = Pattern(
    r"\b(?:name|word|diagnosis|disease|illness|condition|it|which|that|term)\b[^.!?]{0,24}"
    r"\b(?:starts?|begins?|beginning|starting|ends?|rhymes?|spelt|spelled) with\b"
    r"|\b(?:starts?|begins?|beginning|starting|ends?) with (?:the letters?\b|an? [\"'“‘`]?[A-Z]\b)"
    r"|\bfirst letters?\b|\binitials\b|\bicd\b|\brhymes\b|\banagram\b"
    r"|首字|[首第]一?个?字[是为母]|以.{1,4}开头|开头(?:是|的字)|字开头|拼音|谐音|偏旁|部首|倒过来|字谜",
    re.IGNORECASE,
)
_PROCESS = Pattern(
    r"\b(?:block(?:ed|age|ing)|clot(?:s|ted|ting)?|burst|inflam\w+|infect\w+|germs?|bacteri\w+|virus\w*|tubercul\w*|"
    r"obstruct\w+|occlu\w+|narrow(?:ed|ing)|growths?|torn|tearing|ruptur\w+|necro\w+|malign\w+|metasta\w+|rotting)\b"
    r"|堵|栓|发炎|炎症|破裂|破了|感染|[核病细真]菌|病毒|肿块|坏死|梗|狭窄|阻塞|闭塞|长了?个?东西|恶变|转移",
    re.IGNORECASE,
)
"""What a disease does, by which lay words name it."""
_TOKEN = re.compile(r"[a-z0-9]+")
_NUMBER = re.compile(r"(?<![\d.])\d+(?:\.\d+)?(?![\d.]*\d)")
_WORD = Pattern(r"[a-z]{4,}|[\u3400-\u9fff]+")
_PLAIN_WORDS = """
abnormal abnormality above adult average below both clear count evidence finding findings from have here less level
limit limits listed mild more most negative none normal normally other over patient positive range reference remarkable
result results seen shown significant some test than that there this under unremarkable upper value values were with
within without 正常 常范 范围 围内 未见 见异 异常 见明 明显 显异 阴性 阳性 参考 考范 结果 果正 检查 查未 所见 提示 均正
均未 无明 无异 患者 升高 降低 增高 减低
"""
_PLAIN = frozenset(stem(word) for word in _PLAIN_WORDS.split())
"""What any report says: it tells one result no more than another."""
_CLAUSE = re.compile(r"[.;。；!?！？\n]+|[,，](?!\d)")


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason why words cannot be used."""

    kind: str
    """`form`, `language`, `leak:diagnosis`, `leak:result`, `leak:fact`, `leak:exam`, `verdict`, `confirms`."""


def form_fault(text: str, language: str) -> Fault | None:
    """The words are no plain speech in the clinic's language."""
    if not text.strip() or len(text) > LONGEST or _CONTROL.search(text) or _MARKUP.search(text) or _LABEL.search(text):
        return Fault("form")
    han = sum("\u3400" <= c <= "\u9fff" for c in text)
    latin = sum(c.isascii() and c.isalpha() for c in text)
    foreign = latin > 24 and latin > 3 * han if language == "zh" else han > 0
    return Fault("language") if foreign else None


def names_reference(compiled: CompiledCase, text: str) -> bool:
    """The words name, spell, hint at or betray the diagnosis, another that counts as it, or one beside it."""
    if _HINTS.search(text):
        return True
    answer = _answer(compiled)
    if answer is None:
        return False
    plain = undisguised(text)
    if any(re.search(rf"\b{re.escape(code)}\b", plain, re.IGNORECASE) for code in answer.codes):
        return True
    if not answer.abbreviations.isdisjoint(_TOKEN.findall(plain.lower())):
        return True
    if _said_in(answer, plain) or ciphered(compiled, plain):
        return True
    return betrays(plain, answer.primary_codes, answer.primary_names) is not None


def ciphered(compiled: CompiledCase, text: str) -> bool:
    """The words say a name of the diagnosis backwards or in ROT13; no honest speech does."""
    answer = _answer(compiled)
    if answer is None:
        return False
    squeezed = "".join(filter(str.isalnum, fold(text)))
    return bool(answer.ciphers.find(squeezed))


def names_disease(text: str, allowed: Collection[str] = ()) -> bool:
    """The words name a disease, or what a disease does to an organ, that none of the allowed texts names."""
    named = [*mentions(text), *(m.group() for m in _PROCESS.finditer(undisguised(text)))]
    if not named:
        return False
    known = fold(" \n ".join(undisguised(a) for a in allowed))
    return any(fold(name) not in known for name in named)


def confirms(text: str) -> bool:
    """The words say that a guess is right or wrong."""
    return _CONFIRMS.search(undisguised(text)) is not None


def tells_result(room: Room, text: str) -> bool:
    """The words carry something of a report that the doctor has not seen: a run of it, its figures or its findings."""
    plain = undisguised(text)
    folded, numbers = fold(plain), frozenset(_NUMBER.findall(plain))
    said = content(plain)
    seen = room.ledger.exams
    shown = _shown_numbers(room) if numbers else frozenset()
    for id_, secret in _secrets(room.compiled).items():
        if id_ in seen:
            continue
        if any(run in folded for run in secret.runs):
            return True
        if any(n not in shown and n in numbers for n in secret.numbers):
            return True
        if any(_carried(clause, said) for clause in secret.clauses):
            return True
    return False


def tells_fact(room: Room, text: str) -> bool:
    """The words carry a fact that the patient has not told."""
    said, known = content(undisguised(text)), room.ledger.facts
    return any(id_ not in known and _carried(wanted, said) for id_, wanted in _facts(room.compiled).items())


def names_hidden_exam(room: Room, text: str) -> bool:
    """The words name a test of the record that has not been reported: which one to order is the doctor's to find."""
    book = catalogue()
    for item in room.compiled.orders.read(undisguised(text)).items:
        hidden = [e for e in item.matched_exam_ids if e not in room.ledger.exams]
        if hidden and item.code in book and not is_bedside(item.code):
            return True
    return False


@lru_cache(maxsize=1_024)
def content(text: str) -> frozenset[str]:
    """Stems of the English words of four letters or more, and pairs of Chinese characters."""
    found: set[str] = set()
    for word in _WORD.findall(fold(text)):
        if word[0] < "\u3400":
            found.add(stem(word))
        else:
            found.update(word[i : i + 2] for i in range(len(word) - 1))
    return frozenset(found)


def _carried(wanted: frozenset[str], said: frozenset[str]) -> bool:
    """Most of what a statement says is among the words."""
    return len(wanted) > 2 and len(wanted & said) >= max(3, 0.7 * len(wanted))


def _said_in(answer: _Answer, plain: str) -> bool:
    """The text holds a name, or nearly one."""
    if names_diagnosis(plain, answer.codes, answer.names) is not None:
        return True
    squeezed = "".join(c for c in fold(plain) if c.isalnum())
    return any(_nearly(name, squeezed) for name in answer.squeezed)


def _nearly(name: str, squeezed: str) -> bool:
    return len(squeezed) >= len(name) - 1 and fuzz.partial_ratio(name, squeezed) >= _NEAR


@dataclass(frozen=True, slots=True)
class _Answer:
    codes: tuple[str, ...]
    names: tuple[str, ...]
    abbreviations: frozenset[str]
    """In lower case."""
    primary_codes: tuple[str, ...]
    primary_names: tuple[str, ...]
    squeezed: tuple[str, ...]
    ciphers: Automaton
    """The same backwards and in ROT13."""


@dataclass(frozen=True, slots=True)
class _Secret:
    runs: tuple[str, ...]
    numbers: tuple[str, ...]
    clauses: tuple[frozenset[str], ...]


_answers: WeakKeyDictionary[CompiledCase, _Answer] = WeakKeyDictionary()
_reports: WeakKeyDictionary[CompiledCase, dict[str, _Secret]] = WeakKeyDictionary()
_statements: WeakKeyDictionary[CompiledCase, dict[str, frozenset[str]]] = WeakKeyDictionary()


def _answer(compiled: CompiledCase) -> _Answer | None:
    reference = compiled.case.diagnosis
    if reference is None:
        return None
    found = _answers.get(compiled)
    if found is None:
        named = (reference.primary, *reference.acceptable, *reference.comorbid, *reference.differential)
        own = (reference.primary, *reference.acceptable)
        names = tuple(dict.fromkeys(n for d in named for n in (d.name, *d.names)))
        known = [n for d in own if d.icd10 for language in _BOTH for n in names_of(d.icd10, language)]
        found = _answers[compiled] = _Answer(
            tuple(dict.fromkeys(d.icd10 for d in named if d.icd10)),
            names,
            frozenset(n.lower() for n in (*names, *known) if 2 < len(n) < 7 and n.isupper() and n.isascii()),
            tuple(dict.fromkeys(d.icd10 for d in own if d.icd10)),
            tuple(dict.fromkeys(n for d in own for n in (d.name, *d.names))),
            squeezed := tuple(dict.fromkeys(_squeezed((*names, *known)))),
            Automaton(dict.fromkeys(f for n in squeezed for f in _ciphers(n))),
        )
    return found


def _squeezed(names: Collection[str]) -> Iterator[str]:
    """What tells a name even misspelt or run together: the whole name, and each disease or telling word in it."""
    for name in names:
        inside = mentions(name)
        words = [w for m in inside for w in m.split() if mentions(w)]
        for form in (name, *inside, *words):
            packed = "".join(c for c in fold(undisguised(form)) if c.isalnum())
            chinese = any(c >= "\u3400" for c in packed)
            if len(packed) >= (_LONG_NAME_ZH if chinese else _LONG_NAME):
                yield packed


def _ciphers(name: str) -> Iterator[str]:
    yield name[::-1]
    if name.isascii():
        yield codecs.encode(name, "rot13")


def _secrets(compiled: CompiledCase) -> dict[str, _Secret]:
    found = _reports.get(compiled)
    if found is None:
        found = _reports[compiled] = {e.id: _secret(compiled.case, e.id) for e in compiled.case.exams}
    return found


def _secret(case: Case, id_: str) -> _Secret:
    exam = case.exam(id_)
    report = undisguised(exam.report)
    folded = fold(report).strip(" .。;；,，")
    size = 8 if case.language == "zh" else 20
    pieces = [folded[at : at + size] for at in range(0, max(1, len(folded) - size + 1), size // 2)]
    runs = tuple(run for run in pieces if content(run) - _PLAIN)
    given = [*_NUMBER.findall(report), *(f"{m.value:g}" for m in exam.measurements if isinstance(m.value, int | float))]
    telling = tuple(dict.fromkeys(n for n in given if "." in n or len(n) > 2))
    clauses = tuple(dict.fromkeys(content(c) - _PLAIN for c in _CLAUSE.split(report) if c.strip()))
    return _Secret(runs, telling, clauses)


def _facts(compiled: CompiledCase) -> dict[str, frozenset[str]]:
    found = _statements.get(compiled)
    if found is None:
        found = _statements[compiled] = {f.id: content(f.statement) for f in compiled.case.facts if not f.echo_of}
    return found


def _shown_numbers(room: Room) -> frozenset[str]:
    """Figures that the doctor has seen or heard, or said."""
    texts = [getattr(e, "text", "") for e in room.events]
    return frozenset(n for text in texts for n in _NUMBER.findall(text))
