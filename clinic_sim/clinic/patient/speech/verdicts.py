"""What the facts say to one finding that words claim or deny."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from clinic_sim.clinic.patient.speech.disclosure import GENERAL
from clinic_sim.clinic.patient.speech.heard import Heard, name_of
from clinic_sim.clinic.patient.speech.profile import Profile
from clinic_sim.clinic.patient.speech.support import in_words
from clinic_sim.clinic.patient.speech.tables import pattern, table
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.scan import Mention

SOFT = pattern("in.part")


_FORMERLY = pattern("formerly")


SYSTEM = "system"


BLAND = frozenset(
    {
        "sx.unwell",
        "sx.general",
        "sx.psych",
        "sx.concentration",
        "sx.behavior",
        "sx.peers",
        "sx.tooth_problem",
    }
)


def turned(profile: Profile, id_: str, allowed: int, denied: bool, of_kin: Collection[str] = ()) -> bool:
    """Whether the facts have a disease that is denied, or deny one that is claimed."""
    if id_ in GENERAL:
        return False
    has = (profile.exact_present.get(id_, 0) & ~profile.family) & allowed
    lacks = 0
    for above in ontology().ancestors(id_):
        lacks |= profile.exact_absent.get(above, 0)
    lacks &= allowed & ~profile.family
    if of_kin:
        ill = profile.exact_present.get(id_, 0) & profile.family & allowed
        theirs = 0
        for kin in of_kin:
            theirs |= profile.about.get(kin, 0)
        if ill:
            return denied or not theirs & ill
    return bool(has and not lacks) if denied else bool(lacks and not has and not profile.family & allowed)


def verdict(profile: Profile, mention: Mention, heard: Heard, allowed: int, denied: bool) -> str | None:
    known = ontology()
    id_ = name_of(mention.id)
    speech = heard.speech
    present = profile.present.get(id_, 0)
    absent = profile.absent.get(id_, 0)
    denying = profile.exact_absent.get(id_, 0)
    """Facts that deny this or something wider."""
    for above in known.ancestors(id_)[1:] if id_ in known.concepts else ():
        if above.startswith(("sx.", "hx.", "dx.", "drug.")) and above not in _NEVER_DENIED and above not in _WIDE:
            denying |= profile.exact_absent.get(above, 0)
        if not above.startswith("hx." if id_.startswith("hx.") else ("sx.", "dx.", "drug.")):
            continue
        if known.concepts[above].kind == SYSTEM or above in BLAND:
            continue
        if _sites_known(profile, id_, above, allowed) and not _bloody(id_, above):
            present |= profile.exact_present.get(above, 0)
    absent |= denying
    about = profile.about.get(id_, 0)
    opposite = _opposite(id_)
    if opposite is not None and not denied and profile.exact_present.get(opposite, 0) & allowed and not about & allowed:
        return "contradiction"
    words = speech.folded[mention.start : mention.end]
    said = in_words(profile, words, allowed) and _place_allowed(profile, id_, words, allowed)
    stretch = without(_as_far_as(heard, mention), words)
    affirmed = profile.present.get(id_, 0) & allowed
    if denied:
        if absent & allowed or any(profile.exact_absent.get(other, 0) & allowed for other in _like(id_)):
            return None
        taken = id_.startswith("drug.") and _NOT_TAKEN.search(speech.stretch_text(mention.start))
        if affirmed and (taken or id_.startswith(("sx.", "hx."))):
            return None if SOFT.search(stretch) else "contradiction"
        if about & allowed or said:
            return None
        return "unchosen" if (present | absent | about) else "invention"
    denying |= _denied_alike(profile, id_)
    if denying & allowed and not affirmed and id_.startswith(("sx.", "hx.")):
        return None if _FORMERLY.search(stretch) else "contradiction"
    below = profile.absent.get(id_, 0) & allowed
    if below and not present & allowed and id_ in _DENIED_BELOW and not _FORMERLY.search(stretch):
        return "contradiction"
    if (present | about) & allowed or said or _kin(profile, id_, allowed):
        return None
    return "unchosen" if (present | absent | about) else "invention"


_NOT_TAKEN = re.compile(r"(?:n't|not|never|stopped) (?:\w+ )?(?:tak\w+|us\w+|had)\b|[没不](?:在)?[吃用服]")


def _as_far_as(heard: Heard, mention: Mention) -> str:
    """The words of the stretch around a mention; in Chinese no further than its clause."""
    speech = heard.speech
    stretch = speech.stretch_text(mention.start)
    if not speech.chinese:
        return stretch
    at = mention.end - speech.starts[speech.stretch(mention.start)]
    stop = stretch.find(",", at)
    return stretch if stop < 0 else stretch[:stop]


_DENIED_BELOW = frozenset({"sx.swelling", "sx.bleeding", "sx.rash", "sx.cough", "sx.vomiting", "sx.discharge"})
"""Findings that are claimed in short where a fact denies them at their place: "they're swollen"."""
_NEVER_DENIED = frozenset({"hx.past", "dx.disease", "dx.chronic", "hx.living", "sx.general", "hx.injury", "hx.mood"})


@cache
def _like(id_: str) -> tuple[str, ...]:
    """The findings that may be meant by a word for this one."""
    return tuple(dict.fromkeys(other for group in _related("same") if id_ in group for other in group if other != id_))


def _denied_alike(profile: Profile, id_: str) -> int:
    """Facts that deny a finding for which this one is another word: a lump where swelling is denied."""
    if id_ not in _LUMPS:
        return 0
    denying = 0
    for other in _like(id_):
        denying |= profile.exact_absent.get(other, 0)
    return denying


_LUMPS = frozenset({"sx.neck_lump", "sx.lymphadenopathy"})


def _place_allowed(profile: Profile, id_: str, words: str, allowed: int) -> bool:
    """Whether a bare word of the facts may stand for a finding at a place: 出血 of the nose is none of the gums."""
    known = ontology()
    if id_ not in known.concepts or words not in _ANYWHERE:
        return True
    sites = [p for p in known.concepts[id_].parents if p.startswith("site.")]
    return not sites or any(profile.about.get(s, 0) & allowed for s in sites)


_ANYWHERE = frozenset({"出血", "流血", "疼痛", "肿胀", "水肿", "红肿", "bleeding", "swelling"})
"""Words for findings that say nothing of where."""


def _bloody(id_: str, above: str) -> bool:
    """Whether a finding is more than a known one by blood: to vomit blood is not to vomit."""
    known = ontology()
    return "sx.bleeding" in known.closure(id_) and "sx.bleeding" not in known.closure(above)


def _kin(profile: Profile, id_: str, allowed: int) -> bool:
    """Whether an allowed finding is another kind of the same, at no other place: paralysis and weakness of a side.

    So is the function that is not well where nothing says that it is: 睡眠不佳 and 睡不着.
    """
    known = ontology()
    if id_ not in known.concepts:
        return False
    if any(
        profile.exact_present.get(other, 0) & allowed & ~(profile.normal if other.startswith("hx.") else 0)
        for other in _like(id_)
    ):
        return True
    if known.sited(id_) and "sx.pain" in known.closure(id_) and profile.present.get("sx.pain", 0) & allowed:
        spread = profile.about.get("attr.radiation", 0) & allowed
        if any(profile.about.get(s, 0) & spread for s in known.concepts[id_].parents if s.startswith("site.")):
            return True  # where a pain goes to, it is
    if known.sited(id_):
        sites = [p for p in known.concepts[id_].parents if p.startswith("site.")]
        return (
            bool(sites)
            and all(profile.about.get(s, 0) & allowed for s in sites)
            and any(
                profile.exact_present.get(other, 0) & allowed
                for parent in known.concepts[id_].parents
                if parent.startswith("sx.") and known.concepts[parent].kind == "finding"
                for other in (parent, *_like(parent))
            )
        )
    for parent in known.concepts[id_].parents:
        if parent.startswith("hx."):
            if profile.exact_present.get(parent, 0) & allowed & ~profile.normal:
                return True
        elif (
            parent.startswith("sx.")
            and known.concepts[parent].kind == "finding"
            and parent not in _WIDE
            and profile.present.get(parent, 0) & allowed
            and not _bloody(id_, parent)
        ):
            return True
    return False


_WIDE = frozenset(
    {"sx.pain", "sx.swelling", "sx.lump", "sx.bleeding", "sx.discharge", "sx.itch", "sx.ulcer", "sx.redness"}
)


def _sites_known(profile: Profile, id_: str, above: str, allowed: int) -> bool:
    """Whether the places that make a finding more special than a known one are known too."""
    known = ontology()
    extra = [s for s in known.closure(id_) if s.startswith("site.") and s not in known.closure(above)]
    if not extra:
        return True
    own = [s for s in known.concepts[id_].parents if s.startswith("site.")] or extra
    return any(profile.about.get(s, 0) & allowed for s in own)


@cache
def _related(relation: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(listed.split("|")) for kind, listed in table("alike.tsv") if kind == relation)


@cache
def _opposite(id_: str) -> str | None:
    for one, other in _related("opposite"):
        if id_ in (one, other):
            return other if id_ == one else one
    return None


def without(stretch: str, words: str) -> str:
    """A stretch without some of its words."""
    return stretch.replace(words.lower(), " ")
