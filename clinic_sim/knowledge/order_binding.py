"""Which regions belong to which modality: "CT of the chest and abdomen", "chest X-ray, renal ultrasound", 头颅CT和MRI.

Works on the hits of one utterance, in order, each knowing how it connects to the one before. First the regions that
stand directly before a modality are bound to it, then those behind; a modality left without a region shares its
neighbour's; what is still without one may take the seat of the complaint mentioned in the same breath.
"""

from __future__ import annotations

from enum import IntEnum


class Link(IntEnum):
    """How a piece connects to the one before it."""

    APART = 0
    """Words stand between that are no part of an order, or a sentence ends."""
    LISTED = 1
    """A comma, a conjunction."""
    CLOSE = 2
    """Nothing but fillers."""


class Piece:
    """A phrase of an order that names something."""

    __slots__ = (
        "bare",
        "bound",
        "end",
        "exams",
        "hand",
        "link",
        "modality",
        "part",
        "regions",
        "seat",
        "sentence",
        "start",
        "taken",
    )

    def __init__(self, start: int, end: int, link: Link, sentence: int) -> None:
        self.start = start
        self.end = end
        self.link = link
        self.sentence = sentence
        self.exams: tuple[str, ...] = ()
        self.modality: str | None = None
        self.regions: tuple[str, ...] = ()
        self.hand = False
        """Done by hand and eye."""
        self.bare = False
        """A finding or a part of the body: an order only where nothing else stands beside it."""
        self.part = 0
        """Number of the stretch of the list it stands in."""
        self.seat = False
        """A region named as the seat of a complaint."""
        self.taken = False
        """A region that a modality has."""
        self.bound: list[Piece] = []
        """Regions of a modality."""

    def _is_region(self) -> bool:
        return bool(self.regions) and self.modality is None and not self.seat

    def free_region(self) -> bool:
        """A region that no modality has yet."""
        return not self.taken and self._is_region()

    def may_follow(self, owner: Piece) -> bool:
        """A region for any modality; for a manoeuvre also what else is examined by hand (reflexes, gait)."""
        if owner.hand and self.hand and self.modality is None:
            return not self.taken and not self.seat
        return self.free_region()


def bind(pieces: list[Piece]) -> None:
    """Give every modality its regions."""
    for at, piece in enumerate(pieces):
        if piece.modality is not None:
            _bind_before(pieces, at)
    for at, piece in enumerate(pieces):
        if piece.modality is not None and not piece.bound:
            _bind_behind(pieces, at)
    _share(pieces)
    _bind_far(pieces)


def _bind_before(pieces: list[Piece], at: int) -> None:
    link = pieces[at].link
    while at > 0 and link is not Link.APART and pieces[at - 1].free_region():
        if pieces[at].modality is not None and link is not Link.CLOSE:
            return
        before = pieces[at - 1]
        # "MRI brain and chest CT": the brain follows its own modality closely.
        behind_other = (
            at > 1
            and pieces[at - 2].modality is not None
            and not pieces[at - 2].bound
            and before.link is Link.CLOSE
            and pieces[at].modality is None
        )
        if behind_other:
            return
        before.taken = True
        owner = next(p for p in pieces[at:] if p.modality is not None)
        owner.bound.insert(0, before)
        at -= 1
        link = before.link


def _bind_behind(pieces: list[Piece], at: int) -> None:
    owner = pieces[at]
    wanted = Link.CLOSE
    for follower in pieces[at + 1 :]:
        if follower.link < wanted or not follower.may_follow(owner):
            return
        follower.taken = True
        owner.bound.append(follower)
        wanted = Link.LISTED


def _share(pieces: list[Piece]) -> None:
    """ "Brain CT and MRI", "CT and MRI of the brain": neighbours in a list share the regions."""
    last: Piece | None = None
    for at, piece in enumerate(pieces):
        if piece.link is Link.APART or (piece.exams and not piece.regions and piece.modality is None):
            last = None
        if piece.modality not in (None, "phys"):
            led_on = at + 1 < len(pieces) and pieces[at + 1].link is Link.CLOSE
            if not piece.bound and last is not None and not led_on:
                piece.bound = list(last.bound)
            last = piece if piece.bound else None
    following: Piece | None = None
    for at in range(len(pieces) - 1, -1, -1):
        piece = pieces[at]
        if piece.modality not in (None, "phys"):
            if not piece.bound and following is not None:
                piece.bound = list(following.bound)
            behind = bool(piece.bound) and piece.bound[0].start > piece.start
            following = piece if behind and piece.link is not Link.APART else None
        elif not piece.taken:
            following = None


def _bind_far(pieces: list[Piece]) -> None:
    """A region elsewhere in the sentence, the seat of the complaint included, when there is only one."""
    wanting = [p for p in pieces if p.modality not in (None, "phys") and not p.bound]
    for owner in wanting:
        near = [p for p in pieces if p.regions and p.modality is None and p.sentence == owner.sentence]
        if len({p.regions for p in near}) == 1:
            owner.bound = [near[0]]
    for owner in wanting:
        for region in owner.bound:
            region.taken = True
