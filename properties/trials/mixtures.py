"""Cases whose target is a Gaussian mixture, finitely many atoms or a product: what a claim can ask of them.

The target is reduced to lines, planes, radii and an exact Gaussian (`simulators.mixtures`), each is
propagated on its own, and divergences are put together: KL and squared W2 add, 1 + chi2 and the affinity
multiply, TV comes from the transforms of the log-likelihood ratios. What cannot be reduced is measured by
Monte Carlo, with a false-alarm rate by design.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from bounds.quantity import Quantity, q
from properties.evaluate import FLOATS, evaluate
from properties.trials.factors import Factors, combined
from properties.trials.road import ScalarRoad, named, scalar
from simulators.enclosure import Enclosure
from simulators.errors import NotDefined

if TYPE_CHECKING:
    from properties.cases import Case
    from simulators.distances.products import Lanes

__all__ = ["Values", "float_road"]

_LAW_TIMES = ("target", "q_T", "q_delta")
_STATIONARY = ("lmc", "ulmc")
_ENERGIES = {
    "HessianEnergy": "hessian_energy",
    "PosteriorTrace": "mmse",
    "PosteriorEnergy": "covariance_energy",
}
_RATES = {"ScoreRate": "total", "ScorePartialRate": "partial"}
_DIVERGENCES = ("KL", "TV", "W2", "chi2", "Hellinger")
SAMPLES, RATE = 200_000, 1e-6
"""Of the Monte Carlo measures: simulated outputs, and the probability that an enclosure is wrong."""


def float_road(case: Case, average: str = "time") -> ScalarRoad:
    """Values on the case as float enclosures."""
    values = Values(case, average)
    road = ScalarRoad(values.get, FLOATS)
    values.road = road
    return road


class Values(Factors):
    """The measures of one case."""

    road: ScalarRoad
    seed = 0

    # -- environment -----------------------------------------------------------------------------------------

    def get(self, key: sp.Basic) -> Any:
        """The value of a symbol, quantity or step function."""
        if isinstance(key, Quantity):
            return scalar(self.quantity(key))
        name = named(key)
        if name.startswith("function "):
            return self.function(name.removeprefix("function "))
        if name == "count of steps":
            return self.case.N
        return scalar(self.symbol(name))

    def symbol(self, name: str) -> Enclosure:
        """The value of a symbol of the claim."""
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
        """The Lipschitz constant of the scores along the way; of the target for Langevin samplers."""
        from simulators.functionals_lipschitz import lipschitz

        if self.case.sampler in _STATIONARY:
            return lipschitz(self.case.target, 0.0, 0.0)
        if self.damped:
            from simulators.phase.damped import velocity_lipschitz

            return velocity_lipschitz(self.case.target, self.grid.delta, self.grid.T)
        return lipschitz(self.case.target, self.grid.delta, self.grid.T)

    def functional(self, name: str, time: Any) -> Enclosure:
        """A functional of the forward law at a time, or at an array of them."""
        from simulators import functionals
        from simulators.mixtures import NotReducible

        try:
            value: Enclosure = getattr(functionals, name)(self.case.target, time)
        except NotReducible as error:
            raise NotDefined(str(error)) from error
        return value

    def motion(self, kind: str, time: float) -> Enclosure:
        """How fast the score moves at a forward time, on the target's lines and its Gaussian factor."""
        from simulators.functionals_motion import score_motion
        from simulators.mixtures import NotReducible

        try:
            return score_motion(self.case.target, kind, time) * self.case.speed**2
        except NotReducible as error:
            raise NotDefined(str(error)) from error

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
        """The value of a quantity of the claim."""
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
        if name in _ENERGIES:
            return self.functional(_ENERGIES[name], self.time(laws[0]))
        if name in _RATES:
            return self.motion(_RATES[name], self.time(laws[0]))
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

    def divergence(self, name: str, first: str | float, second: str | float) -> Enclosure:
        """A divergence of two laws, from those of the factors."""
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
        from simulators.distances.ratios import NoRatio, density_noise, outcome_ratios, tv_beside
        from simulators.line.outcome import LineOutcome

        if first == second:
            return Enclosure.exact(np.float64(0.0), "a law against itself")
        p, q = (second, first) if second == "output" else (first, second)
        lanes = None if self.rest is None else self.rest_lanes(p, q)
        try:
            (outcome, copies), lane = self.factors[0], None if lanes is None else lanes.alone
            if len(self.factors) == copies == 1 and isinstance(outcome, LineOutcome) and lane is not None:
                found = tv_beside(outcome, p, q, lane)
                return found.labelled(f"{self.split.text}: {found.method}")
            factors = [(outcome_ratios(outcome, p, q), count) for outcome, count in self.factors]
        except NoRatio as singular:
            return Enclosure.exact(np.float64(1.0), str(singular))
        noise = max((density_noise(outcome, p) for outcome, _ in self.factors), default=0.0)
        found = product_tv(factors, lanes, noise)
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
        """E |x|^2 under a law."""
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
        """The KL of the reverse process from the sampler, start included."""
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
        """A function of the step or of the time, by its name."""
        own = self.case.own_grid
        functions: dict[str, Callable[[Any], Enclosure]] = {
            "tau": lambda k: _close(own.times[k]),
            "step": lambda k: _close(own.steps[k]),
            "eps_at": self.error_at_step,
            "div_at": self.divergence_at_step,
            "J_at": lambda time: self.at_times("fisher_information", time),
            "hessian_at": lambda time: self.at_times("hessian_energy", time),
            "covariance_at": lambda time: self.at_times("covariance_energy", time),
            "speed_at": self.speed_at,
            "L_at": self.lipschitz_at,
        }
        if name not in functions:
            raise NotDefined(f"{name} is measured on Gaussian targets only")
        return functions[name]

    def clock_time(self, time: Any) -> float:
        """A time of the case's clock on the unit clock."""
        return float(np.asarray(time.mid if isinstance(time, Enclosure) else time)) * self.case.speed

    def at_times(self, name: str, time: Any) -> Enclosure:
        """A functional at a time, or at an array of them."""
        if isinstance(time, Enclosure) and time.lo.ndim:
            found = self.functional(name, time.mid.ravel() * self.case.speed)
            return Enclosure(
                found.lo.reshape(time.lo.shape), found.hi.reshape(time.lo.shape), found.method, found.level
            )
        return self.functional(name, self.clock_time(time))

    def speed_at(self, time: Any) -> Enclosure:
        """The speed at which the score moves at a forward time."""
        if isinstance(time, Enclosure) and time.lo.ndim:
            return _each(self.speed_at, time)
        return scalar(self.motion("total", self.clock_time(time))).sqrt()

    def lipschitz_at(self, time: Any) -> Enclosure:
        """The Lipschitz constant of the score at a forward time."""
        from simulators.functionals_lipschitz import lipschitz

        if isinstance(time, Enclosure) and time.lo.ndim:
            return _each(self.lipschitz_at, time)
        at = self.clock_time(time)
        if self.damped:
            from simulators.phase.damped import velocity_lipschitz

            return scalar(velocity_lipschitz(self.case.target, at, at))
        return scalar(lipschitz(self.case.target, at, at))

    def error_at_step(self, k: Any) -> Enclosure:
        """The root mean square of the score error at a step, or at an array of them."""
        if self.case.error is None:
            return Enclosure.exact(np.float64(0.0))
        if self.rest is not None:
            raise NotDefined("the score error at one step is measured on two components or more")
        ((outcome, _),) = self.lines
        return outcome.squared_errors[k].sqrt()

    def divergence_at_step(self, k: Any) -> Enclosure:
        """The mean divergence of the score error at a step, or at an array of them."""
        if self.case.error is None:
            return Enclosure.exact(np.float64(0.0))
        return self.divergences[k]

    @cached_property
    def divergences(self) -> Enclosure:
        """E div e_k at every step, which is -E<e_k, score> by Stein's identity."""
        from simulators.line.errors import path_error
        from simulators.line.outcome import LineOutcome

        ((outcome, _),) = self.lines or ((None, 1),)
        if not isinstance(outcome, LineOutcome):
            raise NotDefined("the divergence of the score error is measured on two components or more")
        return -path_error(outcome.problem).part("with_score", self.case.N)


def _close(value: Any, ulps: int = 8) -> Enclosure:
    """Floats that are right up to a few roundings."""
    return Enclosure.around(value, ulps * 1.2e-16 * np.abs(value), "closed form")


def _each(function: Callable[[Enclosure], Enclosure], time: Enclosure) -> Enclosure:
    """A function of one time at each of an array of times."""
    found = [function(time[at]) for at in np.ndindex(time.lo.shape)]
    lo, hi = (
        np.array(ends).reshape(time.lo.shape) for ends in zip(*((v.lo, v.hi) for v in found), strict=True)
    )
    return Enclosure(lo, hi, found[0].method, found[0].level)
