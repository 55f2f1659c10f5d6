"""DDPM, exponential integrator: the score is frozen over a step, the linear part of the reverse SDE is exact.

x+ = e^h x + 2(e^h - 1) s + sqrt(e^{2h} - 1) z.
"""

from simulators.exppoly import E
from simulators.samplers.scheme import OneStage

DDPM_EI = OneStage("ddpm-ei", A=E(1), B=2 * (E(1) - 1), Q=E(2) - 1)
