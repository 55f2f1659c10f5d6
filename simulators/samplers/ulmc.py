"""Underdamped Langevin Monte Carlo on the target: exponential integrator, the score frozen over a step."""

from simulators.samplers.scheme import Kinetic

ULMC = Kinetic("ulmc")
