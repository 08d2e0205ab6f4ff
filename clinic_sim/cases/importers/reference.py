"""The answer: diagnosis names out of the record's words, their codes, and whether a text gives them away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clinic_sim.cases.exams import Exam
from clinic_sim.cases.facts import Fact, Importance
from clinic_sim.cases.importers.base import Findings, says_nothing
from clinic_sim.cases.importers.codes import code_exam
from clinic_sim.cases.importers.exams import DraftExam
from clinic_sim.cases.leaks import betrays
from clinic_sim.cases.reference import CodedDiagnosis, Differential
from clinic_sim.knowledge.diagnoses import names_diagnosis, resolve_diagnosis
from clinic_sim.knowledge.text import Language

_NUMBERED = re.compile(
    r"(?:^|(?<=[\n。；;，,、\s\u4e00-\u9fff)）]))\s*(?:[(（]\d{1,2}[)）]|[①②③④⑤⑥⑦⑧⑨⑩]|\d{1,2}\s?[.、．](?!\d)|\d{1,2}(?=[\u4e00-\u9fff])(?!型|期|级|度|天|月|年|周|日|次|个|小时|岁))\s*"
)
_BETWEEN = re.compile(r"[；;，,、。\n]+(?![^(（]*[)）])")
_QUALIFIER = re.compile(r"心功能.{0,10}|.{0,6}(?:[IVⅠⅡⅢⅣ\d一二三四]+)(?:级|期|度|型)|.{0,2}(?:极?高危|中危|低危).{0,3}")
_DASH = re.compile(r"^[-•·*\s]+")
_ASIDE = re.compile(r"[(（][^()（）]{0,80}[)）]")
_CASE_NUMBER = re.compile(r"^(?:案例|病例|题目)\s?\d+\s?[:：.、]?\s*")
_TOLD = re.compile(r"(?:初步|门诊|最终)?诊断(?:为|是|：|:)(?P<name>[^，。；,;]{2,40})")
_ADMITTED = re.compile(r"因[“\"]?(?P<name>[^，。；,;“”\"]{2,20}?)[”\"]?(?:入院|就诊|住院|来诊)")


@dataclass(frozen=True, slots=True)
class ReferenceNames:
    """What must not be said: the codes and names of the reference diagnosis."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    language: Language

    @classmethod
    def of(cls, names: Sequence[str], language: Language, complaint: str, findings: Findings) -> ReferenceNames:
        """The names to keep from the patient. A diagnosis that is but the complaint's own word cannot be kept: "
        "flagged."""
        kept: list[str] = []
        codes: list[str] = []
        for name in names:
            bare = _ASIDE.sub("", name).strip()
            code = resolve_code(name, language)
            if names_diagnosis(complaint, (code,) if code else (), (bare,)) and bare.lower() in complaint.lower():
                findings.flag("diagnosis_is_complaint")
                continue
            kept.extend(n for n in dict.fromkeys((name, bare)) if n)
            if code:
                codes.append(code)
        return cls(tuple(dict.fromkeys(codes)), tuple(kept), language)

    def named_in(self, text: str) -> bool:
        """Whether a text names the diagnosis: in a complaint, a heading or a report."""
        if not text or not (self.codes or self.names):
            return False
        return names_diagnosis(text, self.codes, self.names) is not None

    def betrayed_by(self, text: str) -> bool:
        """Whether a text of the patient's gives the diagnosis away, by its name or otherwise."""
        if not text or not (self.codes or self.names):
            return False
        return betrays(text, self.codes, self.names) is not None


SURE = 0.7
"""Below this score a code is a guess about the name; the name then stays uncoded and is scored by its words."""


def resolve_code(name: str, language: Language) -> str | None:
    """The ICD-10 code of a name, with and without its bracketed aside; None where no one name fits."""
    for form in dict.fromkeys((name, _ASIDE.sub("", name).strip())):
        found = resolve_diagnosis(form, language=language, limit=1)
        if found and found[0].score >= SURE:
            return found[0].icd10
    return None


def coded_diagnosis(name: str, language: Language, further: Sequence[str] = ()) -> CodedDiagnosis:
    """A diagnosis by name, coded where the name is known; a bracketed abbreviation or synonym counts as a name too."""
    others = [n for n in further if n != name]
    bare = _ASIDE.sub("", name).strip()
    if bare and bare != name:
        others.append(bare)
    code = next((c for n in (name, *others) if (c := resolve_code(n, language))), None)
    return CodedDiagnosis(icd10=code, name=name, names=tuple(dict.fromkeys(others)))


def split_names(texts: Iterable[str], language: Language) -> list[str]:
    """The diagnoses of an English answer: one a text, as it stands."""
    return [t.strip().rstrip(".") for t in texts if t.strip() and not says_nothing(t)]


def split_diagnoses(text: str) -> list[str]:
    """The diagnoses of a Chinese list, first the primary: numbered, in lines, or one after the other."""
    names: list[str] = []
    for line in text.split("\n"):
        for item in _NUMBERED.split(_DASH.sub("", line)):
            for part in _BETWEEN.split(item):
                name = part.strip(" 。.:：\t")
                if not name or says_nothing(name) or name in names:
                    continue
                if names and _QUALIFIER.fullmatch(name):
                    continue
                names.append(name)
    return names


def title_names(title: str, description: str) -> list[str]:
    """The diagnosis that a Chinese case title names, with its parts; from the description where the title names "
    "none."""
    bare = _CASE_NUMBER.sub("", title).strip()
    plain = _ASIDE.sub("", bare).strip()
    told = [n for m in _TOLD.finditer(description) for n in _forms(m["name"].strip())]
    admitted = [m["name"].strip() for m in _ADMITTED.finditer(description)]
    if resolve_code(bare, "zh"):
        return list(dict.fromkeys(n for n in (plain, *plain.split(), *_asides(bare), *told) if n))
    for name in (*told, *admitted):
        if resolve_code(name, "zh"):
            same = [plain] if name in told and _alike(plain, name) else []
            return list(dict.fromkeys((*same, *(told if name in told else [name]))))
    parts = [p for p in re.split(r"[\s、，,]+", plain) if p]
    for part in parts:
        if resolve_code(part, "zh"):
            return list(dict.fromkeys((plain, *parts, *told)))
    return [plain, *told] if plain else [*told, *admitted][:1]


def _forms(name: str) -> list[str]:
    """A name, without its aside, and the aside."""
    return [n for n in dict.fromkeys((name, _ASIDE.sub("", name).strip(), *_asides(name))) if n]


def _alike(title: str, name: str) -> bool:
    """Whether title and told diagnosis share enough characters to be the same disease differently written."""
    mine, other = set(title) - set("（）() "), set(name) - set("（）() ")
    return bool(mine) and len(mine & other) * 2 >= len(mine)


def _asides(name: str) -> list[str]:
    inner = [a.strip("()（） ") for a in _ASIDE.findall(name)]
    return [a for a in inner if resolve_code(a, "zh")]


def read_differential(text: str, language: Language) -> tuple[Differential, ...]:
    """The diseases that a record discusses as alternatives: the words before each colon, or before `需鉴别`."""
    names: list[str] = []
    for line in text.split("\n"):
        for item in _NUMBERED.split(_DASH.sub("", line)):
            item = item.strip()
            if not item:
                continue
            head, colon, _ = item.replace("：", ":").partition(":")
            if not colon or len(head) > 30:
                match = re.match(r"(?:需?与)?(?P<head>[^，。；]{2,40}?)(?:需|应|可|相|也)?(?:考虑|鉴别|排除)", item)
                head = match["head"] if match else ""
            for name in re.split(r"[和、及与/]", head):
                name = name.strip(" 。，,")
                if 2 <= len(name) <= 30 and name not in names and not says_nothing(name):
                    names.append(name)
    return tuple(Differential(icd10=resolve_code(n, language), name=n) for n in names)


def exams_in(basis: str, drafts: Iterable[DraftExam]) -> dict[str, bool]:
    """Which exams a written basis speaks of: by name, or by a finding that it repeats."""
    verdict = {}
    for draft in drafts:
        texts = [p.text for p in draft.parts]
        verdict[draft.coded.code] = _named(draft, basis) or (
            draft.coded.kind != "vital" and any(_repeated(t, basis) for t in texts)
        )
    return verdict


def _named(draft: DraftExam, basis: str) -> bool:
    if draft.coded.kind in {"physical", "vital"}:
        return False
    labels = [draft.name, *(p.label for p in draft.parts)]
    return any(len(label) >= 2 and _mentions(basis, label) for label in labels)


def _mentions(basis: str, label: str) -> bool:
    bare = _ASIDE.sub("", label).strip()
    if len(bare) < 2:
        return False
    if bare.isascii():
        return bool(re.search(rf"(?<![A-Za-z]){re.escape(bare)}(?![A-Za-z])", basis, re.IGNORECASE))
    return bare in basis


_WELL = re.compile(
    r"清晰|呼吸音清|清楚|律齐|有力|[软清齐]$|良好|居中|对称|正常|阴性|未[见及闻触引]|^无|[(（][-－—]+[)）]|不大"
)


def _repeated(text: str, basis: str) -> bool:
    """Whether some clause of the result that finds something, long enough to be no accident, stands in the basis."""
    clauses = [c.strip() for c in re.split(r"[，。；;,、\n]", text)]
    return any(len(c) >= 5 and c in basis and not _WELL.search(c) for c in clauses)


def basis_ids(facts: Iterable[Fact], exams: Iterable[Exam]) -> tuple[str, ...]:
    """The facts and exams that prove the diagnosis: those that the basis speaks of."""
    proved = [f.id for f in facts if f.importance is Importance.DECISIVE and f.echo_of is None]
    return (*proved, *(e.id for e in exams if e.essential))


__all__ = [
    "ReferenceNames",
    "basis_ids",
    "code_exam",
    "coded_diagnosis",
    "exams_in",
    "read_differential",
    "resolve_code",
    "split_diagnoses",
    "split_names",
    "title_names",
]
