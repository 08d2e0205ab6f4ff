"""Names of examinations as records have them, resolved to catalogue codes.

A name may be a path (`Complete_Blood_Count > Hemoglobin`): the leaf is read inside its heading, so that the glucose of
a urinalysis is not the glucose of the blood. A heading that names nothing (`Blood_Tests`) and a leaf that names nothing
(`Findings`) are passed over.
"""

from __future__ import annotations

import re
from functools import lru_cache

from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.exam_lexicon import Hit, lexicon, prepare
from clinic_sim.knowledge.order_binding import Piece, bind
from clinic_sim.knowledge.order_codes import bare_codes, codes_of, manoeuvre, modality_table, region_codes
from clinic_sim.knowledge.order_scan import Scan
from clinic_sim.knowledge.text import Language

CodeMatch = tuple[str, ...]
"""Codes that a name means, the best first; a record may carry several (a CT of chest and abdomen)."""

_BROAD_EXAMINATION = re.compile(r"physical|exam|体格|查体|体检|全身检查|一般检查")
"""Too broad to order, but a record's heading for what it says of the patient as a whole."""
_UNDERSTOOD = 0.5
"""Share of a name's letters that may be strange."""
_UNDERSTOOD_EXPLICIT = 0.75
"""The same for a name that holds the unmistakable name of a test."""


def resolve_name(name: str, language: Language | None = None) -> CodeMatch | None:
    """The catalogue codes of a record's examination, None where the catalogue has none.

    Args:
        name: As in the record; `A > B` is B under the heading A. Underscores and hyphens are spaces.
        language: Not needed to read a name; accepted because records know it.
    """
    return _resolve(name)


@lru_cache(maxsize=16_384)
def _resolve(name: str) -> CodeMatch | None:
    context: CodeMatch = ()
    for segment in name.split(">"):
        own = _segment(segment, context)
        if own:
            context = own
    return context or None


def _segment(name: str, context: CodeMatch) -> CodeMatch:
    text, folded = prepare(name.strip())
    hits = lexicon().find(folded, text)
    scan = Scan(folded, hits, lambda hit: _within(hit, context), order=False)
    letters = sum(c.isalnum() for c in folded)
    strange = sum(c.isalnum() for part in scan.parts for a, b in part.residue for c in folded[a:b])
    explicit = any(not piece.bare for piece in scan.pieces)
    if not letters or strange / letters > (_UNDERSTOOD_EXPLICIT if explicit else _UNDERSTOOD):
        return ()
    bind(scan.pieces)
    if any(not p.hand and (p.modality or not p.regions) for p in scan.pieces):
        # The wrist of "joint aspiration, left wrist" is where it was done, not an examination by hand.
        scan.pieces = [p for p in scan.pieces if not (p.bare and p.modality is None)]
    book = catalogue()
    found: dict[str, None] = {}
    for piece in scan.pieces:
        found.update(dict.fromkeys(_codes(piece, context)))
    if not found and any(_BROAD_EXAMINATION.search(folded[v.start : v.end]) for v in scan.vague):
        return ("phys.general",)
    if context and any(code in book.ancestors(c) for code in found for c in context):
        return context  # "Skin biopsy > Histopathology" is still the biopsy of the skin.
    if context and tuple(found) == ("phys.general",):
        return context
    if found and any(c.startswith(_FLUIDS) for c in context) and not any(_akin(c, f) for f in found for c in context):
        return context  # White cells and Gram stain of a joint's fluid are no blood count and no wound culture.
    # A heading that a part of the body stands under keeps its say: the legs of a neurological examination.
    bare = all(p.bare and p.modality is None for p in scan.pieces)
    if found and context and bare and all(_physical(c) and c != "phys.general" for c in context):
        return tuple(dict.fromkeys((*_related(context, found), *found)))
    return tuple(found)


def _related(context: CodeMatch, found: dict[str, None]) -> CodeMatch:
    """The heading's codes, unless what was found already lies within them."""
    book = catalogue()
    inside = all(any(c == code or c in book.ancestors(code) for c in context) for code in found)
    return () if inside else context


def _physical(code: str) -> bool:
    return catalogue()[code].kind == "physical"


def _within(hit: Hit, context: CodeMatch) -> tuple[str, ...]:
    """What a phrase means under a heading: a component of the heading before anything else."""
    entry = hit.entry
    if context:
        book = catalogue()
        inside = [
            code
            for code in (*entry.scoped, *entry.exams)
            if any(c == code or c in book.ancestors(code) for c in context)
            or (code in entry.scoped and any(_akin(c, code) for c in context))
        ]
        if inside:
            return tuple(inside)
    return entry.exams


_FLUIDS = ("lab.fluid", "lab.csf", "proc.arthrocentesis", "proc.thoracentesis", "proc.paracentesis", "proc.lumbar")
_SPECIMENS = (("lab.urinalysis", "lab.urine", "lab.culture.urine"), ("lab.stool",), ("lab.csf",))


def _akin(one: str, other: str) -> bool:
    """Of the same specimen, or parts of the same examination."""
    if any(one.startswith(group) and other.startswith(group) for group in _SPECIMENS):
        return True
    book = catalogue()
    if one == other or one in book.ancestors(other):
        return True
    return not set(book.ancestors(one)).isdisjoint(book.ancestors(other))


def _codes(piece: Piece, context: CodeMatch) -> CodeMatch:
    if piece.modality is None:
        if piece.taken:
            return ()
        heading = next((m for m in modality_table().values() if m.composes and m.prefix in context), None)
        if heading is not None and piece.regions:
            return region_codes(heading.id, piece.regions, ())
        return bare_codes(piece)
    if piece.bound:
        return tuple(code for codes in codes_of(piece) for code in codes)
    modality = modality_table()[piece.modality]
    if modality.composes:
        return (modality.prefix,) if modality.id != "any" else ()
    by_hand = [code for code in context if _physical(code)]
    return tuple(manoeuvre(modality.id, code) for code in by_hand)
