"""One case of cld-ei on the line and every distance between joint laws of position and velocity."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf, isfinite, sqrt

import numpy as np
from numpy.typing import NDArray

from simulators.distances.plane_laws import plane_distance
from simulators.distances.surfaces import MixtureSurface, Surface
from simulators.enclosure import Enclosure
from simulators.grids import Grid
from simulators.line.checks import LineError, first_pair
from simulators.line.errors import averaged
from simulators.line.outcome import line_mixture
from simulators.line.propagate import Setup
from simulators.line.scores import Affine, Mixture
from simulators.mixtures import Target
from simulators.named_laws import forward_time
from simulators.phase.damped import DampedProblem, mixture_sheet
from simulators.phase.grid import Aim, Sheet, begin, kicked, lift, sharpness
from simulators.phase.kernels import curvatures, mend, sample_rows
from simulators.phase.law import FADING, LEVELS
from simulators.phase.path import damped_path_kl, velocity_errors
from simulators.plane.kernels import FLOOR
from simulators.plane.mixture import PlaneMixture

__all__ = ["JointOutcome", "SheetSurface", "joint_case", "run_damped"]

Array = NDArray[np.float64]

EXACT = 1e-13  # relative rounding error of the density of a mixture
ACCURACIES = (22.0, 28.0, 34.0, 42.0, 54.0)
GOOD = 5e-7  # relative half-width beyond which the next accuracies are tried
DETAIL = 30.0  # log density down to which detail counts
FADED = 20.0  # of log density beyond the depth, from where on a density counts as zero
FINER_SLACK, FINER_OFFSET = 0.5, 0.37


@dataclass(frozen=True, eq=False)
class SheetSurface:
    """A joint density on a sheet, as a `simulators.distances.surfaces.Surface`."""

    sheet: Sheet
    depth: float

    @cached_property
    def detail(self) -> float:
        """See `Surface`."""
        along, across = curvatures(self.sheet.logp, self.sheet.dx, self.sheet.dv, DETAIL)
        return 1.0 / sqrt(along + across)

    @property
    def trust(self) -> float:
        """See `Surface`."""
        return self.depth - FADING

    @cached_property
    def box(self) -> Array:
        """See `Surface`."""
        x, v = self.sheet.x, self.sheet.v
        return np.array([[x[0], x[-1]], [v[0], v[-1]]])

    def log_density(self, left: Array, dx: float, shape: tuple[int, int]) -> Array:
        """See `Surface`."""
        sheet = self.sheet
        places = (left[0] + dx * np.arange(shape[0]) - sheet.left) / sheet.dx
        lines = np.ascontiguousarray(sample_rows(sheet.logp, places).T)
        mend(lines, self.depth)
        heights = (left[1] + dx * np.arange(shape[1]) - sheet.v[0]) / sheet.dv
        values = sample_rows(lines, heights)
        return np.where(values < -self.depth - FADED, FLOOR, values)


def run_damped(problem: DampedProblem, log_accuracy: float, setup: Setup) -> SheetSurface:
    """The joint law of the output on grids of one accuracy; raises `LineError` where they do not resolve
    it.
    """
    aim = Aim(LEVELS * log_accuracy, setup.slack**0.5, setup.offset, setup.depth, setup.work_limit)
    sheet: Sheet | None = None
    for step in problem.kicks():
        if sheet is None and problem.start == "gamma":
            sheet = lift(begin(Mixture.of([1.0], [0.0], [1.0]), aim), step, aim)
        elif sheet is None:
            law = problem.law(problem.grid.T)
            along, across = (1.0 / sqrt(float(law.rows[:, i].max())) for i in (2, 4))
            low, high = law.box(aim.deep)[0].tolist()
            steep = float(np.abs(step.score(np.linspace(float(low), float(high), 2001))[1]).max())
            sheet = mixture_sheet(law, aim, along, sharpness(step, steep, along, across))
        sheet = kicked(sheet, step, aim)
    assert sheet is not None
    return SheetSurface(sheet, aim.deep)


@dataclass(frozen=True, eq=False)
class JointOutcome:
    """A run of cld-ei, propagated once when first needed; distances are kept once measured.

    Laws are joint laws of position and velocity, named "target" (times N(0, 1)), "q_T", "q_delta", "gamma",
    "output", or by a forward time on the unit clock.
    """

    problem: DampedProblem
    setup: Setup = field(default_factory=lambda: Setup(accuracies=ACCURACIES))
    found: dict[tuple[str, str | float, str | float], Enclosure] = field(default_factory=dict, repr=False)
    laws: dict[str | float, PlaneMixture] = field(default_factory=dict, repr=False)
    runs: dict[float, SheetSurface | LineError] = field(default_factory=dict, repr=False)

    @cached_property
    def surfaces(self) -> tuple[SheetSurface, ...]:
        """The output at the first two accuracies that pass every check, the finer first; none when the work
        limit stops it.
        """
        try:
            _, coarse, fine = first_pair(self.run, self.setup.accuracies)
        except LineError:
            return ()
        return fine, coarse

    def run(self, accuracy: float) -> SheetSurface:
        """The output at one accuracy, run once; raises what it raised then."""
        if accuracy not in self.runs:
            try:
                self.runs[accuracy] = run_damped(self.problem, accuracy, self.setup)
            except LineError as error:
                self.runs[accuracy] = error
        known = self.runs[accuracy]
        if isinstance(known, LineError):
            raise known
        return known

    @property
    def resolved(self) -> bool:
        """Whether the output was within the work limit; if not, its distances are the trivial enclosures."""
        return bool(self.surfaces)

    @property
    def finer(self) -> JointOutcome:
        """The same case by the second road: finer grids with shifted nodes."""
        setup = replace(
            self.setup, slack=FINER_SLACK, offset=FINER_OFFSET, accuracies=self.setup.accuracies[1:]
        )
        return replace(self, setup=setup, found={}, runs={})

    @cached_property
    def refined(self) -> JointOutcome | None:
        """The same case from the next accuracy on; None where nothing finer is within the work limit."""
        if len(self.setup.accuracies) < 3:
            return None
        finer = replace(self, setup=replace(self.setup, accuracies=self.setup.accuracies[1:]), found={})
        return finer if finer.resolved else None

    def limited(self, work: float) -> JointOutcome:
        """The same case, giving up where it needs more work."""
        return replace(self, setup=replace(self.setup, work_limit=work), found={}, runs={})

    def law(self, name: str | float) -> PlaneMixture:
        """The named law, which must be a mixture."""
        if name not in self.laws:
            gamma = name == "gamma"
            self.laws[name] = (
                PlaneMixture.gamma() if gamma else self.problem.law(forward_time(name, self.problem.grid))
            )
        return self.laws[name]

    def distance(self, quantity: str, first: str | float, second: str | float) -> Enclosure:
        """D(first || second) of joint laws, a scalar enclosure in nats, see `plane_distance`."""
        key = (quantity, first, second)
        if key not in self.found:
            self.found[key] = self._distance(quantity, first, second)
        return self.found[key]

    def _distance(self, quantity: str, first: str | float, second: str | float) -> Enclosure:
        if first == second:
            return Enclosure.exact(0.0, "a law against itself")
        order = "output,target" if first == "output" else "target,output"
        q = self.law(second if first == "output" else first)
        if "output" not in (first, second):
            surfaces: tuple[Surface, ...] = (MixtureSurface(self.law(second)),)
            return plane_distance(quantity, q, surfaces, order, EXACT).labelled("joint mixtures")
        if not self.resolved:
            top = inf if quantity in ("KL", "W2", "chi2") else 1.0
            return Enclosure.between(0.0, top, "not resolved: trivial bounds")
        found = plane_distance(quantity, q, self.surfaces, order, self.problem.noise)
        found = found.labelled(f"joint law of position and velocity: {found.method}")
        if quantity != "W2" and isfinite(found.hi) and float(found.width) > 2.0 * GOOD * float(found.mid):
            better = None if self.refined is None else self.refined.distance(quantity, first, second)
            return found if better is None or float(better.width) > float(found.width) else better
        return found

    @cached_property
    def squared_errors(self) -> Enclosure:
        """E e_k^2 under q_{tau_k} at every step, shape (N,)."""
        return velocity_errors(self.problem)

    def score_error(self, average: str) -> Enclosure:
        """The squared score error averaged over the grid, see `simulators.line.errors.averaged_error`."""
        return averaged(self.squared_errors, self.problem.grid, average)

    @cached_property
    def path_kl(self) -> Enclosure:
        """KL of the path of the true reverse process from q_T from that of the sampler, nats."""
        return damped_path_kl(self.problem)


def joint_case(
    target: Target | Mixture, grid: Grid, start: str = "gamma", error: Affine | None = None
) -> JointOutcome:
    """The outcome of cld-ei for a target on the line; nothing is computed until asked for.

    start : "gamma" or "q_T". error : p_k (shift + slope v), in the velocity score.

    >>> from simulators.mixtures import GaussianMixture
    >>> case = joint_case(GaussianMixture.two(2.0), Grid.uniform(1.0, 4))
    >>> bool(case.distance("KL", "target", "output").lo > 0)
    True
    """
    return JointOutcome(DampedProblem(grid, line_mixture(target), start, error))
