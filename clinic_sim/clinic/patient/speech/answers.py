"""Bare yes and no: what they claim is in the question."""

from __future__ import annotations

from collections.abc import Iterator

from clinic_sim.clinic.patient.speech.heard import Heard, content, name_of, stems_of, widened
from clinic_sim.clinic.patient.speech.hearing import Mode
from clinic_sim.clinic.patient.speech.profile import Profile
from clinic_sim.clinic.patient.speech.quantity import same
from clinic_sim.clinic.patient.speech.support import Found
from clinic_sim.clinic.patient.speech.tables import pattern

_NO = pattern("answers.no")
_YES = pattern("answers.yes")
_OTHERWISE = pattern("answers.otherwise")
_PLAIN = pattern("asks.plainly")
_OPEN = pattern("asks.openly")
_NO_FAMILY = pattern("family.none")
_ASKS_FAMILY = pattern("asks.family")
_ASKED = ("sx.", "dx.", "drug.", "hx.allergy", "hx.smoking", "hx.alcohol", "hx.surgery", "hx.substance")


def short_answer(folded: str) -> bool:
    """Whether words begin with a yes or a no, so that the question matters."""
    return denies(folded) or affirms(folded)


def denies(folded: str) -> bool:
    """Whether words begin with a no."""
    return _NO.match(folded) is not None


def affirms(folded: str) -> bool:
    """Whether words begin with a yes."""
    return _YES.match(folded) is not None


def answers(profile: Profile, heard: Heard, chosen: int, asked: Heard | None) -> Iterator[Found]:
    """A no to what the one chosen fact affirms, and a yes to what it denies.

    Only where the question is a plain one for a finding and the rest of the words says nothing else of the fact.
    """
    if asked is None:
        return
    own = chosen & ~profile.base
    speech = heard.speech
    question = asked.speech.folded
    if own & profile.family and not own & profile.denials:
        none = _NO_FAMILY.search(speech.folded)
        if none is None and _ASKS_FAMILY.search(question) and not _tells(profile, heard, own, asked):
            none = None if _OTHERWISE.search(speech.folded) else _NO.match(speech.folded)
        if none is not None and own.bit_count() == 1:
            yield "contradiction", none.group()
            return
    if (
        own.bit_count() != 1
        or speech.modes[0] is not Mode.SAYS
        or not _PLAIN.search(question)
        or _OPEN.search(question)
    ):
        return
    no, yes = _NO.match(speech.folded), _YES.match(speech.folded)
    if no is None and yes is None:
        return
    about = [name_of(m.id) for m in asked.mentions if name_of(m.id).startswith(_ASKED)]
    if no is not None and own & ~profile.denials:
        affirmed = any(profile.about.get(i, 0) & own & ~profile.absent.get(i, 0) for i in about)
        if affirmed and not _OTHERWISE.search(speech.folded) and not _tells(profile, heard, own, asked):
            yield "contradiction", speech.text[no.start() : no.end()]
    elif yes is not None and own & profile.denials and not speech.denials:
        denied = any(profile.absent.get(i, 0) & own & ~profile.present.get(i, 0) for i in about)
        if denied and not _OTHERWISE.search(speech.folded):
            yield "contradiction", speech.text[yes.start() : yes.end()]


_NEGATES = pattern("negates")
_WELL = pattern("blanket.well")
_TOOK_NOTHING = pattern("took.nothing")
_CAREFREE = pattern("carefree")


def turned_round(profile: Profile, heard: Heard, own: int, asked: Heard | None) -> Iterator[Found]:
    """Facts of absence told without any denial, and complaints told as if all were well."""
    speech = heard.speech
    if asked is None or not own or any(mode is not Mode.SAYS for mode in speech.modes):
        return
    if not own & ~profile.denied:
        if not _NEGATES.search(speech.folded) and _PLAIN.search(asked.speech.folded) and not _alternative(asked):
            yield "contradiction", speech.text
        return
    took = profile.about.get("hx.medication", 0) & ~profile.denied
    if (
        not own & ~took
        and _TOOK_NOTHING.search(speech.folded)
        and not any(m.id.startswith(("drug.", "tx:")) for m in heard.mentions)
    ):
        yield "contradiction", speech.text
        return
    if not own & ~profile.fears and own:
        carefree = _CAREFREE.search(speech.folded)
        if (
            carefree is not None
            and not _OTHERWISE_BUT.search(speech.folded[: carefree.start()])
            and not own & profile.denials
        ):
            yield "contradiction", carefree.group()
        return
    if not own & (~profile.family | profile.denied):
        if _WELL.search(speech.folded) and not any(m.id.startswith(("dx.", "icd:", "sx.")) for m in heard.mentions):
            yield "contradiction", speech.text
        return
    if own & (profile.denied | profile.normal | profile.family) or not _WELL.search(speech.folded):
        return
    if _OTHERWISE_BUT.search(speech.folded) or _tells(profile, heard, own, asked):
        return
    symptoms = 0
    for fact, bit in profile.bit.items():
        if bit & own and any(key.startswith("sx.") for key in profile.keys[fact]):
            symptoms |= bit
    if symptoms == own:
        well = _WELL.search(speech.folded)
        yield "contradiction", well.group() if well else speech.text


_OTHERWISE_BUT = pattern("answers.otherwise.but")


def _alternative(asked: Heard) -> bool:
    """Whether a question gives a choice, or asks for more than yes or no."""
    return _ALTERNATIVE.search(asked.speech.folded) is not None


_ALTERNATIVE = pattern("asks.choice")


def _tells(profile: Profile, heard: Heard, own: int, asked: Heard) -> bool:
    """Whether the words tell some of the fact, beyond what the question said."""
    said_stems = content(stems_of(heard.speech.folded)) - stems_of(asked.speech.folded)
    named = {name_of(m.id) for m in asked.mentions}
    for fact in (f for f, bit in profile.bit.items() if bit & own):
        if said_stems & profile.fact_stems[fact]:
            return True
        if any(same(said, known) for said in heard.quantities for known in profile.fact_numbers[fact]):
            return True
        if any(
            m.id.startswith(("sx.", "dx.", "drug.", "tx:", "icd:", "claim.")) and name_of(m.id) not in named
            for m in heard.mentions
            if not widened(m.id).isdisjoint(profile.keys[fact])
        ):
            return True
    return False
