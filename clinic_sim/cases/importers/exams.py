"""Results into exams: one exam a leaf or a panel, coded where the catalogue knows the name, else `local.<name>`.

Rules that decide what the record leaves open:

* **Panels.** A heading that the catalogue knows is one exam with everything below it. A heading that it does not know
  is a group (`Blood_Tests`, `影像学检查`): each result below stands for itself. `Findings`, `Inspection` and the like
  are parts of the exam above them. Results that carry one code are one exam.
* **Normal** only where the record says so in so many words; **pending** where every part awaits its result; a part
  without a result is left out.
* **Essential.** With a written basis of the diagnosis: the exams that it speaks of. Without one: of the tests (never
  the physical examination), imaging, pathology, procedures and function tests unless normal, and laboratory tests in
  which the record calls a value abnormal or positive; where that leaves none, the tests that are not said to be
  normal, and where there are none, the abnormal physical findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clinic_sim.cases.exams import Exam, Kind, Measurement
from clinic_sim.cases.facts import Source
from clinic_sim.cases.importers.base import leaves, slug, text_of
from clinic_sim.cases.importers.codes import Coded, code_exam, panel_of
from clinic_sim.cases.importers.measurements import read_item, read_list, read_pressure, read_value, split_items
from clinic_sim.cases.importers.physical import read_vitals, sort_findings
from clinic_sim.cases.importers.wording import is_abnormal, is_absent, is_normal, is_pending, is_unremarkable
from clinic_sim.knowledge.text import Language

_PART = re.compile(
    r"(?:findings?|results?|levels?|values?|reports?|impressions?|interpretations?|comments?|descriptions?|"
    r"(?:microscopic|histopathologic\w*|histopathology|histology|preliminary|other|additional|relevant|key|physical|specific)"
    r"(?:[ _](?:findings?|description|examination|results?|tests?))?|analysis|observations?|notes?|summary|"
    r"conclusions?|general|"
    r"others?|details?|scores?|inspection(?: and palpation)?|palpation|percussion|auscultation|range of motion|"
    r"special tests?|"
    r"appearance|optional|suggestions?|measurements?|status|outcome|microscopy|gross(?: description)?|views?|"
    r"结果|所见|提示|描述|结论|诊断意见|视诊|触诊|叩诊|听诊)",
    re.IGNORECASE,
)
LONGEST_REPORT = 6_000


@dataclass(slots=True)
class Part:
    """One line of a report: what it is of, its words, and where they stand."""

    label: str
    text: str
    path: str


@dataclass(slots=True)
class DraftExam:
    """An exam in the making."""

    coded: Coded
    name: str
    parts: list[Part] = field(default_factory=list)
    section: str = ""


@dataclass(slots=True)
class ExamBook:
    """Collects the exams of one record, in the record's order."""

    language: Language
    drafts: list[DraftExam] = field(default_factory=list)

    def walk(self, section: str, path: str, value: Any, *, physical: bool) -> None:
        """Read a tree of results, such as `Test_Results`: headings, panels and leaves at any depth."""
        if isinstance(value, Mapping):
            for key, inner in value.items():
                self._node(section, f"{path}.{key}", [readable(key)], inner, physical)
        elif text_of(value) or isinstance(value, list):
            self._node(section, path, [readable(path.rsplit(".", 1)[-1])], value, physical)

    def add(
        self, section: str, names: Sequence[str], parts: Iterable[Part], *, kind: Kind, coded: Coded | None = None
    ) -> None:
        """Add the parts of one exam, to the exam of the same code and section if there is one."""
        kept = [p for p in parts if p.text.strip() and not is_absent(p.text)]
        if not kept:
            return
        coded = coded or code_exam(names, self.language, kind)
        if not coded.known:
            coded = panel_of([p.label for p in kept if p.label], self.language) or coded
        for draft in self.drafts:
            if draft.coded.code == coded.code:
                if draft.name != names[0]:
                    # One code, two names (total and direct bilirubin): each value keeps its own.
                    draft.parts = [Part(p.label or draft.name, p.text, p.path) for p in draft.parts]
                    kept = [Part(p.label or names[0], p.text, p.path) for p in kept]
                known = {(p.label, p.text) for p in draft.parts}
                draft.parts.extend(p for p in kept if (p.label, p.text) not in known and not _refers_back(p.text))
                return
        self.drafts.append(DraftExam(coded, names[0], kept, section))

    def _node(self, section: str, path: str, names: list[str], value: Any, physical: bool) -> None:
        kind = guess_kind(names, physical)
        coded = code_exam(_combined(names, physical), self.language, kind)
        if not isinstance(value, Mapping):
            self._leaf(section, path, names, value, kind, coded)
            return
        children = {str(k): v for k, v in value.items()}
        anywhere = physical and bool(_ANYWHERE.fullmatch(names[0]))
        whole = not anywhere and (coded.known or all(is_part(readable(k)) for k in children))
        if whole and not (physical and self._has_own_codes(children, names)):
            self.add(section, names, _parts(value, path), kind=kind, coded=coded)
            return
        loose: list[Part] = []
        for key, inner in children.items():
            name = readable(key)
            here = f"{path}.{key}"
            inner_kind = guess_kind([name, *names], physical)
            if is_part(name):
                loose.extend(_parts({key: inner}, path))
            elif isinstance(inner, Mapping):
                self._node(section, here, [name, *names], inner, physical)
            elif (own := code_exam(_own_names([name, *names], physical), self.language, inner_kind)).known:
                self._leaf(section, here, [name, *names], inner, inner_kind, own)
            elif physical or (coded.known and kind != "laboratory"):
                loose.extend(_parts({key: inner}, path))
            else:
                self._leaf(section, here, [name, *names], inner, inner_kind, None)
        if loose and physical and (anywhere or not coded.known):
            self.findings(section, loose)
        elif loose:
            self.add(section, names, loose, kind=kind, coded=coded)

    def findings(self, section: str, parts: Iterable[Part]) -> None:
        """Physical findings under a heading that names no part of the body, sorted by what they speak of."""
        for part in parts:
            for system, words, heading in sort_findings(part.text, self.language):
                if system.key == "vital_signs" and (vitals := read_vitals(words)):
                    for name, text in vitals:
                        self.add(section, [name], [Part("", text, part.path)], kind="vital")
                else:
                    own = [n[:1].upper() + n[1:] for n in system.names(self.language)]
                    names = [*own, *([heading] if heading else [])]
                    self.add(section, names, [Part("", words, part.path)], kind="physical")

    def _has_own_codes(self, children: Mapping[str, Any], names: list[str]) -> bool:
        """Whether parts of a physical examination are examinations that the catalogue knows by themselves."""
        own = {
            code_exam([readable(k)], self.language, "physical").code
            for k in children
            if not is_part(readable(k)) and code_exam([readable(k)], self.language, "physical").known
        }
        return bool(own - {code_exam(names[:1], self.language, "physical").code})

    def _leaf(self, section: str, path: str, names: list[str], value: Any, kind: Kind, coded: Coded | None) -> None:
        parts = _parts(value, path)
        if coded is not None and not coded.known:
            coded = None
        self.add(
            section,
            names,
            parts,
            kind=kind,
            coded=coded or code_exam(_own_names(names, _by_hand(kind)), self.language, kind),
        )

    def exams(self, essential: Mapping[str, bool] | None = None, taken: Iterable[str] = ()) -> tuple[Exam, ...]:
        """The exams. `essential` gives the codes that matter; ids avoid those taken by facts."""
        used = set(taken)
        built = []
        for draft in self.drafts:
            exam_id = _free_id(draft.coded.code, used)
            used.add(exam_id)
            built.append(self._build(draft, exam_id, bool(essential and essential.get(draft.coded.code))))
        return tuple(built)

    def _build(self, draft: DraftExam, exam_id: str, essential: bool) -> Exam:
        texts = [p.text for p in draft.parts]
        pending = all(is_pending(t) for t in texts)
        path = _common(p.path for p in draft.parts)
        return Exam(
            id=exam_id,
            code=draft.coded.code,
            also=tuple(c for c in draft.coded.also if c != draft.coded.code),
            name=draft.name,
            kind=None if draft.coded.known else draft.coded.kind,
            report=report_of(draft.parts, self.language),
            measurements=() if pending else self._measurements(draft),
            normal=not pending and all(is_normal(t) for t in texts),
            pending=pending,
            essential=essential and not pending,
            source=Source(path=path, words="\n".join(texts)[:LONGEST_REPORT]),
        )

    def _measurements(self, draft: DraftExam) -> tuple[Measurement, ...]:
        found: list[Measurement] = []
        prose = draft.coded.kind in {"imaging", "pathology", "physical", "procedure", "function"}
        for part in draft.parts:
            label = part.label or draft.name
            if pressure := _pressure(label, part.text, self.language):
                found.extend(pressure)
            elif prose and not (
                part.label and (one := read_value(part.label, part.text)) and isinstance(one.value, float)
            ):
                continue
            elif len(split_items(part.text)) > 1 and (run := read_list(part.text)):
                found.extend(run)
            elif (not part.label and (one := read_item(part.text))) or (one := read_value(label, part.text)):
                found.append(one)
        seen: set[tuple[str, object]] = set()
        unique = []
        for item in found:
            if (item.name, item.value) not in seen:
                seen.add((item.name, item.value))
                unique.append(item)
        return tuple(unique)


def essential_without_basis(drafts: Sequence[DraftExam], tests: str, names_reference: Any) -> dict[str, bool]:
    """Which exams are essential where the record gives no basis, by the rule in the module's description."""
    verdict: dict[str, bool] = {}
    for draft in drafts:
        texts = [p.text for p in draft.parts if not is_pending(p.text)]
        if draft.section != tests or draft.coded.kind in {"vital", "physical"} or not texts:
            verdict[draft.coded.code] = False
        elif any(names_reference(t) for t in texts) or draft.coded.kind != "laboratory":
            verdict[draft.coded.code] = not all(is_normal(t) or is_unremarkable(t) for t in texts)
        else:
            verdict[draft.coded.code] = any(is_abnormal(t) for t in texts)
    if any(verdict.values()):
        return verdict
    # Nothing was called abnormal: the tests not said to be normal, else the physical findings that are abnormal.
    for wanted in (True, False):
        for draft in drafts:
            texts = [p.text for p in draft.parts if not is_pending(p.text)]
            by_hand = draft.coded.kind in {"vital", "physical"}
            if texts and by_hand is not wanted and draft.coded.kind != "vital":
                found = any(is_abnormal(t) for t in texts) if by_hand else not all(is_unremarkable(t) for t in texts)
                verdict[draft.coded.code] = found
        if any(verdict.values()):
            break
    return verdict


def report_of(parts: Sequence[Part], language: str) -> str:
    """The words of a report: its parts with their labels."""
    colon, comma, stop = ("：", "；", "。") if language == "zh" else (": ", "; ", ".")
    if len(parts) == 1 and is_part(parts[0].label):
        return parts[0].text.strip()[:LONGEST_REPORT]
    lines = [
        f"{p.label}{colon}{p.text.strip().rstrip('.;；。')}" if p.label else p.text.strip().rstrip(".;；。")
        for p in parts
    ]
    return (comma.join(lines) + stop)[:LONGEST_REPORT]


def readable(key: str) -> str:
    """A key as a name: `Chest_X-ray` to `Chest X-ray`, `BloodPressure` to `Blood Pressure`."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", str(key).replace("_", " "))
    return re.sub(r"\s+", " ", spaced).strip() or "result"


def is_part(name: str) -> bool:
    """Whether a name is a part of a report (`Findings`, `Inspection`) rather than an examination."""
    return not name or bool(_PART.fullmatch(name.strip()))


_KINDS: tuple[tuple[Kind, str], ...] = (
    (
        "pathology",
        r"biops|histolog|histopath|cytolog|immunofluor|immunohisto|patholog|marrow|smear\b|\btct\b|病理|活检|细胞学|骨髓|免疫组化",
    ),
    (
        "imaging",
        r"x-?\s?ray|\bct\b|\bcta\b|\bmri\b|\bmra\b|ultraso|sonogra|radiograph|echocardio|angiogra|mammogra|\bscan\b|doppler|"
        r"imaging|pyelogram|barium|cholangiopancreat|\bpet\b|dexa|ct|mr|彩超|b超|超声|造影|x线|胸片|平片|摄片|钼靶|核磁|磁共振|影像|多普勒",
    ),
    (
        "function",
        r"electrocardio|\becg\b|\bekg\b|electroenceph|\beeg\b|electromyo|\bemg\b|nerve conduction|spirom|"
        r"pulmonary function|"
        r"audiom|audiolog|hearing|polysomn|autonomic|holter|stress test|manometr|videonystagmo|vestibular|urodynamic|"
        r"screening|evaluation|checklist|questionnaire|diary|assessment tool|psycholog|heart rate monitor|nonstress|"
        r"心电|脑电|肌电|肺功能|听力|动态血压|诱发电位|量表|多导睡眠",
    ),
    (
        "procedure",
        r"scopy\b|centesis|puncture|aspirat|scraping|lavage|catheteri|maneuver|manoeuvre|镜检?$|胃镜|肠镜|内镜|穿刺|灌洗",
    ),
)
_KIND_PATTERNS = tuple((k, re.compile(p, re.IGNORECASE)) for k, p in _KINDS)
_VITAL = re.compile(
    r"\b(?:temperature|blood pressure|heart rate|pulse(?: rate)?|respirat\w+ rate|oxygen saturation|spo2|so2|o2 sat\w*|"
    r"weight|height|bmi|body mass index)\b|体温|脉搏|血压|呼吸频率|心率|血氧饱和度|体重|身高",
    re.IGNORECASE,
)
_BY_EYE = re.compile(r"consult|examination|\bexam\b|查体|体检", re.IGNORECASE)
_ASCII_SHORT = re.compile(r"(?<![A-Za-z])(?:ct|mr|mri|cta|pet)(?![A-Za-z])", re.IGNORECASE)


def guess_kind(names: Sequence[str], physical: bool) -> Kind:
    """The kind of an examination that the catalogue lacks, from its name and the headings above it."""
    own = names[0] if names else ""
    if physical:
        return "vital" if any(_VITAL.fullmatch(n.strip()) for n in names[:1]) or "vital" in own.lower() else "physical"
    for name in names:
        for kind, pattern in _KIND_PATTERNS:
            found = pattern.search(name)
            # `ct` and `mr` count as words of their own only, so that `electrolyte` is no scan.
            if found and (len(found.group()) > 2 or _ASCII_SHORT.search(name)):
                return kind
    if _VITAL.fullmatch(own.strip()):
        return "vital"
    return "physical" if _BY_EYE.search(own) else "laboratory"


def _combined(names: Sequence[str], physical: bool) -> list[str]:
    """The names to try: its own, then joined with the heading above it (`MRI` under `Brain imaging`)."""
    return [*_own_names(names, physical), *(f"{names[0]} {above}" for above in names[1:2])]


def _own_names(names: Sequence[str], physical: bool) -> list[str]:
    """A test is read under its headings (`Urinalysis > Glucose`); of a finding the part of the body tells more than the
    system that it was examined under."""
    return [names[0]] if physical else [_path(names), names[0]]


def _by_hand(kind: Kind) -> bool:
    return kind in {"physical", "vital"}


def _path(names: Sequence[str]) -> str:
    """A name under the headings above it, outermost first; a heading that only says `Tests` tells nothing."""
    return " > ".join([*reversed([n for n in names[1:] if not is_part(n)]), names[0]])


def _parts(value: Any, path: str) -> list[Part]:
    parts = []
    grouped: dict[str, list[str]] = {}
    for at, text in leaves(value, path):
        grouped.setdefault(re.sub(r"\[\d+\]", "", at), []).append(text)
    for at, texts in grouped.items():
        keys = [readable(k) for k in at[len(path) :].strip(".").split(".") if k] if len(at) > len(path) else []
        # A part word says nothing beside a name: `Ferritin: Level` is `Ferritin`.
        named = [k for k in keys if not _DULL.fullmatch(k)] or ([] if len(grouped) == 1 else keys[-1:])
        parts.append(Part(" ".join(named[-2:]), "; ".join(texts), at))
    return parts


_ANYWHERE = re.compile(
    r"(?:general(?: physical)?|physical|other|remainder of(?: the)?|rest of(?: the)?|complete|systemic|focused)?"
    r"(?: physical)?(?: exam(?:ination)?| findings)?",
    re.IGNORECASE,
)
"""Headings of a physical examination under which anything may stand."""
_DULL = re.compile(r"(?:findings?|results?|levels?|values?|reports?|analysis|details?|结果|所见)", re.IGNORECASE)


def _pressure(label: str, text: str, language: str) -> tuple[Measurement, ...]:
    if re.search(r"pressure|\bbp\b|血压", label, re.IGNORECASE) or re.search(r"血压|\bBP\b|mm\s?Hg", text):
        return read_pressure(text, language)
    return ()


def _refers_back(text: str) -> bool:
    return bool(re.search(r"如上|同上|见上|\bas above\b|\bsee above\b", text, re.IGNORECASE))


def _common(paths: Iterable[str]) -> str:
    split = [p.split(".") for p in paths]
    common = []
    for level in zip(*split, strict=False):
        if len(set(level)) > 1:
            break
        common.append(level[0])
    return ".".join(common) or ".".join(split[0])


def _free_id(code: str, used: set[str]) -> str:
    base = slug(code.replace(".", "_"), 60)
    candidate, number = base, 1
    while candidate in used:
        number += 1
        candidate = f"{base}_{number}"
    return candidate
