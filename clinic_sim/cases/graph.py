"""`CaseGraph`: a case as a directed graph of evidence, diagnoses and treatments.

Nodes are `fact:<id>`, `exam:<id>`, `finding:<exam id>`, `dx:<code or name>`, `tx:<id>` and `ban:<id>`. Edges carry
`kind`: *reveals* (exam to finding), *supports* and *refutes* (evidence to diagnosis), *indicates* and *contraindicates*
(evidence or diagnosis to treatment), *requires* (exam to the exam that goes first). It answers what a piece of evidence
is worth, what is known so far and what is still hidden; disclosure, shaping and generated rubrics read it.
"""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx

from clinic_sim.cases.case import Case
from clinic_sim.cases.reference import CodedDiagnosis

BASIS_WORTH = 3
"""Evidence that proves the diagnosis weighs at least as much as a decisive fact."""
RED_FLAG_WORTH = 2


class CaseGraph:
    """The evidence graph of one case; immutable once built."""

    __slots__ = ("_parents", "_total", "_worth", "case", "graph")

    def __init__(self, case: Case) -> None:
        self.case = case
        self.graph: nx.DiGraph[str] = nx.DiGraph()
        self._build()
        self._worth = self._weigh()
        self._total = float(sum(self._worth.values()))

    def worth(self, evidence: str) -> float:
        """What a fact or exam (by id) is worth for this case: 0 (noise) to 3; an echo is worth nothing of its own."""
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
        if node not in self.graph:
            return []
        found = {u.split(":", 1)[1] for u, _, data in self.graph.in_edges(node, data=True) if data["kind"] == kind}
        return [e for e in self._worth if e in found]

    def _build(self) -> None:
        case, graph = self.case, self.graph
        for fact in case.facts:
            graph.add_node(f"fact:{fact.id}", label=fact.statement)
        for exam in case.exams:
            graph.add_node(f"exam:{exam.id}", label=exam.name or exam.code)
            graph.add_node(f"finding:{exam.id}", label=exam.report)
            graph.add_edge(f"exam:{exam.id}", f"finding:{exam.id}", kind="reveals")
        by_code = {code: exam.id for exam in case.exams for code in exam.codes}
        for exam in case.exams:
            for code in exam.requires:
                if code in by_code:
                    graph.add_edge(f"exam:{exam.id}", f"exam:{by_code[code]}", kind="requires")
        if case.diagnosis:
            primary = diagnosis_node(case.diagnosis.primary)
            for coded in (case.diagnosis.primary, *case.diagnosis.comorbid, *case.diagnosis.differential):
                graph.add_node(diagnosis_node(coded), label=coded.name)
            for evidence in case.diagnosis.basis:
                graph.add_edge(self._node(evidence), primary, kind="supports")
            for other in case.diagnosis.differential:
                for evidence in other.supported_by:
                    graph.add_edge(self._node(evidence), diagnosis_node(other), kind="supports")
                for evidence in other.refuted_by:
                    graph.add_edge(self._node(evidence), diagnosis_node(other), kind="refutes")
        for item in case.treatment:
            graph.add_node(f"tx:{item.id}", label=item.name)
            for evidence in item.indicated_by:
                graph.add_edge(self._node(evidence), f"tx:{item.id}", kind="indicates")
            if not item.indicated_by and case.diagnosis:
                graph.add_edge(diagnosis_node(case.diagnosis.primary), f"tx:{item.id}", kind="indicates")
        for ban in case.contraindicated:
            graph.add_node(f"ban:{ban.id}", label=ban.name)
            for evidence in ban.because:
                graph.add_edge(self._node(evidence), f"ban:{ban.id}", kind="contraindicates")

    def _node(self, evidence: str) -> str:
        fact = f"fact:{evidence}"
        return fact if fact in self.graph else f"finding:{evidence}"

    def _weigh(self) -> dict[str, float]:
        case = self.case
        worth = {f.id: 0.0 if f.echo_of else float(f.importance.weight) for f in case.facts}
        for exam in case.exams:
            worth[exam.id] = 3.0 if exam.essential else 0.0 if exam.noise or exam.pending else 0.5
        bans = {e for ban in case.contraindicated for e in ban.because}
        basis = set(case.diagnosis.basis) if case.diagnosis else set()
        flags = {e for flag in case.red_flags for e in (*flag.facts, *flag.exams)}
        echoes = {f.id: f.echo_of for f in case.facts if f.echo_of}
        for ids, least in ((basis, BASIS_WORTH), (bans, BASIS_WORTH), (flags, RED_FLAG_WORTH)):
            for evidence in sorted(ids):
                target = echoes.get(evidence, evidence)
                worth[target] = max(worth[target], float(least))
        return worth


def diagnosis_node(diagnosis: CodedDiagnosis) -> str:
    """The graph's node of a diagnosis: by code, or by name where it has none."""
    return f"dx:{diagnosis.icd10 or diagnosis.name}"
