"""The Gymnasium faces of the clinic."""

from __future__ import annotations

from clinic_sim.envs.consultation import ConsultationEnv
from clinic_sim.envs.rewards import RewardWeights
from clinic_sim.envs.spaces import Unicode

__all__ = ["ConsultationEnv", "RewardWeights", "Unicode"]
