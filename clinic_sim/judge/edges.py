"""Why a generated criterion exists: the edges of the case graph that it comes from, in words."""

from __future__ import annotations

from collections.abc import Iterator

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.judge.rubric import CheckName


def reason(check: CheckName, target: str, compiled: CompiledCase) -> str:
    """The edges behind the criterion that a check makes of a part of the case, `fact:fever supports dx:J18.9`."""
    found = dict.fromkeys(_edges(check, target, compiled))
    if found:
        return "; ".join((*found, *_beside(check, target, compiled)))
    return "; ".join(_without_edge(check, target, compiled))


def _edges(check: CheckName, target: str, compiled: CompiledCase) -> Iterator[str]:
    if check == "fact_disclosed":
        for fact in (target, *compiled.echoes.get(target, ())):
            yield from _from(f"fact:{fact}", compiled)
    elif check == "exam_ordered":
        yield from _from(f"exam:{target}", compiled)
        yield from _from(f"finding:{target}", compiled)
    elif check == "red_flag_covered":
        flag = next(f for f in compiled.case.red_flags if f.id == target)
        for fact in flag.facts:
            yield from _from(f"fact:{fact}", compiled)
        for exam in flag.exams:
            yield f"exam:{exam} reveals finding:{exam}"
            yield from _from(f"finding:{exam}", compiled)
    elif check == "treatment_covered":
        yield from _to(f"tx:{target}", compiled)
    elif check == "contraindicated":
        yield from _to(f"ban:{target}", compiled)


def _from(node: str, compiled: CompiledCase) -> Iterator[str]:
    for _, end, data in compiled.graph.graph.out_edges(node, data=True):
        yield f"{node} {data['kind']} {_named(end, compiled)}"


def _to(node: str, compiled: CompiledCase) -> Iterator[str]:
    for start, _, data in compiled.graph.graph.in_edges(node, data=True):
        yield f"{_named(start, compiled)} {data['kind']} {node}"


def _named(node: str, compiled: CompiledCase) -> str:
    """The node; a diagnosis with its name, as a code alone tells an author little."""
    if not node.startswith("dx:"):
        return node
    label = compiled.graph.graph.nodes[node].get("label", "")
    return f"{node} ({label})" if label and label != node.removeprefix("dx:") else node


def _beside(check: CheckName, target: str, compiled: CompiledCase) -> Iterator[str]:
    """What bears on its points and is no edge."""
    case = compiled.case
    if check == "fact_disclosed":
        yield f"worth {compiled.graph.worth(target):g}"
    elif check == "red_flag_covered":
        yield next(f"red flag: {f.statement}" for f in case.red_flags if f.id == target)
    elif check == "treatment_covered":
        yield next(f"{t.priority}" for t in case.treatment if t.id == target)
    elif check == "contraindicated":
        yield next(f"{b.reason}, severity {b.severity}" for b in case.contraindicated if b.id == target)


def _without_edge(check: CheckName, target: str, compiled: CompiledCase) -> Iterator[str]:
    """Nothing in the graph speaks of it: what the case itself says of its importance."""
    if target == "history":
        yield "the whole history, weighted by what it is worth"
    if check == "fact_disclosed":
        importance = compiled.by_id[target].importance
        yield f"fact:{target} is {importance} in the history, with no edge of its own"
        flags = [f.id for f in compiled.case.red_flags if target in f.facts]
        yield from (f"it covers red flag {flag}" for flag in flags)
    yield from _beside(check, target, compiled)
