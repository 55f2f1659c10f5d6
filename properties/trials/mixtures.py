"""Cases whose target is a Gaussian mixture, finitely many atoms or a product: what a claim can ask of them.

The target is reduced to lines, planes, radii and an exact Gaussian (`simulators.mixtures`), each is
propagated on its own, and divergences are put together: KL and squared W2 add, 1 + chi2 and the affinity
multiply, TV comes from the transforms of the log-likelihood ratios. What cannot be reduced is measured by
Monte Carlo, with a false-alarm rate by design.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

import mpmath as mp
import numpy as np
import sympy as sp

from bounds.quantity import Quantity, q
from properties.evaluate import DIGITS, FLOATS, evaluate
from properties.trials.road import ScalarRoad, scalar
from simulators.enclosure import Enclosure
from simulators.errors import NotDefined
from simulators.grids import Grid
from simulators.score_errors import AffineError
from simulators.targets import Gaussian

if TYPE_CHECKING:
    from properties.cases import Case
    from simulators.distances.products import Lanes
    from simulators.line.outcome import LineOutcome
    from simulators.phase.joint import JointOutcome
    from simulators.plane.outcome import PlaneOutcome
    from simulators.radial.outcome import RadialOutcome
    from simulators.reductions import Core, Reduction

__all__ = ["PHASE", "digit_road", "float_road", "latex_of", "meets"]

PHASE = ("ulmc", "dpom", "dpum")
"""Samplers with correctors or velocities; what they do to a line takes a grid in phase space."""

_LAW_TIMES = ("target", "q_T", "q_delta")
_BEYOND_GAUSSIANS = ("none", "ddpm-ei", "ddpm-em", "cds-ei", "lmc", "pf-ei", "pf-heun", "cld-ei", *PHASE)
_STATIONARY = ("lmc", "ulmc")
_DIVERGENCES = ("KL", "TV", "W2", "chi2", "Hellinger")
SAMPLES, RATE = 200_000, 1e-6
"""Of the Monte Carlo measures: simulated outputs, and the probability that an enclosure is wrong."""

WORK = 3e7
"""Component-node pairs that the law of one output on a line may cost, some hundredths of a second."""
PLANE_WORK = 2e10
"""The same on a plane, some seconds: nobody draws such cases by the hundred."""
PHASE_WORK = 1e9
"""The same in phase space, about a second."""


def float_road(case: Case, average: str = "time") -> ScalarRoad:
    """Values on the case as float enclosures."""
    values = _Values(case, average)
    road = ScalarRoad(values.get, FLOATS)
    values.road = road
    return road


def digit_road(case: Case, average: str = "time") -> ScalarRoad:
    """Values by the second road: a finer grid with shifted nodes for the laws of samplers, ball integrals for
    the functionals of the target, and sums over steps where there is a path.
    """
    values = _Seconds(case, average)
    road = ScalarRoad(values.digits, DIGITS)
    values.road = ScalarRoad(values.get, FLOATS)
    return road


class _Values:
    """The measures of one case; laws are propagated when first asked for."""

    road: ScalarRoad
    seed = 0

    def __init__(self, case: Case, average: str) -> None:
        self.case = case
        self.average = average

    # -- the factors of the target ---------------------------------------------------------------------------

    @cached_property
    def split(self) -> Reduction:
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
        return self.case.unit_grid

    # -- environment -----------------------------------------------------------------------------------------

    def get(self, key: sp.Basic) -> Any:
        """The value of a symbol, quantity or step function."""
        if isinstance(key, Quantity):
            return scalar(self.quantity(key))
        name = str(key)
        if name.startswith("function "):
            return self.function(name.removeprefix("function "))
        if name == "count of steps":
            return self.case.N
        return scalar(self.symbol(name))

    def symbol(self, name: str) -> Enclosure:
        case = self.case
        if name in ("T", "N", "delta"):
            return Enclosure.exact(np.float64(getattr(case, name)))
        if name == "d":
            return Enclosure.exact(np.float64(case.target.dimension))
        measured: dict[str, Callable[[], Enclosure]] = {
            "h": lambda: _close(case.own_grid.max_step),
            "kappa": lambda: _close(case.own_grid.kappa),
            "L": self.lipschitz,
            "M2": lambda: _close(case.target.second_moment, 64),
            "m0sq": lambda: _close(float(np.sum(np.square(case.target.mean))), 64),
            "KL0": lambda: self.functional("kl_to_gamma", 0.0),
            "FI0": lambda: self.functional("relative_fisher", 0.0),
            "J0": lambda: self.functional("fisher_information", 0.0),
            "W20": lambda: self.divergence("W2", "target", "gamma"),
            "eps": lambda: self.score_error(self.average).sqrt(),
        }
        if name in measured:
            value = scalar(measured[name]())
            given = case.parameters.get(name)
            return value if given is None else value.maximum(given)
        if name in case.parameters:
            return Enclosure.exact(np.float64(case.parameters[name]))
        if name in ("v", "alpha"):
            raise NotDefined(f"{name} has no meaning on this target")
        raise KeyError(name)

    def lipschitz(self) -> Enclosure:
        from simulators.functionals_lipschitz import lipschitz

        if self.case.sampler in _STATIONARY:
            return lipschitz(self.case.target, 0.0, 0.0)
        if self.damped:
            from simulators.phase.damped import velocity_lipschitz

            return velocity_lipschitz(self.case.target, self.grid.delta, self.grid.T)
        return lipschitz(self.case.target, self.grid.delta, self.grid.T)

    @property
    def damped(self) -> bool:
        """Whether laws are joint laws of position and velocity."""
        return self.case.sampler == "cld-ei"

    def functional(self, name: str, time: Any) -> Enclosure:
        """A functional of the forward law at a time, or at an array of them."""
        from simulators import functionals
        from simulators.mixtures import NotReducible

        try:
            value: Enclosure = getattr(functionals, name)(self.case.target, time)
        except NotReducible as error:
            raise NotDefined(str(error)) from error
        return value

    def score_error(self, average: str) -> Enclosure:
        """Averaged squared score error, in the case's clock."""
        if self.case.error is None:
            return Enclosure.exact(np.float64(0.0))
        if average == "output-sup":
            raise NotDefined("the score error under the law of the algorithm is measured on Gaussians only")
        if self.rest is not None:
            return scalar(self.rest.measure("eps", average=average)).power(2)
        ((outcome, _),) = self.lines
        squared = outcome.score_error(average)
        return squared / self.case.speed if average == "integral" else squared

    # -- quantities ------------------------------------------------------------------------------------------

    def quantity(self, quantity: Quantity) -> Enclosure:
        name = quantity.spec.name
        if name == "PathKL":
            return self.path_kl()
        if name == "ScoreError":
            return self.score_error("integral")
        laws = [self.place(law) for law in quantity.args]
        if self.damped and name in _DIVERGENCES:
            return self.divergence(name, laws[0], laws[1])
        if self.damped:
            raise NotDefined(f"{quantity} has no measure on phase space")
        if name == "M2":
            return self.second_moment(laws[0])
        if name == "J":
            return self.functional("fisher_information", self.time(laws[0]))
        if name == "FI" and laws[1] == "gamma":
            return self.functional("relative_fisher", self.time(laws[0]))
        if name == "KL" and laws[1] == "gamma" and laws[0] not in ("gamma", "output"):
            return self.functional("kl_to_gamma", self.time(laws[0]))
        if name in _DIVERGENCES:
            return self.divergence(name, laws[0], laws[1])
        raise NotDefined(f"{quantity} is measured on Gaussian targets only")

    def place(self, law: sp.Basic) -> str | float:
        """The law's name, or its forward time on the unit clock."""
        if isinstance(law, q):
            time = evaluate(law.args[0], self.road, FLOATS)
            return float(np.asarray(time.mid)) * self.case.speed
        name = str(law)
        if name == "start":
            name = "gamma" if self.case.start == "gamma" else "q_T"
        if name not in (*_LAW_TIMES, "gamma", "output"):
            raise NotDefined(f"law {name!r} exists on Gaussian targets only")
        if name == "output" and self.case.sampler == "none":
            raise NotDefined("there is no sampler")
        return name

    def time(self, law: str | float) -> float:
        """The forward time of a law on the unit clock."""
        if isinstance(law, float):
            return law
        if law not in _LAW_TIMES:
            raise NotDefined(f"a functional of {law!r} is measured on Gaussian targets only")
        return {"target": 0.0, "q_T": self.grid.T, "q_delta": self.grid.delta}[law]

    def sampled(self, name: str, order: str = "target,output") -> Enclosure:
        """A measure by Monte Carlo: of the output against the target, or of the paths."""
        from simulators.monte_carlo.measure import statistical_measure

        case = self.case
        if case.error is not None:
            raise NotDefined("score errors are not simulated for a target that cannot be reduced")
        found = statistical_measure(
            name, case.target, case.sampler, self.grid, SAMPLES, self.seed, RATE, order, str(case.start)
        )
        return scalar(found.enclosure)

    @property
    def reducible(self) -> bool:
        """Whether the target has exact laws of the case's sampler."""
        from simulators.mixtures import NotReducible

        try:
            return all(_followed(core, self.case.sampler) for core in self.split.cores)
        except NotReducible:
            return False

    def divergence(self, name: str, first: str | float, second: str | float) -> Enclosure:
        if not self.reducible:
            return self.by_samples(name, first, second)
        if "output" in (first, second) and not all(outcome.resolved for outcome, _ in self.factors):
            raise NotDefined("the law of the output needs more work than a search allows")
        if name == "TV" and sum(count for _, count in self.factors) + (self.rest is not None) > 1:
            return self.product_tv(first, second)
        try:
            parts = [(scalar(o.distance(name, first, second)), count) for o, count in self.factors]
        except NotDefined:
            if name == "W2" and any(core.kind == "plane" for core in self.split.cores):
                return self.by_samples(name, first, second)
            raise
        if self.rest is not None:
            parts.append((self.of_rest(name, first, second), 1))
        found = combined(name, parts)
        return found if self.on_a_line else found.labelled(f"{self.split.text}: {found.method}")

    def by_samples(self, name: str, first: str | float, second: str | float) -> Enclosure:
        """A divergence of the output from its target by Monte Carlo; others raise NotDefined."""
        ends = {"target" if self.grid.delta == 0 else "q_delta", "output"}
        if {first, second} != ends:
            raise NotDefined(f"{name} of these laws: the target cannot be reduced for it")
        return self.sampled(name, "output,target" if first == "output" else "target,output")

    @property
    def on_a_line(self) -> bool:
        """Whether the target is its own reduction."""
        return bool(self.case.target.dimension == 1)

    def product_tv(self, first: str | float, second: str | float) -> Enclosure:
        """TV between laws that are products, by transforms."""
        from simulators.distances.products import product_tv
        from simulators.distances.ratios import NoRatio, density_noise, outcome_ratios

        if first == second:
            return Enclosure.exact(np.float64(0.0), "a law against itself")
        p, q = (second, first) if second == "output" else (first, second)
        try:
            factors = [(outcome_ratios(outcome, p, q), count) for outcome, count in self.factors]
        except NoRatio as singular:
            return Enclosure.exact(np.float64(1.0), str(singular))
        noise = max((density_noise(outcome, p) for outcome, _ in self.factors), default=0.0)
        found = product_tv(factors, None if self.rest is None else self.rest_lanes(p, q), noise)
        return found.labelled(f"{self.split.text}: {found.method}")

    def rest_lanes(self, first: str | float, second: str | float) -> Lanes:
        """The Gaussian factor's first law seen from its second."""
        from simulators.batch import Batch, SingleCase
        from simulators.distances.plane import pencil_2x2
        from simulators.distances.products import Lanes
        from simulators.distances.relation import relate
        from simulators.laws.gaussian import forward_law, propagate
        from simulators.laws.phase import forward_phase, phase_gap

        case = self.case
        sampler = "ddpm-ei" if case.sampler == "none" else case.sampler
        assert self.split.complement is not None
        run = SingleCase(self.split.complement, sampler, self.grid, str(case.start), options=self.options)
        batch = Batch.of([run])

        def law(name: str | float) -> Any:
            if name == "output":
                return propagate(batch)
            place = {"q_T": "T", "q_delta": "delta"}.get(name, name) if isinstance(name, str) else [name]
            at = forward_phase if self.damped else forward_law
            return at(batch, place if isinstance(place, str) else np.array(place))

        laws = law(first), law(second)
        relation = pencil_2x2(**phase_gap(*laws)) if self.damped else relate(*laws)
        return Lanes.of(relation.multiplicities[0], relation.rho.mid[0], relation.quad.mid[0])

    def of_rest(self, name: str, first: str | float, second: str | float) -> Enclosure:
        """The divergence of the Gaussian factor."""
        assert self.rest is not None
        laws = ", ".join(
            law if isinstance(law, str) else repr(law / self.case.speed) for law in (first, second)
        )
        return scalar(self.rest.measure(f"{name}({laws})"))

    def second_moment(self, law: str | float) -> Enclosure:
        if law == "gamma":
            return Enclosure.exact(np.float64(self.case.target.dimension))
        if law == "output":
            from simulators.phase.joint import JointOutcome

            total = Enclosure.exact(np.float64(0.0))
            for outcome, count in self.factors:
                assert not isinstance(outcome, JointOutcome)  # which has no moments of positions
                total = total + outcome.second_moment("output") * float(count)
            return total if self.rest is None else total + scalar(self.rest.measure("M2(output)"))
        return self.functional("second_moment", self.time(law))

    def path_kl(self) -> Enclosure:
        from simulators.functionals_paths import path_kl_mixture
        from simulators.mixtures import NotReducible

        case = self.case
        if case.error is not None and self.rest is not None:
            return scalar(self.rest.measure("PathKL(target, output)"))
        if case.error is not None:
            ((outcome, _),) = self.lines
            return outcome.path_kl
        if self.damped:
            return self.damped_path_kl()
        try:
            return path_kl_mixture(case.target, case.sampler, self.grid, str(case.start))
        except NotReducible:
            return self.sampled("PathKL")

    def damped_path_kl(self) -> Enclosure:
        """The sum over the factors, whose paths are independent."""
        total = Enclosure.exact(np.float64(0.0))
        for outcome, count in self.lines:
            total = total + scalar(outcome.path_kl) * float(count)
        return total if self.rest is None else total + scalar(self.rest.measure("PathKL(target, output)"))

    # -- functions of the step or of the time ----------------------------------------------------------------

    def function(self, name: str) -> Callable[[Any], Enclosure]:
        own = self.case.own_grid
        functions: dict[str, Callable[[Any], Enclosure]] = {
            "tau": lambda k: _close(float(own.times[k])),
            "step": lambda k: _close(float(own.steps[k])),
            "eps_at": self.error_at_step,
            "J_at": self.energy_at,
            "L_at": self.lipschitz_at,
        }
        if name not in functions:
            raise NotDefined(f"{name} is measured on Gaussian targets only")
        return functions[name]

    def clock_time(self, time: Any) -> float:
        return float(np.asarray(time.mid if isinstance(time, Enclosure) else time)) * self.case.speed

    def energy_at(self, time: Any) -> Enclosure:
        """J at a time, or at an array of them."""
        if isinstance(time, Enclosure) and time.lo.ndim:
            return self.functional("fisher_information", time.mid * self.case.speed)
        at = self.clock_time(time)
        known = self.grid_energies.get(at) if at in self.starts else None
        return self.functional("fisher_information", at) if known is None else known

    @cached_property
    def starts(self) -> frozenset[float]:
        """The times at which steps begin."""
        return frozenset((self.case.own_grid.times[:-1] * self.case.speed).tolist())

    @cached_property
    def grid_energies(self) -> dict[float, Enclosure]:
        """J at the beginnings of all steps in one go: a sum over the steps asks for each."""
        times = np.array(sorted(self.starts))
        try:
            found = self.functional("fisher_information", times)
        except ArithmeticError:  # at one of them, which may not be asked for
            return {}
        return {at: scalar(found[k]) for k, at in enumerate(times.tolist())}

    def lipschitz_at(self, time: Any) -> Enclosure:
        from simulators.functionals_lipschitz import lipschitz

        if isinstance(time, Enclosure) and time.lo.ndim:
            each = [self.lipschitz_at(time[k]) for k in range(len(time.lo))]
            return Enclosure(np.array([v.lo for v in each]), np.array([v.hi for v in each]))
        at = self.clock_time(time)
        if self.damped:
            from simulators.phase.damped import velocity_lipschitz

            return scalar(velocity_lipschitz(self.case.target, at, at))
        return scalar(lipschitz(self.case.target, at, at))

    def error_at_step(self, k: int) -> Enclosure:
        if self.case.error is None:
            return Enclosure.exact(np.float64(0.0))
        if self.rest is not None:
            raise NotDefined("the score error at one step is measured on two components or more")
        ((outcome, _),) = self.lines
        return scalar(outcome.squared_errors[k]).sqrt()


class _Seconds(_Values):
    """The same measures by other means, as numbers."""

    seed = 1

    def version(self, outcome: Any) -> Any:
        return limited(outcome.finer, 64.0 * WORK, 4.0 * PLANE_WORK)

    @property
    def starts(self) -> frozenset[float]:
        """None: times are looked at one by one."""
        return frozenset()

    def digits(self, key: sp.Basic) -> Any:
        value = self.get(key)
        if not isinstance(value, Enclosure):
            return value if isinstance(value, int) else lambda at: _number(value(at))
        return _number(value)

    def functional(self, name: str, time: float) -> Enclosure:
        from simulators import functionals_balls as balls
        from simulators.mixtures import Atoms, GaussianMixture

        target = self.case.target
        if name == "second_moment" or not isinstance(target, GaussianMixture | Atoms) or target.dimension > 1:
            return super().functional(name, time)
        if time == 0.0 and isinstance(target, Atoms):
            return super().functional(name, time)
        if name == "kl_to_gamma":
            return self.divergence("KL", time, "gamma")
        law = balls.forward_law(target, time)
        fisher = _from_ball(balls.fisher_ball(law))
        if name == "fisher_information":
            return fisher
        return fisher - 2.0 + super().functional("second_moment", time)

    def path_kl(self) -> Enclosure:
        """By the sum over steps of Fisher informations, in balls; for the frozen score and one factor."""
        case = self.case
        if case.sampler != "ddpm-ei" or case.error is not None or case.target.dimension > 1 or case.N > 60:
            raise NotDefined("no second road to this path KL")
        from simulators import functionals_balls as balls

        grid = self.grid
        times = grid.times.tolist()
        first, last = (balls.forward_law(case.target, times[k]) for k in (0, -1))
        total: Enclosure = _from_ball(balls.entropy_ball(first)) - _from_ball(balls.entropy_ball(last))
        total = total + (times[0] - times[-1])
        if case.start == "gamma":
            total = total + _from_ball(balls.kl_to_gamma_ball(first))
        for k, h in enumerate(grid.steps.tolist()):
            weight = h + 2.0 * float(np.expm1(-h))
            total = total + _from_ball(balls.fisher_ball(balls.forward_law(case.target, times[k]))) * weight
        return total


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
    one = Enclosure.exact(np.float64(1.0))
    match name:
        case "KL":
            return reduce(lambda a, b: a + b, (value * float(count) for value, count in parts))
        case "W2":
            return reduce(
                lambda a, b: a + b, (value.power(2) * float(count) for value, count in parts)
            ).sqrt()
        case "chi2" if len(parts) > 1 or parts[0][1] > 1:
            return reduce(lambda a, b: a * b, ((value + 1.0).power(count) for value, count in parts)) - one
        case "Hellinger" if len(parts) > 1 or parts[0][1] > 1:
            affinity = reduce(lambda a, b: a * b, ((one - v.power(2)).power(count) for v, count in parts))
            return (one - affinity).sqrt()
    return parts[0][0]


def _close(value: float, ulps: int = 8) -> Enclosure:
    """A float that is right up to a few roundings."""
    return Enclosure.around(np.float64(value), ulps * 1.2e-16 * abs(value), "closed form")


def _number(value: Enclosure) -> mp.mpf:
    return (
        mp.mpf(float(value.lo)) if value.lo == value.hi else (mp.mpf(float(value.lo)) + float(value.hi)) / 2
    )


def _from_ball(ball: Any) -> Enclosure:
    from properties.exact import to_enclosure

    return scalar(to_enclosure(ball))


# -- assumptions and print forms -----------------------------------------------------------------------------


def meets(case: Case, predicate: str) -> bool:
    """Whether the case meets a class predicate."""
    from simulators.mixtures import Atoms, blocks

    target = case.target
    mean = float(np.sum(np.square(target.mean)))
    match predicate:
        case "centred":
            return bool(mean <= 1e-28 * max(1.0, target.second_moment))
        case "one-dimensional":
            return bool(target.dimension == 1)
        case "isotropic":
            return bool(target.dimension == 1)
        case "covariance-identity":
            return bool(target.dimension == 1) and abs(target.covariance_trace - 1.0) <= 1e-14
        case "covariance-trace<=d":
            return bool(target.covariance_trace <= target.dimension)
        case "density":
            return not any(isinstance(block, Atoms) for block in blocks(target))
        case "shift-error":
            return case.error is None or (isinstance(case.error, AffineError) and not any(case.error.linear))
    return False


def latex_of(case: Case) -> str:
    """The case as mathematics."""
    parts = [f"q = {_law_latex(case.target)}"]
    if case.sampler != "none":
        parts += [f"T = {case.T:g}", f"N = {case.N}"]
    if case.delta:
        parts.append(rf"\delta = {case.delta:g}")
    return ",\\ ".join(parts)


def _law_latex(target: Any) -> str:
    from simulators.mixtures import Atoms, Product

    if isinstance(target, Product):
        return r" \otimes ".join(_law_latex(factor) for factor in target.factors)
    if isinstance(target, Gaussian):
        return rf"N(m, \Sigma_{{{target.dimension}}})"
    points = target.points if isinstance(target, Atoms) else target.means
    if isinstance(target, Atoms):
        pieces = [rf"{w:g}\, \delta_{{{_point(x)}}}" for w, x in zip(target.weights, points, strict=True)]
    else:
        spreads = _spreads(target)
        pieces = [
            rf"{w:g}\, N({_point(x)}, {v})" for w, x, v in zip(target.weights, points, spreads, strict=True)
        ]
    return " + ".join(pieces)


def _point(x: tuple[float, ...]) -> str:
    return f"{x[0]:g}" if len(x) == 1 else "(" + ", ".join(f"{value:g}" for value in x) + ")"


def _spreads(target: Any) -> list[str]:
    given = target.covariances
    count = len(target.weights)
    if isinstance(given, float | int):
        return [f"{given:g}"] * count
    return [f"{value:g}" if isinstance(value, float) else r"\Sigma" for value in given]
