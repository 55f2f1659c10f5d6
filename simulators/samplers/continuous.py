"""Continuous-time dynamics, for claims that have no step: the reverse SDE, the probability flow, Langevin
diffusion, the forward flow.
"""

from simulators.samplers.scheme import Continuous

REVERSE_SDE = Continuous("reverse-sde")
PF_ODE = Continuous("pf-ode")
LANGEVIN = Continuous("langevin", reverse=False)
OU_FLOW = Continuous("ou-flow")
