"""DDPM, Euler-Maruyama on the reverse SDE: x+ = x + h (x + 2 s) + sqrt(2h) z."""

from simulators.exppoly import H
from simulators.samplers.scheme import OneStage

DDPM_EM = OneStage("ddpm-em", A=1 + H, B=2 * H, Q=2 * H)
