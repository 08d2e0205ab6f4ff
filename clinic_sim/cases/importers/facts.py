"""Free text into atomic facts: one clause, one fact, with polarity, heading, and the source's path and words.

Rules that decide what the record leaves open, each applied alike to every record:

* **Importance.** What the basis of the diagnosis speaks of (same concept) is *decisive*. The chief complaint, positive
  symptoms and their course, and positive past, surgical, drug, allergy, family, obstetric and sexual history, travel
  and exposures are *relevant*. Denials, unremarkable general state, lifestyle and the patient's perspective are
  *minor*. Identity, and visits of which nothing is told, are *noise*.
* **Disclosure.** The chief complaint is *volunteered*. Sexual life, drugs of abuse and thoughts of suicide are told
  only when asked for *specifically*. Everything else is told when *asked* for.
* **Leaks.** A clause that names the reference diagnosis, or all but names it (see `leaks.betrays`), is withheld from
  the case: the patient must not be able to say it. Its path is reported. Diseases that are only comorbid may be told,
  and so may the same disease of a relative, which is no diagnosis of the patient's: it is flagged `family:`.
* **Findings.** A clause with an examiner's findings is no fact; it is handed to the examinations.
* **Echoes.** See `echoes`: a fact that says nothing but what another says.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from clinic_sim.cases.facts import Disclosure, Fact, Importance, Polarity, Source
from clinic_sim.cases.importers.base import Findings, says_nothing
from clinic_sim.cases.importers.demographics import Speaker
from clinic_sim.cases.importers.echoes import VAGUE, link
from clinic_sim.cases.importers.headings import refine, topic_of_label
from clinic_sim.cases.importers.mixed import stands_alone
from clinic_sim.cases.importers.physical import is_finding
from clinic_sim.cases.importers.reading import Piece, meaning_of, pieces
from clinic_sim.cases.importers.seams import is_result
from clinic_sim.cases.importers.spoken import patient_words, unframed
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.diagnoses import resolve_diagnosis
from clinic_sim.knowledge.meaning import Meaning
from clinic_sim.knowledge.text import Language
from clinic_sim.knowledge.topics import Topic

_LABEL_ZH = re.compile(r"(?P<label>[\u4e00-\u9fff]{1,9})[:：]\s*(?P<value>.+)", re.DOTALL)
_NO_VALUE_ZH = re.compile(r"(?:无|否认|没有|不吸|不饮|从不|未|无特殊)[。.]?")
_UNKNOWN = re.compile(
    r"不详|不明|不清楚|未监测|未留意|\bunknown\b|\bunsure\b|\bnot (?:sure|known|certain)\b|\bunclear\b", re.IGNORECASE
)
_SENSITIVE = re.compile(
    r"\bsuicid\w*|\bself-harm|\bsexual\w*|\bintercourse\b|\bcondoms?\b|\bpartners\b|\bjail|\bprison\b"
    r"|自杀|轻生|自伤|不想活|性生活|性交|冶游|性伴|吸毒",
    re.IGNORECASE,
)
_HISTORY = {
    Topic.PAST_HISTORY,
    Topic.SURGERY,
    Topic.MEDICATION,
    Topic.ALLERGY,
    Topic.FAMILY,
    Topic.OBSTETRIC,
    Topic.MENSTRUAL,
    Topic.INFECTION,
    Topic.EXPOSURE,
    Topic.TRAVEL,
    Topic.SEXUAL,
    Topic.SUBSTANCE,
    Topic.TRANSFUSION,
    Topic.PRIOR_CARE,
    Topic.BIRTH_DEVELOPMENT,
}
_WIDE = {Topic.PAST_HISTORY, Topic.LIVING, Topic.OTHER}
"""Sections that hold statements of any heading."""
_PERSPECTIVE = {Topic.IDEA, Topic.CONCERN, Topic.EXPECTATION}
_FIXED = {*_PERSPECTIVE, Topic.CHIEF_COMPLAINT, Topic.IDENTITY}
_ONLY_NAMED = {
    Topic.SEXUAL,
    Topic.MENSTRUAL,
    Topic.OBSTETRIC,
    Topic.MEDICATION,
    Topic.EXERCISE,
    Topic.LIVING,
    Topic.OCCUPATION,
}
"""Headings that a symptom does not belong under, however its clause names them."""
_NAMED = 0.9
"""From this score a text is the name of a disease."""
_TAKES = re.compile(r"^(?:takes?|taking|on|uses?|using|currently|medications?)\b|服|用药|注射", re.IGNORECASE)
_TREATED = re.compile(r"\b(?:treated|managed|controlled) with\b", re.IGNORECASE)
_NO_DRUG = re.compile(r"未[^，。]{0,4}(?:口服|服药|用药|服用)|\buntreated\b|\bnot (?:on|taking)\b", re.IGNORECASE)
_ON_DRUG = re.compile(
    r"\b(?:has been|is|was|currently|regimen)\b.*\bon?f?\b|\bregimen\b|\btak(?:es|ing)\b", re.IGNORECASE
)
_HAS = re.compile(
    r"(?:(?:the )?patient|he|she|they|i)?\s*(?:also )?(?:has|have|had|is known to have)\b|known\b|history of\b",
    re.IGNORECASE,
)
_VERB_FIRST = re.compile(r"(?:enjoys|lives|works|is|has|was|plays|attends|reports|appears)\b", re.IGNORECASE)
_TODAY = {Topic.REVIEW_OF_SYSTEMS, Topic.LIVING, Topic.OTHER}
"""Sections in which a measured vital sign is today's, not a part of the story."""
_LISTED = {
    Topic.PAST_HISTORY,
    Topic.MEDICATION,
    Topic.SURGERY,
    Topic.ALLERGY,
    Topic.SMOKING,
    Topic.ALCOHOL,
    Topic.SUBSTANCE,
    Topic.FAMILY,
    Topic.INFECTION,
    Topic.EXPOSURE,
    Topic.MENSTRUAL,
}
_KEEP = {
    Topic.CHIEF_COMPLAINT,
    Topic.PRESENT_ILLNESS,
    Topic.REVIEW_OF_SYSTEMS,
    Topic.IDENTITY,
    Topic.FAMILY,
    Topic.IDEA,
    Topic.CONCERN,
    Topic.EXPECTATION,
}
_COMPLAINT = {Topic.CHIEF_COMPLAINT, Topic.PRESENT_ILLNESS, Topic.REVIEW_OF_SYSTEMS, Topic.MOOD}
_WENT = re.compile(r"就诊|来诊|来我院|入院|收入|住院|门诊|求[^，]{0,6}诊治|\bpresents? (?:to|for)\b|\bfollow-up\b")
_DID = re.compile(r"诊断|示|提示|给予|予以|服|药|手术|术|发现|为“|\bdiagnos|\btreat|\bprescri")
_UNREMARKABLE = re.compile(
    r"\b(?:normal|unremarkable|healthy|regular|up[- ]to[- "
    r"]date|uncomplicated)\b|正常|体健|良好|尚可|如常|规律|平素健康|"
    r"无特殊",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Draft:
    """A fact in the making, with what is needed to compare it to others."""

    fact: Fact
    meaning: Meaning


@dataclass(slots=True)
class FactBook:
    """Collects the facts of one record, in the record's order."""

    language: Language
    speaker: Speaker
    names_reference: Callable[[str], bool]
    """Whether a text gives the reference diagnosis away."""
    names_outright: Callable[[str], bool]
    """Whether a text names it outright: all that is asked of the chief complaint, which must be told, and denials."""
    findings: Findings
    on_finding: Callable[[str, str], None] = lambda path, words: None
    """Takes the path and words of an examiner's finding that stands among the history."""
    drafts: list[Draft] = field(default_factory=list)
    _last: Topic | None = None
    """Heading of the clause before, for the rest of a list."""

    def add(self, path: str, text: str, topic: Topic, *, whole: bool = False) -> None:
        """Add the facts of one field.

        Args:
            path: Path of the field in the source record.
            text: Its text.
            topic: The heading of the field.
            whole: Keep the text as one fact (a chief complaint, an item of a list) unless it is a run of clauses.
        """
        if says_nothing(text):
            return
        for part, heading in self._labelled(text, topic):
            self._last = None
            told_whole = heading in _PERSPECTIVE
            mixed = told_whole or heading is Topic.CHIEF_COMPLAINT
            for piece in pieces(part, self.language, whole=whole or told_whole, mixed=mixed):
                self._add_piece(path, piece, heading)

    def _labelled(self, text: str, topic: Topic) -> list[tuple[str, Topic]]:
        """The sentences of a text with the heading each stands under: `吸烟：无。` names its own."""
        if topic in _PERSPECTIVE:
            ends = r"(?<=[。；;！？\n])" if self.language == "zh" else r"(?<=[.!?;\n])\s+"
            return [(s, topic) for s in _whole_sentences(re.split(ends, text))]
        if self.language != "zh":
            return [(text, topic)]
        parts: list[tuple[str, Topic]] = []
        heading = topic
        for sentence in re.split(r"(?<=[。；;\n])", text):
            match = _LABEL_ZH.fullmatch(sentence.strip())
            own = topic_of_label(match["label"]) if match else None
            if match is None or own is None:
                if sentence.strip():
                    parts.append((sentence, heading))
                continue
            heading = own
            value = match["value"].strip()
            if _NO_VALUE_ZH.fullmatch(value) or _UNKNOWN.search(value):
                label = match["label"]
                said = value.strip("。. ")
                parts.append((f"{label}不详" if _UNKNOWN.search(said) else f"无{label.removesuffix('史')}史", own))
            elif own is not Topic.REVIEW_OF_SYSTEMS and (len(value) <= 8 or own in {Topic.SMOKING, Topic.ALCOHOL}):
                # Too short to stand without its label.
                parts.append((f"{match['label']}{re.sub('^有[，,]?', '', value)}", own))
            else:
                parts.append((value, own))
        return parts

    def _add_piece(self, path: str, piece: Piece, topic: Topic) -> None:
        if says_nothing(piece.statement):
            return
        statement = unframed(piece.statement, self.language).strip(" ,，。.;；、")
        unsure = _UNKNOWN.search(statement) and len(statement) < 40 and not re.search("[，,（(]", statement)
        polarity = Polarity.UNKNOWN if unsure else piece.polarity
        if topic is Topic.CHIEF_COMPLAINT:
            # Nobody comes for what is not there: `not breathing during sleep` is the complaint.
            polarity = Polarity.PRESENT
        heading = self._heading(topic, piece, statement, polarity)
        # To deny a near kind of the disease is no hint at it.
        outright = heading is Topic.CHIEF_COMPLAINT or polarity is Polarity.ABSENT
        gives_away = self.names_outright if outright else self.names_reference
        if gives_away(piece.words) or gives_away(piece.statement):
            if heading is not Topic.FAMILY or not _of_relatives(statement, self.language):
                self.findings.withhold(path)
                return
            self.findings.flag(f"family:{path}")
        if (
            topic not in _PERSPECTIVE
            and topic is not Topic.CHIEF_COMPLAINT
            and is_finding(piece.words, vitals=topic in _TODAY)
        ):
            self.on_finding(path, piece.words)
            return
        if len(statement) < 2 or says_nothing(statement):
            return
        self._last = heading
        meaning = meaning_of(statement, self.language, heading, polarity)
        fact = Fact(
            id=f"f{len(self.drafts) + 1:02d}",
            topic=heading,
            statement=statement,
            words=patient_words(statement, self.language, self.speaker),
            polarity=polarity,
            importance=_importance(heading, polarity, statement),
            disclosure=_disclosure(heading, statement),
            source=Source(path=path, words=piece.words),
        )
        self.drafts.append(Draft(fact, meaning))

    def _heading(self, topic: Topic, piece: Piece, statement: str, polarity: Polarity) -> Topic:
        """The section's heading, unless the statement's words, or the list that it goes on with, name another."""
        if topic in _FIXED:
            return topic
        own = refine(topic, statement, self.language)
        meaning = meaning_of(statement, self.language, topic, polarity)
        kinds = {c.split(".")[0] for c in meaning.concepts}
        if topic in _COMPLAINT and own in _ONLY_NAMED and "sx" in kinds and not _gynaecological(meaning):
            # Pain during intercourse or fatigue after heavy periods is a complaint, not a habit or a cycle.
            own = None
        if own is Topic.MEDICATION and topic is not Topic.MEDICATION and self._treated(statement, kinds):
            own = Topic.PAST_HISTORY
        if self.language == "zh" and is_result(statement) and topic in _COMPLAINT:
            own = Topic.PRIOR_CARE
        if own is Topic.PRIOR_CARE and topic is Topic.PAST_HISTORY and "dx" in kinds:
            own = Topic.PAST_HISTORY
        if own is None and topic in _COMPLAINT and "drug" in kinds and _ON_DRUG.search(statement):
            own = Topic.MEDICATION
        if own is None and topic in _COMPLAINT and kinds == {"dx"} and _HAS.match(statement):
            own = Topic.PAST_HISTORY
        if own is not None:
            return own
        if self._goes_on(topic, piece, statement, kinds) and self._last is not None:
            if self._last in _LISTED - {Topic.FAMILY, Topic.PAST_HISTORY} and self._disease(statement, kinds):
                return Topic.PAST_HISTORY if topic in _WIDE | _COMPLAINT else topic
            return self._last
        if topic not in _WIDE:
            return topic
        named = meaning.topics
        if named and named[0] is Topic.PRIOR_CARE and topic is Topic.PAST_HISTORY and "dx" in kinds:
            return topic
        return named[0] if named and named[0] is not Topic.OTHER else topic

    def _goes_on(self, topic: Topic, piece: Piece, statement: str, kinds: set[str]) -> bool:
        """Whether a statement goes on with the list before it, so that the list's heading is its own."""
        if not piece.continues or self._last not in _LISTED or topic in _KEEP - {Topic.PRESENT_ILLNESS}:
            return False
        if len(statement) > (10 if self.language == "zh" else 40) or stands_alone(statement):
            return False
        if "sx" in kinds or (self.language == "zh" and statement.startswith(("否认", "没有"))):
            return False
        if _VERB_FIRST.match(statement):
            return False
        book = ontology()
        topics = {book.topic(c) for c in meaning_of(statement, self.language, None, piece.polarity).concepts}
        return not (topics - {None, Topic.OTHER, Topic.PAST_HISTORY, self._last})

    def _treated(self, statement: str, kinds: set[str]) -> bool:
        """Whether a clause that speaks of a drug is about the disease that it is given for, or not given for."""
        before = _TREATED.split(statement)[0]
        if before != statement:
            return len(before) > 3 and self._disease(
                re.sub(r"^history of ", "", before.strip(), flags=re.IGNORECASE), {"?"}
            )
        if _NO_DRUG.search(statement):
            return "dx" in kinds
        return kinds == {"dx"} and not _TAKES.search(statement)

    def _disease(self, statement: str, kinds: set[str]) -> bool:
        if self._last in {Topic.ALLERGY, Topic.EXPOSURE, Topic.INFECTION} and "dx" not in kinds:
            return False
        if "drug" in kinds:
            return False
        if self._last is Topic.INFECTION:
            return bool(kinds) and not any(
                c.startswith(("dx.infect", "hx.communicable"))
                for c in meaning_of(statement, self.language, None, Polarity.PRESENT).closure
            )
        return kinds == {"dx"} or bool(
            (found := resolve_diagnosis(statement, language=self.language, limit=1)) and found[0].score >= _NAMED
        )

    def facts(self, basis: str = "") -> tuple[Fact, ...]:
        """The facts, with echoes linked and importance raised by what the basis of the diagnosis speaks of."""
        proved = self._proved(basis)
        raised = []
        for draft in self.drafts:
            fact = draft.fact
            if (
                fact.polarity is Polarity.PRESENT
                and fact.importance is Importance.RELEVANT
                and self._speaks(draft, proved)
            ):
                fact = replace_fact(fact, importance=Importance.DECISIVE)
            raised.append(fact)
        echoes = link([(f, d.meaning) for f, d in zip(raised, self.drafts, strict=True)], self.language)
        return tuple(replace_fact(f, echo_of=echoes[f.id]) if echoes[f.id] else f for f in raised)

    def _proved(self, basis: str) -> frozenset[str]:
        """The concepts that the basis affirms."""
        found: set[str] = set()
        for piece in pieces(basis, self.language) if basis else []:
            if piece.polarity is not Polarity.ABSENT:
                found.update(meaning_of(piece.words, self.language, None, piece.polarity).concepts)
        return frozenset(c for c in found if c not in VAGUE)

    @staticmethod
    def _speaks(draft: Draft, proved: frozenset[str]) -> bool:
        return any(c in proved for c in draft.meaning.concepts)

    def found(self) -> int:
        """How many facts there are."""
        return len(self.drafts)


_RELATIVES = re.compile(
    r"\b(?:mother|father|parents?|brother|sister|sibling|uncle|aunt|cousin|grand\w+|family|familial|relatives?|son|daughter|"
    r"heredit\w+)\b|[父母兄弟姐妹爷奶叔伯姑舅姨儿女]|家族|家[里中人]|外公|外婆|亲属|直系|遗传",
    re.IGNORECASE,
)


def _of_relatives(statement: str, language: Language) -> bool:
    """Whether a clause under family history speaks of relatives rather than of the patient."""
    return language == "zh" or bool(_RELATIVES.search(statement))


def _gynaecological(meaning: Meaning) -> bool:
    book = ontology()
    return all(book.topic(c) in {Topic.MENSTRUAL, Topic.OBSTETRIC} for c in meaning.concepts if c.startswith("sx."))


def _whole_sentences(parts: list[str]) -> list[str]:
    """Sentences, none of which ends inside a bracket."""
    joined: list[str] = []
    for part in parts:
        if joined and sum(joined[-1].count(c) for c in "(（") > sum(joined[-1].count(c) for c in ")）"):
            joined[-1] += part
        else:
            joined.append(part)
    return [p for p in joined if p.strip(' ”"')]


def replace_fact(fact: Fact, **changes: object) -> Fact:
    """The fact with some fields changed."""
    return fact.model_copy(update=changes)


def _importance(topic: Topic, polarity: Polarity, statement: str) -> Importance:
    if topic is Topic.IDENTITY or (
        topic is Topic.PRIOR_CARE and _WENT.search(statement) and not _DID.search(statement)
    ):
        return Importance.NOISE
    if polarity is not Polarity.PRESENT:
        return Importance.MINOR
    if topic in _COMPLAINT:
        return Importance.RELEVANT
    if topic in _HISTORY or topic is Topic.GENERAL_STATE:
        return Importance.MINOR if _UNREMARKABLE.search(statement) else Importance.RELEVANT
    return Importance.MINOR


def _disclosure(topic: Topic, statement: str) -> Disclosure:
    if topic is Topic.CHIEF_COMPLAINT:
        return Disclosure.VOLUNTEERED
    if topic in {Topic.SEXUAL, Topic.SUBSTANCE} or _SENSITIVE.search(statement):
        return Disclosure.SPECIFIC
    return Disclosure.ASKED
