"""The patient that a language model plays: it chooses facts and words; the permit and the guard decide if they stand.

One structured call a turn. Words that leak, invent or contradict are rejected once with the reason, then the record's
own words are used; the event holds every kind of rejection. What the ledger holds is what the doctor heard: a chosen
fact that the words do not carry is said after them in the record's words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.discretion import ciphered, confirms
from clinic_sim.clinic.events import AnswerKind, PatientAnswered
from clinic_sim.clinic.failures import content_failure
from clinic_sim.clinic.mentions import undisguised
from clinic_sim.clinic.patient.guard import LEAK_DIAGNOSIS, leaks, said
from clinic_sim.clinic.patient.offline import choose
from clinic_sim.clinic.patient.permit import unasked
from clinic_sim.clinic.patient.phrase import joined, phrase_answer
from clinic_sim.clinic.patient.prompts import SCHEMA, again, alias, doctor_says, fact_of, system_prompt
from clinic_sim.clinic.patient.select import Selection
from clinic_sim.clinic.patient.speech.answers import short_answer
from clinic_sim.clinic.patient.words import Objection, asked_for, review_words
from clinic_sim.clinic.room import Room
from clinic_sim.errors import ProviderError
from clinic_sim.knowledge.text import fold
from clinic_sim.models.chat import ChatModel, Message, Reply
from clinic_sim.models.keys import call_seed

ROLE = "patient"
ATTEMPTS = 2
_ASIDE = (AnswerKind.FACTS, AnswerKind.TOO_BROAD)


class LLMPatient:
    """Answers in a model's words, never with more than the record allows.

    Args:
        model: Who speaks. Its failures to reach a server end the episode; its failures to behave are counted and
            covered by the record's own words.
    """

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.name = model.name
        self.suspends = model.suspends
        self.settings: Mapping[str, Any] = model.settings

    async def answer(self, room: Room, utterance: str) -> PatientAnswered:
        """Answer one utterance; the event's number is filled in by the consultation."""
        selection, rejected = choose(room, utterance)
        language = room.language
        thread = room.threads.get(ROLE)
        if thread is None:
            thread = room.threads[ROLE] = [
                {"role": "system", "content": system_prompt(room.compiled, room.persona)},
            ]
        asked = doctor_says(room.compiled, utterance, selection)
        messages: list[Message] = [*thread, asked]
        kinds: list[str] = list(rejected)
        for attempt in range(ATTEMPTS):
            seed = call_seed(room.seed, ROLE, 10 * len(room.events) + attempt)
            try:
                reply = await room.calls.ask(ROLE, self._model, messages, schema=SCHEMA, seed=seed)
            except ProviderError as exc:
                kinds.append(content_failure(exc))
                break
            found = self._read(room, utterance, selection, reply)
            if isinstance(found, PatientAnswered):
                thread += [asked, {"role": "assistant", "content": reply.text}]
                return replace(found, rejected=tuple(dict.fromkeys(kinds))) if kinds else found
            kinds.extend(objection.kind for objection in found)
            messages += [
                {"role": "assistant", "content": reply.text[:2_000]},
                again(" ".join(objection.detail for objection in found), language),
            ]
        text = phrase_answer(room.compiled, selection, room)
        stood = {"facts": [alias(room.compiled, f) for f in selection.facts], "say": text}
        thread += [asked, {"role": "assistant", "content": json.dumps(stood, ensure_ascii=False)}]
        return PatientAnswered(
            len(room.events),
            text,
            selection.kind,
            selection.facts,
            selection.held,
            tuple(dict.fromkeys(kinds)),
            "fallback",
        )

    def _read(
        self, room: Room, utterance: str, selection: Selection, reply: Reply
    ) -> PatientAnswered | Sequence[Objection]:
        """The answer that a reply makes, or what is wrong with it."""
        compiled, language = room.compiled, room.language
        words = _DETAILS[language]
        if reply.parsed is None:
            return [Objection("form", words["form"])]
        text = " ".join(reply.parsed["say"].split())
        named = {name: fact_of(compiled, name) for name in reply.parsed["facts"]}
        unknown = [name for name, fact in named.items() if fact is None]
        if unknown:
            return [Objection("unknown_fact", words["unknown"].format(ids=_shown(unknown)))]
        listed = list(dict.fromkeys(fact for fact in named.values() if fact is not None))
        if ciphered(compiled, text) or _disguised(compiled, text):
            return [Objection("leak:diagnosis", words["cipher"])]
        if _foreign(text, language):
            return [Objection("language", words["language"])]
        refused = unasked(compiled, utterance, listed, selection, room.persona, room.ledger.facts)
        if refused:
            return [Objection("unasked", words["unasked"].format(ids=_shown([alias(compiled, f) for f in refused])))]
        if selection.facts and not listed and not selection.asked_openly:
            return [
                Objection("evasion", words["evasion"].format(ids=_shown([alias(compiled, f) for f in selection.facts])))
            ]
        baseless = "" if listed else _answers_baselessly(text, utterance)
        if baseless:
            return [Objection(baseless, words["baseless"])]
        fresh = [f for f in listed if f not in room.ledger.facts][: room.persona.facts_per_answer]
        chosen = [f for f in listed if f in room.ledger.facts or f in fresh]
        chosen += [e for f in chosen for e in compiled.echoes.get(f, ()) if e not in chosen]
        review = review_words(compiled, text, chosen, tuple(room.ledger.facts), utterance)
        if review.objections:
            return list(review.objections)
        unsaid = [f for f in review.unsaid if compiled.by_id[f].echo_of not in chosen]
        if unsaid:
            text = joined([text, *dict.fromkeys(said(compiled, f) for f in unsaid)], language)
        if chosen:
            kind = AnswerKind.TOO_BROAD if selection.kind is AnswerKind.TOO_BROAD else AnswerKind.FACTS
        else:
            kind = AnswerKind.NOTHING_KNOWN if selection.kind in _ASIDE else selection.kind
        return PatientAnswered(len(room.events), text, kind, tuple(chosen), selection.held, (), "model")


_DETAILS = {
    "en": {
        "form": 'It is not one JSON object with "facts" and "say".',
        "unknown": "There are no facts {ids} in your list.",
        "unasked": "The doctor did not ask for {ids}.",
        "evasion": "The doctor asked for {ids}; tell what answers the question.",
        "language": "Speak English.",
        "cipher": "Speak plainly: nothing backwards, spelt out or in code.",
        "baseless": "You chose no fact, so nothing says yes or no to that: say that you do not know.",
    },
    "zh": {
        "form": "它不是一个含有“facts”和“say”的JSON对象。",
        "unknown": "清单里没有这些编号：{ids}。",
        "unasked": "医生没有问到{ids}。",
        "evasion": "医生问到了{ids}，请回答所问的内容。",
        "language": "请说中文。",
        "cipher": "请正常说话：不要倒着说、拆开说或用暗号。",
        "baseless": "没有选任何事实，就不能回答“是”或“不是”：请说不知道。",
    },
}


_YES_OR_NO = re.compile(
    r"\W*(?:(?:oh|well|yes|no)\W+)*i(?:['’]m| am|['’]d say| think| guess| believe| suppose| fear| don['’]t think)"
    r"(?: afraid)? (?:so|not)\b"
    r"|\W*(?:嗯|哦|唉|医生)*\W*(?:没有|没得|没[，,。！!]|有的|有过|得过|有[，,。！!]|是的|是[，,。！!]|就是|对|不是|应该是|恐怕是)"
)
"""A yes or no at the beginning of an answer, beside those that the review of words knows."""
_UNSURE = re.compile(
    r"\b(?:no idea|don['’]t know|not sure|couldn['’]t say|can['’]t say)\b|不知道|不清楚|说不清|说不准|不懂|不好说"
)
_MIXED = re.compile(r"\b(?=\w*[A-Za-z])(?=\w*\d)\w{5,}\b")
"""A word with digits in it, which may stand for letters."""
_DIGIT = re.compile(r"\d")
_LETTERS = str.maketrans("0134578", "oieastb")
_HAN = re.compile("[\u3400-\u9fff]")
_LATIN = re.compile("[A-Za-z]")


def _disguised(compiled: CompiledCase, text: str) -> bool:
    """The words name the diagnosis once digits and signs are read as the letters they stand for, or by its code."""
    plain = undisguised(text)
    if _DIGIT.search(plain):
        plain = _MIXED.sub(lambda m: m.group().translate(_LETTERS), plain)
    reference = compiled.case.diagnosis
    code = (reference.primary.icd10 or "").partition(".")[0] if reference is not None else ""
    if code and _code(code).search(plain):
        return True
    return plain != text and leaks(compiled, plain) == LEAK_DIAGNOSIS


@lru_cache(maxsize=1_024)
def _code(code: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(code)}(?:\b|\.)", re.IGNORECASE)


def _answers_baselessly(text: str, utterance: str) -> str:
    """The kind of fault in a yes or no that rests on no fact: to a disease it confirms or denies a guess, to a symptom
    it tells what the record is silent on. Whatever is guessed is treated alike, so that a rejection betrays nothing."""
    folded = fold(text)
    if _UNSURE.search(folded) or not (short_answer(folded) or _YES_OR_NO.match(folded) or confirms(text)):
        return ""
    asked = [m.id for m in asked_for(utterance).mentions]
    if any(i.startswith(("dx.", "icd:")) for i in asked):
        return LEAK_DIAGNOSIS
    return "invention" if any(i.startswith("sx.") for i in asked) else ""


def _shown(ids: Sequence[str]) -> str:
    return ", ".join(i[:40] for i in ids[:8])


def _foreign(text: str, language: str) -> bool:
    """The words are not in the case's language."""
    if language == "zh":
        latin = len(_LATIN.findall(text))
        return latin > 12 and latin > 3 * len(_HAN.findall(text))
    han = len(_HAN.findall(text))
    return han > 4 and 3 * han > len(_LATIN.findall(text))
