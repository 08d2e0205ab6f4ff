"""Whether the allowed facts hold what words name, as a concept or in their very words."""

from __future__ import annotations

import re

from clinic_sim.clinic.patient.speech.heard import beginning, name_of
from clinic_sim.clinic.patient.speech.profile import Profile
from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.scan import Mention
from clinic_sim.knowledge.text import stem

Found = tuple[str, str]
"""A kind of objection and the words objected to."""


WORDS = re.compile(r"[a-z]+(?:'[a-z]+)?")


def supported(profile: Profile, mention: Mention, folded: str, allowed: int) -> bool:
    """Whether an allowed fact holds what is named, as a concept or in its very words."""
    id_ = name_of(mention.id)
    if profile.about.get(id_, 0) & allowed:
        return True
    if id_.startswith("icd:") and profile.codes.get(icd10.category(id_[4:]), 0) & allowed:
        return True
    return in_words(profile, folded[mention.start : mention.end], allowed)


def in_words(profile: Profile, words: str, allowed: int) -> bool:
    """Whether all the words stand in allowed facts."""
    held = profile.stems
    latin = [w for w in WORDS.findall(words) if len(w) > 2]
    for word in latin:
        if not (held.get(stem(word), 0) | held.get(beginning(word), 0)) & allowed:
            return False
    pairs = [words[i : i + 2] for i in range(len(words) - 1) if words[i] > "\u33ff" and words[i + 1] > "\u33ff"]
    return bool(latin or pairs) and all(held.get(pair, 0) & allowed for pair in pairs)
