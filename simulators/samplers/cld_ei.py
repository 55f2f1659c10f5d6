"""Critically damped Langevin diffusion, exponential integrator (Chen et al. 2022, arXiv 2209.11215, Section
4).
"""

from simulators.samplers.scheme import CriticallyDamped

CLD_EI = CriticallyDamped("cld-ei")
