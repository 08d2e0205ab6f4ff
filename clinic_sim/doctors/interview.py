"""The checklist doctor's questions: a systematic history, and what to ask further about each symptom.

Fixed strings, so that every question is read once and remembered.
"""

from __future__ import annotations

from collections.abc import Iterator

from clinic_sim.doctors.scripts import IllnessScript

HISTORY = {
    "en": (
        "What brings you in today?",
        "When did it start, and did it come on suddenly or gradually?",
        "Where exactly is it, and does it spread anywhere else?",
        "What is it like, and how bad is it?",
        "What makes it worse, and what makes it better?",
        "Is it constant or does it come and go, how often does it happen and how long does it last?",
        "Has it changed over time, and have you ever had anything like this before?",
        "Did anything bring it on?",
        "Have you had any fever, chills or night sweats?",
        "Have you noticed any change in your weight, appetite or energy?",
        "Any chest pain, palpitations, shortness of breath or cough?",
        "Any nausea, vomiting, abdominal pain, diarrhoea or constipation?",
        "Any headache, dizziness, fainting, weakness, numbness or trouble with your vision?",
        "Any trouble passing urine, or blood in the urine or stool?",
        "Any rash, joint pain or swelling of the legs?",
        "How are your sleep and your mood?",
        "Have you seen a doctor or had any tests or treatment for this, and did it help?",
        "Do you have any medical conditions, such as high blood pressure, diabetes or asthma?",
        "Have you had any operations, injuries, hospital stays or blood transfusions?",
        "What medicines do you take?",
        "Are you allergic to anything?",
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
        "后来有什么变化？以前有过类似的情况吗？",
        "有什么诱因吗？",
        "有没有发热、怕冷、盗汗？",
        "体重、胃口、精神有什么变化吗？",
        "有没有胸痛、心慌、气短、咳嗽咳痰？",
        "有没有恶心呕吐、腹痛、腹泻、便秘？",
        "有没有头痛、头晕、晕厥、乏力、麻木、看东西模糊？",
        "大小便怎么样？有没有血尿、便血？",
        "有没有皮疹、关节痛、下肢水肿？",
        "睡眠怎么样？情绪怎么样？",
        "之前看过医生、做过检查、用过什么药吗？效果如何？",
        "以前得过什么病？有没有高血压、糖尿病、心脏病？",
        "做过手术、受过外伤、输过血吗？",
        "平时吃什么药？",
        "对什么药物或食物过敏吗？",
        "家里人有什么病吗？",
        "抽烟、喝酒吗？",
        "您做什么工作？和谁一起住？结婚了吗？",
        "最近去过外地吗？接触过病人或者动物吗？",
        "您自己觉得是什么病？最担心什么？",
    ),
}
FEMALE = {
    "en": "When was your last period, are your periods regular, could you be pregnant, and have you been pregnant before?",
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
MORE = {"en": "Is there anything else that bothers you?", "zh": "还有别的不舒服吗？"}

FOLLOW_UP: dict[str, tuple[str, str]] = {
    "sx.chest_pain": (
        "Does the chest pain spread to your arm, jaw or back, come on with exertion, or get worse when you breathe in? "
        "Do you sweat with it?",
        "胸痛有没有放射到胳膊、下巴或后背？活动后或者吸气时会加重吗？出汗吗？",
    ),
    "sx.dyspnea": (
        "Are you short of breath when you lie flat or wake up at night breathless, and do you wheeze? "
        "How far can you walk?",
        "平躺时会憋气吗？夜里会憋醒吗？活动后气短吗？有没有喘鸣？",
    ),
    "sx.cough": (
        "Do you bring up any sputum, what colour is it, and is there any blood in it?",
        "有痰吗？痰是什么颜色？痰里有没有血？",
    ),
    "sx.fever": (
        "How high was the temperature, when does it come, and have you had shaking chills or a sore throat?",
        "最高烧到多少度？什么时候烧？有没有寒战、嗓子疼？",
    ),
    "sx.abdominal_pain": (
        "Did the belly pain start somewhere else and move? Is it related to food, and do you have vomiting, heartburn, "
        "black stools or jaundice?",
        "腹痛有没有转移？和吃饭有关系吗？有没有呕吐、反酸、黑便、皮肤发黄？",
    ),
    "sx.vomiting": (
        "How often do you vomit, what comes up, and is there any blood or bile in it?",
        "吐了几次？吐的是什么？有没有血或者胆汁？",
    ),
    "sx.diarrhea": (
        "How many times a day do you have diarrhoea, and is there any blood or mucus in the stool? What had you eaten?",
        "一天拉几次？大便里有没有血或者黏液？吃过什么不干净的东西吗？",
    ),
    "sx.headache": (
        "With the headache, do light or noise bother you, is your neck stiff, and does your jaw hurt when you chew? "
        "Any change of vision or vomiting?",
        "头痛时怕光怕吵吗？脖子硬不硬？有没有呕吐、看东西变化？",
    ),
    "sx.dizziness": (
        "Does the room spin, is it worse when you stand up or turn your head, and have you any hearing loss or ringing "
        "in the ears?",
        "是天旋地转吗？起身或者转头时会加重吗？有没有听力下降、耳鸣？",
    ),
    "sx.syncope": (
        "What were you doing when you passed out, did you feel palpitations before, did you jerk, bite your tongue or "
        "wet yourself?",
        "晕倒前在做什么？有没有心慌？有没有抽搐、咬舌头、尿失禁？",
    ),
    "sx.palpitations": (
        "Do you feel hot, sweat a lot, shake or feel nervous, and how much coffee do you drink?",
        "有没有怕热、多汗、手抖、紧张？喝咖啡多吗？",
    ),
    "sx.weakness": (
        "Is the weakness on one side, is your face drooping or your speech slurred, and have you any double vision or "
        "drooping eyelids?",
        "是一侧无力吗？有没有口角歪斜、说话不清、看东西重影、眼睑下垂？",
    ),
    "sx.seizure": (
        "Did you lose consciousness, bite your tongue or wet yourself, and were you confused afterwards? "
        "Have you ever had a head injury?",
        "抽的时候有没有意识丧失、咬舌头、尿失禁？醒后糊涂吗？有没有头部外伤？",
    ),
    "sx.joint_pain": (
        "Which joints hurt, are they swollen or red, and are they stiff in the morning? How long does the stiffness last?",
        "哪些关节痛？有没有红肿？早上起来僵硬吗？持续多久？",
    ),
    "sx.back_pain": (
        "Does the back pain go down your leg, is there any numbness between your legs, and can you control your bladder "
        "and bowels?",
        "腰背痛往腿上放射吗？腿麻吗？大小便能控制吗？",
    ),
    "sx.rash": (
        "Where did the rash start and how did it spread? Does it itch or hurt, and are there blisters or sores in your "
        "mouth?",
        "皮疹从哪里开始的？怎么发展的？痒不痒、疼不疼？有没有水疱、口腔溃疡？",
    ),
    "sx.edema": (
        "Is your face swollen too, is your urine foamy, and do you pass less urine? Are you breathless?",
        "脸肿吗？小便有泡沫吗？尿量少吗？有没有气短？",
    ),
    "sx.urinary": (
        "Does it burn when you pass urine, do you go often or have to rush, and is the urine bloody, cloudy or foamy? "
        "Any pain in the flank?",
        "小便痛不痛？有没有尿频、尿急？尿色怎么样，有没有血尿、泡沫尿？腰痛吗？",
    ),
    "sx.vaginal_bleeding": (
        "How heavy is the bleeding, are there clots, is it related to your period or to intercourse, and have you any "
        "pain in the lower abdomen?",
        "出血量多不多？有没有血块？和月经或同房有关系吗？有没有下腹痛？",
    ),
    "sx.vaginal_discharge": (
        "What does the discharge look like, does it smell, and do you itch or have pain during intercourse?",
        "白带是什么样的？有没有异味？外阴痒不痒？同房时痛吗？",
    ),
    "sx.weight_loss": (
        "How much weight have you lost, is your appetite good, and are you thirsty or passing a lot of urine?",
        "体重下降了多少？胃口好吗？有没有口渴、多尿？",
    ),
    "sx.fatigue": (
        "Do you feel the cold or the heat more than others, is your skin dry or your hair falling out, and do you bleed "
        "or bruise easily?",
        "怕冷还是怕热？皮肤干吗？掉头发吗？容易出血或者有瘀斑吗？",
    ),
    "sx.psych": (
        "Have you lost interest in things you used to enjoy, do you feel guilty or hopeless, can you concentrate, and are "
        "you anxious?",
        "对以前喜欢的事还有兴趣吗？有没有自责、绝望？注意力能集中吗？焦虑吗？",
    ),
    "sx.eye": (
        "Has your vision changed, is the eye painful or red, is there any discharge, and do you see floaters, flashes or "
        "halos?",
        "视力有变化吗？眼睛疼不疼、红不红？有没有分泌物、飞蚊、闪光、虹视？",
    ),
    "sx.ent": (
        "Do you have a runny or blocked nose, a sore throat, ear pain or trouble hearing, and is your voice hoarse?",
        "有没有流鼻涕、鼻塞、嗓子疼、耳朵疼、听力下降、声音嘶哑？",
    ),
    "sx.lump": (
        "When did you notice the lump, has it grown, does it hurt, and is there any discharge?",
        "包块什么时候发现的？变大了吗？疼不疼？有没有分泌物？",
    ),
    "hx.injury": (
        "How exactly did the injury happen, can you move and feel the part, and did you hit your head?",
        "是怎么受伤的？能活动吗？有没有麻木？头部受伤了吗？",
    ),
    "sx.bleeding": (
        "Do your gums or nose bleed, do you bruise easily, and does bleeding run in your family?",
        "牙龈、鼻子出血吗？容易有瘀斑吗？家里人有出血的毛病吗？",
    ),
    "sx.poor_feeding": (
        "How much does the child drink, how many wet nappies are there, and is the child drowsy or irritable?",
        "孩子吃奶怎么样？尿量多不多？精神好吗？有没有哭闹？",
    ),
}
"""By concept: what to ask, in English and Chinese, once the patient has it."""


def hypothesis_question(script: IllnessScript, language: str) -> str | None:
    """One question for the findings of a disease; the same for every patient."""
    labels = [f.label(language) for f in script.features if f.concept.startswith("sx.")][:8]
    if not labels:
        return None
    if language == "zh":
        return f"有没有{'、'.join(labels)}？"
    return f"Have you had any {', '.join(labels[:-1])} or {labels[-1]}?" if labels[1:] else f"Have you had any {labels[0]}?"


def follow_ups(present: frozenset[str], complaint: frozenset[str], language: str) -> Iterator[str]:
    """Questions about the symptoms found, those of the first words first."""
    order = sorted(FOLLOW_UP, key=lambda c: c not in complaint)
    for concept in order:
        if concept in present:
            yield FOLLOW_UP[concept][language == "zh"]
