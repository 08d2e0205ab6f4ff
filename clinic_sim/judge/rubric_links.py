"""What criteria have to do with each other, checked: every id is there, nothing goes in circles, nothing rewards harm.

Two rules keep scores honest. Doing right never costs: what takes away may hang on a criterion that earns only where its
loss can be charged to that criterion alone. Doing harm never pays: nothing that earns hangs on what takes away.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clinic_sim.judge.rubric import Criterion
    from clinic_sim.judge.rubric_parts import Cap, Needs

SAFETY = "safety"
"""The dimension that only takes away, and from the total."""

Place = tuple[str | int, ...]
Problem = tuple[Place, str]
"""Where in the file, and what is wrong."""
_SEPARATOR = "\n"
_WRITTEN = re.compile(r"\A\[(?P<place>[\w.\-]*)\] (?P<text>.*)\Z")


def error(problems: Sequence[Problem]) -> ValueError:
    """The problems as the error of a validator; `read` takes them apart again."""
    return ValueError(_SEPARATOR.join(f"[{'.'.join(map(str, place))}] {text}" for place, text in problems))


def read(message: str) -> Iterator[Problem]:
    """The problems of an error that `error` made; any other message is one problem without a place."""
    for line in message.split(_SEPARATOR):
        found = _WRITTEN.match(line)
        if found is None:
            yield (), line
        else:
            parts = filter(None, found["place"].split("."))
            yield tuple(int(p) if p.isdigit() else p for p in parts), found["text"]


def dotted(place: Place) -> str:
    """The place as it stands before a message."""
    return f"{'.'.join(map(str, place))}: " if place else ""


def problems(
    dimensions: Collection[str],
    criteria: Mapping[int, Criterion],
    alternatives: Sequence[Sequence[str]],
    caps: Sequence[Cap],
    also: Collection[str] = (),
) -> list[Problem]:
    """Everything that does not fit together.

    Args:
        dimensions: Those that are declared.
        criteria: By their place in the file.
        alternatives: Sets of ids.
        caps: Sets of ids with a limit.
        also: Ids that stand in the file although their criteria cannot be read; what speaks of them is let pass.
    """
    check = _Links(dimensions, criteria, also)
    found = [*check.dimensions_hold(), *check.references_hold()]
    if not found:
        found += check.nothing_rewards_harm()
    return [*found, *check.groups_hold(alternatives, caps)]


class _Links:
    def __init__(self, dimensions: Collection[str], criteria: Mapping[int, Criterion], also: Collection[str]) -> None:
        self.dimensions = dimensions
        self.criteria = criteria
        self.also = set(also)
        self.by_id = {c.id: c for c in criteria.values()}

    def dimensions_hold(self) -> Iterator[Problem]:
        seen: set[str] = set()
        for n, c in self.criteria.items():
            if c.id in seen:
                yield ("criteria", n, "id"), f"criterion {c.id!r} stands twice"
            seen.add(c.id)
            if c.dimension == SAFETY:
                if c.points > 0:
                    yield ("criteria", n, "points"), f"criterion {c.id!r}: points of `safety` are negative, or 0"
            elif c.dimension not in self.dimensions:
                known = ", ".join(self.dimensions)
                yield (
                    ("criteria", n, "dimension"),
                    f"criterion {c.id!r}: dimension {c.dimension!r} is not declared; there are {known}, and `safety`",
                )
        if SAFETY in self.dimensions:
            yield ("dimensions", SAFETY), "`safety` is always there and has no weight: do not declare it"
        if self.also:
            return
        for name in self.dimensions:
            if name != SAFETY and not any(c.dimension == name and c.points for c in self.criteria.values()):
                yield ("dimensions", name), f"dimension {name!r} has no criterion with points: nothing counts there"
        if not any(c.points > 0 for c in self.criteria.values()):
            yield ("criteria",), "no criterion has positive points: nothing can be earned"

    def references_hold(self) -> Iterator[Problem]:
        for n, c in self.criteria.items():
            for m, item in enumerate(c.requires):
                where: Place = ("criteria", n, "requires", m)
                for name in (item,) if isinstance(item, str) else item.ids:
                    yield from self._known(where, name, f"criterion {c.id!r} requires")
                if isinstance(item, str) and item in self.by_id and self.by_id[item].generate:
                    yield (
                        where,
                        f"criterion {c.id!r} requires {item!r}, which generates several: say `{{all: {item}}}` or "
                        f"`{{any: {item}}}`",
                    )
            if c.beside:
                yield from self._beside_holds(n, c)
        yield from self._circles()

    def _known(self, where: Place, name: str, who: str) -> Iterator[Problem]:
        if name not in self.by_id and name not in self.also:
            yield where, f"{who} {name!r}, and there is no such criterion"

    def _beside_holds(self, n: int, c: Criterion) -> Iterator[Problem]:
        where: Place = ("criteria", n, "beside")
        # A rubric made for one case holds `item.x` for the `item` of its template.
        others = [o for o in self.by_id.values() if o.id == c.beside or o.id.startswith(f"{c.beside}.")]
        if not others:
            yield from self._known(where, c.beside, f"criterion {c.id!r} stands beside")
        if any(o.check == "judged" for o in others):
            yield where, f"criterion {c.id!r} stands beside {c.beside!r}, which is judged itself: name a verifiable one"

    def _circles(self) -> Iterator[Problem]:
        done: set[str] = set()
        for n, c in self.criteria.items():
            circle = self._circle(c.id, done)
            if circle:
                yield ("criteria", n, "requires"), f"prerequisites go in a circle: {' -> '.join(circle)}"
                return

    def _circle(self, start: str, done: set[str]) -> list[str]:
        stack: list[tuple[str, Iterator[str]]] = [(start, iter(self._direct(start)))]
        path = [start]
        while stack and start not in done:
            below = next(stack[-1][1], None)
            if below is None:
                done.add(stack.pop()[0])
                path.pop()
            elif below in path:
                return [*path[path.index(below) :], below]
            elif below not in done and below in self.by_id:
                stack.append((below, iter(self._direct(below))))
                path.append(below)
        return []

    def _direct(self, name: str) -> list[str]:
        return [i for item in self.by_id[name].needs for i in item.ids] if name in self.by_id else []

    def _behind(self, names: Sequence[str]) -> list[Criterion]:
        """These criteria and all that they require."""
        found: dict[str, Criterion] = {}
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in found and name in self.by_id:
                found[name] = self.by_id[name]
                todo += self._direct(name)
        return [c for c in self.by_id.values() if c.id in found]

    def nothing_rewards_harm(self) -> Iterator[Problem]:
        purses: dict[str, frozenset[str]] = {}
        for n, c in self.criteria.items():
            where: Place = ("criteria", n, "requires")
            behind = self._behind(self._direct(c.id))
            harm = next((o.id for o in behind if o.points < 0 or o.veto), None)
            if c.points > 0 and harm is not None:
                yield where, f"criterion {c.id!r} earns points and requires {harm!r}, which is harm: harm would pay"
            merits = [o for o in behind if o.points > 0]
            if not merits or c.points > 0:
                continue
            if c.veto is not None and c.veto.of == "dimension":
                yield (
                    where,
                    f"veto {c.id!r} requires {merits[0].id!r}, which earns points: doing right would cost; let it "
                    f"require a criterion with 0 points, or be `veto: total`",
                )
            elif c.points < 0 and c.dimension != SAFETY:
                yield from self._charged(where, c, merits, purses)

    def _charged(
        self, where: Place, c: Criterion, merits: Sequence[Criterion], purses: dict[str, frozenset[str]]
    ) -> Iterator[Problem]:
        """The loss can be charged to what it hangs on."""
        needs = c.needs
        hung = [item for item in needs if any(self.by_id[i].points > 0 for i in item.ids)]
        if not hung or len(hung) > 1 or not self._one_purse(hung[0]):
            yield (
                where,
                f"criterion {c.id!r} takes away and hangs on {', '.join(repr(m.id) for m in merits)}, which earn: let "
                f"it hang on one of them, or on `{{any: ...}}` of them, and on criteria with 0 points for the rest",
            )
            return
        purse = frozenset(hung[0].ids)
        elsewhere = next((i for i in sorted(purse) if self.by_id[i].dimension != c.dimension), None)
        if elsewhere is not None:
            yield (
                where,
                f"criterion {c.id!r} takes away in {c.dimension!r} and hangs on {elsewhere!r}, which earns in "
                f"{self.by_id[elsewhere].dimension!r}: put both into one dimension, or the loss into `safety`",
            )
        rest = [i for item in needs if item is not hung[0] for i in item.ids]
        if any(o.points > 0 for o in self._behind(rest)):
            yield (
                where,
                f"criterion {c.id!r}: a prerequisite with 0 points requires one that earns; name that one itself",
            )
        for other, theirs in purses.items():
            if purse & theirs and purse != theirs:
                yield (
                    where,
                    f"criteria {other!r} and {c.id!r} take away from overlapping sets: let them hang on the same",
                )
        purses[c.id] = purse

    def _one_purse(self, item: Needs) -> bool:
        own = [self.by_id[i] for i in item.ids]
        if not all(o.points > 0 for o in own):
            return False
        return bool(item.any) or (len(own) == 1 and not own[0].generate)

    def groups_hold(self, alternatives: Sequence[Sequence[str]], caps: Sequence[Cap]) -> Iterator[Problem]:
        sets: list[tuple[Place, str, Sequence[str]]] = [
            *((("alternatives", n), "alternatives", ids) for n, ids in enumerate(alternatives)),
            *((("caps", n, "of"), "a cap", cap.of) for n, cap in enumerate(caps)),
        ]
        seen: dict[tuple[str, str], int] = {}
        for at, what, ids in sets:
            for m, name in enumerate(ids):
                where: Place = (*at, m)
                yield from self._known(where, name, f"{what}:" if what == "alternatives" else f"{what} of")
                if (what, name) in seen:
                    yield where, f"criterion {name!r} stands twice in {what if what == 'alternatives' else 'caps'}"
                seen[what, name] = 1
                if name in self.by_id and self.by_id[name].points <= 0:
                    yield where, f"criterion {name!r} earns nothing: only criteria with positive points have {what}"
            own = [self.by_id[i] for i in ids if i in self.by_id]
            if len({c.dimension for c in own}) > 1:
                yield at, f"{', '.join(repr(c.id) for c in own)} stand in different dimensions: keep them in one"
            if what == "alternatives" and len(ids) < 2 and not any(c.generate for c in own):
                yield at, "one criterion has no alternative: name two or more"
        for n, ids in enumerate(alternatives):
            for m, cap in enumerate(caps):
                inside = [i for i in ids if i in cap.of]
                if inside and len(inside) < len(ids):
                    yield (
                        ("caps", m, "of"),
                        f"holds only {', '.join(map(repr, inside))} of alternatives {n}: take all or none",
                    )
