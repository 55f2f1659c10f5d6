"""Probability flow ODE x' = x + s by Heun's method (explicit trapezoid): the score at tau and at tau - h."""

from simulators.samplers.scheme import Heun

PF_HEUN = Heun("pf-heun")
