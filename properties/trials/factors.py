"""The factors of a target that is not Gaussian: lines, planes, radii and an exact Gaussian, each with the run
of the sampler on it, and what the divergences of factors make together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from simulators.enclosure import Enclosure
from simulators.errors import NotDefined
from simulators.grids import Grid
from simulators.score_errors import AffineError

if TYPE_CHECKING:
    from properties.cases import Case
    from simulators.line.outcome import LineOutcome
    from simulators.phase.joint import JointOutcome
    from simulators.plane.outcome import PlaneOutcome
    from simulators.radial.outcome import RadialOutcome
    from simulators.reductions import Core, Reduction

__all__ = ["PHASE", "PLANE_WORK", "WORK", "Factors", "combined", "limited"]

PHASE = ("ulmc", "dpom", "dpum")
"""Samplers with correctors or velocities; what they do to a line takes a grid in phase space."""

_BEYOND_GAUSSIANS = ("none", "ddpm-ei", "ddpm-em", "cds-ei", "lmc", "pf-ei", "pf-heun", "cld-ei", *PHASE)

WORK = 3e7
"""Component-node pairs that the law of one output on a line may cost, some hundredths of a second."""
PLANE_WORK = 2e10
"""The same on a plane, some seconds: nobody draws such cases by the hundred."""
PHASE_WORK = 1e9
"""The same in phase space, about a second."""


class Factors:
    """The factors of one case's target; laws are propagated when first asked for."""

    def __init__(self, case: Case, average: str) -> None:
        self.case = case
        self.average = average

    @cached_property
    def split(self) -> Reduction:
        """The target as lines, planes, radii and an exact Gaussian."""
        from simulators.functionals import reduction

        return reduction(self.case.target)

    @cached_property
    def factors(self) -> list[tuple[LineOutcome | JointOutcome | PlaneOutcome | RadialOutcome, int]]:
        """The factors that are not Gaussian, with their counts."""
        case = self.case
        if case.sampler not in _BEYOND_GAUSSIANS:
            raise NotDefined(f"sampler={case.sampler!r} is followed on Gaussian targets only")
        if case.error is not None and case.target.dimension > 1:
            raise NotDefined("score errors beyond Gaussians are measured on the line only")
        return [(self.factor(core), core.count) for core in self.split.cores]

    @property
    def lines(self) -> list[tuple[LineOutcome | JointOutcome, int]]:
        """The factors of a target on the line, the only ones with score errors."""
        from simulators.line.outcome import LineOutcome
        from simulators.phase.joint import JointOutcome

        on_lines = (LineOutcome, JointOutcome)
        return [(outcome, count) for outcome, count in self.factors if isinstance(outcome, on_lines)]

    def factor(self, core: Core) -> Any:
        """The run of the sampler on one core."""
        case = self.case
        sampler, start = "ddpm-ei" if case.sampler == "none" else case.sampler, str(case.start)
        if core.kind == "line" and sampler == "cld-ei":
            from simulators.phase.joint import joint_case

            return self.version(joint_case(core.mixture, case.unit_grid, start, self.line_error()))
        if core.kind == "line":
            from simulators.line.outcome import line_case

            run = line_case(
                core.mixture, sampler, case.unit_grid, start, self.line_error(),
                options=self.options, mode="cheap" if sampler in PHASE else "accurate",
            )  # fmt: skip
            return self.version(run)
        if sampler in (*PHASE, "cld-ei"):
            raise NotDefined(f"sampler={sampler!r} is followed on Gaussians and on lines")
        if core.kind == "plane" or core.mixture.dimension == 2:
            from simulators.plane.outcome import plane_case

            return self.version(plane_case(core.mixture, sampler, case.unit_grid, start))
        from simulators.mixtures import GaussianMixture
        from simulators.radial.outcome import radial_case

        assert isinstance(core.mixture, GaussianMixture)  # two concentric atoms are one
        return self.version(radial_case(core.mixture, sampler, case.unit_grid, start))

    def version(self, outcome: Any) -> Any:
        """The run whose numbers are used."""
        return limited(outcome, WORK, PLANE_WORK)

    def line_error(self) -> Any:
        """The score error as the simulators on the line take it."""
        from simulators.line import Affine

        error = self.case.error
        if isinstance(error, AffineError):
            return Affine(error.shift[0], error.linear[0], error.profile)
        return error

    @cached_property
    def rest(self) -> Case | None:
        """The exact Gaussian factor as a case of its own."""
        if self.split.complement is None:
            return None
        if not isinstance(self.case.error, AffineError | None):
            raise NotDefined("score errors that are not affine need a target with two components or more")
        return self.case.but(target=self.split.complement)

    @property
    def options(self) -> Mapping[str, float]:
        """Parameters of samplers with correctors or velocities."""
        return self.case.options if self.case.sampler in PHASE else {}

    @property
    def grid(self) -> Grid:
        """The grid on the unit clock."""
        return self.case.unit_grid

    @property
    def damped(self) -> bool:
        """Whether laws are joint laws of position and velocity."""
        return self.case.sampler == "cld-ei"

    @property
    def reducible(self) -> bool:
        """Whether the target has exact laws of the case's sampler."""
        from simulators.mixtures import NotReducible

        try:
            return all(_followed(core, self.case.sampler) for core in self.split.cores)
        except NotReducible:
            return False


def _followed(core: Core, sampler: str) -> bool:
    """Whether a sampler is followed on a core: Heun's method on lines only, radial laws about the origin."""
    if core.kind == "line":
        return True
    centred = core.kind != "radial" or core.mixture.dimension == 2 or not any(core.mixture.mean)
    return centred and sampler != "pf-heun"


def limited(outcome: Any, work: float, plane_work: float) -> Any:
    """The outcome, giving up a chain that needs more work."""
    from simulators.line.outcome import LineOutcome
    from simulators.phase.joint import JointOutcome

    if isinstance(outcome, LineOutcome):
        work *= PHASE_WORK / WORK if outcome.problem.gridded else 1.0
        return replace(outcome, setups=tuple(replace(s, work_limit=work) for s in outcome.setups))
    if isinstance(outcome, JointOutcome):
        return outcome.limited(work * PHASE_WORK / WORK)
    return outcome.limited(plane_work)


def combined(name: str, parts: list[tuple[Enclosure, int]]) -> Enclosure:
    """A divergence of products from those of the factors, each counted."""
    ((alone, copies), *others) = parts
    if copies == 1 and not others:
        return alone
    one = Enclosure.exact(np.float64(1.0))
    match name:
        case "KL":
            return reduce(lambda a, b: a + b, (value * float(count) for value, count in parts))
        case "W2":
            return reduce(
                lambda a, b: a + b, (value.power(2) * float(count) for value, count in parts)
            ).sqrt()
        case "chi2":
            return reduce(lambda a, b: a * b, ((value + 1.0).power(count) for value, count in parts)) - one
        case "Hellinger":
            affinity = reduce(lambda a, b: a * b, ((one - v.power(2)).power(count) for v, count in parts))
            return (one - affinity).sqrt()
    return alone
