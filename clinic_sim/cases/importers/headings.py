"""Under which heading of the history a clause belongs, from the section it stands in and the words it uses.

A record's sections are coarse (`Social_History`, `个人史`, a present illness that ends with habits and drugs); a
question is narrow. A clause leaves its section only for a heading that its own words name.
"""

from __future__ import annotations

import re

from clinic_sim.knowledge.topics import Topic

_EN: tuple[tuple[Topic, str], ...] = (
    (
        Topic.PAST_HISTORY,
        r"\b(?:medical|psychiatric)\b(?: (?:or|and|,|psychiatric|surgical|medical))* (?:history|conditions?|"
        r"problems?)\b(?! of)",
    ),
    (Topic.ALLERGY, r"\ballerg(?:y|ies|ic)\b(?! rhinitis)|\badverse drug reaction"),
    (Topic.VACCINATION, r"\bimmuni[sz]\w*|\bvaccin\w*"),
    (Topic.SMOKING, r"\b(?:non-?)?smok\w+|\btobacco\b|\bcigar\w*|\bpack[- ]years?\b|\bvap(?:es?|ing)\b"),
    (
        Topic.ALCOHOL,
        r"\balcohol\w*|\bwine\b|\bbeers?\b|\bvodka\b|\bliquor\b|\bwhisk\w+|\bdrink(?:s|ing|"
        r"er)?\b(?! (?:of )?(?:water|fluids|milk))",
    ),
    (
        Topic.SUBSTANCE,
        r"\billicit\b|\brecreational drug|\bmarijuana\b|\bcannabis\b|\bcocaine\b|\bheroin\b|\bsubstance (?:use|abuse)"
        r"|\bdrug (?:use|abuse)\b|\b(?:or|nor|and) drugs?\b(?! allerg)|\bintravenous drug|\bIV drug|\bsteroid use\b",
    ),
    (
        Topic.SEXUAL,
        r"\bsexual(?:ly)?\b|\bcondoms?\b|\b(?:un)?protected sex\b|\bsex\b|\bintercourse\b|\bsex partners?\b",
    ),
    (
        Topic.FAMILY,
        r"\bfamily history\b|\b(?:runs in|in) (?:the|his|her|their|my) family\b|\bfamilial\b|\bhereditary\b",
    ),
    (
        Topic.FAMILY,
        r"\b(?:mother|father|brother|sister|uncle|aunt|grand(?:mother|father)|sibling|"
        r"cousin)s?\b[^.]{0,40}\b(?:has|had|have|died|"
        r"history|diagnosed|suffered|suffers|with similar|similar)\b",
    ),
    (Topic.TRANSFUSION, r"\btransfus\w+"),
    (
        Topic.MENSTRUAL,
        r"\bmenarche\b|\bmens(?:es|trua\w*|trual)\b|\bmenopaus\w*|\blast (?:menstrual )?period\b|\bLMP\b",
    ),
    (
        Topic.OBSTETRIC,
        r"\bgravida\b|\bpara \d|\bpregnan\w+|\bcontracepti\w+|\bbirth control\b|\bmiscarriage|\babortion|"
        r"\bvaginal deliver"
        r"|\bpostpartum\b|\bcesarean\b|\bprenatal\b|\bantenatal\b",
    ),
    (
        Topic.BIRTH_DEVELOPMENT,
        r"\b(?:was|is|been)? ?born\b|\bbirth (?:weight|history)\b|\bApgar\b|\bbreast-?fed\b|\bbreastfeeding\b|"
        r"\bmilestones\b"
        r"|\bmeconium\b|\bweeks['’]? (?:of )?gestation\b|\bdelivered at\b|\bbirth\b",
    ),
    (
        Topic.SURGERY,
        r"\bsurger(?:y|ies)\b|\bunderwent\b|\b\w{4,}ectom(?:y|ies)\b|\b\w{4,}plasty\b|\boperations?\b|"
        r"\bhospitali[sz]ations?\b"
        r"|\bfractures?\b|\bmotor vehicle\b",
    ),
    (
        Topic.MEDICATION,
        r"\b(?:takes?|taking) (?!care|place|part|a (?:bath|shower|nap|walk))|\bmedications?\b|\bmedicines?\b|"
        r"\bover-the-counter\b"
        r"|\bprescribed\b|\bstarted on\b|\bcurrently on\b|\b(?:managed|controlled|treated) with\b|\binhaler\b|"
        r"\bnoncomplian\w+",
    ),
    (Topic.TRAVEL, r"\btravel\w*|\btrip\b|\breturned from\b|\babroad\b|\bimmigra\w+|\bvacation\b"),
    (
        Topic.EXPOSURE,
        r"\bexpos(?:ed|ure)\w*|\bcontact with\b|\bsick contacts?\b|\bpets?\b|\banimals?\b|\blivestock\b|"
        r"\bcamping\b|\bhiking\b"
        r"|\bdaycare\b|\bincarcerat\w+|\bprison\b|\b(?:tick|insect|dog|cat|animal|snake|spider|mosquito|bug|ant|"
        r"flea|bat|human)s? bit(?:e|es|ten)?\b"
        r"|\bbitten by\b|\bbit by\b",
    ),
    (Topic.DIET, r"\bdiet\w*\b|\bvegetarian\b|\bvegan\b|\bfast food\b|\beats (?:a|mostly|mainly)\b"),
    (
        Topic.OCCUPATION,
        r"\bworks?\b|\bworked\b|\bworking (?:as|in|at|on)\b|\boccupation\w*|\bjob\b|\bretired\b|\bstudent\b|"
        r"\bteacher\b|\bemploy\w+"
        r"|\bcollege\b|\b(?:pre|high )?school\b|\bgrade\b|\bfarmer\b|\bengineer\b",
    ),
    (
        Topic.EXERCISE,
        r"\bexercis\w+|\bjogs?\b|\bsports?\b|\bgym\b|\bplays? (?:golf|football|tennis|volleyball)\b|\bathlet\w+",
    ),
    (
        Topic.LIVING,
        r"\blives?\b|(?<!daily )\bliving\b|\bmarried\b|\bsingle\b|\bdivorced\b|\bwidow\w*|\bhomeless\b|\bfirst child\b|"
        r"\bboyfriend\b|\brelationship\b",
    ),
    (Topic.MOOD, r"\bstress(?:ful|ed|ors?)?\b|\bdepress\w+ (?:mood|symptoms)|\bmood\b"),
)
_ZH: tuple[tuple[Topic, str], ...] = (
    (Topic.ALLERGY, r"过敏(?!性)|易致敏"),
    (Topic.VACCINATION, r"预防接种|疫苗|卡介苗|接种史|漏种"),
    (Topic.TRANSFUSION, r"输血"),
    (Topic.SMOKING, r"吸烟|抽烟|戒烟|烟龄|烟酒|支[/／每]"),
    (Topic.ALCOHOL, r"饮酒|喝酒|酗酒|白酒|啤酒|嗜酒|戒酒"),
    (Topic.SUBSTANCE, r"吸毒|毒品|精神活性物质|药物滥用"),
    (Topic.SEXUAL, r"冶游|性生活|性交|性伴|性行为|房事"),
    (Topic.TRAVEL, r"疫区|疫情|疫水|旅行|旅游(?:史|居住)|出差|外地(?:久居|旅居)|旅居"),
    (Topic.EXPOSURE, r"接触史|毒物|粉尘|放射性?(?:线|物)|有害物质|化学(?:品|性物质)|宠物|接触(?:“|\")?(?:感冒|患|病)"),
    (
        Topic.FAMILY,
        r"家族|家庭成员|两系三代|(?:父|母|兄|弟|姐|妹|爷爷|奶奶|外公|外婆|祖父|祖母)[亲母]?[^，。]{0,8}(?:患|有|因|死|去世|已故|健在|体健|病)",
    ),
    (Topic.MENSTRUAL, r"月经|初潮|经期|绝经|痛经|白带|经量|经血|末次|闭经"),
    (Topic.OBSTETRIC, r"孕产|流产|早产|死胎|避孕|生育|育有|[Gg]\d[Pp]\d|足月顺产\d|人流|剖宫产史|孕次|妊娠|怀孕"),
    (
        Topic.BIRTH_DEVELOPMENT,
        r"足月|顺产|剖[腹宫]产|出生(?!于|并)|母乳|辅食|窒息|生长发育|产伤|围生期|智力|喂养|胎次|胞\d",
    ),
    (Topic.SURGERY, r"手术|外伤|切除术|骨折|内固定|术史|植入"),
    (Topic.INFECTION, r"肝炎|结核|传染病|伤寒|麻疹|梅毒|艾滋|新冠|新型冠状"),
    (Topic.OCCUPATION, r"退休|职业|从事|会计|工人|农民|教师|职员|工作(?!效率|生活|能力|差)|务农|学生|适龄入学|毕业"),
    (Topic.LIVING, r"生于|出生于|出生并|久居|居住|已婚|未婚|结婚|夫妻|丧偶|离异|配偶|丈夫|妻子|爱人|独居|性格"),
    (Topic.DIET, r"喜食|饮食习惯|偏食|素食|嗜(?:咸|甜|辣)"),
    (Topic.EXERCISE, r"锻炼|运动(?!障碍|后|时)|健身"),
    (Topic.MEDICATION, r"服用|口服|服药|用药(?!后)|长期[^，。]{0,6}药|规律用|胰岛素|控释片|缓释片"),
    (Topic.DIET, r"饮食规律"),
)
_ZH_PRESENT: tuple[tuple[Topic, str], ...] = (
    (
        Topic.PRIOR_CARE,
        r"就诊|诊断|检查(?:示|提示|发现|未)|[查行做][^，。]{0,14}(?:示|提示|检查|CT|彩超|B超|超声)|门诊|急诊|住院|收[入住]|入院(?!前)|给予|予以|未予|未行|治疗"
        r"|自行(?:口服|服用)|自服|口服|服用|静[脉滴点]|输液|注射|来我院|来诊|医院|诊所|卫生院",
    ),
    (
        Topic.GENERAL_STATE,
        r"精神(?:一般|可|尚|差|状态|、|饮|欠|良|好|佳)|饮食|食欲|睡眠|大小便|二便|体重|大便|小便|胃纳|食纳|纳差|进食(?:量|少|差)|尿量|夜寐|寐欠|纳可",
    ),
    (Topic.MENSTRUAL, r"(?<!因)(?<!随)月经(?!失血)|绝经"),
)
_EN_PRESENT_ONLY = {
    Topic.PAST_HISTORY,
    Topic.ALLERGY,
    Topic.VACCINATION,
    Topic.SMOKING,
    Topic.ALCOHOL,
    Topic.SUBSTANCE,
    Topic.SEXUAL,
    Topic.FAMILY,
    Topic.MENSTRUAL,
    Topic.OBSTETRIC,
    Topic.BIRTH_DEVELOPMENT,
    Topic.SURGERY,
    Topic.MEDICATION,
    Topic.TRAVEL,
    Topic.EXPOSURE,
    Topic.DIET,
    Topic.OCCUPATION,
    Topic.LIVING,
}
_PAST = re.compile(
    r"\b(?:past|medical|personal|significant|prior|previous|known)\b[^.]{0,20}\bhistory\b|\bhistory (?:of|is|"
    r"includes|significant)\b"
    r"|\bdiagnosed with\b|\bhas (?:hypertension|diabetes|asthma)\b",
    re.IGNORECASE,
)
_COURSE_HISTORY = re.compile(
    r"\b(?:\d+|a|an|one|two|three|several|year|month|week|day)[- ]?(?:minute|hour|day|week|month|"
    r"year)?s?[- ]?(?:long )?history of\b",
    re.IGNORECASE,
)
_COMPILED_EN = tuple((t, re.compile(p, re.IGNORECASE)) for t, p in _EN)
_COMPILED_ZH = tuple((t, re.compile(p)) for t, p in _ZH)
_COMPILED_ZH_PRESENT = tuple((t, re.compile(p)) for t, p in _ZH_PRESENT)
_COMPLAINTS = {Topic.CHIEF_COMPLAINT, Topic.PRESENT_ILLNESS, Topic.REVIEW_OF_SYSTEMS, Topic.GENERAL_STATE}
_FIXED = {Topic.IDEA, Topic.CONCERN, Topic.EXPECTATION, Topic.CHIEF_COMPLAINT, Topic.IDENTITY}

_LABELS_ZH: tuple[tuple[str, Topic], ...] = (
    (r"过敏", Topic.ALLERGY),
    (r"接种", Topic.VACCINATION),
    (r"吸烟|烟", Topic.SMOKING),
    (r"饮酒|酒", Topic.ALCOHOL),
    (r"吸毒|毒品", Topic.SUBSTANCE),
    (r"手术|外伤", Topic.SURGERY),
    (r"输血", Topic.TRANSFUSION),
    (r"传染", Topic.INFECTION),
    (r"月经|末次|初潮", Topic.MENSTRUAL),
    (r"生育|孕产", Topic.OBSTETRIC),
    (r"婚姻|配偶", Topic.LIVING),
    (r"家族", Topic.FAMILY),
    (r"性格|居住", Topic.LIVING),
    (r"系统$|^(?:全身|其他|眼|皮肤|关节|五官)", Topic.REVIEW_OF_SYSTEMS),
    (r"精神状态|睡眠|饮食|体重", Topic.GENERAL_STATE),
    (r"用药|药物治疗", Topic.MEDICATION),
    (r"疾病史|既往|治疗史|口腔", Topic.PAST_HISTORY),
)


def refine(section: Topic, clause: str, language: str) -> Topic | None:
    """The heading that the clause's own words name; None where they name none and the section's stands."""
    if section in _FIXED:
        return section
    if language == "zh":
        return _refine_zh(section, clause)
    present = section in _COMPLAINTS
    for topic, pattern in _COMPILED_EN:
        if present and topic not in _EN_PRESENT_ONLY:
            continue
        if pattern.search(clause) and not (present and section is not Topic.PRESENT_ILLNESS and topic is Topic.SURGERY):
            return topic
    if present and _PAST.search(clause) and not _COURSE_HISTORY.search(clause):
        return Topic.PAST_HISTORY
    return None


def _refine_zh(section: Topic, clause: str) -> Topic | None:
    if section in _COMPLAINTS:
        for topic, pattern in _COMPILED_ZH_PRESENT:
            if pattern.search(clause):
                return topic
        return None
    if section in {Topic.MENSTRUAL, Topic.FAMILY}:
        return section
    for topic, pattern in _COMPILED_ZH:
        if pattern.search(clause):
            return topic
    return None


def topic_of_label(label: str) -> Topic | None:
    """The heading that a label inside a Chinese section names, such as `预防接种史` or `呼吸系统`."""
    for pattern, topic in _LABELS_ZH:
        if re.search(pattern, label):
            return topic
    return None


_SECTIONS: tuple[tuple[str, Topic], ...] = (
    (r"chief|primary_?symptom|presenting|主诉", Topic.CHIEF_COMPLAINT),
    (r"review_?of_?system|^ros$|system_review|系统回顾", Topic.REVIEW_OF_SYSTEMS),
    (r"surg|injur|手术|外伤", Topic.SURGERY),
    (r"transfus|输血", Topic.TRANSFUSION),
    (r"infect|传染", Topic.INFECTION),
    (r"immuni|vaccin|接种", Topic.VACCINATION),
    (r"allerg|过敏", Topic.ALLERGY),
    (r"medication|drug|medicine|用药|药物史", Topic.MEDICATION),
    (r"family|家族", Topic.FAMILY),
    (r"menstr|月经", Topic.MENSTRUAL),
    (r"obstet|gyn|reproduct|pregnan|婚育|生育|孕产", Topic.OBSTETRIC),
    (r"birth|develop|feeding|出生|喂养|发育", Topic.BIRTH_DEVELOPMENT),
    (r"sexual", Topic.SEXUAL),
    (r"smok|tobacco|吸烟", Topic.SMOKING),
    (r"alcohol|饮酒", Topic.ALCOHOL),
    (r"substance", Topic.SUBSTANCE),
    (r"occupation|employ|职业", Topic.OCCUPATION),
    (r"travel", Topic.TRAVEL),
    (r"exposure|接触", Topic.EXPOSURE),
    (r"diet|nutrition", Topic.DIET),
    (r"exercise", Topic.EXERCISE),
    (r"^idea|想法", Topic.IDEA),
    (r"concern|worr|担忧|担心", Topic.CONCERN),
    (r"expect|期望", Topic.EXPECTATION),
    (r"social|personal|lifestyle|habit|marital|个人史|社会", Topic.LIVING),
    (r"past|medical_?history|既往|other_medical", Topic.PAST_HISTORY),
    (r"mood|psych|mental", Topic.MOOD),
    (r"history|symptom|present|complaint|现病史|症状", Topic.PRESENT_ILLNESS),
)


def topic_of_section(name: str) -> Topic:
    """The heading that a field's name stands for; `other` where it is not known."""
    flat = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).strip().lower().replace(" ", "_")
    for pattern, topic in _SECTIONS:
        if re.search(pattern, flat):
            return topic
    return Topic.OTHER
