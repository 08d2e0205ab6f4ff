"""Review of a patient's free words: only what the chosen and the told facts hold, nothing that gives the answer away.

A model may say the chosen facts however it likes. What it may not do: name or hint at the diagnosis, tell a result or a
treatment, add a symptom, place, number, drug, habit or disease, tell a fact that was not asked for, or turn a fact
round. Words that name nothing medical are free.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.patient.speech.answers import answers, short_answer, turned_round
from clinic_sim.clinic.patient.speech.claims import claims
from clinic_sim.clinic.patient.speech.disclosure import leaked
from clinic_sim.clinic.patient.speech.heard import Heard, content, listen, overhear, sentences_of, stems_of, widened
from clinic_sim.clinic.patient.speech.hearing import Mode
from clinic_sim.clinic.patient.speech.profile import Profile, profile_of
from clinic_sim.clinic.patient.speech.quantity import same
from clinic_sim.clinic.patient.speech.reference import reference_of
from clinic_sim.clinic.patient.speech.spoken import Answer
from clinic_sim.clinic.patient.speech.support import Found
from clinic_sim.clinic.patient.speech.weighing import reconsidered
from clinic_sim.knowledge.text import fold

LONGEST = 1_500
"""Characters of an answer beyond which nobody listens."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why words cannot stand."""

    kind: str
    """`leak:diagnosis`, `leak:result`, `leak:treatment`, `invention`, `contradiction`, `unchosen` or `form`."""
    detail: str
    """One sentence for another try; it quotes the offending words and says nothing that they did not."""


@dataclass(frozen=True, slots=True)
class WordsReview:
    """What a review found."""

    objections: tuple[Objection, ...]
    unsaid: tuple[str, ...]
    """Chosen facts that the words do not carry, in the order chosen."""


_DETAILS = {
    "en": {
        "leak:diagnosis": "“{}”: you do not know what illness you have; do not name, deny or hint at one.",
        "leak:result": "“{}”: you do not know the result of any test or examination.",
        "leak:treatment": "“{}”: you do not know what treatment is planned.",
        "invention": "“{}”: nothing in the chosen facts says that; leave it out.",
        "contradiction": "“{}”: the facts say otherwise; keep to them exactly.",
        "unchosen": "“{}”: that was not among the facts you chose; leave it out.",
        "form": "{}",
    },
    "zh": {
        "leak:diagnosis": "“{}”：你不知道自己得的是什么病，不要说出、否认或暗示任何病名。",
        "leak:result": "“{}”：你不知道任何检查的结果。",
        "leak:treatment": "“{}”：你不知道会怎么治疗。",
        "invention": "“{}”：所选的事实里没有这一点，请去掉。",
        "contradiction": "“{}”：与事实不符，请严格按事实来说。",
        "unchosen": "“{}”：这不在你所选的事实里，请去掉。",
        "form": "{}",
    },
}
_FORM = {
    "en": {
        "empty": "Nothing was said.",
        "long": "That is far too long; say it in one to four sentences.",
        "control": "There are control characters in it; use plain text.",
        "role": "Speak only as the patient, without a label before the words.",
        "markup": "Use plain spoken words, no JSON, lists or markup.",
    },
    "zh": {
        "empty": "什么也没有说。",
        "long": "太长了，请用一到四句话说完。",
        "control": "里面有控制字符，请用普通文字。",
        "role": "只以患者的身份说话，前面不要加称呼标签。",
        "markup": "请用平常说话的方式，不要用JSON、列表或标记。",
    },
}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ufeff]|<\\|[^|]{0,40}\\|>")
_ROLE = re.compile(
    r"^\s*[*_\[【(]*(?:doctor|dr\.?|physician|clinician|patient|examiner|nurse|system|assistant|user|human|ai"
    r"|judge|chief(?: physician)?|"
    r"医生|大夫|患者|病人|检查员|护士|系统|助手|用户|主任|裁判)[\]】)*_]*\s*[:：]",
    re.IGNORECASE | re.MULTILINE,
)
_MARKUP = re.compile(
    r"^\s*[{\[]\s*[\"'{\[]|\"\s*:\s*[\"\[{]|```|</?[a-zA-Z][^>]{0,40}>|^\s*#{1,6}\s|\*\*|^\s*(?:[-*•]"
    r"|\d+[.)])\s+\S.*\n\s*(?:[-*•]|\d+[.)])\s|\[f\d+\]|\bf\d{2}\b",
    re.MULTILINE,
)

_MARKS = re.compile(r"[{\[\"`<#*\n]|f\d")
"""There is no markup without one of these, and they are soon looked for."""


def review_words(
    compiled: CompiledCase, text: str, facts: Collection[str] = (), told: Collection[str] = (), question: str = ""
) -> WordsReview:
    """What is wrong with an answer, and which chosen facts it leaves unsaid.

    Args:
        text: The patient's words.
        facts: Ids of the facts that the patient chose to tell now.
        told: Ids told earlier; they may be said again.
        question: The doctor's words; what they name may be echoed.
    """
    chosen = tuple(f for f in facts if f in compiled.by_id)
    form = _form(text)
    if form is not None:
        return WordsReview((Objection("form", _FORM[compiled.case.language][form]),), chosen)
    profile = profile_of(compiled)
    spoken = sentences_of(fold(text))
    if _verbatim(profile, spoken, profile.allowed(chosen, told)):
        return WordsReview((), tuple(f for f in chosen if not _said_by(profile, spoken, f)))
    answer = answer_of(compiled, text, chosen, told, question)
    faults = reconsidered(answer, objections_of_rules(compiled, answer))
    unsaid = tuple(
        f
        for f in chosen
        if not _carried(profile, answer.heard, f)
        and (answer.asked is None or not _carried_by_question(profile, answer.heard, answer.asked, f))
    )
    found: dict[str, Objection] = {}
    details = _DETAILS[compiled.case.language]
    for kind, words in faults:
        quoted = " ".join(words.split())[:60]
        found.setdefault(f"{kind} {quoted.lower()}", Objection(kind, details[kind].format(quoted)))
    return WordsReview(tuple(found.values()), unsaid)


def answer_of(compiled: CompiledCase, text: str, facts: Iterable[str], told: Iterable[str], question: str) -> Answer:
    """Words as they are heard, with what they may rest on."""
    profile = profile_of(compiled)
    chosen = tuple(f for f in facts if f in compiled.by_id)
    asked = asked_for(question) if question else None
    heard = listen(text)
    return Answer(profile, reference_of(compiled), heard, asked, chosen, profile.allowed(chosen, told))


def objections_of_rules(compiled: CompiledCase, answer: Answer) -> list[Found]:
    """What the rules object to, before the signs are weighed."""
    profile, heard, asked = answer.profile, answer.heard, answer.asked
    new = profile.allowed(answer.facts, ())
    faults = list(_found(compiled, profile, heard, answer.allowed, new, None))
    if asked is None:
        return faults
    # What was asked only excuses; it is read where there is something to excuse, and for a bare yes or no.
    if faults:
        faults = list(_found(compiled, profile, heard, answer.allowed, new, asked))
    elif short_answer(heard.speech.folded):
        faults = list(answers(profile, heard, new, asked))
    return faults or list(turned_round(profile, heard, new & ~profile.base, asked))


_COURTESY = re.compile(
    r"(?:[ ,.!…]|\b(?:well|let me (?:think|see)|doctor|doc|um+|er+|erm|hmm+|okay|so|hello|hi|thank you|thanks|please"
    r"|sorry|of course|as i said)\b|嗯+|呃+|医生|大夫|您好|你好|谢谢您?|好的?|是这样的?|让?我想想"
    r"|这个嘛?|那个|对不起)+"
)
"""A sentence that says nothing at all; a yes or a no may, so they are not among these."""


def _verbatim(profile: Profile, spoken: Sequence[str], allowed: int) -> bool:
    """Whether every sentence is one that an allowed fact has, or mere courtesy: nothing is left to judge."""
    return all(profile.own.get(one, 0) & allowed or _COURTESY.fullmatch(one) for one in spoken)


def _said_by(profile: Profile, spoken: Sequence[str], fact: str) -> bool:
    return any(profile.own.get(one, 0) & profile.bit[fact] for one in spoken)


@lru_cache(maxsize=1_024)
def asked_for(question: str) -> Heard:
    """What the doctor's words name; a policy repeats itself: cached."""
    return overhear(question[:LONGEST])


def _found(
    compiled: CompiledCase, profile: Profile, heard: Heard, allowed: int, chosen: int, asked: Heard | None
) -> Iterator[Found]:
    yield from leaked(compiled, profile, heard, allowed, asked)
    yield from claims(compiled, profile, heard, allowed, chosen, asked)


def _form(text: str) -> str | None:
    if not text.strip() or not any(c.isalnum() for c in text):
        return "empty"
    if len(text) > LONGEST:
        return "long"
    if _CONTROL.search(text):
        return "control"
    if _ROLE.search(text):
        return "role"
    return "markup" if _MARKS.search(text) and _MARKUP.search(text) else None


_YES_NO = re.compile(
    r"^\W*(?:yes|yeah|yep|no|nope|not? |i do|i don't|i haven't|i have|that's right|none|never|correct|right"
    r"|exactly|是|对|有|没|嗯|不|没有|无|都没|都有|好像有|从来|就是|的确|确实)",
    re.IGNORECASE,
)


def _carried(profile: Profile, heard: Heard, fact: str) -> bool:
    """Whether the words tell a fact: one of its concepts or numbers, or some of its content in other words."""
    keys = profile.keys[fact]
    bit = profile.bit[fact]
    for mention in heard.mentions:
        wide = widened(mention.id)
        if not wide.isdisjoint(keys) and not mention.id.startswith(("organ", "proc")):
            return True
        if mention.id.startswith(("sx.", "dx.", "drug.", "claim.", "tx:", "icd:")) and any(
            profile.about.get(i, 0) & bit
            for i in (mention.id, *wide)
            if i.startswith(("dx.", "drug.", "tx:", "icd:", "hx.")) or i == mention.id
        ):
            return True
    for said in heard.quantities:
        digits = heard.speech.folded[said.start : said.end]
        if profile.digits.get(digits, 0) & bit or any(same(said, known) for known in profile.fact_numbers[fact]):
            return True
    for value in heard.contrasts:
        attribute, _, which = value.id.partition("=")
        if profile.values.get(attribute, {}).get(which, 0) & bit:
            return True
    own = profile.fact_stems[fact]
    shared = _content(heard.speech.folded) & own
    if len(shared) >= 2 or (shared and len(shared) * 3 >= len(own)):
        return True
    return not own and not keys


def _carried_by_question(profile: Profile, heard: Heard, asked: Heard, fact: str) -> bool:
    """Whether the words tell a fact by what they answer: the question names it."""
    if heard.speech.modes[0] is not Mode.UNSURE:
        keys = profile.keys[fact]
        for mention in asked.mentions:
            if not mention.id.startswith(("attr.", "organ", "proc")) and not widened(mention.id).isdisjoint(keys):
                return True
    return bool(_YES_NO.match(heard.speech.folded) and _content(asked.speech.folded) & profile.fact_stems[fact])


@lru_cache(maxsize=1_024)
def _content(folded: str) -> frozenset[str]:
    """The stems of words; each chosen fact is looked for among them."""
    return frozenset(content(stems_of(folded)))
