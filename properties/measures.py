"""Measures: where the names of a claim meet the simulators, as float enclosures over a population.

`Measures` is an environment for `properties.evaluate`: asked for a symbol or a quantity, it computes it once,
for all cases together, in the clock of the claim's setup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from bounds.claim import Claim
from bounds.notation import NOTATION
from bounds.quantity import QUANTITIES, Iterate, Quantity, q
from properties.energies import ENERGIES
from properties.evaluate import COUNT
from properties.population import Population
from properties.trials.tied import tied_names
from simulators.enclosure import Enclosure, weaker
from simulators.errors import NotDefined

__all__ = ["COUNT", "Measures", "step_function", "undefined", "untestable"]

Array = NDArray[np.float64]

FI, J, KL, M2, W2 = (QUANTITIES[name] for name in ("FI", "J", "KL", "M2", "W2"))
PHASE_LAWS = ("target", "q_T", "q_delta", "gamma")  # and the output
_STATIONARY = ("lmc", "ulmc", "langevin")
_DIVERGENCES = ("KL", "chi2", "TV", "W2", "Hellinger", "FI")
_CONTINUOUS = ("reverse-sde", "pf-ode", "langevin", "ou-flow")
_NO_PATH = ("none", "pf-ode", "pf-ei", "pf-heun", "dpum", "dpom", "ou-flow", "langevin")
_LAWS_OF = {
    "none": {"target", "q_T", "q_delta", "gamma", "start"},
    "ou-flow": {"target", "target_t", "start", "output", "gamma"},
}


def step_function(name: str) -> sp.Symbol:
    """The key under which the environment keeps a step function."""
    return sp.Symbol(f"function {name}")


def untestable(claim: Claim) -> str:
    """Why no measure or case generator exists for the claim, or an empty string."""
    setup = claim.setup
    if setup.model:
        return ""
    for name in tied_names(claim):
        if setup.target == "gaussian":
            return f"{NOTATION[name].meaning} has no meaning on Gaussian targets"
        if name not in setup.ranges:
            return f"{NOTATION[name].meaning}: state its range, setup.parameters={{{name!r}: (low, high)}}"
    for quantity in claim.quantities:
        why = undefined(quantity, setup.sampler)
        if why:
            return why
    return ""


def undefined(quantity: Quantity, sampler: str) -> str:
    """Why the sampler of a setup gives the quantity no meaning, or an empty string."""
    name, laws = quantity.spec.name, {str(law) for law in quantity.args if not isinstance(law, q)}
    if name == "PathKL" and sampler in _NO_PATH:
        return f"the path KL of sampler={sampler!r} is not defined or has no closed form here"
    if name == "PathKL" and str(quantity.args[1]) != "output":
        return "the path KL is defined from the true reverse path to the output, PathKL(target, output)"
    allowed = _LAWS_OF.get(sampler)
    if allowed and laws - allowed:
        return f"law {sorted(laws - allowed)[0]!r} does not exist for sampler={sampler!r}"
    if "target_t" in laws and sampler != "ou-flow":
        return "law 'target_t' exists for sampler='ou-flow' only"
    if sampler == "cld-ei" and name not in ("KL", "TV", "W2", "chi2", "Hellinger", "PathKL", "ScoreError"):
        return f"{quantity} has no measure on the phase space of sampler='cld-ei' yet"
    return ""


class Measures(Mapping[sp.Basic, Any]):
    """Values of symbols and quantities on a population; an environment for `evaluate`.

    claim      : whose symbols and score average are meant.
    population : the cases. L and kappa are raised to the values that the population's parameters name, if
        larger.
    """

    def __init__(self, claim: Claim, population: Population) -> None:
        self.claim = claim
        self.population = population
        self._known: dict[sp.Basic, Any] = {}
        self._plain: dict[sp.Basic, Any] = {}

    def __getitem__(self, key: sp.Basic) -> Any:
        if key not in self._known:
            self._known[key] = self._compute(key)
        return self._known[key]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, sp.Symbol | Quantity) or (isinstance(key, Iterate) and self._uneven)

    def __iter__(self) -> Iterator[sp.Basic]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def override(self, key: sp.Basic, value: Any) -> None:
        """Use this value from now on (a constant raised to meet an assumption)."""
        self._plain.setdefault(key, self._known.get(key))
        self._known[key] = value

    def plain(self, key: sp.Basic) -> Any:
        """The value as measured, whatever it has been raised to since."""
        return self._plain.get(key, self._known.get(key))

    def of(self, population: Population, rows: NDArray[np.bool_]) -> Measures:
        """The measures of those rows, as a population that may name raised constants; what is known of each
        case is not computed again.
        """
        found = Measures(self.claim, population)
        if self._plain and population.setup.sampler in ("dpum", "dpom"):  # there L changes the sampler
            return found
        for key in self._known:
            value = self.plain(key)
            if isinstance(value, Enclosure) and value.lo.shape == rows.shape:
                raised = population.parameters.get(str(key)) if str(key) in _MEASURED else None
                value = value[rows]
                found._known[key] = value if raised is None else value.maximum(raised)
        return found

    def _compute(self, key: sp.Basic) -> Any:
        if isinstance(key, Quantity):
            return self._quantity(key)
        if isinstance(key, Iterate):
            return self._iterated(key)
        name = key.name if isinstance(key, sp.Symbol) else str(key)
        if name.startswith("function "):
            return self._step_function(name.removeprefix("function "))
        if key == COUNT:
            return self._count()
        return self._symbol(name)

    # -- symbols ---------------------------------------------------------------------------------------------

    def _symbol(self, name: str) -> Enclosure:
        population = self.population
        if name in ("T", "N", "delta"):
            return Enclosure.exact(getattr(population, name))
        if name == "d":
            return Enclosure.exact(population.dimension)
        if name == "v":
            return Enclosure.exact(population.eigenvalues[:, 0])
        if name in _MEASURED:
            value = _MEASURED[name](self)
            raised = population.parameters.get(name)
            return value if raised is None else value.maximum(raised)
        if name in population.parameters:
            return Enclosure.exact(population.parameters[name])
        raise KeyError(name)

    def _lipschitz(self) -> Enclosure:
        """1/min variance at the two ends of the forward times in use: the variance is monotone in time."""
        stays = self.population.setup.sampler in _STATIONARY
        ends = ["target"] if stays else ["q_T", "q_delta"]
        least = self._extreme_variance(ends[0], np.min)
        for end in ends[1:]:
            least = least.minimum(self._extreme_variance(end, np.min))
        return 1 / least

    def _extreme_variance(self, law: str, pick: Callable[..., Array]) -> Enclosure:
        from simulators.distances.relation import variance

        fill = np.inf if pick is np.min else -np.inf
        return self._over_spaces(variance(self._law(sp.Symbol(law))), pick, fill)

    def _mean_squared(self) -> Enclosure:
        squared = self.population.means**2
        total = squared.sum(axis=1)
        return Enclosure.around(total, 1e-15 * total, "squared mean")

    def _largest_step(self) -> Enclosure:
        _, index = self.population.grid_key
        steps = np.array([grid.max_step for grid in self.population.own_grids])
        return Enclosure.around(steps, 4e-16 * steps, "largest step")[index]

    def _kappa(self) -> Enclosure:
        _, index = self.population.grid_key
        values = np.array([grid.kappa for grid in self.population.own_grids])
        return Enclosure(values * (1 - 1e-15), values * (1 + 1e-15), "kappa of the grid")[index]

    def _score_error(self) -> Enclosure:
        average = self.claim.score.average
        if self.population.setup.sampler == "langevin" and average != "output-sup":
            return self._stationary_error().sqrt()
        if self.population.setup.sampler in _CONTINUOUS:
            from simulators.laws.continuous import flows, langevin

            if average == "output-sup":
                return langevin.own_law_error(self.population.batch).sqrt()
            squared = flows.flow_score_error(self.population.batch, average)
        else:
            from simulators.laws.constants import score_error

            squared = score_error(self.population.batch, average)
        return (squared / self.population.speed if average == "integral" else squared).sqrt()

    def _stationary_error(self) -> Enclosure:
        """Squared error under the target, the same at all times of a Langevin diffusion that starts there."""
        p = self.population
        squares = (p.shift + p.linear * p.means) ** 2 + p.multiplicities * p.linear**2 * p.eigenvalues
        total = squares.sum(axis=1)
        return Enclosure.around(total, 1e-14 * total, "closed form")

    # -- quantities ------------------------------------------------------------------------------------------

    def _quantity(self, quantity: Quantity) -> Enclosure:
        name = quantity.spec.name
        if name == "PathKL":
            return self._path_kl()
        if name == "ScoreError":
            return self._integrated_error()
        if name in _DIVERGENCES:
            return self._divergence(name, *quantity.args)
        if name in ENERGIES:
            return self._energy_of(name, self._time_of(quantity.args[0]))
        from simulators.distances import gaussian

        law = self._law(quantity.args[0])
        if name == "ScoreRate":
            from simulators.laws.continuous.flows import score_rate

            return score_rate(law) * self.population.speed**2
        return gaussian.score_energy(law) if name == "J" else gaussian.second_moment(law)

    def _path_kl(self) -> Enclosure:
        if self.population.setup.sampler == "reverse-sde":
            from simulators.laws.continuous.flows import flow_path_kl

            return flow_path_kl(self.population.batch)
        from simulators.laws.paths import path_kl

        return path_kl(self.population.batch)

    def _integrated_error(self) -> Enclosure:
        if self.population.setup.sampler in _CONTINUOUS:
            from simulators.laws.continuous.flows import flow_score_error

            return flow_score_error(self.population.batch, "integral") / self.population.speed
        from simulators.laws.constants import score_error

        return score_error(self.population.batch, "integral") / self.population.speed

    def _time_of(self, law: sp.Basic) -> Enclosure:
        """The forward time of a law, in the clock of the setup."""
        from properties.evaluate import FLOATS, evaluate

        size = len(self.population)
        if isinstance(law, q):
            found = evaluate(law.args[0], self, FLOATS)
        else:
            times = {"target": np.zeros(size), "q_T": self.population.T, "q_delta": self.population.delta}
            if str(law) not in times:
                raise NotDefined(f"a functional of {law} that is not a forward law")
            found = Enclosure.exact(times[str(law)])
        low, high = (np.broadcast_to(end, (size,)) for end in (found.lo, found.hi))
        return Enclosure(low, high, found.method, found.level)

    def _energy_of(self, name: str, time: Enclosure) -> Enclosure:
        """One of `ENERGIES` at a time in the clock of the setup, by its sum over eigenspaces."""
        p, speed = self.population, self.population.speed
        wide = Enclosure(time.lo[..., None] * speed, time.hi[..., None] * speed)
        decay, noise = (-wide).exp(), -(wide * -2.0).expm1()
        each = ENERGIES[name](
            Enclosure.exact(p.eigenvalues), Enclosure.exact(p.means), p.multiplicities, decay, noise
        )
        total = self._over_spaces(each, np.sum, 0.0) * Enclosure.between(1 - 1e-15, 1 + 1e-15)
        return total * speed**2 if name == "ScorePartialRate" else total

    def _divergence(self, name: str, p: sp.Basic, r: sp.Basic) -> Enclosure:
        from simulators.distances import contour, gaussian

        if self.population.setup.sampler == "cld-ei":
            return self._phase_divergence(name, p, r)
        relation = self._relation(p, r)
        if name == "TV":
            return contour.tv(relation)
        function: Callable[..., Enclosure] = {
            "KL": gaussian.kl,
            "chi2": gaussian.chi2,
            "W2": gaussian.w2,
            "Hellinger": gaussian.hellinger,
            "FI": gaussian.relative_fisher,
        }[name]
        return function(relation)

    def _relation(self, p: sp.Basic, r: sp.Basic) -> Any:
        from simulators.distances.relation import relate

        names = (str(p), str(r))
        if self.population.setup.sampler == "ou-flow" and set(names) == {"output", "target_t"}:
            from simulators.laws.continuous.langevin import ou_flow_relation

            relation = ou_flow_relation(self.population.batch)
            return relation if names[0] == "output" else relation.reversed
        return relate(self._law(p), self._law(r))

    def _phase_divergence(self, name: str, p: sp.Basic, r: sp.Basic) -> Enclosure:
        from simulators.distances import contour, gaussian
        from simulators.distances.plane import pencil_2x2, w2_2x2
        from simulators.laws.phase import phase_gap

        gap = phase_gap(self._phase_law(p), self._phase_law(r))
        if name == "W2":
            return w2_2x2(**gap)
        relation = pencil_2x2(**gap)
        if name == "TV":
            return contour.tv(relation)
        divergences = {"KL": gaussian.kl, "chi2": gaussian.chi2, "Hellinger": gaussian.hellinger}
        return divergences[name](relation)

    # -- laws ------------------------------------------------------------------------------------------------

    def _law(self, law: sp.Basic) -> Any:
        key = sp.Symbol(f"law {law}")
        if key not in self._known:
            self._known[key] = self._make_law(law)
        return self._known[key]

    def _make_law(self, law: sp.Basic) -> Any:
        from simulators.laws.gaussian import forward_law, propagate

        batch = self.population.batch
        if isinstance(law, q):
            from properties.evaluate import FLOATS, evaluate

            time = evaluate(law.args[0], self, FLOATS)
            speed = self.population.speed  # a power of two: exact
            time = Enclosure(time.lo * speed, time.hi * speed, time.method, time.level)
            size = (len(self.population),)
            reach = np.broadcast_to(np.maximum(time.hi - time.mid, time.mid - time.lo), size)
            return _at_about(forward_law(batch, np.broadcast_to(time.mid, size)), reach)
        name = str(law)
        if name in ("target", "gamma"):
            return forward_law(batch, name)
        if name == "q_T" or (name == "start" and self.population.setup.start == "q_T"):
            return forward_law(batch, "T")
        if name == "q_delta":
            return forward_law(batch, "delta")
        if name == "start":
            return (
                forward_law(batch, "gamma") if self.population.setup.start == "gamma" else self._start_law()
            )
        if self.population.setup.sampler in _CONTINUOUS:
            from simulators.laws.continuous.flows import flow_law

            return flow_law(batch)
        return propagate(batch)

    def _start_law(self) -> Any:
        from simulators.laws.law import Law

        population = self.population
        lam = population.eigenvalues
        singular = np.any(lam == 0, axis=1, keepdims=True)  # no deviation relative to a Dirac: refer to gamma
        reference, mean = np.where(singular, 1.0, lam), np.where(singular, 0.0, population.means)
        rel = (population.start_variances - reference) / reference
        dev = population.start_means - mean
        return Law(
            lam,
            population.multiplicities,
            population.means,
            np.where(singular[:, 0], np.inf, 0.0),
            rel,
            4e-16 * np.abs(rel),
            dev,
            4e-16 * np.abs(dev),
        )

    def _phase_law(self, law: sp.Basic) -> Any:
        from simulators.laws.gaussian import propagate
        from simulators.laws.phase import forward_phase

        name = str(law)
        if name == "output":
            return propagate(self.population.batch)
        if name == "start":
            name = self.population.setup.start
        if name not in PHASE_LAWS:
            raise NotDefined(f"the law {name} is not defined on phase space: {', '.join(PHASE_LAWS)} are")
        return forward_phase(self.population.batch, {"q_T": "T", "q_delta": "delta"}.get(name, name))

    # -- functions of the step or of the time: the cases are the last axis of a time -------------------------

    @cached_property
    def _uneven(self) -> bool:
        """Whether the cases have different numbers of steps."""
        counts = self.population.N
        return bool((counts != counts[:1]).any())

    def _iterated(self, recursion: Iterate) -> Enclosure:
        """A recursion over numbers of steps that differ: each step is walked once, for all rows that have
        it.
        """
        from properties.evaluate import FLOATS, advance, evaluate

        size = (len(self.population),)
        value = evaluate(recursion.args[2], self, FLOATS)
        low, high = (np.broadcast_to(end, size).copy() for end in (value.lo, value.hi))
        done, levels = 0, [value.level]
        for count in np.unique(self.population.N).astype(int).tolist():
            rows = count <= self.population.N
            part = advance(
                recursion,
                Enclosure(low[rows], high[rows], value.method, value.level),
                range(done, count),
                self._rest(rows, count),
                FLOATS,
            )
            low[rows], high[rows] = part.lo, part.hi
            done = count
            levels.append(part.level)
        return Enclosure(low, high, value.method, weaker(*levels))

    def _rest(self, rows: NDArray[np.bool_], count: int) -> Measures:
        """The measures of those rows, with what is known of them, as far as so many steps."""
        rest = Measures(self.claim, self.population.take(rows))
        for key, value in self._known.items():
            if isinstance(value, Enclosure) and value.lo.shape == rows.shape:
                rest._known[key] = value[rows]
        rest._known[COUNT] = count
        vars(rest)["_times"] = self._times[rows]
        return rest

    def _count(self) -> int:
        counts = np.unique(self.population.N)
        if counts.shape[0] != 1:
            raise NotDefined("a recursion over the steps needs cases with one number of steps")
        return int(counts[0])

    def _step_function(self, name: str) -> Callable[[Any], Enclosure]:
        functions: dict[str, Callable[[Any], Enclosure]] = {
            "tau": self._tau,
            "step": self._step,
            "eps_at": self._eps_at,
            "error_at": self._error_at,
            "div_at": self._divergence_at,
            "J_at": self._energy_at,
            "hessian_at": lambda time: self._energy_of("HessianEnergy", time),
            "covariance_at": lambda time: self._energy_of("PosteriorEnergy", time),
            "speed_at": self._speed_at,
            "L_at": self._lipschitz_at,
            "alpha_at": self._curvature_at,
        }
        return functions[name]

    @cached_property
    def _times(self) -> Array:
        """tau_0 ... tau_N of each case, and nothing after the end."""
        _, index = self.population.grid_key
        grids = self.population.own_grids
        times = np.full((len(grids), max(grid.N for grid in grids) + 1), np.nan)
        for row, grid in zip(times, grids, strict=True):
            row[: grid.N + 1] = grid.times
        return times[index]

    def _tau(self, k: int) -> Enclosure:
        return Enclosure.around(self._times[:, k], 4e-16 * self._times[:, k], "grid")

    def _step(self, k: int) -> Enclosure:
        """By its formula where the steps are equal, else as a difference of times."""
        p = self.population
        even = p.kind == 0
        even[list(p.given)] = False
        equal = (Enclosure.exact(p.T) - p.delta) / p.N
        if even.all():
            return equal
        between = self._tau(k) - self._tau(k + 1)
        return Enclosure(np.where(even, equal.lo, between.lo), np.where(even, equal.hi, between.hi), "grid")

    def _variance_at(self, time: Enclosure) -> Enclosure:
        decay = (time * (-2.0 * self.population.speed)).exp()
        decay = Enclosure(decay.lo[..., None], decay.hi[..., None])
        return (
            decay * self.population.eigenvalues
            - (Enclosure(time.lo[..., None], time.hi[..., None]) * (-2.0 * self.population.speed)).expm1()
        )

    def _over_spaces(self, values: Enclosure, reduce: Callable[..., Array], fill: float) -> Enclosure:
        real = self.population.multiplicities > 0
        return Enclosure(
            reduce(np.where(real, values.lo, fill), axis=-1), reduce(np.where(real, values.hi, fill), axis=-1)
        )

    def _lipschitz_at(self, time: Enclosure) -> Enclosure:
        return self._over_spaces(1 / self._variance_at(time), np.max, -np.inf)

    def _curvature_at(self, time: Enclosure) -> Enclosure:
        return self._over_spaces(1 / self._variance_at(time), np.min, np.inf)

    def _energy_at(self, time: Enclosure) -> Enclosure:
        terms = self.population.multiplicities / self._variance_at(time)
        return Enclosure(terms.lo.sum(axis=-1) * (1 - 1e-15), terms.hi.sum(axis=-1) * (1 + 1e-15))

    def _speed_at(self, time: Enclosure) -> Enclosure:
        """Root of the sum of n (1 - v_t)^2/v_t^3, with 1 - v_t = (1 - v_0) e^{-2t} free of cancellation."""
        decay = (time * (-2.0 * self.population.speed)).exp()
        gap = Enclosure(decay.lo[..., None], decay.hi[..., None]) * (1.0 - self.population.eigenvalues)
        terms = gap.power(2) / self._variance_at(time).power(3) * self.population.multiplicities
        total = self._over_spaces(terms, np.sum, 0.0) * self.population.speed**2
        return (total * Enclosure.between(1 - 1e-15, 1 + 1e-15)).sqrt()

    def _error_at(self, time: Enclosure) -> Enclosure:
        population = self.population
        variance = self._variance_at(time)
        decay = (Enclosure(time.lo[..., None], time.hi[..., None]) * (-population.speed)).exp()
        weight = _weight(population, decay, variance)
        shift = decay * population.means * population.linear + population.shift
        squared = (
            shift.power(2) + variance * (population.multiplicities * population.linear**2)
        ) * weight.power(2)
        squared = self._over_spaces(squared, np.sum, 0.0)
        return (squared * Enclosure.between(1 - 1e-15, 1 + 1e-15)).sqrt()

    def _eps_at(self, k: int) -> Enclosure:
        return self._error_at(self._steady(k))

    def _divergence_at(self, k: int) -> Enclosure:
        """The sum of n times the slope, which is the mean divergence of an affine error."""
        population, time = self.population, self._steady(k)
        decay = (Enclosure(time.lo[..., None], time.hi[..., None]) * (-population.speed)).exp()
        weight = _weight(population, decay, self._variance_at(time))
        slopes = self._over_spaces(weight * (population.multiplicities * population.linear), np.sum, 0.0)
        slack = 1e-15 * np.maximum(np.abs(slopes.lo), np.abs(slopes.hi))
        return Enclosure(slopes.lo - slack, slopes.hi + slack)

    def _steady(self, k: int) -> Enclosure:
        """The time at the start of a step, where the profile of the error says what it is there."""
        if bool(np.any(np.isin(self.population.profile, (1.0, 2.0)))):
            raise NotDefined("the score error at one step is measured for constant and adapted profiles only")
        return self._tau(k)


def _at_about(law: Any, reach: Array) -> Any:
    """The forward law at a time known up to +- ``reach``: a time t + 1 is rounded, and laws at two such times
    may be nearer to one another than that.
    """
    if not np.any(reach):
        return law
    decay, within = np.exp(-law.time)[:, None], (reach * np.exp(2.0 * reach))[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        rel = np.abs(2.0 * law.excess / law.reference_variance) * within
    return replace(
        law, rel_err=np.where(within > 0, rel, 0.0), dev_err=np.abs(decay * law.target_means) * within
    )


def _weight(population: Population, decay: Enclosure, variance: Enclosure) -> Enclosure:
    adapted = (population.profile == 3.0)[:, None]
    ratio = decay / variance
    return Enclosure(np.where(adapted, ratio.lo, 1.0), np.where(adapted, ratio.hi, 1.0))


_MEASURED: dict[str, Callable[[Measures], Enclosure]] = {
    "h": Measures._largest_step,
    "kappa": Measures._kappa,
    "L": Measures._lipschitz,
    "alpha": lambda m: 1 / m._extreme_variance("target", np.max),
    "M2": lambda m: m[M2("target")],
    "m0sq": Measures._mean_squared,
    "KL0": lambda m: m[KL("target", "gamma")],
    "FI0": lambda m: m[FI("target", "gamma")],
    "J0": lambda m: m[J("target")],
    "W20": lambda m: m[W2("target", "gamma")],
    "eps": Measures._score_error,
}
