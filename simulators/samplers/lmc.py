"""Langevin Monte Carlo (overdamped, unadjusted) on the target: x+ = x + h s + sqrt(2h) z."""

from simulators.exppoly import E, H
from simulators.samplers.scheme import OneStage

LMC = OneStage("lmc", A=E(0), B=H, Q=2 * H, reverse=False)
