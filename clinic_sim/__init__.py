"""A simulated live clinic in which language models are examined as doctors.

`import clinic_sim` registers the environment `clinic_sim/Consultation-v0`; everything else loads on first use.
For research, not for clinical use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium

from clinic_sim._version import __version__
from clinic_sim.errors import ClinicSimError

if TYPE_CHECKING:
    from clinic_sim.cases.case import Case
    from clinic_sim.cases.graph import CaseGraph
    from clinic_sim.cases.loading import load_case
    from clinic_sim.cases.packs import load_pack
    from clinic_sim.clinic.consultation import Consultation
    from clinic_sim.clinic.limits import Limits
    from clinic_sim.doctors import make_doctor
    from clinic_sim.judge.judge import RubricJudge
    from clinic_sim.judge.rubric import load_rubric

_LAZY = {
    "Case": "clinic_sim.cases.case",
    "CaseGraph": "clinic_sim.cases.graph",
    "Consultation": "clinic_sim.clinic.consultation",
    "Limits": "clinic_sim.clinic.limits",
    "RubricJudge": "clinic_sim.judge.judge",
    "load_case": "clinic_sim.cases.loading",
    "load_pack": "clinic_sim.cases.packs",
    "load_rubric": "clinic_sim.judge.rubric",
    "make_doctor": "clinic_sim.doctors",
}
__all__ = [
    "Case",
    "CaseGraph",
    "ClinicSimError",
    "Consultation",
    "Limits",
    "RubricJudge",
    "__version__",
    "load_case",
    "load_pack",
    "load_rubric",
    "make_doctor",
]

ENV_ID = "clinic_sim/Consultation-v0"

if ENV_ID not in gymnasium.registry:
    gymnasium.register(
        id=ENV_ID,
        entry_point="clinic_sim.envs:ConsultationEnv",
        # The offline clinic is deterministic; budgets are enforced inside, where the episode is also scored.
        nondeterministic=False,
        # Observations are text of our own space, checked once by `check_env` in CI rather than on every make.
        disable_env_checker=True,
    )


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'clinic_sim' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
