"""Probability flow ODE x' = x + s, exponential integrator: x+ = e^h x + (e^h - 1) s, no noise."""

from simulators.exppoly import E, ExpPoly
from simulators.samplers.scheme import OneStage

PF_EI = OneStage("pf-ei", A=E(1), B=E(1) - 1, Q=ExpPoly({}))
