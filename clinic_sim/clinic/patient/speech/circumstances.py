"""Claims about what is around the patient: relatives, work, broken bones, sizes likened to things."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clinic_sim.clinic.patient.speech.heard import Heard, content, stems_of
from clinic_sim.clinic.patient.speech.hearing import Mode, feared
from clinic_sim.clinic.patient.speech.profile import Profile
from clinic_sim.clinic.patient.speech.support import Found, in_words
from clinic_sim.clinic.patient.speech.tables import pattern


def relatives(profile: Profile, heard: Heard, allowed: int) -> Iterator[Found]:
    """A disease of the family that words give to another relative than the facts do."""
    speech = heard.speech
    told = profile.family & allowed
    if not told or not speech.english:
        return
    for mention in heard.mentions:
        if not mention.id.startswith(("dx.", "icd:")) or mention.id in ("dx.disease", "dx.chronic"):
            continue
        here = speech.stretch(mention.start)
        kin = [
            m
            for m in heard.mentions
            if m.id.startswith("kin.") and speech.stretch(m.start) == here and not speech.denied(m.start, m.end)
        ]
        ill = profile.exact_present.get(mention.id, 0) & told
        if not kin or speech.denied(mention.start, mention.end):
            continue
        if ill and all(profile.kin_named & ill and not profile.about.get(m.id, 0) & ill for m in kin):
            yield "contradiction", speech.text[kin[0].start : kin[0].end]
        elif not ill and profile.exact_absent.get(mention.id, 0) & told:
            yield "contradiction", speech.text[mention.start : mention.end]


_ALL_WELL = pattern("all.well")


_WORKS_AS = pattern("works.as")


_TRADE = pattern("is.by.trade")


_FUNCTIONS = frozenset(
    {"hx.urine", "hx.stool", "hx.weight", "hx.appetite", "hx.sleep", "hx.energy", "hx.mood", "hx.menses", "hx.cycle"}
)


def all_well(profile: Profile, heard: Heard, chosen: int) -> Iterator[Found]:
    """A function that is said to be normal where the chosen facts tell that it is not."""
    speech = heard.speech
    for mention in heard.mentions:
        if mention.id not in _FUNCTIONS:
            continue
        well = _ALL_WELL.search(speech.stretch_text(mention.start))
        amiss = profile.present.get(mention.id, 0) & chosen & ~profile.normal
        fine = (profile.normal | profile.absent.get(mention.id, 0)) & chosen
        if well and amiss and not fine and speech.mode(mention.start) is Mode.SAYS:
            yield "contradiction", well.group()


def work(profile: Profile, heard: Heard, allowed: int, chosen: int) -> Iterator[Found]:
    """Another occupation than the chosen facts have, or one where they have none."""
    for match in _TRADE.finditer(heard.speech.folded) if heard.speech.english else ():
        if not in_words(profile, match["trade"], allowed):
            known = in_words(profile, match["trade"], profile.everything)
            yield ("unchosen" if known else "invention"), heard.speech.text[match.start() : match.end()]
    if not profile.occupations & chosen:
        return
    for match in _WORKS_AS.finditer(heard.speech.folded):
        words = match["en"] or match["zh"]
        if not any(profile.stems.get(one, 0) & chosen for one in content(stems_of(words))):
            yield "contradiction", heard.speech.text[match.start() : match.end()]


_BROKE = pattern("broke.bone")


def broken(profile: Profile, heard: Heard, allowed: int) -> Iterator[Found]:
    """A broken bone that no fact has."""
    speech = heard.speech
    for match in _BROKE.finditer(speech.folded):
        if speech.mode(match.start()) is not Mode.SAYS or speech.denied(match.start(), match.end()):
            continue
        broken = profile.about.get("dx.fracture", 0) | profile.about.get("hx.injury", 0) | profile.stems.get("broke", 0)
        if not broken & allowed and not feared(speech.folded, match.start()):
            yield "invention", speech.text[match.start() : match.end()]


_SIZE_ZH = pattern("sizes.zh")


def sizes_zh(profile: Profile, heard: Heard, allowed: int) -> Iterator[Found]:
    """How big something is, likened to a thing: 鸡蛋那么大. A fact with any size may be likened."""
    if any(number.kind == "length" and mask & allowed for number, mask in profile.numbers):
        return
    for match in _SIZE_ZH.finditer(heard.speech.folded):
        if heard.speech.mode(match.start()) is not Mode.SAYS or in_words(profile, match["zh"], allowed):
            continue
        if match["zh"] in "米粒小米" and profile.stems.get("小米", 0) & allowed:
            continue
        yield "invention", match.group()


_KIN_ZH = re.compile("[爸妈爷奶哥姐弟妹叔姑姨舅父母公婆儿女亲]|家里")


_KIN_SAME_ZH = pattern("kin.same.zh")


_KIN_TOO_ZH = pattern("kin.too.zh")


def of_kin_zh(profile: Profile, heard: Heard, allowed: int) -> Iterator[Found]:
    """A complaint of the patient that a relative is said to have had too."""
    speech = heard.speech
    if not _KIN_ZH.search(speech.folded):
        return
    for match in _KIN_SAME_ZH.finditer(speech.folded):
        if speech.mode(match.start()) is Mode.SAYS and not profile.family & allowed:
            yield "invention", speech.text[match.start() : match.end()]
    for mention in heard.mentions:
        if not mention.id.startswith("sx.") or speech.mode(mention.start) is not Mode.SAYS:
            continue
        left = max(speech.folded.rfind(c, 0, mention.start) for c in ",。;!?\n") + 1
        too = _KIN_TOO_ZH.search(speech.folded, left, mention.start)
        if too is None or speech.denied(mention.start, mention.end):
            continue
        if not profile.present.get(mention.id, 0) & profile.family & allowed:
            yield "invention", speech.text[too.start() : mention.end]
