"""The checklist doctor: a systematic history, an examination, tests by what was found, a conclusion from the evidence.

It knows only what it was told, and the textbook knowledge of `scripts`. It is the honest baseline that every exploit
must stay under.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from clinic_sim.clinic.actions import Ask, Conclude, Examine, Order
from clinic_sim.doctors.base import Visit
from clinic_sim.doctors.baselines import Scripted
from clinic_sim.doctors.scripts import Evidence, IllnessScript, concepts_of, rank_evidence

_HISTORY = {
    "en": (
        "What brings you in today?",
        "When did it start, and did it come on suddenly or gradually?",
        "Where exactly is it, and does it spread anywhere else?",
        "What is it like, and how bad is it?",
        "What makes it worse, and what makes it better?",
        "Is it constant or does it come and go, and has it changed over time?",
        "Have you had any fever, chills or night sweats?",
        "Have you noticed any change in your weight, appetite or energy?",
        "Any chest pain, palpitations, shortness of breath or cough?",
        "Any nausea, vomiting, abdominal pain, diarrhoea or constipation?",
        "Any headache, dizziness, fainting, weakness, numbness or trouble with your vision?",
        "Any trouble passing urine, or blood in the urine or stool?",
        "Any rash, joint pain or swelling of the legs?",
        "How are your sleep and your mood?",
        "Have you seen a doctor or taken anything for this, and did it help?",
        "Do you have any medical conditions, and have you had any operations or injuries?",
        "What medicines do you take, and are you allergic to anything?",
        "Do any illnesses run in your family?",
        "Do you smoke, drink alcohol or use any drugs?",
        "What do you do for work, and who do you live with?",
        "Have you travelled recently or been around anyone who is sick, or around animals?",
    ),
    "zh": (
        "您哪里不舒服？",
        "什么时候开始的？是突然起病还是慢慢加重的？",
        "具体在什么部位？有没有放射到别处？",
        "是什么样的感觉？程度怎么样？",
        "什么情况下会加重？什么情况下能缓解？",
        "是持续的还是一阵一阵的？后来有什么变化？",
        "有没有发热、怕冷、盗汗？",
        "体重、胃口、精神有什么变化吗？",
        "有没有胸痛、心慌、气短、咳嗽咳痰？",
        "有没有恶心呕吐、腹痛、腹泻、便秘？",
        "有没有头痛、头晕、晕厥、乏力、麻木、看东西模糊？",
        "小便怎么样？有没有血尿、便血？",
        "有没有皮疹、关节痛、下肢水肿？",
        "睡眠怎么样？情绪怎么样？",
        "之前看过医生、用过什么药吗？效果如何？",
        "以前得过什么病？做过手术、受过外伤吗？",
        "平时吃什么药？对什么药物或食物过敏吗？",
        "家里人有什么病吗？",
        "抽烟、喝酒吗？",
        "您做什么工作？和谁一起住？",
        "最近去过外地吗？接触过病人或者动物吗？",
    ),
}
_FEMALE = {
    "en": "When was your last period, are your periods regular, and could you be pregnant?",
    "zh": "末次月经是什么时候？月经规律吗？有没有可能怀孕？生育情况怎么样？",
}
_CHILD = {
    "en": "How was the birth, how is feeding and growth, and are the vaccinations up to date?",
    "zh": "孩子出生情况怎么样？喂养和生长发育怎么样？预防接种按时吗？",
}
_MORE = {"en": "Is there anything else that bothers you?", "zh": "还有别的不舒服吗？"}
_BEDSIDE = {
    "en": (
        "vital signs",
        "general appearance",
        "cardiovascular examination",
        "respiratory examination",
        "abdominal examination",
        "neurological examination",
        "skin examination",
        "head and neck examination",
        "musculoskeletal examination",
    ),
    "zh": (
        "生命体征",
        "一般情况",
        "心脏查体",
        "肺部查体",
        "腹部查体",
        "神经系统查体",
        "皮肤查体",
        "头颈部查体",
        "四肢关节查体",
    ),
}
_BASICS = {
    "en": ("complete blood count", "basic metabolic panel", "urinalysis"),
    "zh": ("血常规", "肾功能", "电解质", "尿常规"),
}
_CONSIDERED = 3
"""Scripts whose tests are ordered."""
_ORDERS = 9

_AGE = re.compile(r"(\d+(?:\.\d+)?)[- ]?(years?|months?|weeks?|days?|岁|个月|周|天)")
_UNIT_YEARS = {"m": 1 / 12, "w": 7 / 365, "d": 1 / 365, "个": 1 / 12, "周": 7 / 365, "天": 1 / 365}
_FEMALE_WORDS = re.compile(r"\b(?:woman|girl|female)\b|女")
_MALE_WORDS = re.compile(r"\b(?:man|boy|male)\b|男")


class Checklist(Scripted):
    """Takes a systematic history, orders by what it found, concludes from the evidence."""

    name: ClassVar[str] = "checklist"

    def begin(self, visit: Visit) -> None:
        self._heard: list[str] = [_first_words(visit.introduction)]
        self._results: list[str] = []
        self._age, self._sex = _who(visit.introduction)
        super().begin(visit)

    async def decide(self, observation: str) -> Any:
        if observation != self.visit.introduction:
            spoken = isinstance(self._last, Ask)
            (self._heard if spoken else self._results).append(_without_speaker(observation))
        return await super().decide(observation)

    def plan(self) -> Iterator[Any]:
        language = self.visit.language
        for question in _HISTORY[language]:
            yield Ask(question)
        if self._sex == "female" and (self._age is None or 11 <= self._age <= 60):
            yield Ask(_FEMALE[language])
        if self._age is not None and self._age < 14:
            yield Ask(_CHILD[language])
        yield Ask(_MORE[language])
        yield Examine(_BEDSIDE[language])
        considered = rank_evidence(self._evidence())[:_CONSIDERED]
        tests = dict.fromkeys([*(o for s in considered for o in s.orders(language)), *_BASICS[language]])
        yield Order(tuple(tests)[:_ORDERS])
        yield self._conclusion(rank_evidence(self._evidence()))

    def _evidence(self) -> Evidence:
        present, absent = concepts_of([*self._heard, *self._results], self.visit.language)
        return Evidence(present, absent, "\n".join(self._results).lower(), self._age, self._sex)

    def _conclusion(self, ranked: list[IllnessScript]) -> Conclude:
        language = self.visit.language
        if not ranked:
            return Conclude("diagnosis unclear" if language == "en" else "诊断不明", treatment=(_MORE[language],))
        best = ranked[0]
        return Conclude(
            best.name(language),
            tuple(s.name(language) for s in ranked[1:4]),
            tuple(text for text in (*self._heard[1:4], *self._results) if text)[:12],
            best.treatments(language),
        )


def _who(introduction: str) -> tuple[float | None, str]:
    """Age in years and sex, as the introduction tells them."""
    head = introduction[:120]
    age = None
    found = _AGE.search(head)
    if found:
        unit = found.group(2)
        age = float(found.group(1)) * _UNIT_YEARS.get(unit[0], 1.0)
    sex = "female" if _FEMALE_WORDS.search(head) else "male" if _MALE_WORDS.search(head) else ""
    return age, sex


def _first_words(introduction: str) -> str:
    return introduction.split("\n", 1)[0]


def _without_speaker(observation: str) -> str:
    return "\n".join(re.sub(r"^[^:：\n]{2,16}[:：] ?", "", line) for line in observation.splitlines())
