"""Every error the package raises on purpose.

ClinicSimError
├── ConfigError      a plan, an option or an argument that cannot be used
├── CaseError        a case, a pack or a source record that cannot be used
├── RubricError      a rubric that cannot be used
├── ProviderError    a model's server: what it answered or did not
├── JudgeError       a judge that failed; its criterion is unscored
├── SimulatorError   the clinic itself failed; the episode is unscored
└── StoreError       a run directory that cannot be read or written

Each message says what was wrong, where, and what to do.
"""

from __future__ import annotations


class ClinicSimError(Exception):
    """Base of every error raised on purpose."""


class ConfigError(ClinicSimError):
    """A plan, an option or an argument that cannot be used."""


class CaseError(ClinicSimError):
    """A case, a pack or a source record that cannot be used."""


class RubricError(ClinicSimError):
    """A rubric that cannot be used."""


class ProviderError(ClinicSimError):
    """A model's server refused, failed or did not answer."""


class JudgeError(ClinicSimError):
    """A judge failed: the criterion is unscored, never zero."""


class SimulatorError(ClinicSimError):
    """The clinic itself failed: the episode is unscored, never zero."""


class StoreError(ClinicSimError):
    """A run directory cannot be read or written."""
