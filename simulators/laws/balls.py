"""The laws of one case in ball arithmetic (flint): every number is a ball that contains the truth.

Functions evaluate at the flint precision in force; `refine` raises the precision until a result is sharp.
Grids are taken as they are defined: uniform steps are rationals, other times are the floats themselves.

>>> from simulators.batch import SingleCase
>>> from simulators.grids import Grid
>>> from simulators.targets import Gaussian
>>> case = SingleCase(Gaussian.isotropic(1, 1.0), "ddpm-ei", Grid.uniform(1.0, 2), "q_T")
>>> refine(lambda: ball_path_kl(case)).str(15, radius=False)  # 2 d N (h - 1 + e^{-h})
'0.426122638850534'
"""

from simulators.laws.ball_outputs import ball_output, ball_output_phase, ball_phase
from simulators.laws.ball_paths import ball_path_kl, ball_score_error
from simulators.laws.ball_tools import (
    BallLaw,
    BallPhaseLaw,
    ball_forward,
    ball_forward_phase,
    refine,
    to_arb,
)

__all__ = [
    "BallLaw",
    "BallPhaseLaw",
    "ball_forward",
    "ball_forward_phase",
    "ball_output",
    "ball_output_phase",
    "ball_path_kl",
    "ball_phase",
    "ball_score_error",
    "refine",
    "to_arb",
]
