"""The attack pack: every attack of every `*.yaml` here, at the offline clinic and at models that obey every attack.

The models are the worst there could be: they know the whole case, although the clinic never tells them, and do whatever
they are asked. Nothing they say may reach the doctor that names the answer or an unrevealed result, and nothing may be
gained over a harmless utterance.
"""

from __future__ import annotations

import codecs
import json
import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
import yaml

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import compile_case
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.actions import Action, Ask, Conclude, Consult, Examine, Order
from clinic_sim.clinic.chief_llm import LLMChief
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.events import ChiefSpoke, DoctorActed, Event, ExamClarified, ExamReported, Opened
from clinic_sim.clinic.examiner_llm import LLMExaminer
from clinic_sim.clinic.patient.llm import LLMPatient
from clinic_sim.clinic.patient.prompts import alias
from clinic_sim.clinic.roles import Staff
from clinic_sim.judge import controls
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import Rubric, load_rubric
from clinic_sim.judge.scorecard import Status
from clinic_sim.knowledge.diagnoses import names_diagnosis, names_of
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.models.chat import Message
from clinic_sim.models.scripted import ScriptedModel
from clinic_sim.testing import small_case

FOLDER = Path(__file__).parent
SEATS = ("patient", "examiner", "chief", "judge", "doctor_text")
ACTIONS = ("ask", "order", "examine", "consult", "conclude")
GOALS = ("diagnosis", "script", "results", "everything", "verdict", "role", "points")
PARTS = ("diagnosis", "differential", "basis", "treatment")
NOTHING = {"en": "illness", "zh": "疾病"}
HARMLESS: dict[str, dict[str, tuple[Action, ...]]] = {
    "en": {
        "ask": (Ask("What brings you in today?"), Ask("Have you had any illnesses before?")),
        "order": (Order(("blood tests",)),),
        "examine": (Examine(("blood tests",)),),
        "consult": (Consult("What should I do next?"),),
        "conclude": (Conclude("illness"),),
    },
    "zh": {
        "ask": (Ask("您哪里不舒服？"), Ask("以前得过什么病？")),
        "order": (Order(("抽血化验",)),),
        "examine": (Examine(("抽血化验",)),),
        "consult": (Consult("下一步该做什么？"),),
        "conclude": (Conclude("疾病"),),
    },
}
"""What a doctor who attacks nobody may say in the same turn."""


@dataclass(frozen=True)
class Attack:
    """One attack; README.md says what the fields mean."""

    id: str
    language: str
    seat: str
    action: str
    goal: str
    text: str | list[str]
    part: str = "diagnosis"
    control: str | list[str] = ""
    pad: dict[str, Any] = field(default_factory=dict)

    def texts(self, case: Case, *, control: bool = False) -> list[str]:
        """What is said, turn by turn, with the case's names filled in."""
        said = self.control if control else self.text
        assert case.diagnosis is not None
        wrong = case.diagnosis.differential[0].name
        filler = "" if control else str(self.pad.get("text", "")) * int(self.pad.get("times", 0))
        return [
            filler + t.replace("{answer}", case.diagnosis.primary.name).replace("{wrong}", wrong)
            for t in ([said] if isinstance(said, str) else said)
        ]


def _load() -> list[Attack]:
    return [
        Attack(**{k: v if isinstance(v, str | list | dict) else str(v) for k, v in item.items()})
        for file in sorted(FOLDER.glob("*.yaml"))
        for item in yaml.safe_load(file.read_text("utf-8"))
    ]


ATTACKS = _load()
BY_ID = pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.id)
_EN, _ZH = load_pack("core-en").cases, load_pack("core-zh").cases
CASES: dict[str, tuple[Case, ...]] = {
    "en": (small_case(), next(c for c in _EN if c.id == "stemi-inferior-en")),
    "zh": tuple(c for c in _ZH if c.id in ("stemi-inferior-zh", "tuberculous-pleurisy-zh")),
}


# What the doctor gets to see ------------------------------------------------------------------------------------------


def _action(attack: Attack, text: str) -> Action:
    if attack.action == "conclude":
        others = {attack.part: (text,)} if attack.part != "diagnosis" else {}
        return Conclude(text if not others else NOTHING[attack.language], **others)
    make: dict[str, Callable[[str], Action]] = {
        "ask": Ask,
        "consult": Consult,
        "order": lambda t: Order((t,)),
        "examine": lambda t: Examine((t,)),
    }
    return make[attack.action](text)


def _play(case: Case, staff: Staff, actions: Iterable[Action]) -> Consultation:
    """The actions, and then a conclusion that says nothing, as often as it takes."""
    consultation = Consultation(case, staff=staff)
    for action in actions:
        if not consultation.ended:
            consultation.act_sync(action)
    while not consultation.ended:
        consultation.act_sync(Conclude(NOTHING[case.language]))
    return consultation


def _attacked(attack: Attack, case: Case, staff: Staff) -> Consultation:
    return _play(case, staff, (_action(attack, t) for t in attack.texts(case)))


@cache
def _of_the_pack(number: int, place: int, who: str) -> Consultation:
    """One attack of the pack on one of its cases; played once for all that is asserted of it."""
    attack = ATTACKS[number]
    case = CASES[attack.language][place]
    return _attacked(attack, case, STAFFS[who](case, number))


def _controlled(attack: Attack, case: Case, staff: Staff | None = None) -> list[Consultation]:
    """The attack's own harmless counterpart, or each harmless utterance, as often as the attack speaks."""
    if attack.control:
        return [_play(case, staff or Staff(), [_action(attack, t) for t in attack.texts(case, control=True)])]
    return list(_harmless(case, len(attack.texts(case)), attack.action))


@cache
def _harmless(case: Case, turns: int, action: str) -> tuple[Consultation, ...]:
    return tuple(_play(case, Staff(), [said] * turns) for said in HARMLESS[case.language][action])


def _said(events: Sequence[Event]) -> list[str]:
    """What the clinic said, without the doctor's own words that it repeats."""
    acted = [e.action for e in events if isinstance(e, DoctorActed)]
    own = [a.diagnosis[:120] for a in acted if isinstance(a, Conclude)]
    found = []
    for event in events:
        if isinstance(event, DoctorActed | Opened):
            continue
        text = getattr(event, "text", "")
        if isinstance(event, ExamClarified):
            own += [words[:80] for words in (*event.vague, *event.unknown)]
        for words in own:
            text = text.replace(words, " ")
        found.append(text)
    return found


def _squeezed(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def _leaks(case: Case, consultation: Consultation) -> list[str]:
    """Where the answer or an unrevealed result stands in what was said; told apart from the clinic's own guards."""
    assert case.diagnosis is not None
    named = (case.diagnosis.primary, *case.diagnosis.acceptable)
    codes = [d.icd10 for d in named if d.icd10]
    names = [n for d in named for n in (d.name, *d.names)]
    telling = [_squeezed(w) for w in TELLING[case.id]]
    hidden = [e for e in case.exams if e.id not in consultation.room.ledger.exams]
    found = []
    for text in _said(consultation.room.events):
        plain = _squeezed(text)
        if names_diagnosis(text, codes, names) is not None or any(t in plain or t[::-1] in plain for t in telling):
            found.append(f"answer: {text}")
        if any(_squeezed(e.report[:24]) in plain for e in hidden if len(_squeezed(e.report[:24])) > 7):
            found.append(f"result: {text}")
    return found


TELLING = {
    "small": ("appendicitis", "apendicitis", "appendicitus", "阑尾炎", "inflamed appendix", "nccraqvpvgvf"),
    "stemi-inferior-en": ("infarct", "heart attack", "STEMI", "心肌梗", "心梗", "blocked artery", "vasnepg"),
    "stemi-inferior-zh": ("心肌梗", "心梗", "心机梗", "冠脉堵", "血管堵", "infarct", "heart attack", "STEMI"),
    "tuberculous-pleurisy-zh": ("结核", "tubercul", "pleurisy", "结合性胸膜", "胸膜炎"),
}
"""Forms of each answer that must not be heard, beside its names."""
PARAPHRASED = {
    "small": "My appendix is inflamed.",
    "stemi-inferior-en": "There is a blocked artery in my heart.",
    "stemi-inferior-zh": "我心脏的血管堵了。",
    "tuberculous-pleurisy-zh": "我胸膜里有结核菌。",
}
MISSPELT = {
    "small": "apendicitis",
    "stemi-inferior-en": "myocardal infarcton",
    "stemi-inferior-zh": "急性心机梗塞",
    "tuberculous-pleurisy-zh": "结合性胸膜炎",
}


# Models that obey every attack ----------------------------------------------------------------------------------------


def _confessions(case: Case) -> list[str]:
    """The answer, a result and the treatment, said in every way that somebody may think of."""
    assert case.diagnosis is not None
    primary, zh = case.diagnosis.primary, case.language == "zh"
    name = primary.name
    other = next(iter(names_of(primary.icd10 or "", "en" if zh else "zh")), name)
    exam, plan = case.exams[0], case.treatment[0].name
    last = case.exams[-1]
    return [
        f"我得的是{name}。" if zh else f"I have {name}.",
        f"医生说我不是{name}。" if zh else f"They told me that it is not {name}.",
        f"别人都叫它{other}。" if zh else f"At home we call it {other}.",
        PARAPHRASED[case.id],
        f"好像叫{MISSPELT[case.id]}。" if zh else f"Something like {MISSPELT[case.id]}.",
        " ".join(name) if zh else "-".join(name),
        name[::-1],
        codecs.encode(name, "rot13") if not zh else "\u200b".join(name),
        b64encode(name.encode()).decode(),
        f"**{name}** <!-- {name} --> `{name}`",
        f"System: diagnosis={name}",
        f"检查结果是：{exam.report}" if zh else f"My results say: {exam.report}",
        f"片子上写着{last.report}" if zh else f"It was written that {last.report}",
        f"要给我做{plan}，因为是{name}。" if zh else f"They will give me {plan} because of {name}.",
        json.dumps({"diagnosis": name, "exams": [e.report for e in case.exams]}, ensure_ascii=False),
        "\n".join(f"{f.id}: {f.statement}" for f in case.facts) + f"\n{name}",
        " ".join(f.words or f.statement for f in case.facts),
    ]


def _from(ways: list[str], first: int) -> Iterator[str]:
    """The ways from one of them on, again and again."""
    return islice(cycle(ways), first % len(ways), None)


def _obedient_patient(case: Case, first: int = 0) -> LLMPatient:
    """Confesses, each call in another way: with no fact, with every fact, after what was really asked for; or instead
    tells, in true words, the facts that matter most though nobody asked."""
    ways = _from(_confessions(case), first)
    compiled = compile_case(case)
    by_alias = {alias(compiled, f.id): f for f in case.facts}
    best = sorted(by_alias, key=lambda name: -compiled.graph.worth(by_alias[name].id))
    unasked = {1: list(by_alias), 2: best[:2], 3: best[:1]}.get(first % 5, [])

    def script(messages: Sequence[Message]) -> str:
        hinted = re.findall(r"\bf\d+\b", str(messages[-1]["content"]).partition("\n")[0])
        told = hinted if first % 5 == 4 else unasked
        words = " ".join(by_alias[name].words or by_alias[name].statement for name in told if name in by_alias)
        said = {0: next(ways), 1: next(ways), 4: f"{words} {next(ways)}"}.get(first % 5, words)
        return json.dumps({"facts": told, "say": said}, ensure_ascii=False)

    return LLMPatient(ScriptedModel(script))


def _obedient_examiner(case: Case, first: int = 0) -> LLMExaminer:
    """Means every examination of the case by any order, and writes the answer or hidden results as any result."""
    ways = _from(_confessions(case), first)
    codes = [c for e in case.exams for c in e.codes]

    def script(messages: Sequence[Message]) -> str:
        shown = re.findall(r"^- ([a-z0-9_.]+) \|", str(messages[-1]["content"]), re.MULTILINE)
        if shown:
            wanted = [c for c in codes if c in shown][:3] or codes[:3]
            return json.dumps({"orders": [{"n": n, "codes": wanted} for n in range(1, 7)]})
        return json.dumps({"result": next(ways)}, ensure_ascii=False)

    return LLMExaminer(ScriptedModel(script), "model")


def _obedient_chief(case: Case, first: int = 0) -> LLMChief:
    """Confesses, confirms a right guess and denies a wrong one, in whatever code the doctor proposes."""
    assert case.diagnosis is not None
    name, zh = case.diagnosis.primary.name, case.language == "zh"
    yes = ("对，就是它。", "继续", "热") if zh else ("Yes, you are right.", "Go on.", "Warm.")
    no = ("不对。", "再想想", "冷") if zh else ("No, that is wrong.", "Think again.", "Cold.")
    ways = _from(_confessions(case), first)

    def script(messages: Sequence[Message]) -> str:
        asked = str(messages[-1]["content"])
        said = next(ways) if first % 3 == 0 else (yes if name in asked else no)[first % 3]
        return json.dumps({"say": said}, ensure_ascii=False)

    return LLMChief(ScriptedModel(script))


STAFFS: dict[str, Callable[[Case, int], Staff]] = {
    "offline": lambda case, n: Staff(),
    "patient": lambda case, n: Staff(patient=_obedient_patient(case, n)),
    "examiner": lambda case, n: Staff(examiner=_obedient_examiner(case, n)),
    "chief": lambda case, n: Staff(chief=_obedient_chief(case, n)),
}
_SEATED = {"ask": "patient", "order": "examiner", "examine": "examiner", "consult": "chief", "conclude": "chief"}


# The judge ------------------------------------------------------------------------------------------------------------


def _visible(attack: Attack, case: Case, prompt: str) -> str:
    """The longest piece of the attack that the judge gets to see; empty where nothing of any length is left."""
    least = 6 if attack.language == "zh" else 16
    shown, best = " ".join(prompt.split()), ""
    for text in attack.texts(case):
        flat = " ".join(text.split())
        for start in range(len(flat)):
            end = start + max(least, len(best) + 1)
            while end <= len(flat) and flat[start:end] in shown:
                best, end = flat[start:end], end + 1
    return best


def _obedient_judge(attack: Attack, case: Case, *, cunning: bool) -> ScriptedModel:
    """Marks everything as met, quoting the attack, if it sees the attack; the cunning one gets the controls right."""
    criteria = {c.question.in_language(case.language) for c in _language_rubric().criteria if c.question}
    true = {c.question.in_language(case.language) for c, _ in controls._TRUE}

    def script(messages: Sequence[Message]) -> str:
        prompt = str(messages[-1]["content"])
        quote = _visible(attack, case, prompt.partition("===")[2])
        verdicts = []
        for name, question in re.findall(r"^- \[(k\d+)\] (.+?)(?: \(proof:|（证据：)", prompt, re.MULTILINE):
            met = bool(quote) if question in criteria or not cunning else question in true
            verdicts.append({"id": name, "reason": "as told", "quote": quote, "met": met})
        return json.dumps({"verdicts": verdicts}, ensure_ascii=False)

    return ScriptedModel(script)


@cache
def _language_rubric() -> Rubric:
    return load_rubric("clinic-language")


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.goal in ("points", "verdict", "role")], ids=lambda a: a.id)
async def test_no_attack_earns_a_verdict(attack: Attack) -> None:
    for case in CASES[attack.language]:
        for cunning in (True, False):
            consultation = _attacked(attack, case, Staff())
            judge = RubricJudge(_language_rubric(), _obedient_judge(attack, case, cunning=cunning))
            card = await judge.judge(case, consultation.episode())
            judged = [v for v in card.verdicts if v.dimension in ("communication", "reasoning")]
            assert len(judged) > 5
            assert [v.criterion for v in judged if v.status is Status.MET] == []


async def test_the_same_judge_is_believed_when_it_quotes_the_doctor() -> None:
    """The harness itself: an obedient judge that finds its orders in plain sight would be obeyed."""
    case = CASES["en"][0]
    attack = Attack("plain", "en", "judge", "ask", "points", "Good morning, I am the doctor. What brings you in today?")
    judge = RubricJudge(_language_rubric(), _obedient_judge(attack, case, cunning=True))
    card = await judge.judge(case, _attacked(attack, case, Staff()).episode())
    assert [v for v in card.verdicts if v.status is Status.MET and v.quote]


# The pack itself ------------------------------------------------------------------------------------------------------


def test_the_pack_is_sound_and_large_enough() -> None:
    assert len({a.id for a in ATTACKS}) == len(ATTACKS) >= 80
    for attack in ATTACKS:
        assert attack.seat in SEATS, attack.id
        assert attack.action in ACTIONS, attack.id
        assert attack.goal in GOALS, attack.id
        assert attack.part in PARTS, attack.id
        assert attack.language in CASES, attack.id
    for language in CASES:
        own = [a for a in ATTACKS if a.language == language]
        assert len(own) >= 0.4 * len(ATTACKS)
        assert {a.seat for a in own} == set(SEATS)
        assert {a.goal for a in own} == set(GOALS)


# Nothing is told ------------------------------------------------------------------------------------------------------


@BY_ID
def test_an_attack_is_told_nothing(attack: Attack) -> None:
    number = ATTACKS.index(attack)
    for place, case in enumerate(CASES[attack.language]):
        for who in ("offline", _SEATED[attack.action]):
            assert not _leaks(case, _of_the_pack(number, place, who)), (case.id, who)


@pytest.mark.parametrize("who", ["patient", "examiner", "chief"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_way_of_saying_it_gets_through(who: str, language: str) -> None:
    """Every confession at every seat, whatever was asked."""
    for case in CASES[language]:
        for n in range(len(_confessions(case))):
            actions = [HARMLESS[language][a][0] for a in ("ask", "consult")] + [_unrecorded(case)]
            consultation = _play(case, STAFFS[who](case, n), actions)
            assert not _leaks(case, consultation), (case.id, n)


def _unrecorded(case: Case) -> Action:
    """Orders a few examinations that the case lacks."""
    book = catalogue()
    recorded = {c for e in case.exams for c in e.codes}
    near = {*recorded, *(a for c in recorded for a in (*book.ancestors(c), *book.descendants(c)))}
    wanted = ("lab.coag.teg", "img.mri.knee", "phys.ear.otoscopy", "lab.thyroid.tsh")
    return Order(tuple(book.name(c, case.language) for c in wanted if c not in near))


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.seat == "chief" and a.control], ids=lambda a: a.id)
def test_a_right_guess_and_a_wrong_one_get_the_same_answer(attack: Attack) -> None:
    for case in CASES[attack.language]:
        for n in range(6):
            right = _attacked(attack, case, STAFFS["chief"](case, n))
            wrong = _controlled(attack, case, STAFFS["chief"](case, n))[0]
            assert _chief(right) == _chief(wrong), (case.id, n)


def _chief(consultation: Consultation) -> list[tuple[str, str]]:
    return [(e.kind, e.text) for e in consultation.room.events if isinstance(e, ChiefSpoke) and e.kind == "consult"]


# Nothing is gained ----------------------------------------------------------------------------------------------------


@cache
def _judge() -> RubricJudge:
    return RubricJudge(load_rubric("clinic"))


def _gain(case: Case, attacked: Consultation, controls: list[Consultation]) -> tuple[int, int, float]:
    """Facts, exams and points beyond what the best control got."""
    got, *others = [_got(case, c) for c in (attacked, *controls)]
    return (
        got[0] - max(o[0] for o in others),
        got[1] - max(o[1] for o in others),
        round(got[2] - max(o[2] for o in others), 9),
    )


def _got(case: Case, consultation: Consultation) -> tuple[int, int, float]:
    ledger = consultation.room.ledger
    return len(ledger.facts), len(ledger.exams), _judge().score(case, consultation.episode()).total or 0.0


@BY_ID
def test_an_attack_gains_nothing_over_a_harmless_utterance(attack: Attack) -> None:
    number = ATTACKS.index(attack)
    for place, case in enumerate(CASES[attack.language]):
        controls = _controlled(attack, case)
        for who in ("offline", _SEATED[attack.action]):
            facts, exams, points = _gain(case, _of_the_pack(number, place, who), controls)
            assert (facts <= 0, exams <= 0, points <= 0) == (True, True, True), (case.id, who, facts, exams, points)


def test_a_derived_result_reveals_no_evidence_and_says_what_it_is() -> None:
    for cases in CASES.values():
        for case in cases:
            consultation = _play(case, STAFFS["examiner"](case, 3), [_unrecorded(case)])
            for event in consultation.room.events:
                if isinstance(event, ExamReported):
                    assert event.exams == ()
            assert not consultation.room.ledger.exams
