"""The topics of a medical history: the headings under which a doctor asks and a record is written.

The set follows the usual headings of history taking (presenting complaint, history of presenting complaint, past
medical, drug and allergy, family, social history, systems review, ideas-concerns-expectations) and their Chinese
counterparts (主诉、现病史、既往史、个人史、月经婚育史、家族史).
"""

from __future__ import annotations

from enum import StrEnum


class Topic(StrEnum):
    """Under which heading of the history a fact stands."""

    IDENTITY = "identity"  # name, age, sex
    CHIEF_COMPLAINT = "chief_complaint"
    PRESENT_ILLNESS = "present_illness"  # onset, course, character of the complaint
    REVIEW_OF_SYSTEMS = "review_of_systems"  # other symptoms, present or denied
    GENERAL_STATE = "general_state"  # appetite, sleep, stool, urine, weight, energy (发病以来一般情况)
    PRIOR_CARE = "prior_care"  # visits, tests and treatment before today, for this complaint
    PAST_HISTORY = "past_history"  # diseases
    SURGERY = "surgery"  # operations and injuries
    TRANSFUSION = "transfusion"
    INFECTION = "infection"  # communicable diseases, contacts (传染病史)
    VACCINATION = "vaccination"
    MEDICATION = "medication"
    ALLERGY = "allergy"
    SMOKING = "smoking"
    ALCOHOL = "alcohol"
    SUBSTANCE = "substance"
    OCCUPATION = "occupation"
    LIVING = "living"  # residence, household, marriage, support, finances
    TRAVEL = "travel"
    EXPOSURE = "exposure"  # toxins, radiation, animals, sick contacts
    DIET = "diet"
    EXERCISE = "exercise"
    SEXUAL = "sexual"
    MENSTRUAL = "menstrual"
    OBSTETRIC = "obstetric"  # pregnancies, deliveries, contraception
    BIRTH_DEVELOPMENT = "birth_development"  # birth, feeding, growth (children)
    MOOD = "mood"
    FAMILY = "family"
    IDEA = "idea"
    CONCERN = "concern"
    EXPECTATION = "expectation"
    OTHER = "other"

    def label(self, language: str) -> str:
        """The heading as a physician of that language names it."""
        return _LABELS[self][language == "zh"]


_LABELS: dict[Topic, tuple[str, str]] = {
    Topic.IDENTITY: ("identity", "一般资料"),
    Topic.CHIEF_COMPLAINT: ("presenting complaint", "主诉"),
    Topic.PRESENT_ILLNESS: ("history of the presenting complaint", "现病史"),
    Topic.REVIEW_OF_SYSTEMS: ("accompanying symptoms", "伴随症状"),
    Topic.GENERAL_STATE: ("appetite, sleep, bowels, urine and weight", "一般情况"),
    Topic.PRIOR_CARE: ("earlier visits, tests and treatment", "诊治经过"),
    Topic.PAST_HISTORY: ("past medical history", "既往史"),
    Topic.SURGERY: ("operations and injuries", "手术外伤史"),
    Topic.TRANSFUSION: ("transfusions", "输血史"),
    Topic.INFECTION: ("infectious diseases", "传染病史"),
    Topic.VACCINATION: ("vaccinations", "预防接种史"),
    Topic.MEDICATION: ("current medicines", "用药史"),
    Topic.ALLERGY: ("allergies", "过敏史"),
    Topic.SMOKING: ("smoking", "吸烟史"),
    Topic.ALCOHOL: ("alcohol", "饮酒史"),
    Topic.SUBSTANCE: ("drug use", "药物滥用史"),
    Topic.OCCUPATION: ("occupation", "职业"),
    Topic.LIVING: ("home and living situation", "居住与婚姻家庭"),
    Topic.TRAVEL: ("travel", "旅行史"),
    Topic.EXPOSURE: ("exposures and contacts", "接触史"),
    Topic.DIET: ("diet", "饮食"),
    Topic.EXERCISE: ("physical activity", "运动"),
    Topic.SEXUAL: ("sexual history", "性生活史"),
    Topic.MENSTRUAL: ("menstrual history", "月经史"),
    Topic.OBSTETRIC: ("obstetric history and contraception", "生育史"),
    Topic.BIRTH_DEVELOPMENT: ("birth, feeding and development", "出生喂养发育史"),
    Topic.MOOD: ("mood", "情绪"),
    Topic.FAMILY: ("family history", "家族史"),
    Topic.IDEA: ("the patient's own ideas", "患者的想法"),
    Topic.CONCERN: ("the patient's worries", "患者的担忧"),
    Topic.EXPECTATION: ("the patient's expectations", "患者的期望"),
    Topic.OTHER: ("other history", "其他"),
}
