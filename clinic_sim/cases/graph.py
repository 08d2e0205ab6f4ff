"""`CaseGraph`: a case as a directed graph of evidence, diagnoses and treatments.

Nodes are `fact:<id>`, `exam:<id>`, `finding:<exam id>`, `dx:<code or name>`, `tx:<id>` and `ban:<id>`. Edges carry
`kind`: *reveals* (exam to finding), *supports* and *refutes* (evidence to diagnosis), *indicates* and *contraindicates*
(evidence or diagnosis to treatment), *requires* (exam to the exam that goes first). It answers what a piece of evidence
is worth, what is known so far and what is still hidden; disclosure, shaping and generated rubrics read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from clinic_sim.cases.case import Case
from clinic_sim.cases.reference import CodedDiagnosis

if TYPE_CHECKING:
    import networkx as nx

BASIS_WORTH = 3
"""Evidence that proves the diagnosis weighs at least as much as a decisive fact."""
RED_FLAG_WORTH = 2
DIFFERENTIAL_WORTH = 2
"""What speaks for or against another diagnosis is relevant at least: without it the two are not told apart."""


class CaseGraph:
    """The evidence graph of one case; immutable once built.

    An episode asks for worth and for the edges of one kind, so that a table of edges serves it; `graph` is all of it
    for networkx, which takes twelve megabytes and a tenth of a second to import and is imported when first asked for.
    """

    __slots__ = ("_edges", "_graph", "_total", "_worth", "case")

    def __init__(self, case: Case) -> None:
        self.case = case
        self._edges = {(start, end): kind for start, end, kind in _edges(case)}
        self._graph: nx.DiGraph[str] | None = None
        self._worth = self._weigh()
        self._total = float(sum(self._worth.values()))

    @property
    def graph(self) -> nx.DiGraph[str]:
        """The whole graph: nodes with their `label`, edges with their `kind`."""
        if self._graph is None:
            import networkx as nx

            graph: nx.DiGraph[str] = nx.DiGraph()
            for node, label in _nodes(self.case):
                graph.add_node(node, label=label)
            for (start, end), kind in self._edges.items():
                graph.add_edge(start, end, kind=kind)
            self._graph = graph
        return self._graph

    def worth(self, evidence: str) -> float:
        """What a fact or exam (by id) is worth for this case: 0 (noise) to 3; an echo is worth nothing of its own.

        It counts for the diagnosis and for what it must be told from alike, and for safe treatment and danger signs.
        """
        return self._worth.get(evidence, 0.0)

    @property
    def total(self) -> float:
        """The worth of all evidence together."""
        return self._total

    def coverage(self, known: Iterable[str]) -> float:
        """Share of the case's worth that is known, in [0, 1]."""
        return sum(self._worth.get(e, 0.0) for e in set(known)) / self._total if self._total else 0.0

    def hidden(self, known: Iterable[str]) -> list[str]:
        """Ids of evidence of worth that is not known yet, most valuable first, then in case order."""
        seen = set(known)
        return sorted((e for e, w in self._worth.items() if w and e not in seen), key=lambda e: -self._worth[e])

    def refuting(self, diagnosis: str, known: Iterable[str]) -> list[str]:
        """Known evidence that speaks against a diagnosis node (`dx:...`), in case order."""
        seen = set(known)
        return [e for e in self._evidence_to(diagnosis, "refutes") if e in seen]

    def supporting(self, diagnosis: str) -> list[str]:
        """Evidence that speaks for a diagnosis node (`dx:...`), in case order."""
        return self._evidence_to(diagnosis, "supports")

    def _evidence_to(self, node: str, kind: str) -> list[str]:
        found = {start.split(":", 1)[1] for (start, end), sort in self._edges.items() if end == node and sort == kind}
        return [e for e in self._worth if e in found]

    def _weigh(self) -> dict[str, float]:
        case = self.case
        worth = {f.id: 0.0 if f.echo_of else float(f.importance.weight) for f in case.facts}
        for exam in case.exams:
            worth[exam.id] = 3.0 if exam.essential else 0.0 if exam.noise or exam.pending else 0.5
        bans = {e for ban in case.contraindicated for e in ban.because}
        basis = set(case.diagnosis.basis) if case.diagnosis else set()
        flags = {e for flag in case.red_flags for e in (*flag.facts, *flag.exams)}
        echoes = {f.id: f.echo_of for f in case.facts if f.echo_of}
        others = case.diagnosis.differential if case.diagnosis else ()
        # What has no result yet tells nothing apart.
        apart = {e for other in others for e in (*other.supported_by, *other.refuted_by)}
        apart -= {exam.id for exam in case.exams if exam.pending}
        least_of = (
            (basis, BASIS_WORTH),
            (bans, BASIS_WORTH),
            (flags, RED_FLAG_WORTH),
            (apart, DIFFERENTIAL_WORTH),
        )
        for ids, least in least_of:
            for evidence in sorted(ids):
                target = echoes.get(evidence, evidence)
                worth[target] = max(worth[target], float(least))
        return worth


def diagnosis_node(diagnosis: CodedDiagnosis) -> str:
    """The graph's node of a diagnosis: by code, or by name where it has none."""
    return f"dx:{diagnosis.icd10 or diagnosis.name}"


def _nodes(case: Case) -> Iterator[tuple[str, str]]:
    """Every node and its label."""
    for fact in case.facts:
        yield f"fact:{fact.id}", fact.statement
    for exam in case.exams:
        yield f"exam:{exam.id}", exam.name or exam.code
        yield f"finding:{exam.id}", exam.report
    if case.diagnosis:
        for coded in (case.diagnosis.primary, *case.diagnosis.comorbid, *case.diagnosis.differential):
            yield diagnosis_node(coded), coded.name
    for item in case.treatment:
        yield f"tx:{item.id}", item.name
    for ban in case.contraindicated:
        yield f"ban:{ban.id}", ban.name


def _edges(case: Case) -> Iterator[tuple[str, str, str]]:
    """Every edge: whence, whither, kind."""
    facts = {fact.id for fact in case.facts}

    def shown(evidence: str) -> str:
        return f"fact:{evidence}" if evidence in facts else f"finding:{evidence}"

    by_code = {code: exam.id for exam in case.exams for code in exam.codes}
    for exam in case.exams:
        yield f"exam:{exam.id}", f"finding:{exam.id}", "reveals"
        for code in exam.requires:
            if code in by_code:
                yield f"exam:{exam.id}", f"exam:{by_code[code]}", "requires"
    if case.diagnosis:
        primary = diagnosis_node(case.diagnosis.primary)
        for evidence in case.diagnosis.basis:
            yield shown(evidence), primary, "supports"
        for other in case.diagnosis.differential:
            for evidence in other.supported_by:
                yield shown(evidence), diagnosis_node(other), "supports"
            for evidence in other.refuted_by:
                yield shown(evidence), diagnosis_node(other), "refutes"
    for item in case.treatment:
        for evidence in item.indicated_by:
            yield shown(evidence), f"tx:{item.id}", "indicates"
        if not item.indicated_by and case.diagnosis:
            yield diagnosis_node(case.diagnosis.primary), f"tx:{item.id}", "indicates"
    for ban in case.contraindicated:
        for evidence in ban.because:
            yield shown(evidence), f"ban:{ban.id}", "contraindicates"
