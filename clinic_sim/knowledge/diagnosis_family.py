"""A disease of the patient's relatives is none of the patient's: `family history of breast cancer`, `糖尿病家族史`."""

from __future__ import annotations

import re

_HISTORY = re.compile(
    r"^(?:positive |strong )?(?:family history|fhx?)\b(?: of| for)?[\s:,-]*(?P<en>.+)$"
    r"|^(?P<before>.+?)(?:的)?家族(?:病)?史(?:阳性)?$|^(?:有|具有)?家族史[::,]?(?P<after>.+)$"
)
_FAMILY = (
    ("C00", "Z80.8"),
    ("C15", "Z80.0"),
    ("C27", "Z80.8"),
    ("C33", "Z80.1"),
    ("C35", "Z80.2"),
    ("C40", "Z80.8"),
    ("C50", "Z80.3"),
    ("C51", "Z80.4"),
    ("C64", "Z80.5"),
    ("C69", "Z80.8"),
    ("C80", "Z80.9"),
    ("C81", "Z80.7"),
    ("C91", "Z80.6"),
    ("C96", "Z80.7"),
    ("C97", "Z80.9"),
    ("D00", "Z84.8"),
    ("D50", "Z83.2"),
    ("E00", "Z83.4"),
    ("E10", "Z83.3"),
    ("E15", "Z83.4"),
    ("F00", "Z81.8"),
    ("F10", "Z81.1"),
    ("F11", "Z81.3"),
    ("F17", "Z81.2"),
    ("F18", "Z81.3"),
    ("F20", "Z81.8"),
    ("F70", "Z81.0"),
    ("F80", "Z81.8"),
    ("G00", "Z82.0"),
    ("H00", "Z83.5"),
    ("H54", "Z82.1"),
    ("H55", "Z83.5"),
    ("H90", "Z82.2"),
    ("H92", "Z83.5"),
    ("I00", "Z82.4"),
    ("I60", "Z82.3"),
    ("I70", "Z82.4"),
    ("J00", "Z83.6"),
    ("J40", "Z82.5"),
    ("J48", "Z83.6"),
    ("K00", "Z83.7"),
    ("L00", "Z84.0"),
    ("M00", "Z82.6"),
    ("N00", "Z84.1"),
    ("N30", "Z84.2"),
    ("O00", "Z84.8"),
    ("Q00", "Z82.7"),
    ("R00", "Z84.8"),
)
"""From which category on a disease in the family has which code; infections, before the first, are Z83.1."""


def relatives_disease(prepared: str) -> str | None:
    """What the patient's relatives have, as the text says it; None when it speaks of the patient."""
    match = _HISTORY.match(prepared.strip())
    return next((said for said in match.groups() if said), None) if match else None


def family_code(code: str) -> str:
    """The code of a disease in the family; a code for anything but a disease stays itself."""
    if code >= "S":
        return code
    return next((family for start, family in reversed(_FAMILY) if code >= start), "Z83.1")
