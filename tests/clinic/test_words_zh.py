"""Chinese patients' free words, in the many ways people say one thing: denials turned round, lists, idioms, numbers.

The cases are made up; none is in the packs and the wordings stand in no table of the guard.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.clinic.patient.words import review_words
from clinic_sim.testing import small_case

_PARTS: dict[str, dict[str, Any]] = {
    "ulcer": {
        "about": (45, "male", "K26.4", "十二指肠溃疡伴出血", "黑便2天"),
        "facts": {
            "stool": ("present_illness", "2天来黑便4次，柏油样"),
            "pain": ("present_illness", "上腹隐痛3个月，空腹时加重，进食后缓解"),
            "night": ("present_illness", "常夜间痛醒"),
            "dizzy": ("present_illness", "今晨起床时突然头晕、心慌、出冷汗"),
            "no_vomit": ("review_of_systems-", "无呕血、呕吐"),
            "no_fever": ("review_of_systems-", "无发热、畏寒"),
            "no_syncope": ("review_of_systems-", "无晕厥"),
            "no_weight": ("general_state-", "体重无明显下降"),
            "drug": ("medication", "因牙痛自服阿司匹林0.3 g，每日3次，共1周，未缓解"),
            "no_past": ("past_history-", "否认高血压、糖尿病、冠心病史"),
            "no_hepatitis": ("infection-", "否认肝炎、结核病史"),
            "smoke": ("smoking", "吸烟20年，每日20支"),
            "drink": ("alcohol", "每日饮白酒约3两"),
            "family": ("family", "父亲因胃癌去世"),
            "no_allergy": ("allergy-", "否认药物过敏史"),
            "worry": ("concern", "担心得了胃癌"),
            "job": ("occupation", "货车司机"),
        },
        "exams": [
            ("lab.cbc", "血红蛋白76 g/L，红细胞2.8×10^12/L。"),
            ("proc.gastroscopy", "十二指肠球部前壁见一0.8 cm溃疡，可见血管裸露。"),
            ("vital.bp", "92/58 mmHg"),
            ("vital.hr", "112次/分"),
        ],
        "treatment": [("奥美拉唑", "drug"), ("内镜下止血", "procedure")],
    },
    "copd": {
        "about": (68, "male", "J44.1", "慢性阻塞性肺疾病急性加重", "咳嗽、气促10年，加重3天"),
        "facts": {
            "cough": ("present_illness", "反复咳嗽、咳白色黏痰10年，每年冬天发作"),
            "sputum": ("present_illness", "3天前受凉后痰变黄，量增多，不易咳出"),
            "dyspnoea": ("present_illness", "活动后气促5年，近3天休息时也气促"),
            "no_blood": ("review_of_systems-", "无咯血、胸痛"),
            "no_orthopnoea": ("review_of_systems-", "夜间可平卧，无夜间憋醒"),
            "fever": ("present_illness", "发热2天，最高38.2℃"),
            "oedema": ("review_of_systems-", "无双下肢水肿"),
            "smoke": ("smoking", "吸烟40年，每日1包，已戒5年"),
            "inhaler": ("medication", "平时使用沙丁胺醇气雾剂，每次2喷，吸后好转"),
            "past": ("past_history", "高血压8年，服硝苯地平"),
            "no_surgery": ("surgery-", "无手术外伤史"),
            "appetite": ("general_state", "食欲差，睡眠差"),
            "urine": ("general_state-", "大小便正常"),
            "living": ("living", "独居，女儿每周来看他两次"),
            "no_family": ("family-", "家族中无类似疾病"),
        },
        "exams": [
            ("img.xray.chest", "双肺透亮度增高，膈肌低平，右下肺纹理增粗。"),
            ("lab.blood_gas", "pH 7.32，PaCO2 58 mmHg，PaO2 52 mmHg。"),
            ("vital.spo2", "86%"),
        ],
        "treatment": [("甲泼尼龙", "drug"), ("无创通气", "procedure")],
    },
    "migraine": {
        "about": (29, "female", "G43.0", "无先兆偏头痛", "反复头痛3年"),
        "facts": {
            "where": ("present_illness", "左侧太阳穴搏动性头痛"),
            "how_often": ("present_illness", "每月发作2～3次，每次持续约6小时"),
            "severity": ("present_illness", "疼痛8分（满分10分）"),
            "nausea": ("review_of_systems", "发作时恶心，有时呕吐"),
            "light": ("review_of_systems", "畏光、怕吵"),
            "activity": ("present_illness", "走动后加重，在暗室睡觉后缓解"),
            "trigger": ("present_illness", "熬夜、月经前易发作"),
            "no_aura": ("review_of_systems-", "发作前无视物闪光、肢体麻木"),
            "no_weakness": ("review_of_systems-", "无肢体无力、言语不清"),
            "no_injury": ("past_history-", "无头部外伤史"),
            "drug": ("medication", "服用布洛芬0.4 g可缓解，每月约吃4片"),
            "family": ("family", "母亲也有类似头痛"),
            "menses": ("menstrual", "月经规律，末次月经10天前"),
            "no_pregnancy": ("obstetric-", "未孕"),
            "no_drink": ("alcohol-", "不饮酒"),
            "job": ("occupation", "程序员，常熬夜"),
            "idea": ("idea", "认为是颈椎病引起的"),
        },
        "exams": [("img.mri.brain", "颅脑未见异常信号。"), ("vital.bp", "118/76 mmHg")],
        "treatment": [("佐米曲普坦", "drug"), ("普萘洛尔", "drug")],
    },
    "diabetes": {
        "about": (52, "female", "E11.9", "2型糖尿病", "口渴、多尿2个月"),
        "facts": {
            "thirst": ("present_illness", "口渴、多饮2个月，每日饮水约4 L"),
            "urine": ("present_illness", "尿量增多，夜尿3～4次"),
            "weight": ("present_illness", "2个月体重下降6 kg"),
            "hunger": ("general_state", "易饥、多食"),
            "eyes": ("review_of_systems", "近2周视物模糊"),
            "itch": ("review_of_systems", "外阴瘙痒"),
            "no_numb": ("review_of_systems-", "无手足麻木"),
            "no_abdomen": ("review_of_systems-", "无腹痛、恶心、呕吐"),
            "no_dysuria": ("review_of_systems-", "无尿频、尿急、尿痛"),
            "past": ("past_history", "高血脂3年，未服药"),
            "no_drug": ("medication-", "未服用任何药物"),
            "family": ("family", "姐姐患糖尿病"),
            "baby": ("obstetric", "28岁时生育一子，出生体重4.2 kg"),
            "menopause": ("menstrual", "50岁绝经"),
            "no_smoke": ("smoking-", "不吸烟"),
            "diet": ("diet", "喜甜食，少运动"),
            "foot": ("review_of_systems", "左脚踝有一处伤口，3周未愈合"),
        },
        "exams": [
            ("lab.glucose.fasting", "空腹血糖13.6 mmol/L。"),
            ("lab.hba1c", "糖化血红蛋白10.2%。"),
        ],
        "treatment": [("二甲双胍", "drug"), ("胰岛素", "drug")],
    },
    "ectopic": {
        "about": (31, "female", "O00.1", "输卵管妊娠", "停经7周，下腹痛4小时"),
        "facts": {
            "pain": ("present_illness", "4小时前突发右下腹撕裂样疼痛"),
            "bleed": ("present_illness", "2天前开始少量阴道流血，色暗红"),
            "shoulder": ("present_illness", "疼痛放射至右肩"),
            "anal": ("review_of_systems", "肛门坠胀感"),
            "no_fever": ("review_of_systems-", "无发热"),
            "no_urinary": ("review_of_systems-", "无尿频、尿痛、血尿"),
            "no_diarrhoea": ("review_of_systems-", "无腹泻"),
            "menses": ("menstrual", "末次月经7周前，平时规律"),
            "no_contraception": ("sexual", "近1年未避孕"),
            "births": ("obstetric", "人工流产2次，未生育"),
            "past": ("past_history", "3年前患盆腔炎，住院输液治疗"),
            "surgery": ("surgery", "2018年行阑尾切除术"),
            "allergy": ("allergy", "头孢过敏，皮疹"),
            "no_smoke": ("smoking-", "不吸烟、不饮酒"),
            "worry": ("concern", "担心以后不能生孩子"),
        },
        "exams": [
            ("lab.hcg", "血HCG 3260 IU/L。"),
            ("img.us.pelvis", "宫腔内未见孕囊，右附件区包块3.5 cm，盆腔积液。"),
        ],
        "treatment": [("腹腔镜输卵管切除术", "procedure"), ("甲氨蝶呤", "drug")],
    },
    "knee": {
        "about": (57, "male", "M10.9", "痛风性关节炎", "左脚趾肿痛1天"),
        "facts": {
            "onset": ("present_illness", "昨晚吃海鲜喝啤酒后，凌晨突然左脚大脚趾剧痛"),
            "look": ("present_illness", "局部红肿、发热，不能触碰"),
            "before": ("present_illness", "去年类似发作1次，5天后自行缓解"),
            "no_fever": ("review_of_systems-", "无发热、寒战"),
            "no_injury": ("review_of_systems-", "无外伤"),
            "no_other": ("review_of_systems-", "其他关节无肿痛"),
            "drug": ("medication", "服氢氯噻嗪25 mg每日1次，因高血压4年"),
            "drink": ("alcohol", "每周饮啤酒3次，每次4瓶"),
            "no_stone": ("past_history-", "无肾结石病史"),
            "family": ("family", "哥哥有痛风"),
            "walk": ("general_state", "无法走路，一夜未睡"),
            "expect": ("expectation", "希望尽快止痛"),
        },
        "exams": [("lab.uric_acid", "血尿酸568 μmol/L。"), ("img.xray.foot", "左第一跖趾关节软组织肿胀。")],
        "treatment": [("秋水仙碱", "drug"), ("依托考昔", "drug")],
    },
}


@cache
def _case(name: str) -> CompiledCase:
    parts = _PARTS[name]
    age, sex, code, disease, complaint = parts["about"]
    return compile_case(
        small_case(
            id=name,
            language="zh",
            title=disease,
            demographics={"age": age, "sex": sex},
            diagnosis={"primary": {"icd10": code, "name": disease}},
            contraindicated=[],
            red_flags=[],
            opening=None,
            chief_complaint=complaint,
            facts=[
                {
                    "id": id_,
                    "topic": topic.removesuffix("-"),
                    "statement": statement,
                    "polarity": "absent" if topic.endswith("-") else "present",
                }
                for id_, (topic, statement) in parts["facts"].items()
            ],
            exams=[{"id": f"e{n}", "code": c, "report": report} for n, (c, report) in enumerate(parts["exams"])],
            treatment=[{"id": f"t{n}", "name": t, "kind": kind} for n, (t, kind) in enumerate(parts["treatment"])],
        )
    )


def _kinds(case: str, facts: str, question: str, words: str) -> list[tuple[str, str]]:
    review = review_words(_case(case), words, facts.split(",") if facts else (), (), question)
    return [(objection.kind, objection.detail) for objection in review.objections]


CLEAN = [
    ("ulcer", "stool", "大便什么样？", "黑乎乎的，跟柏油路上那个似的，两天拉了四回。"),
    ("ulcer", "pain", "胃疼吗？", "饿的时候就闹腾，吃两口饼干垫垫就好点儿，仨月了，不算厉害，隐隐的。"),
    ("ulcer", "night", "夜里呢？", "半夜老给疼醒。"),
    ("ulcer", "dizzy", "今天怎么了？", "早上一起来，猛地一下天旋地转，心扑通扑通的，一身冷汗。"),
    ("ulcer", "no_vomit,no_fever", "吐血发烧吗？", "血没吐过，也不吐，烧也没有，更不怕冷。"),
    ("ulcer", "no_syncope", "晕过吗？", "晕倒倒是没有，大夫。"),
    ("ulcer", "no_weight", "瘦了吗？", "没瘦，裤腰带还是那个眼儿。"),
    ("ulcer", "drug", "吃过什么药？", "牙疼，自个儿买的阿司匹林，一回三百毫克，一天三回，吃了七天，没管用。"),
    ("ulcer", "no_past,no_hepatitis", "以前有什么病？", "高血压糖尿病冠心病都没有，肝炎结核也没得过。"),
    ("ulcer", "smoke,drink", "烟酒呢？", "烟一天一包，二十年烟龄了。酒嘛，天天三两白的，改不掉。"),
    ("ulcer", "family,worry", "家里人呢？", "我爸就是胃癌走的，所以我这心里直打鼓，怕自己也是那个。"),
    ("ulcer", "no_allergy", "过敏吗？", "药没有过敏的。"),
    ("ulcer", "job", "做什么工作？", "跑货车的，成天在路上，吃饭没个准点。"),
    ("ulcer", "", "做过肠镜吗？", "没做过，怎么了，大夫，要紧吗？"),
    ("ulcer", "", "您家住几楼？", "住三楼。问这个干吗呀？"),
    ("copd", "cough", "咳多久了？", "老毛病了，十年，一入冬就犯，吐的是白黏痰。"),
    ("copd", "sputum", "这次呢？", "大前天着了凉，痰就黄了，还多，嗓子眼里黏着咳不上来。"),
    ("copd", "dyspnoea", "气短吗？", "五年前就一动就喘，这三天坐着不动也倒不上气。"),
    ("copd", "no_blood", "痰里有血吗？", "血没见过，胸口也不疼。"),
    ("copd", "no_orthopnoea", "能躺平吗？", "能啊，躺平了睡没事，夜里也没憋醒过。"),
    ("copd", "fever", "发烧吗？", "烧了两天，最高三十八度二。"),
    ("copd", "oedema", "腿肿吗？", "腿不肿，按下去也没坑。"),
    ("copd", "smoke", "抽烟吗？", "抽了四十年，一天二十根，五年前一狠心戒了。"),
    ("copd", "inhaler", "用什么药？", "沙丁胺醇那个喷的，一次两下，喷完能舒坦点。"),
    ("copd", "past", "别的病呢？", "血压高，八年了，吃硝苯地平。"),
    ("copd", "no_surgery", "开过刀吗？", "刀没开过，也没磕着碰着。"),
    ("copd", "appetite", "吃睡怎么样？", "吃也吃不香，睡也睡不踏实。"),
    ("copd", "urine", "大小便呢？", "都正常，没啥问题。"),
    ("copd", "living", "跟谁住？", "就我一个人住，闺女一礼拜来瞧我两趟。"),
    ("copd", "no_family", "家里有人这样吗？", "没有，家里没人得这个病。"),
    ("copd", "dyspnoea", "怎么不舒服？", "咳，老了不中用了。活动活动就喘，有五年了，这三天歇着也喘，一天不如一天。"),
    ("migraine", "where", "哪儿疼？", "左边太阳穴，一跳一跳的。"),
    ("migraine", "how_often", "多久一次？", "一个月两三回吧，一疼就是六个钟头左右。"),
    ("migraine", "severity", "几分？", "八分，疼起来想撞墙。"),
    ("migraine", "nausea", "恶心吗？", "疼起来胃里直翻，有时候还真吐出来。"),
    ("migraine", "light", "怕光吗？", "见不得亮光，也听不得吵，得拉上窗帘。"),
    ("migraine", "activity", "什么能好点？", "走来走去就更疼，关了灯睡一觉就好了。"),
    ("migraine", "trigger", "什么时候容易犯？", "一熬夜就犯，来例假前也容易犯。"),
    ("migraine", "no_aura,no_weakness", "眼前闪光、手脚麻吗？", "闪光没有，手脚也不麻，劲儿也有，说话利索着呢。"),
    ("migraine", "no_injury", "头磕过吗？", "没磕过没碰过。"),
    ("migraine", "drug", "吃什么药？", "布洛芬，四百毫克一粒的，吃了能好，一个月也就四粒。"),
    ("migraine", "family", "家里人呢？", "我妈也这样，老头疼。"),
    ("migraine", "menses,no_pregnancy", "月经呢？怀孕了吗？", "挺准的，上次是十天前。没怀。"),
    ("migraine", "no_drink", "喝酒吗？", "酒我是一滴不沾。"),
    ("migraine", "idea", "您自己觉得呢？", "我老觉得是颈椎闹的，天天对着电脑嘛。"),
    ("diabetes", "thirst", "口渴吗？", "嘴里干得冒烟，俩月了，一天四升水都打不住。"),
    ("diabetes", "urine", "小便呢？", "尿多，一宿得起来三四趟。"),
    ("diabetes", "weight", "瘦了吗？", "俩月掉了十二斤，可我没减肥啊。"),
    ("diabetes", "hunger", "吃饭呢？", "饿得快，刚撂下碗又想吃。"),
    ("diabetes", "eyes", "眼睛呢？", "这半个月看东西糊，像隔了层毛玻璃。"),
    ("diabetes", "no_numb,no_abdomen", "手脚麻吗？肚子疼吗？", "手脚不麻。肚子没疼过，恶心呕吐都没有。"),
    ("diabetes", "no_drug", "吃药吗？", "什么药都没吃。"),
    ("diabetes", "no_smoke", "抽烟吗？", "从来不抽，闻见烟味就难受。"),
    ("diabetes", "foot", "脚上呢？", "左边脚脖子破了个口子，三个礼拜了还没长好。"),
    ("diabetes", "baby,menopause", "生过几个？", "就一个儿子，二十八岁生的，八斤四两大胖小子。五十岁绝的经。"),
    ("diabetes", "no_dysuria", "尿的时候疼吗？", "不疼，也不急，一天尿几回跟以前一样。"),
    ("ectopic", "pain", "怎么疼的？", "四个钟头前吧，右边小肚子一下子像撕开了似的。"),
    ("ectopic", "bleed", "下面出血吗？", "前天开始有点儿，不多，暗红色的。"),
    ("ectopic", "no_fever,no_urinary,no_diarrhoea", "发烧、小便、大便？", "不烧，小便不疼也没血，也不拉肚子。"),
    ("ectopic", "births,no_contraception", "怀过孕吗？", "做过两次人流，没生过。这一年没避孕。"),
    ("ectopic", "past", "以前妇科病？", "三年前得过盆腔炎，住院打了点滴。"),
    ("ectopic", "surgery", "开过刀吗？", "一八年割过阑尾。"),
    ("ectopic", "worry", "担心什么？", "我就怕以后当不了妈妈，大夫，会不会影响生孩子啊？"),
    ("knee", "onset", "怎么开始的？", "昨儿晚上海鲜配啤酒，后半夜左脚大拇趾一下子疼醒了，钻心。"),
    ("knee", "look", "看着怎么样？", "又红又肿，摸着烫手，被子挨一下都不行。"),
    ("knee", "before", "以前有过吗？", "去年犯过一回，五天自个儿就好了。"),
    ("knee", "no_fever,no_injury,no_other", "发烧吗？摔过吗？别的关节？", "不烧不冷，没摔没碰，别的关节都好好的。"),
    ("knee", "drug", "吃什么药？", "高血压四年，氢氯噻嗪一天一片，二十五毫克的。"),
    ("knee", "drink", "喝酒吗？", "一礼拜三回，一回四瓶啤酒。"),
    ("knee", "walk,expect", "能走吗？", "走不了道，一宿没合眼。您快给我止止疼吧。"),
]

BAD = [
    ("ulcer", "stool", "leak", "大便什么样？", "黑的。是不是十二指肠溃疡出血？"),
    ("ulcer", "stool", "leak", "大便什么样？", "黑的，肠子上破了个口子在冒血。"),
    ("ulcer", "dizzy", "leak", "头晕吗？", "晕，刚才护士量的九十二、五十八。"),
    ("ulcer", "dizzy", "leak", "头晕吗？", "晕。血色素只剩七克多了。"),
    ("ulcer", "pain", "leak", "疼吗？", "隐隐的。做胃镜看见里头有个坑。"),
    ("ulcer", "pain", "leak", "疼吗？", "隐隐的，他们要给我从胃镜里止血。"),
    ("ulcer", "no_vomit", "contradiction", "吐血吗？", "吐了，吐了两口鲜血。"),
    ("ulcer", "pain", "contradiction", "吃饭有关系吗？", "一吃就更疼，空着肚子反而舒服。"),
    ("ulcer", "drug", "contradiction", "吃药管用吗？", "阿司匹林吃了一周，挺管用的，牙不疼了。"),
    ("ulcer", "smoke", "contradiction", "抽烟吗？", "烟我从来不碰。"),
    ("ulcer", "no_past", "contradiction", "有高血压吗？", "有啊，高血压好几年了。"),
    ("ulcer", "stool", "contradiction", "几天了？", "上上个月就开始黑了。"),
    ("ulcer", "stool", "invention", "大便什么样？", "黑的，腿上还起了红疹。"),
    ("ulcer", "drink", "invention", "喝酒吗？", "三两，还天天吃安眠药。"),
    ("ulcer", "no_allergy", "unchosen", "过敏吗？", "不过敏。我每天三两白酒。"),
    ("copd", "cough", "leak", "咳多久？", "十年，就是慢阻肺嘛。"),
    ("copd", "cough", "leak", "咳多久？", "十年了。老慢支，肺气肿。"),
    ("copd", "dyspnoea", "leak", "喘吗？", "喘，血氧才八十六。"),
    ("copd", "dyspnoea", "leak", "喘吗？", "喘。片子上说肺都透亮了。"),
    ("copd", "dyspnoea", "leak", "喘吗？", "喘，他们说得上无创呼吸机。"),
    ("copd", "fever", "contradiction", "烧多少？", "最高三十九度八。"),
    ("copd", "smoke", "contradiction", "抽烟吗？", "抽了十年。"),
    ("copd", "no_orthopnoea", "contradiction", "能躺平吗？", "躺不平，一躺就憋醒，得坐着睡。"),
    ("copd", "sputum", "contradiction", "痰呢？", "一点痰都没有，干咳。"),
    ("copd", "oedema", "contradiction", "腿肿吗？", "两条腿都肿得发亮。"),
    ("copd", "inhaler", "contradiction", "用药呢？", "沙丁胺醇喷了一点用都没有。"),
    ("copd", "past", "invention", "别的病？", "高血压八年，还有糖尿病。"),
    ("copd", "past", "invention", "别的病？", "高血压八年，还吃着华法林。"),
    ("copd", "living", "unchosen", "跟谁住？", "自己住。我抽了四十年烟。"),
    ("copd", "no_blood", "invention", "有血吗？", "没血，就是声音嘶哑了。"),
    ("migraine", "where", "leak", "哪儿疼？", "左边太阳穴，医生说过是偏头痛。"),
    ("migraine", "where", "leak", "哪儿疼？", "左边，我查了，说叫血管性头疼。"),
    ("migraine", "no_weakness", "leak", "手脚有劲吗？", "有劲，脑部核磁也没看到东西。"),
    ("migraine", "drug", "leak", "吃什么药？", "布洛芬，医生还要给我开曲普坦。"),
    ("migraine", "where", "contradiction", "哪儿疼？", "右边太阳穴跳着疼。"),
    ("migraine", "severity", "contradiction", "几分？", "三分吧，能忍。"),
    ("migraine", "severity", "contradiction", "几分？", "也就一两分的样子。"),
    ("migraine", "how_often", "contradiction", "多久一次？", "天天都疼，一天两三次。"),
    ("migraine", "where", "contradiction", "怎么疼？", "左边太阳穴，火烧火燎的那种。"),
    ("migraine", "no_aura", "contradiction", "眼前闪光吗？", "有，犯之前眼前冒金光，手也麻。"),
    ("migraine", "menses", "contradiction", "月经呢？", "乱得很，两个月才来一次。"),
    ("migraine", "light", "invention", "怕光吗？", "怕光怕吵，耳朵还嗡嗡响。"),
    ("migraine", "no_drink", "contradiction", "喝酒吗？", "喝，每周一瓶红酒。"),
    ("diabetes", "thirst", "leak", "口渴吗？", "渴，我八成是糖尿病。"),
    ("diabetes", "thirst", "leak", "口渴吗？", "渴得很，血糖十三点六呢。"),
    ("diabetes", "thirst", "leak", "口渴吗？", "渴。就是身体里那个胰岛素不够用了，糖都跑尿里去了。"),
    ("diabetes", "no_drug", "leak", "吃药吗？", "没吃，医生说要打胰岛素了。"),
    ("diabetes", "weight", "contradiction", "体重呢？", "两个月胖了六公斤。"),
    ("diabetes", "weight", "contradiction", "瘦了多少？", "瘦了三十斤。"),
    ("diabetes", "hunger", "contradiction", "胃口呢？", "没胃口，什么都不想吃。"),
    ("diabetes", "foot", "contradiction", "脚呢？", "右脚踝破了，三周没好。"),
    ("diabetes", "no_numb", "contradiction", "手脚麻吗？", "麻，十个脚趾头都是木的。"),
    ("diabetes", "no_smoke", "invention", "抽烟吗？", "不抽，就爱嚼槟榔。"),
    ("ectopic", "pain", "leak", "怎么疼？", "右下腹撕开一样，怕不是宫外孕吧。"),
    ("ectopic", "pain", "leak", "怎么疼？", "右下腹疼，孩子怀在管子里了。"),
    ("ectopic", "bleed", "leak", "出血吗？", "有一点。B超说宫腔里没看到孕囊。"),
    ("ectopic", "pain", "contradiction", "多久了？", "疼了一个礼拜了，慢慢疼起来的。"),
    ("ectopic", "bleed", "contradiction", "出血吗？", "没有流血，下面干干净净的。"),
    ("ectopic", "births", "invention", "怀过吗？", "人流两次，还剖过一个女儿。"),
    ("ectopic", "past", "contradiction", "什么时候？", "就上个月得的盆腔炎。"),
    ("knee", "onset", "leak", "怎么疼？", "昨晚左脚趾疼，肯定是痛疯犯了。"),
    ("knee", "onset", "leak", "怎么疼？", "左脚趾疼，尿酸高闹的。"),
    ("knee", "look", "contradiction", "红吗？", "不红不肿，摸着凉凉的。"),
    ("knee", "before", "contradiction", "以前有过吗？", "从来没有过，头一回。"),
    ("knee", "drink", "contradiction", "喝酒吗？", "不喝，滴酒不沾。"),
    ("knee", "drug", "contradiction", "吃什么药？", "氢氯噻嗪一百毫克。"),
]


@pytest.mark.parametrize(("case", "facts", "question", "words"), CLEAN)
def test_honest_words_stand(case: str, facts: str, question: str, words: str) -> None:
    assert _kinds(case, facts, question, words) == []


@pytest.mark.parametrize(("case", "facts", "label", "question", "words"), BAD)
def test_other_words_are_refused(case: str, facts: str, label: str, question: str, words: str) -> None:
    kinds = [kind for kind, _ in _kinds(case, facts, question, words)]
    assert kinds, label
    assert "form" not in kinds
