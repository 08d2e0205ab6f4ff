"""Guesses at the illness: what somebody thinks, said, read or looked up, where it touches what the reference is.

Beside such words less is needed to give the answer away: one word of its names, its organ, or what went wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from clinic_sim.clinic.patient.speech.heard import Heard
from clinic_sim.clinic.patient.speech.profile import Profile
from clinic_sim.clinic.patient.speech.reference import Reference
from clinic_sim.clinic.patient.speech.support import WORDS, Found, in_words
from clinic_sim.clinic.patient.speech.tables import pattern, word_list
from clinic_sim.knowledge.text import stem

_GUESS_EN, _GUESS_ZH = pattern("guess.en"), pattern("guess.zh")
_THING, _NAMED_IT = pattern("guess.thing"), pattern("named.it")
_REACH_EN, _REACH_ZH = 70, 24
_MOOD_PROCESSES = frozenset({"proc.vague"})
_FELT = frozenset({"organ.joint", "organ.eye", "organ.breast", "organ.stomach", "organ.bowel", "organ.blood"})
_FEELS_SO = word_list("feels.so")
"""Words for what went wrong that are said of how one feels as well."""
_TAIL, _BACK = 14, 110
_LONG_STEM = 6
_HEARTS = frozenset({"心", "heart", "脑子", "脑子里", "脑袋", "脑", "脑袋里"})
"""With which people feel and think."""
_HAN_PAIR = re.compile("(?=([\u3400-\u9fff]{2}))")


def guessed(profile: Profile, heard: Heard, allowed: int, reference: Reference, asked: Heard | None) -> Iterator[Found]:
    """Guesses that touch the reference, and explanations of it without a name."""
    if _touches(heard, reference):
        yield from _touching(profile, heard, allowed, reference, asked)
    yield from _by_name(profile, heard, allowed, asked)


def _touches(heard: Heard, reference: Reference) -> bool:
    """Whether there is anything in the words that a guess could touch; most answers hold nothing."""
    if any(m.id.startswith(("proc.", "organ.")) for m in heard.mentions):
        return True
    folded = heard.speech.folded
    if heard.speech.chinese and any(pair in reference.name_pairs for pair in _HAN_PAIR.findall(folded)):
        return True
    return heard.speech.english and not reference.name_stems.isdisjoint(map(stem, WORDS.findall(folded)))


def _touching(
    profile: Profile, heard: Heard, allowed: int, reference: Reference, asked: Heard | None
) -> Iterator[Found]:
    folded = heard.speech.folded
    for start, end, back in _frames(heard):
        here = folded[start:end]
        broken = any(m.id.startswith("proc.") for m in heard.mentions if start <= m.start < end)
        for mention in heard.mentions:
            if not start <= mention.start < end or not mention.id.startswith(("proc.", "organ.")):
                continue
            words = folded[mention.start : mention.end]
            if in_words(profile, words, allowed) or (asked is not None and words in asked.speech.folded):
                continue
            if profile.guesses & allowed or words in _HEARTS:
                continue  # whoever tells what they think of may put it in other words
            if mention.id.startswith("organ."):
                told = mention.id not in _FELT and (not back or broken)
            else:
                told = mention.id not in _MOOD_PROCESSES and words not in _FEELS_SO and not back
            if told:
                yield "leak:diagnosis", heard.speech.text[start:end]
                return
        for match in WORDS.finditer(here) if heard.speech.english else ():
            word = stem(match.group())
            if len(word) < (_LONG_STEM if back else 4):
                continue
            if (
                word in reference.name_stems
                and not profile.stems.get(word, 0) & allowed
                and not _in(asked, match.group())
            ):
                yield "leak:diagnosis", heard.speech.text[start:end]
                return
        for pair in _HAN_PAIR.findall(here) if heard.speech.chinese else ():
            if pair in reference.name_pairs and not profile.stems.get(pair, 0) & allowed and not _in(asked, pair):
                yield "leak:diagnosis", heard.speech.text[start:end]
                return


def _by_name(profile: Profile, heard: Heard, allowed: int, asked: Heard | None) -> Iterator[Found]:
    """What an illness is said to be called, or to be like, whatever its name."""
    folded = heard.speech.folded
    for match in _NAMED_IT.finditer(folded) if heard.speech.english else ():
        what = match["what"] or match["what2"]
        said = [stem(w) for w in WORDS.findall(what) if len(w) > 3]
        if said and not any(profile.stems.get(w, 0) & allowed for w in said) and not _in(asked, what):
            yield "leak:diagnosis", heard.speech.text[match.start() : match.end()]
            return
    thing = _THING.search(folded)
    if thing is not None:
        yield "leak:diagnosis", thing.group()


def _in(asked: Heard | None, word: str) -> bool:
    return asked is not None and word in asked.speech.folded


def _frames(heard: Heard) -> Iterator[tuple[int, int, bool]]:
    """Where guesses stand: from the cue as far as its sentence goes, or what a cue at its end closes."""
    speech = heard.speech
    for cue, reach, there in ((_GUESS_EN, _REACH_EN, speech.english), (_GUESS_ZH, _REACH_ZH, speech.chinese)):
        for match in cue.finditer(speech.folded) if there else ():
            n = speech.stretch(match.start())
            until = speech.starts[n + 1] if n + 1 < len(speech.starts) else len(speech.folded)
            start = match.start()
            back = until - match.end() < _TAIL
            if back:
                start = max(0, start - _BACK)
            yield start, min(until, match.end() + reach), back


_ACRONYM = re.compile(r"(?<![A-Za-z'-])[A-Z]{3,5}(?![A-Za-z'-])")
_LONG = 9


def abbreviated(text: str, reference: Reference) -> re.Match[str] | None:
    """Capitals that shorten one long word of the names: CMV."""
    for match in _ACRONYM.finditer(text):
        letters = match.group().lower()
        if any(len(w) >= _LONG and w[0] == letters[0] and _within(letters, w) for w in reference.words):
            return match
    return None


def _within(letters: str, word: str) -> bool:
    rest = iter(word)
    return all(letter in rest for letter in letters)
