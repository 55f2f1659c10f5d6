"""Samplers as models: schedules, the noised flow, flow matching, interpolants, multistep schemes, random
midpoints, atoms.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulators.models.atoms import SCHEDULE_ATOMS, STOPPED_ATOMS
from simulators.models.flows import EXPLODING_FLOW, FLOW_MATCHING, INTERPOLANT
from simulators.models.midpoint import MIDPOINT
from simulators.models.multistep import MULTISTEP
from simulators.models.noised_flow import NOISED_FLOW, NOISING_STEP
from simulators.models.schedules import KERNEL_SHIFT, NOISE_SCHEDULE, STEP_SCHEDULE
from simulators.models.tools import Numerics

__all__ = ["MODELS"]

MODELS: Mapping[str, Numerics] = {
    "step-schedule": STEP_SCHEDULE,
    "kernel-shift": KERNEL_SHIFT,
    "noise-schedule": NOISE_SCHEDULE,
    "noised-flow": NOISED_FLOW,
    "noising-step": NOISING_STEP,
    "flow-matching": FLOW_MATCHING,
    "exploding-flow": EXPLODING_FLOW,
    "interpolant": INTERPOLANT,
    "multistep": MULTISTEP,
    "random-midpoint": MIDPOINT,
    "schedule-atoms": SCHEDULE_ATOMS,
    "stopped-atoms": STOPPED_ATOMS,
}
