"""Patients whose words are reviewed in `utterances.tsv`, made up for that."""

from __future__ import annotations

from typing import Any

from clinic_sim.cases.case import Case
from clinic_sim.testing import small_case


def _facts(topic_statements: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {
            "id": id_,
            "topic": topic.removesuffix("-"),
            "statement": statement,
            "polarity": "absent" if topic.endswith("-") else "present",
        }
        for id_, (topic, statement) in topic_statements.items()
    ]


def _case(name: str, language: str, age: int, sex: str, code: str, disease: str, **parts: Any) -> Case:
    return small_case(
        id=name,
        language=language,
        title=disease,
        demographics={"age": age, "sex": sex},
        diagnosis={"primary": {"icd10": code, "name": disease}},
        contraindicated=[],
        red_flags=[],
        opening=None,
        chief_complaint=parts["complaint"],
        facts=_facts(parts["facts"]),
        exams=[{"id": f"e{n}", "code": code_, "report": report} for n, (code_, report) in enumerate(parts["exams"])],
        treatment=[
            {"id": f"t{n}", "name": treatment, "kind": kind} for n, (treatment, kind) in enumerate(parts["treatment"])
        ],
    )


CASES: dict[str, Case] = {
    "stone": _case(
        "stone", "en", 38, "male", "N20.1", "Ureteric stone",
        complaint="Right flank pain for 6 hours",
        facts={
            "onset": ("present_illness", "Right flank pain began suddenly 6 hours ago"),
            "radiation": ("present_illness", "The pain radiates to the right groin and testicle"),
            "waves": ("present_illness", "The pain comes in waves, 9 out of 10 at its peak"),
            "restless": ("present_illness", "Cannot find a comfortable position"),
            "vomit": ("review_of_systems", "Vomited twice"),
            "no_fever": ("review_of_systems-", "Denies fever"),
            "no_dysuria": ("review_of_systems-", "Denies burning on urination"),
            "urine": ("review_of_systems", "Urine looked pink"),
            "prior": ("past_history", "A similar episode 3 years ago passed by itself"),
            "meds": ("medication", "Takes lisinopril 10 mg once a day"),
            "no_allergy": ("allergy-", "No known drug allergies"),
            "family": ("family", "Father had gout"),
            "smoke": ("smoking", "Smokes 10 cigarettes a day"),
            "work": ("occupation", "Works as a roofer in the heat and drinks little water"),
        },
        exams=[
            ("img.ct.abdomen", "A 6 mm stone in the right distal ureter with mild hydronephrosis."),
            ("lab.urinalysis", "Red cells 3+, nitrites negative."),
            ("lab.creatinine", "Creatinine 1.1 mg/dL."),
            ("vital.bp", "152/90 mmHg"),
        ],
        treatment=[("tamsulosin", "drug"), ("ureteroscopy", "procedure")],
    ),
    "clot": _case(
        "clot", "en", 29, "female", "I26.9", "Pulmonary embolism",
        complaint="Shortness of breath since yesterday",
        facts={
            "onset": ("present_illness", "Sudden shortness of breath since yesterday evening"),
            "pain": ("present_illness", "Sharp right-sided chest pain that is worse with deep breaths"),
            "blood": ("present_illness", "Coughed up a streak of blood once"),
            "calf": ("present_illness", "The left calf has been swollen and tender for 4 days"),
            "flight": ("travel", "Flew from Sydney 5 days ago, a 12-hour flight"),
            "pill": ("medication", "Takes the combined oral contraceptive pill"),
            "no_fever": ("review_of_systems-", "Denies fever"),
            "dry": ("review_of_systems", "Dry cough without sputum"),
            "never_smoked": ("smoking-", "Never smoked"),
            "family": ("family", "Mother had blood clots after an operation"),
            "palpitations": ("review_of_systems", "Palpitations"),
            "first": ("past_history-", "No previous similar episode"),
        },
        exams=[
            ("img.ct.chest", "Filling defect in the right lower lobar pulmonary artery."),
            ("lab.d_dimer", "D-dimer 3.4 mg/L."),
            ("vital.spo2", "91 % on room air"),
            ("func.ecg", "Sinus tachycardia with an S1Q3T3 pattern."),
        ],
        treatment=[("heparin", "drug"), ("rivaroxaban", "drug")],
    ),
    "thyroid": _case(
        "thyroid", "en", 47, "female", "E03.9", "Hypothyroidism",
        complaint="Tiredness for 6 months",
        facts={
            "tired": ("present_illness", "Fatigue for 6 months"),
            "weight": ("present_illness", "Weight gain of 7 kg without eating more"),
            "bowels": ("review_of_systems", "Constipation, opens her bowels every third day"),
            "cold": ("review_of_systems", "Feels cold all the time"),
            "skin": ("review_of_systems", "Dry, flaky skin"),
            "hair": ("review_of_systems", "Hair is thinning and falls out"),
            "periods": ("menstrual", "Periods have become heavy"),
            "low": ("mood", "Low mood and little drive"),
            "no_palpitations": ("review_of_systems-", "Denies palpitations"),
            "no_lump": ("review_of_systems-", "Denies neck swelling"),
            "no_meds": ("medication-", "Takes no medication or supplements"),
            "job": ("occupation", "Works as a primary school teacher"),
            "no_alcohol": ("alcohol-", "Does not drink alcohol"),
        },
        exams=[
            ("lab.thyroid.tsh", "TSH 48 mIU/L."),
            ("lab.lipids", "Total cholesterol 7.2 mmol/L."),
        ],
        treatment=[("levothyroxine", "drug")],
    ),
    "gall": _case(
        "gall", "zh", 52, "female", "K81.0", "急性胆囊炎",
        complaint="右上腹痛1天",
        facts={
            "onset": ("present_illness", "1天前吃火锅后出现右上腹疼痛"),
            "radiation": ("present_illness", "疼痛放射至右肩"),
            "vomit": ("present_illness", "恶心，呕吐3次"),
            "fever": ("present_illness", "发热，体温38.5℃"),
            "worse": ("present_illness", "活动时疼痛加重，平躺时减轻"),
            "no_jaundice": ("review_of_systems-", "无皮肤巩膜黄染"),
            "bp": ("past_history", "高血压5年，口服氨氯地平"),
            "allergy": ("allergy", "青霉素过敏"),
            "no_smoke": ("smoking-", "不吸烟"),
            "family": ("family", "母亲患糖尿病"),
        },
        exams=[
            ("lab.cbc", "白细胞14.2×10^9/L，中性粒细胞88%。"),
            ("img.us.abdomen", "胆囊增大，胆囊壁增厚，腔内见强回声。"),
            ("phys.abdomen.palpation", "右上腹压痛，墨菲征阳性。"),
            ("vital.bp", "158/92 mmHg"),
        ],
        treatment=[("腹腔镜胆囊切除术", "procedure"), ("头孢曲松", "drug")],
    ),
    "lung": _case(
        "lung", "zh", 34, "male", "A15.0", "肺结核",
        complaint="咳嗽、咳痰2个月",
        facts={
            "cough": ("present_illness", "咳嗽、咳痰2个月"),
            "blood": ("present_illness", "近1周痰中带血丝"),
            "sweats": ("present_illness", "午后低热、夜间盗汗"),
            "weight": ("present_illness", "体重下降5公斤"),
            "contact": ("exposure", "同宿舍工友长期咳嗽"),
            "smoke": ("smoking", "吸烟10年，每日半包"),
            "no_chest_pain": ("review_of_systems-", "否认胸痛"),
            "no_past": ("past_history-", "否认高血压、糖尿病史"),
            "job": ("occupation", "建筑工人，在工地搬砖"),
        },
        exams=[
            ("img.ct.chest", "右上肺空洞伴周围斑片影。"),
            ("lab.micro.afb", "痰涂片抗酸杆菌阳性。"),
            ("lab.esr", "血沉68 mm/h。"),
        ],
        treatment=[("异烟肼", "drug"), ("利福平", "drug")],
    ),
    "head": _case(
        "head", "zh", 26, "female", "G43.1", "有先兆偏头痛",
        complaint="反复头痛3年",
        facts={
            "pain": ("present_illness", "反复左侧搏动性头痛3年"),
            "often": ("present_illness", "每月发作2次，每次持续半天"),
            "nausea_light": ("present_illness", "发作时恶心、畏光"),
            "flash": ("present_illness", "头痛前眼前出现闪光"),
            "trigger": ("present_illness", "熬夜后容易发作"),
            "drug": ("medication", "口服布洛芬后缓解"),
            "no_fever": ("review_of_systems-", "无发热"),
            "no_injury": ("past_history-", "无头部外伤史"),
            "mother": ("family", "母亲也经常头痛"),
            "pill": ("medication", "口服避孕药"),
        },
        exams=[("img.mri.head", "未见异常。")],
        treatment=[("舒马普坦", "drug")],
    ),
}  # fmt: skip
"""By name."""
