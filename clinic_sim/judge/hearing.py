"""`Hearing`: what a judge looks at, read once and shared by all checks."""

from __future__ import annotations

from functools import cached_property, lru_cache

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.actions import Conclude
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.events import DoctorActed, ExamReported, Opened, Outcome
from clinic_sim.judge.chart import Chart, chart_of, items_of
from clinic_sim.judge.dosing import dose_credit
from clinic_sim.judge.harm import Harm, dosages_for, harms_of
from clinic_sim.judge.stated import NOTHING_STATED, Stated, match
from clinic_sim.knowledge.diagnoses import ReadDiagnosis, read_diagnoses
from clinic_sim.knowledge.exam_catalogue import catalogue, is_bedside
from clinic_sim.knowledge.orders import OrderItem
from clinic_sim.knowledge.treatments import TreatmentMention, plan_words, read_treatment

_PERFORMED = frozenset(Outcome) - {Outcome.REFUSED, Outcome.NOT_APPLICABLE}
_bedside = lru_cache(maxsize=16_384)(is_bedside)


@lru_cache(maxsize=16_384)
def _panels(code: str) -> tuple[str, ...]:
    """The laboratory panels that contain a test."""
    return catalogue().ancestors(code) if code.startswith("lab.") else ()


class Hearing:
    """One episode before its judge."""

    def __init__(self, compiled: CompiledCase, episode: Episode) -> None:
        self.compiled = compiled
        self.case = compiled.case
        self.episode = episode
        self.ledger = episode.ledger

    @cached_property
    def chart(self) -> Chart:
        """What the judge reads from the case alone."""
        return chart_of(self.compiled)

    @cached_property
    def conclusion(self) -> Conclude | None:
        """The last conclusion, which counts."""
        return self.ledger.conclusion

    @property
    def concluded_at(self) -> tuple[int, ...]:
        """Number of the event of the last conclusion."""
        return tuple(self.ledger.conclusions[-1:])

    @cached_property
    def given_facts(self) -> frozenset[str]:
        """Facts that the opening gave away: no merit of the doctor's."""
        return frozenset(f for e in self.episode.events if isinstance(e, Opened) for f in e.facts)

    @cached_property
    def orders(self) -> tuple[ExamReported, ...]:
        """Performed orders without repeats: each is credited, or counted as waste, once."""
        first: dict[str, ExamReported] = {}
        for event in self.episode.events:
            if isinstance(event, ExamReported) and event.outcome in _PERFORMED and not event.repeat:
                first.setdefault(event.code, event)
        return tuple(first.values())

    @cached_property
    def tests(self) -> tuple[ExamReported, ...]:
        """The orders that are no bedside examination."""
        return tuple(o for o in self.orders if not _bedside(o.code))

    @cached_property
    def useful(self) -> frozenset[int]:
        """Event numbers of the orders that served this patient: they reported a recorded exam that is not noise."""
        noise = self.chart.noise
        return frozenset(o.n for o in self.orders if not noise.issuperset(o.exams))

    @cached_property
    def redundant(self) -> tuple[ExamReported, ...]:
        """Orders of what was known: the same again, a panel's part after the panel, what another order had reported.

        What one turn orders together is one order, however many lines it takes. Bedside checks are care.
        """
        ordered: set[str] = set()
        reported: set[str] = set()
        turn: list[ExamReported] = []
        found = []
        for event in self.episode.events:
            if isinstance(event, DoctorActed):
                ordered.update(e.code for e in turn)
                reported.update(exam for e in turn for exam in e.exams)
                turn = []
            elif isinstance(event, ExamReported) and event.outcome in _PERFORMED and not _bedside(event.code):
                known = (
                    event.code in ordered or event.exams or (ordered and not ordered.isdisjoint(_panels(event.code)))
                )
                if known and reported.issuperset(event.exams):
                    found.append(event)
                turn.append(event)
        return tuple(found)

    @cached_property
    def diagnoses(self) -> tuple[ReadDiagnosis, ...]:
        """The diagnoses that the conclusion states, without those it rules out."""
        if self.conclusion is None:
            return ()
        return tuple(d for d in read_diagnoses(self.conclusion.diagnosis) if d.certainty != "ruled_out")

    @cached_property
    def stated(self) -> Stated:
        """The stated diagnoses, matched with the reference."""
        reference = self.case.diagnosis
        return NOTHING_STATED if reference is None else match(self.diagnoses, reference, self.chart)

    @cached_property
    def differential(self) -> tuple[ReadDiagnosis, ...]:
        """The differential that the conclusion names."""
        items = self.conclusion.differential if self.conclusion else ()
        return tuple(d for item in items[:20] for d in read_diagnoses(item))

    @cached_property
    def _plan_mentions(self) -> tuple[TreatmentMention, ...]:
        items = self.conclusion.treatment if self.conclusion else ()
        return tuple(m for item in items[:100] for m in read_treatment(item))

    @cached_property
    def plan(self) -> tuple[TreatmentMention, ...]:
        """The treatment concepts that the conclusion prescribes (what it avoids is not among them)."""
        return tuple(m for m in self._plan_mentions if not m.negated)

    @cached_property
    def avoided(self) -> tuple[TreatmentMention, ...]:
        """The treatment concepts that the conclusion avoids, stops or forbids."""
        return tuple(m for m in self._plan_mentions if m.negated)

    @cached_property
    def harms(self) -> tuple[Harm, ...]:
        """What of the plan would harm this patient."""
        return harms_of(self.plan, self.case, self.chart)

    @cached_property
    def safe_plan(self) -> tuple[TreatmentMention, ...]:
        """The plan without what would harm this patient: no harm is a treatment."""
        harmful = {(h.mention.concept, h.mention.start, h.mention.text, h.mention.regimens) for h in self.harms}
        return tuple(m for m in self.plan if (m.concept, m.start, m.text, m.regimens) not in harmful)

    @cached_property
    def covered(self) -> dict[str, tuple[float, float]]:
        """Treatment item to how far the safe plan covers it, and to how right the dose is of what covers it best."""
        found: dict[str, tuple[float, float]] = {}
        for concept, regimens in dict.fromkeys((m.concept, m.regimens) for m in self.safe_plan):
            items = items_of(self.compiled, concept)
            dosages = dosages_for(concept, self.chart) if items else []
            dose = dose_credit(regimens, dosages, self.chart.kg) if dosages else 1.0
            for item, kin in items:
                found[item] = max(found.get(item, (0.0, 1.0)), (kin * dose, dose))
        return found

    @cached_property
    def _plan_words(self) -> tuple[str, str]:
        items = self.conclusion.treatment[:100] if self.conclusion else ()
        parts = [plan_words(item) for item in items]
        return "\n".join(given for given, _ in parts if given), "\n".join(avoided for _, avoided in parts if avoided)

    @cached_property
    def planned_exams(self) -> tuple[OrderItem, ...]:
        """Examinations that the plan orders, clause by clause."""
        return tuple(item for clause in self.plan_text.splitlines() for item in self.compiled.orders.read(clause).items)

    @property
    def plan_text(self) -> str:
        """The plan's words, without the clauses that avoid something."""
        return self._plan_words[0]

    @property
    def avoided_text(self) -> str:
        """The words of the clauses that avoid something."""
        return self._plan_words[1]
