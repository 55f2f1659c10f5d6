"""Laws on the line of samplers with a velocity or a corrector (ulmc, dpom, dpum): `grid_law`, `joint_kl`."""

from simulators.phase.law import GridLaw, grid_law, joint_kl

__all__ = ["GridLaw", "grid_law", "joint_kl"]
