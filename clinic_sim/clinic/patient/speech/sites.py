"""Places of the body that words name: a place that no allowed fact has, with movement or placement, is a claim."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clinic_sim.clinic.patient.speech.attributes import NEAR_EN, NEAR_ZH
from clinic_sim.clinic.patient.speech.heard import Heard
from clinic_sim.clinic.patient.speech.hearing import Mode, feared
from clinic_sim.clinic.patient.speech.profile import Profile
from clinic_sim.clinic.patient.speech.support import Found, in_words
from clinic_sim.clinic.patient.speech.tables import pattern
from clinic_sim.knowledge.concepts import ontology

_JUST_AFTER = 8


_TOWARDS, _PLACED = pattern("towards"), pattern("placed")


_BACK = re.compile(r"(?:my|his|her|the|your|lower|upper|mid|middle|whole) $")


def sites(profile: Profile, heard: Heard, allowed: int, asked: Heard | None) -> Iterator[Found]:
    """Places that something moved to, or was placed at, and that no allowed fact has."""
    known = ontology()
    speech = heard.speech
    composed = {(m.start, m.end) for m in heard.mentions if m.id.startswith("sx.")}
    for mention in heard.mentions:
        if not mention.id.startswith("site.") or (mention.start, mention.end) in composed:
            continue
        if speech.mode(mention.start) in (Mode.WISHES, Mode.UNSURE):
            continue
        if mention.id in ("site.body", "site.skin", "site.blood", "site.muscle"):
            continue
        words = speech.folded[mention.start : mention.end]
        if words == "back" and not _BACK.search(speech.folded[: mention.start]):
            continue
        reach = NEAR_ZH if speech.chinese else NEAR_EN
        before = re.split(r"[,.;!?。、]", speech.folded[max(0, mention.start - reach) : mention.start])[-1]
        if not _TOWARDS.search(before) and not _PLACED.search(before):
            continue
        if _AS_IF.search(before) or words in _BITS or feared(speech.folded, mention.start):
            continue
        if profile.about.get(mention.id, 0) & allowed or in_words(profile, words, allowed):
            continue
        if len(words) == 1 and in_words(profile, speech.folded[mention.start : mention.end + 1], allowed):
            continue  # 颈 of 颈椎
        if any(
            mention.end <= m.start <= mention.end + _JUST_AFTER
            and mention.id in known.closure(m.id)
            and not any(
                o.start == m.start and o.id.startswith("sx.") and mention.id not in known.closure(o.id)
                for o in heard.mentions
            )
            for m in heard.mentions
            if m.id.startswith("sx.")
        ):
            continue  # judged with the complaint that it is the place of
        over = known.ancestors(mention.id)[1:]
        if any(profile.about.get(a, 0) & allowed and a in _PARTS_TOO for a in over):
            continue
        if mention.id in ("site.foot", "site.ankle") and profile.about.get("site.leg", 0) & allowed:
            continue
        limb = "site.limb" in over or mention.id in ("site.hand", "site.foot", "site.arm", "site.leg")
        if limb and (profile.exact_present.get("site.limb", 0) or 0) & allowed:
            continue
        kind = "unchosen" if profile.about.get(mention.id, 0) else "invention"
        yield kind, speech.text[mention.start : mention.end]


_AS_IF = re.compile(r"像|好比|\blike\b|as if|as though")


_BITS = frozenset({"骨", "骨头", "筋", "肉", "皮", "心"})


_PARTS_TOO = frozenset({"site.hand", "site.foot", "site.eye", "site.mouth", "site.throat"})
