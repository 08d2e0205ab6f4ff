"""What words give away: the diagnosis by name, hint or mechanism, results and treatment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.patient.speech.disguise import disguised
from clinic_sim.clinic.patient.speech.guesses import abbreviated, guessed
from clinic_sim.clinic.patient.speech.heard import Heard, beginning
from clinic_sim.clinic.patient.speech.leaks import hinted, misspelt, partly_named, partly_named_zh, phrase, run_together
from clinic_sim.clinic.patient.speech.profile import Profile
from clinic_sim.clinic.patient.speech.reference import Reference, reference_of
from clinic_sim.clinic.patient.speech.results import operations, operations_zh, results, treatments
from clinic_sim.clinic.patient.speech.support import WORDS, Found, in_words, supported
from clinic_sim.clinic.patient.speech.tables import pattern, word_list
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.scan import Mention
from clinic_sim.knowledge.text import stem

_REACH = 60


GENERAL = frozenset(
    {
        *(
            "dx.disease",
            "dx.chronic",
            "dx.infectious",
            "dx.cardiovascular",
            "dx.respiratory",
            "dx.gi",
            "dx.neurological",
        ),
        *(
            "dx.endocrine",
            "dx.psychiatric",
            "dx.skin",
            "dx.eye",
            "dx.ent",
            "dx.msk",
            "dx.gyn",
            "dx.genetic",
            "dx.allergic",
        ),
    }
)


def leaked(
    compiled: CompiledCase, profile: Profile, heard: Heard, allowed: int, asked: Heard | None
) -> Iterator[Found]:
    """Every disclosure, with its words."""
    reference = reference_of(compiled)
    folded = heard.speech.folded
    yield from _names(profile, heard, allowed, reference)
    yield from _diseases(profile, heard, allowed, reference)
    yield from _mechanisms(profile, heard, allowed, reference, asked)
    if reference.names:
        yield from guessed(profile, heard, allowed, reference, asked)
    yield from treatments(profile, heard, allowed, reference)
    if heard.speech.english:
        yield from operations(profile, heard, allowed, reference)
    if heard.speech.chinese:
        yield from operations_zh(profile, heard, allowed)
        partly = partly_named_zh(folded, reference)
        if partly is not None and not in_words(profile, partly[:2], allowed):
            yield "leak:diagnosis", partly
    yield from results(profile, heard, allowed, reference, asked)
    hint = hinted(folded, reference) or partly_named(folded, reference)
    if hint is not None and (compiled.case.diagnosis is not None):
        yield "leak:diagnosis", hint


def _names(profile: Profile, heard: Heard, allowed: int, reference: Reference) -> Iterator[Found]:
    speech = heard.speech
    if speech.english:
        for match in WORDS.finditer(speech.folded):
            word = match.group()
            if len(word) < 4:
                continue
            known = stem(word)
            if (profile.stems.get(known, 0) | profile.stems.get(beginning(word), 0)) & allowed & ~profile.base:
                continue
            if profile.stems.get(known, 0) & allowed:
                continue
            if (
                known in reference.stems
                or word in reference.backwards
                or (len(word) >= 5 and misspelt(word.removesuffix("'s"), reference))
            ):
                yield "leak:diagnosis", speech.text[match.start() : match.end()]
        if reference.abbreviations is not None:
            found = reference.abbreviations.search(speech.text)
            if found:
                yield "leak:diagnosis", found.group()
        short = None if speech.text.isupper() else abbreviated(speech.text, reference)
        if (
            short is not None
            and short.group() not in _CAPITALS_TOO
            and not in_words(profile, short.group().lower(), allowed)
        ):
            tests = (m for m in heard.mentions if m.id.startswith("exam:"))
            if not any(m.start <= short.start() < m.end for m in tests):
                yield "leak:diagnosis", short.group()
        if not speech.text.isupper() and _WRITTEN.search(speech.folded):
            for letters in _LETTERS.finditer(speech.text):
                word = letters.group()
                if word not in _CAPITALS_TOO and not in_words(profile, word.lower(), allowed):
                    yield "leak:diagnosis", word
        named = phrase(WORDS.findall(speech.folded), reference)
        if named is not None and not in_words(profile, named, allowed):
            yield "leak:diagnosis", named
        run = run_together(speech.folded, reference)
        if run is not None and not _is_allowed_run(run, profile, allowed):
            yield "leak:diagnosis", run
    if speech.chinese and reference.chinese is not None:
        for found in reference.chinese.finditer(speech.folded):
            pairs = {found.group()[i : i + 2] for i in range(len(found.group()) - 1)}
            if not all(profile.stems.get(p, 0) & allowed for p in pairs):
                yield "leak:diagnosis", found.group()

    if reference.han_names:
        worn = disguised(speech.folded, reference.han_names, chinese=speech.chinese)
        if worn is not None and not in_words(profile, worn.group(), allowed):
            yield "leak:diagnosis", speech.text[worn.start() : worn.end()]


def _is_allowed_run(run: str, profile: Profile, allowed: int) -> bool:
    """Whether the letters are those of words that a fact holds."""
    held = sorted((s for s, mask in profile.stems.items() if mask & allowed and s in run), key=len, reverse=True)
    left = run
    for one in held:
        if len(one) > 2:
            left = left.replace(one, "")
    return len(left) <= len(run) // 3


_LETTERS = re.compile(r"(?<![A-Za-z'])(?:[A-Z]{1,4}/[A-Z]{2,5}|[A-Z]{3,6})(?![A-Za-z'])")
_WRITTEN = pattern("written.down")
_CAPITALS_TOO = word_list("capitals.words") | word_list("capitals.shouted")
"""Letters that stand for no disease, and words that people shout."""


_RELATIVE = pattern("relatives")
_THEY = re.compile(r"\b(?:he|she|him|her|they|them)\b")
_ME = re.compile(r"\b(?:i|i'm|i've|my|me)\b")


def _diseases(profile: Profile, heard: Heard, allowed: int, reference: Reference) -> Iterator[Found]:
    folded = heard.speech.folded
    known = ontology().concepts
    relative = (
        profile.by_proxy
        or _RELATIVE.search(folded) is not None
        or (bool(profile.family & allowed) and _THEY.search(folded) is not None and _ME.search(folded) is None)
    )
    spans: dict[tuple[int, int], list[str]] = {}
    for mention in heard.mentions:
        if mention.id.startswith(("icd:", "dx.")):
            spans.setdefault((mention.start, mention.end), []).append(mention.id)
    felt = {(m.start, m.end) for m in heard.mentions if m.id.startswith("sx.")}
    for (start, end), ids in spans.items():
        if set(ids) <= GENERAL or (start, end) in felt:
            continue
        words = heard.speech.text[start:end]
        if words.lower() in _WEATHER or (
            words.lower() in _ANY_INFECTION and profile.inflamed & allowed & ~profile.base
        ):
            continue
        if words in _CAUGHT and profile.untriggered & allowed and heard.speech.denied(start, end):
            continue
        holding = allowed if relative else allowed & ~profile.family
        if any(supported(profile, Mention(start, end, i), folded, holding) for i in ids):
            continue
        near = any(i in reference.concepts for i in ids) or any(
            reference.near(i[4:]) for i in ids if i.startswith("icd:")
        )
        if near:
            yield "leak:diagnosis", words
        elif _by_its_place(profile, folded[start:end], holding):
            continue
        elif any(profile.about.get(i, 0) & profile.everything for i in ids if i in known) and not any(
            profile.about.get(i, 0) & allowed for i in ids
        ):
            yield "unchosen", words
        else:
            yield "invention", words


_ANY_DISEASE = re.compile(
    r"\b(?:infect\w*|diseases?|problems?|conditions?|troubles?|disorders?|illness(?:es)?|syndrome|attacks?|bug|virus)\b|感染|疾病|病|问题|毛病|炎症?|症"
)


def _by_its_place(profile: Profile, words: str, allowed: int) -> bool:
    """Whether a disease is only named by what the facts name: an infection of the part that was infected."""
    rest = _ANY_DISEASE.sub(" ", words)
    return rest != words and in_words(profile, rest, allowed)


_CAUGHT = frozenset({"着凉", "受凉", "感冒", "cold", "a cold"})
"""What people deny to say that it came for no reason."""
_ANY_INFECTION = frozenset(
    {"infection", "infections", "an infection", "infected", "inflammation", "感染", "发炎", "炎症"}
)
_WEATHER = frozenset({"cold", "colds"})
"""Words for a disease that are more often something else."""


def _mechanisms(
    profile: Profile, heard: Heard, allowed: int, reference: Reference, asked: Heard | None
) -> Iterator[Found]:
    """An organ and what went wrong in it, side by side."""
    folded = heard.speech.folded
    organs = [m for m in heard.mentions if m.id.startswith("organ.")]
    processes = [m for m in heard.mentions if m.id.startswith("proc.")]
    for process in processes:
        for organ in organs:
            left, right = min(process.end, organ.end), max(process.start, organ.start)
            between = folded[left:right]
            if right - left > _REACH or any(c in between for c in ".!?;。"):
                continue
            if (organ.id, process.id) in _SYMPTOMS:
                continue
            if process.id == "proc.inflame" and profile.inflamed & allowed and not reference.organ(organ.id[6:]):
                continue  # in plain words, what a fact has by its name
            known_organ = in_words(profile, folded[organ.start : organ.end], allowed)
            if process.id == "proc.vague" and (
                known_organ or organ.id in _FELT_ORGANS or not reference.organ(organ.id[6:])
            ):
                continue
            fear = known_organ and profile.fears & allowed and process.id == "proc.fail"
            if fear and not reference.organ(organ.id[6:]):
                continue
            here = folded[min(process.start, organ.start) : max(process.end, organ.end)]
            if in_words(profile, folded[process.start : process.end], allowed) and in_words(
                profile, folded[organ.start : organ.end], allowed
            ):
                continue
            felt = organ.id in _FELT_ORGANS and folded[organ.start : organ.end] not in _UNSEEN_ZH
            if not _INSIDE.search(here) and felt and process.id in _FELT_PROCESSES:
                continue
            if in_words(profile, folded[process.start : process.end], allowed) and process.id in _FELT_PROCESSES:
                continue
            if process.id == "proc.growth" and in_words(profile, folded[organ.start : organ.end], allowed):
                lump = profile.present.get("sx.lump", 0) | profile.present.get("sx.breast_lump", 0)
                if lump & allowed and _LUMP.match(folded, process.start):
                    continue  # the patient's own word for the mass of a fact
            kind = "leak:diagnosis" if reference.organ(organ.id[6:]) else "invention"
            yield kind, heard.speech.text[min(process.start, organ.start) : max(process.end, organ.end)]
    for organ in organs:
        if organ.id in _FELT_ORGANS or not reference.organ(organ.id[6:]) or processes:
            continue
        if not _CAUSE.search(folded[max(0, organ.start - _REACH) : organ.start]):
            continue
        words = folded[organ.start : organ.end]
        if not in_words(profile, words, allowed) and not (asked is not None and words in asked.speech.folded):
            yield "leak:diagnosis", heard.speech.text[organ.start : organ.end]


_CAUSE = pattern("blames")


_SYMPTOMS = frozenset({("organ.heart", "proc.pace"), ("organ.bowel", "proc.pace"), ("organ.stomach", "proc.pace")})
"""What goes wrong in an organ and is felt as just that: a heart that goes too fast."""


_LUMP = re.compile(r"lump|mass|growth")
_INSIDE = re.compile(
    r"inside|lining|capsule|tendon|ligament|dis[ck]\b|cartilage|membrane|sheath|cushion|socket|里面|内部"
)


_FELT_ORGANS = frozenset({"organ.joint", "organ.eye", "organ.breast", "organ.stomach", "organ.bowel", "organ.blood"})


_UNSEEN_ZH = frozenset({"免疫", "免疫系统", "免疫力", "血小板", "白细胞", "红细胞", "淋巴"})
"""Of the blood, what nobody feels."""
_FELT_PROCESSES = frozenset({"proc.trap", "proc.fail", "proc.block"})
