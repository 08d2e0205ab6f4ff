"""Age, sex, pregnancy and who speaks, read from the words of a record (English and Chinese)."""

from __future__ import annotations

import re
from typing import Literal

from clinic_sim.cases.case import Demographics

AgeUnit = Literal["years", "months", "weeks", "days"]
Sex = Literal["female", "male", "unknown"]
Speaker = Literal["patient", "parent", "relative", "caregiver"]

OLDEST = 90
"""Ages above 89 identify; they are stored as 90."""
CHILD_UNTIL = 12
"""Years. A parent answers for a younger child."""

_UNITS: dict[str, AgeUnit] = {"y": "years", "m": "months", "w": "weeks", "d": "days", "h": "days"}
_AGE_EN = re.compile(
    r"(?<![\d.])(\d{1,3}(?:\.\d+)?)[\s-]*(?:and[\s-]a[\s-]half[\s-]*)?"
    r"(y(?:ea)?rs?|y/?o|months?|mos?|weeks?|wks?|days?|hours?|hrs?)[\s-]*(?:old|of age)?\b",
    re.IGNORECASE,
)
_AGED = re.compile(r"\b(?:aged?|age:)\s*(\d{1,3})\b|年龄[:：]?\s*(\d{1,3})(?!\d)", re.IGNORECASE)
_NEWBORN = re.compile(r"\b(?:newborn|neonate)\b|新生儿", re.IGNORECASE)
_GESTATION = re.compile(r"\b\d+(?:st|nd|rd|th)?[\s-]*weeks?['’]?[\s-]*(?:of\s+)?(?:gestation|pregnan)", re.IGNORECASE)
_AGE_ZH = re.compile(
    r"(\d{1,3}(?:\.\d+)?)\s*(?:周?岁)(半)?(?:零|又)?(?:(\d{1,2})\s*个?月)?|(\d{1,3}(?:\.\d+)?)\s*(个?月|周|星期|天|日|小时)(?:龄|大)?"
)

_FEMALE = re.compile(r"\b(?:female|woman|girl|lady|nulliparous|gravida|primigravida|multiparous)\b|女", re.IGNORECASE)
_MALE = re.compile(r"\b(?:male|man|boy|gentleman)\b|男", re.IGNORECASE)
_SHE = re.compile(r"\b(?:she|her|hers|herself)\b", re.IGNORECASE)
_HE = re.compile(r"\b(?:he|his|him|himself)\b", re.IGNORECASE)
_KIN = re.compile(
    r"\b(?:mother|father|wife|husband|son|daughter|brother|sister|parents?|uncle|aunt|boyfriend|girlfriend|partner)\b",
    re.IGNORECASE,
)
_PREGNANT = re.compile(
    r"\b(?:pregnant|gravida \d|(?:at )?\d+(?:st|nd|rd|th)?[\s-]*weeks?['’]?[\s-]*(?:of\s+)?gestation)\b|"
    r"孕\s?\d+\+?\d*\s?周|妊娠\s?\d+\s?周",
    re.IGNORECASE,
)
_PARENT_SPEAKS = re.compile(
    r"\b(?:mother|father|parents?|caregiver|guardian)\b[\w\s']{0,20}\b(?:reports?|notes?|states?|brought|says?|describes?)"
    r"|\bbrought in by (?:his|her|the) (?:mother|father|parents?)|家长|患儿",
    re.IGNORECASE,
)
_RELATIVE_SPEAKS = re.compile(
    r"^(?:the )?(?:patient[’']s |his |her )?(?:wife|husband|son|daughter|brother|sister|spouse|partner|family|"
    r"roommates?|"
    r"friends?)\b[\w\s]{0,15}\b(?:reports?|notes?|states?|says?|describes?)|(?:家属|家人|儿子|女儿|妻子|丈夫|老伴)代?[述诉]",
    re.IGNORECASE,
)


def read_demographics(text: str, *, story: str = "") -> tuple[Demographics, bool]:
    """Demographics from a descriptive string, and whether the age was capped.

    Args:
        text: The string that describes the patient, such as `35-year-old female` or `患儿，女，3岁6月`.
        story: The history, read for the pronouns where the string does not tell the sex.
    """
    age, unit = _age(text)
    capped = age is not None and unit == "years" and age > OLDEST - 1
    if capped:
        age = float(OLDEST)
    sex = _sex(text, story)
    years = Demographics(age=age, age_unit=unit).years
    adult = years is None or years >= CHILD_UNTIL
    pregnant = True if sex == "female" and adult and _PREGNANT.search(text) else None
    return Demographics(age=age, age_unit=unit, sex=sex, pregnant=pregnant), capped


def read_speaker(demographics: Demographics, story: str) -> Speaker:
    """Who answers: a parent for a child, a relative where the record says that one tells the story."""
    years = demographics.years
    if years is not None and years < CHILD_UNTIL:
        return "parent"
    if years is None and _PARENT_SPEAKS.search(story):
        return "parent"
    return "relative" if _RELATIVE_SPEAKS.search(story.strip()) else "patient"


def _age(text: str) -> tuple[float | None, AgeUnit]:
    zh = _AGE_ZH.search(text)
    if zh:
        years, half, months, number, unit = zh.groups()
        if years:
            value = float(years) + (0.5 if half else 0.0) + (float(months) / 12 if months else 0.0)
            if 0 < value < 2 and months:
                return float(round(value * 12)), "months"
            return (round(value, 2), "years") if value <= 120 else (None, "years")
        return _scaled(float(number), {"周": "w", "星": "w", "天": "d", "日": "d", "小": "h"}.get(unit[0], "m"))
    plain = _GESTATION.sub(" ", text)
    newborn = _NEWBORN.search(plain)
    if found := _AGE_EN.search(plain):
        return _scaled(float(found.group(1)), found.group(2)[0].lower())
    if newborn:
        return 0.0, "days"
    if aged := _AGED.search(plain):
        return _scaled(float(aged.group(1) or aged.group(2)), "y")
    return None, "years"


def _scaled(value: float, unit: str) -> tuple[float | None, AgeUnit]:
    if unit == "h":
        value = float(int(value // 24))
    return (value, _UNITS[unit]) if value <= 120 else (None, "years")


def _sex(text: str, story: str) -> Sex:
    female, male = _FEMALE.search(text), _MALE.search(text)
    if female and not (male and male.start() < female.start()):
        return "female"
    if male:
        return "male"
    if story and not _KIN.search(story):
        she, he = _SHE.search(story), _HE.search(story)
        if she and not he:
            return "female"
        if he and not she:
            return "male"
    return "unknown"
