"""The checklist doctor's questions: a systematic history, and what to ask further about each symptom.

Fixed strings, so that every question is read once and remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources

from clinic_sim.doctors.scripts import IllnessScript
from clinic_sim.knowledge.concepts import ontology

_AT_ONCE = 4
"""Findings that one question lists."""

HISTORY = {
    "en": (
        "What brings you in today?",
        "When did it start, and did it come on suddenly or gradually?",
        "Where exactly is it, and does it spread anywhere else?",
        "What is it like, and how bad is it?",
        "What makes it worse, and what makes it better?",
        "Is it constant or does it come and go, how often does it happen and how long does it last?",
        "Did anything bring it on, has it changed over time, and have you ever had anything like this before?",
        "Have you had any fever, chills or night sweats?",
        "Have you noticed any change in your weight, appetite or energy?",
        "Any chest pain, palpitations, cough or shortness of breath?",
        "Any nausea, vomiting or abdominal pain?",
        "Any diarrhoea, constipation or blood in the stool?",
        "Any headache, dizziness or fainting?",
        "Any weakness, numbness or trouble with your vision?",
        "Any trouble passing urine, or blood in it?",
        "Any rash, joint pain or swelling of the legs?",
        "How are your sleep and your mood?",
        "Have you seen a doctor or had any tests or treatment for this, and did it help?",
        "Do you have any medical conditions, such as high blood pressure, diabetes or asthma?",
        "Have you had any operations, injuries, hospital stays or blood transfusions?",
        "What medicines do you take, and are you allergic to anything?",
        "Do any illnesses run in your family?",
        "Do you smoke, drink alcohol or use any drugs?",
        "What do you do for work, and who do you live with?",
        "Have you travelled recently or been around anyone who is sick, or around animals?",
        "What do you think is the matter, and is anything worrying you?",
    ),
    "zh": (
        "您哪里不舒服？",
        "什么时候开始的？是突然起病还是慢慢加重的？",
        "具体在什么部位？有没有放射到别处？",
        "是什么样的感觉？程度怎么样？",
        "什么情况下会加重？什么情况下能缓解？",
        "是持续的还是一阵一阵的？多久发作一次？每次持续多长时间？",
        "有什么诱因吗？后来有什么变化？以前有过类似的情况吗？",
        "有没有发热、怕冷、盗汗？",
        "体重、胃口、精神有什么变化吗？",
        "有没有胸痛、心慌、咳嗽、气短？",
        "有没有恶心呕吐、腹痛？",
        "有没有腹泻、便秘、便血？",
        "有没有头痛、头晕、晕厥？",
        "有没有乏力、麻木、看东西模糊？",
        "小便怎么样？有没有血尿？",
        "有没有皮疹、关节痛、下肢水肿？",
        "睡眠怎么样？情绪怎么样？",
        "之前看过医生、做过检查、用过什么药吗？效果如何？",
        "以前得过什么病？有没有高血压、糖尿病、心脏病？",
        "做过手术、受过外伤、输过血吗？",
        "平时吃什么药？对什么药物或食物过敏吗？",
        "家里人有什么病吗？",
        "抽烟、喝酒吗？",
        "您做什么工作？和谁一起住？结婚了吗？",
        "最近去过外地吗？接触过病人或者动物吗？",
        "您自己觉得是什么病？最担心什么？",
    ),
}
FEMALE = {
    "en": "When was your last period, are your periods regular, could you be pregnant, and have you been pregnant "
    "before?",
    "zh": "末次月经是什么时候？月经规律吗？有没有可能怀孕？生育情况怎么样？",
}
CHILD = {
    "en": "How was the birth, how are feeding, growth and development, and are the vaccinations up to date?",
    "zh": "孩子出生情况怎么样？喂养和生长发育怎么样？预防接种按时吗？",
}
SEXUAL = {
    "en": "Everything you tell me stays confidential. Are you sexually active, and do you use contraception?",
    "zh": "您说的我们都会保密。有性生活吗？有没有采取避孕措施？",
}
DESPAIR = {
    "en": "Everything you tell me stays confidential. Have you ever thought of harming yourself, or seen or heard "
    "things that others do not?",
    "zh": "您说的我们都会保密。有没有想过伤害自己？有没有看到或听到别人看不到听不到的东西？",
}
SINCE = {
    "en": "How long have you had the {symptoms}, and how bad is it?",
    "zh": "{symptoms}是从什么时候开始的？程度怎么样？",
}
"""What is asked about the symptoms that came up only when asked for."""
MORE = {"en": "Is there anything else that bothers you?", "zh": "还有别的不舒服吗？"}


@cache
def follow_up_questions() -> dict[str, tuple[str, str]]:
    """By concept: what to ask, in English and Chinese, once the patient has it."""
    text = resources.files("clinic_sim.doctors").joinpath("data/follow_ups.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")][1:]
    return {concept: (english, chinese) for concept, english, chinese in rows}


def hypothesis_question(script: IllnessScript, language: str, known: frozenset[str] = frozenset()) -> str | None:
    """One question for the findings of a disease that are not known yet; no more than a patient can keep in mind."""
    open_ = [f for f in script.features if f.concept.startswith("sx.") and f.concept not in known]
    labels = [f.label(language) for f in open_][:_AT_ONCE]
    if not labels:
        return None
    return f"有没有{'、'.join(labels)}？" if language == "zh" else f"Have you had any {_listed(labels, 'or')}?"


def since_question(symptoms: Sequence[str], language: str) -> str:
    """Asks since when and how badly the patient has had these symptoms (concepts of the lexicon)."""
    known = ontology().concepts
    chinese = language == "zh"
    labels = [known[s].label_zh if chinese else known[s].label_en for s in symptoms]
    return SINCE[language].format(symptoms="和".join(labels) if chinese else _listed(labels, "and"))


def _listed(labels: Sequence[str], last: str) -> str:
    return f"{', '.join(labels[:-1])} {last} {labels[-1]}" if labels[1:] else labels[0]


def follow_ups(present: frozenset[str], complaint: frozenset[str], language: str) -> Iterator[str]:
    """Questions about the symptoms found, those of the first words first."""
    questions = follow_up_questions()
    for concept in sorted(questions, key=lambda c: c not in complaint):
        if concept in present:
            yield questions[concept][language == "zh"]
