"""Which examinations make no sense for a patient of this sex: answered as not applicable, and not charged."""

from __future__ import annotations

from functools import lru_cache

from clinic_sim.cases.case import Demographics

_FEMALE_ONLY = frozenset(
    {
        "phys.pelvic",
        "phys.obstetric",
        "img.us.obstetric",
        "img.us.transvaginal",
        "img.hsg",
        "func.ctg",
        "func.biophysical_profile",
        "func.echo.fetal",
        "lab.pregnancy",
        "lab.vaginal",
        "lab.genetics.nipt",
        "lab.genetics.prenatal_serum",
        "path.biopsy.cervix",
        "path.biopsy.uterus",
        "path.biopsy.ovary",
        "path.biopsy.vulva",
        "path.cytology.cervix",
        "proc.amniocentesis",
        "proc.colposcopy",
        "proc.culdocentesis",
        "proc.hysteroscopy",
    }
)
_MALE_ONLY = frozenset(
    {
        "phys.genital.male",
        "lab.tumor.psa",
        "lab.fluid.semen",
        "img.us.prostate",
        "img.us.scrotum",
        "img.us.penis",
        "img.mri.prostate",
        "path.biopsy.prostate",
        "path.biopsy.scrotum",
        "path.biopsy.penis",
        "func.npt",
    }
)


def inapplicable(code: str, who: Demographics) -> bool:
    """The examination needs anatomy of the other sex."""
    return who.sex != "unknown" and _within(code, _FEMALE_ONLY if who.sex == "male" else _MALE_ONLY)


@lru_cache(maxsize=4096)
def _within(code: str, roots: frozenset[str]) -> bool:
    return any(code == root or code.startswith(root + ".") for root in roots)
