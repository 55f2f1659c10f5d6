"""Samplers as models: schedules, the noised flow, flow matching, interpolants, multistep schemes, random
midpoints, atoms.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulators.models.atoms import SCHEDULE_ATOMS, STOPPED_ATOMS
from simulators.models.averaged import AVERAGED_LANGEVIN
from simulators.models.flows import FLOW_MATCHING, INTERPOLANT
from simulators.models.frozen_denoiser import FROZEN_DENOISER
from simulators.models.inexact_langevin import INEXACT_LANGEVIN
from simulators.models.midpoint import MIDPOINT
from simulators.models.multistep import MULTISTEP
from simulators.models.noised_flow import NOISED_FLOW, NOISING_STEP
from simulators.models.schedules import KERNEL_SHIFT, NOISE_SCHEDULE, STEP_SCHEDULE
from simulators.models.smoothed_flows import BRIDGED_FLOW, EXPLODING_FLOW, FADING_FLOW, PRESERVING_FLOW
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
    "preserving-flow": PRESERVING_FLOW,
    "bridged-flow": BRIDGED_FLOW,
    "fading-flow": FADING_FLOW,
    "interpolant": INTERPOLANT,
    "multistep": MULTISTEP,
    "frozen-denoiser": FROZEN_DENOISER,
    "random-midpoint": MIDPOINT,
    "langevin-average": AVERAGED_LANGEVIN,
    "inexact-langevin": INEXACT_LANGEVIN,
    "schedule-atoms": SCHEDULE_ATOMS,
    "stopped-atoms": STOPPED_ATOMS,
}
