"""Verifiable checks: each reads the ledger and the reference, and none needs a model.

A check takes the hearing, the target that its criterion was generated for (empty where it stands for itself) and the
criterion's parameters, and gives a `Finding`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clinic_sim.judge.checks import basis, diagnosis, exams, history, manner, treatment
from clinic_sim.judge.checks.finding import Finding
from clinic_sim.judge.hearing import Hearing
from clinic_sim.judge.rubric import CheckName

Check = Callable[[Hearing, str, Mapping[str, Any]], Finding]

CHECKS: dict[CheckName, Check] = {
    "fact_disclosed": history.fact_disclosed,
    "red_flag_covered": history.red_flag_covered,
    "history_before_orders": history.history_before_orders,
    "turns_within": history.turns_within,
    "open_before_closed": manner.open_before_closed,
    "no_leading_questions": manner.no_leading_questions,
    "one_question_at_a_time": manner.one_question_at_a_time,
    "positives_followed_up": manner.positives_followed_up,
    "exam_ordered": exams.exam_ordered,
    "exam_precision": exams.exam_precision,
    "exam_excess": exams.exam_excess,
    "exam_redundancy": exams.exam_redundancy,
    "orders_before_history": exams.orders_before_history,
    "exam_contraindicated": exams.exam_contraindicated,
    "cost_within": exams.cost_within,
    "icd_match": diagnosis.icd_match,
    "comorbid_named": diagnosis.comorbid_named,
    "differential_named": diagnosis.differential_named,
    "basis_cited": basis.basis_cited,
    "treatment_covered": treatment.treatment_covered,
    "treatment_excess": treatment.treatment_excess,
    "contraindicated": treatment.contraindicated,
    "allergy_conflict": treatment.allergy_conflict,
    "dangerous_dose": treatment.dangerous_dose,
    "unsafe_plan": treatment.unsafe_plan,
}
