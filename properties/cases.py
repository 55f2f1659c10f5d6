"""One case of a claim: a target, a sampler on a grid, a score error and parameters, all exact numbers.

Times, steps and horizons of a case are in its own clock; `Case.single` hands it to the simulators in the unit
clock. This is the only place where clocks are converted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from bounds.errors import ClaimError, chosen, nearest
from bounds.frozen import FrozenMapping
from bounds.setup import AVERAGES, CLOCKS, SAMPLERS
from properties.trials.road import ScalarRoad, scalar
from simulators.checks import finite, finite_numbers, whole
from simulators.enclosure import Enclosure
from simulators.errors import InputError
from simulators.grids import Grid
from simulators.mixtures import Atoms, GaussianMixture, Product
from simulators.score_errors import AffineError
from simulators.targets import Gaussian

if TYPE_CHECKING:
    from simulators.batch import SingleCase

__all__ = ["CLOCK_SPEED", "TIMES", "Case", "own_grid", "unit_grid"]

CLOCK_SPEED = {"unit": 1.0, "half": 0.5}
"""Unit-clock time that passes in one unit of the clock's own time."""

TIMES = frozenset({"t", "s", "h_corr"})
"""Parameters that are times, converted with the clock."""

_OPTION_OF = {"friction": "gamma_friction", "h_corr": "corrector_step", "a": "a", "t": "t", "L": "L"}
_FIELDS = ("target", "clock", "sampler", "T", "N", "delta", "grid", "start", "error", "parameters")


@contextmanager
def _reading(field: str, value: Any, expected: str) -> Iterator[None]:
    """What plain data cannot be read as is an error that names the field."""
    try:
        yield
    except (ClaimError, InputError):
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        missing = f"; {error} is missing" if isinstance(error, KeyError) else ""
        raise ClaimError(f"case.{field}", value, expected + missing) from error


@lru_cache(maxsize=256)
def own_grid(kind: str, T: float, N: int, delta: float) -> Grid:
    """The grid of that kind, in the clock of its times."""
    if kind == "uniform":
        return Grid.uniform(T, N, delta)
    if kind == "geometric":
        return Grid.geometric(T, N, delta)
    raise InputError("grid", kind, "expected 'uniform', 'geometric' or the times")


@lru_cache(maxsize=256)
def unit_grid(kind: str, T: float, N: int, delta: float, clock: str) -> Grid:
    """The same grid in the unit clock; halving a float is exact."""
    own = own_grid(kind, T, N, delta)
    return own if clock == "unit" else own.halved()


@dataclass(frozen=True)
class Case:
    """One concrete case.

    target     : a Gaussian, a mixture, atoms or a product of these.
    clock      : "unit" or "half"; T, delta and the times among the parameters are in it.
    sampler    : as in `Setup`.
    T, N, delta: horizon, number of steps, early-stopping time.
    grid       : "uniform", "geometric", the forward times themselves, decreasing, or a `Grid` of them.
    start      : "gamma", "q_T" or, for a Gaussian target, a Gaussian in the same eigenspaces.
    error      : the score error, or None for the exact score: affine; for other targets than Gaussians, in
        dimension one, also one of `simulators.line.scores`.
    parameters : values of t, s, a, tol, friction and the user's own; also L or kappa where a larger constant
        than the least one is meant.
    """

    target: Any
    clock: str = "unit"
    sampler: str = "none"
    T: float = 1.0
    N: int = 1
    delta: float = 0.0
    grid: str | tuple[float, ...] = "uniform"
    start: str | Gaussian = "gamma"
    error: Any = None
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.clock, str) or self.clock not in CLOCKS:
            raise InputError("clock", self.clock, "expected 'unit' or 'half'")
        if not isinstance(self.sampler, str) or self.sampler not in SAMPLERS:
            raise InputError(
                "sampler",
                self.sampler,
                f"expected one of {', '.join(SAMPLERS)}{nearest(self.sampler, SAMPLERS)}",
            )
        if not isinstance(self.target, Gaussian | GaussianMixture | Atoms | Product):
            raise InputError("target", self.target, "expected a Gaussian, a mixture, atoms or a product")
        self._check_error()
        named = isinstance(self.start, str) and self.start in ("gamma", "q_T")
        if not named and not self.is_gaussian:
            raise InputError("start", self.start, "expected 'gamma' or 'q_T' for this target")
        if not named and not isinstance(self.start, Gaussian):
            raise InputError("start", self.start, "expected 'gamma', 'q_T' or a Gaussian")
        if not isinstance(self.parameters, Mapping):
            raise InputError("parameters", self.parameters, "expected numbers by name")
        for name in self.parameters:
            if not isinstance(name, str) or not name.isidentifier():
                raise InputError("parameters", name, "expected names of letters, digits and underscores")
        put = object.__setattr__
        given: Any = self.grid
        if isinstance(given, Grid):
            for name in ("T", "N", "delta"):
                put(self, name, getattr(given, name))
            given = given.given or given.kind
        grid = given if isinstance(given, str) else finite_numbers("grid", given)
        put(self, "grid", grid)
        parameters = {name: finite(name, value) for name, value in sorted(self.parameters.items())}
        put(self, "parameters", FrozenMapping(parameters))
        if isinstance(grid, tuple) and grid:
            put(self, "T", grid[0])
            put(self, "N", len(grid) - 1)
            put(self, "delta", grid[-1])
        put(self, "T", finite("T", self.T))
        put(self, "delta", finite("delta", self.delta))
        put(self, "N", whole("N", self.N))
        self.unit_grid  # noqa: B018  (validates T, N, delta and the times)

    def _check_error(self) -> None:
        if self.error is None:
            return
        if isinstance(self.error, AffineError):
            spaces = len(self.target.eigenvalues) if self.is_gaussian else 1
            if len(self.error.shift) != spaces and (self.is_gaussian or self.target.dimension == 1):
                raise InputError("error", self.error, f"expected {spaces} entries, one an eigenspace")
            return
        if self.is_gaussian:
            raise InputError("error", self.error, "expected an AffineError for a Gaussian target")
        from simulators.line import scores

        if not isinstance(self.error, scores.ScoreError | scores.Custom):
            raise InputError("error", self.error, "expected an AffineError, Bump, Oscillation, ...")

    @property
    def is_gaussian(self) -> bool:
        """Whether the target is a Gaussian: then everything has balls."""
        return isinstance(self.target, Gaussian)

    @property
    def speed(self) -> float:
        """Unit-clock time per unit of the case's own time."""
        return CLOCK_SPEED[self.clock]

    @cached_property
    def own_grid(self) -> Grid:
        """The grid in the case's own clock."""
        return Grid.from_times(self.grid) if isinstance(self.grid, tuple) else own_grid(*self._times)

    @cached_property
    def unit_grid(self) -> Grid:
        """The same grid in the unit clock; halving a float is exact."""
        if not isinstance(self.grid, tuple):
            return unit_grid(*self._times, self.clock)
        return self.own_grid if self.clock == "unit" else self.own_grid.halved()

    @property
    def _times(self) -> tuple[str, float, int, float]:
        return str(self.grid), self.T, self.N, self.delta

    @property
    def options(self) -> dict[str, float]:
        """The sampler's own parameters as the simulators name them, times in the unit clock."""
        if self.sampler in ("dpum", "dpom") and "h_corr" not in self.parameters:
            expected = "expected a value for h_corr, the step of the corrector"
            raise InputError("parameters", dict(self.parameters), expected)
        return {
            _OPTION_OF[name]: float(value) * (self.speed if name in TIMES else 1.0)
            for name, value in self.parameters.items()
            if name in _OPTION_OF
        }

    @property
    def single(self) -> SingleCase:
        """The case as the simulators take it, in the unit clock."""
        from simulators.batch import SingleCase

        return SingleCase(
            target=self.target,
            sampler=self.sampler,
            grid=self.unit_grid,
            start=self.start,
            score_error=self.error,
            options=self.options,
        )

    def measure(self, formula: str, *, average: str = "time") -> Enclosure:
        """The value of a formula on this case, in ball arithmetic: ``case.measure("KL(target, output)")``.

        average : which average of the score error eps means, as in `bounds.setup.AVERAGES`.

        Raises ClaimError for a formula that cannot be read, NotDefined for a quantity without a value here.
        """
        from bounds.elementary import follow_times
        from bounds.formula import parse
        from bounds.quantity import q
        from properties.exact import enclose

        chosen("average", average, AVERAGES)
        expr = follow_times(parse(formula, parameters=frozenset(self.parameters)), self.clock, "formula")
        for time in sorted((law.args[0] for law in expr.atoms(q)), key=str):
            if enclose(time, self, average).hi < 0:
                raise ClaimError("formula", formula, f"a forward time >= 0, not {time}")
        return enclose(expr, self, average) if self.is_gaussian else scalar(self.floats(average).value(expr))

    # -- a target that is not Gaussian -----------------------------------------------------------------------

    def floats(self, average: str = "time") -> ScalarRoad:
        """Values on the case as float enclosures."""
        from properties.trials.mixtures import float_road

        return float_road(self, average)

    def digits(self, average: str = "time") -> ScalarRoad:
        """Values by the second road."""
        from properties.trials.seconds import digit_road

        return digit_road(self, average)

    def predicate(self, name: str) -> bool:
        """Whether the case meets a class predicate."""
        from properties.trials.describing import meets

        return meets(self, name)

    def latex(self) -> str:
        """The case as mathematics."""
        from properties.trials.describing import latex_of

        return latex_of(self)

    def but(self, **changes: Any) -> Case:
        """The same case with some fields changed."""
        return replace(self, **changes)

    # -- plain data ------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Plain data; JSON keeps every bit of it."""
        start = self.start if isinstance(self.start, str) else {"type": "gaussian", **self.start.to_dict()}
        return {
            "target": _target_data(self.target),
            "clock": self.clock,
            "sampler": self.sampler,
            "grid": {"kind": self.grid, "T": self.T, "N": self.N, "delta": self.delta}
            if isinstance(self.grid, str)
            else {"kind": "custom", "times": [*self.grid]},
            "start": start,
            "score": _error_data(self.error),
            "parameters": dict(self.parameters),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Case:
        """The inverse of `to_dict`; also reads the short form of sharp cases, with T, N, delta beside the
        target.

        Raises ClaimError naming the field that is missing or wrong.
        """
        if not isinstance(data, Mapping) or "target" not in data:
            raise ClaimError("case", data, "a mapping with a target")
        known = {"target", "clock", "sampler", "grid", "start", "score", "parameters", "T", "N", "delta"}
        for name in data:
            if name not in known:
                raise ClaimError(
                    "case", name, f"one of {', '.join(sorted(known))}{nearest(str(name), known)}"
                )
        with _reading("grid", data.get("grid"), '"uniform", "geometric", times, or a mapping of its kind'):
            fields = cls._fields(data)
        with _reading("start", data.get("start"), '"gamma", "q_T" or a Gaussian'):
            start = data.get("start", "gamma")
            fields["start"] = _gaussian(start) if isinstance(start, Mapping) else start
        with _reading("score", data.get("score"), "a score error as a case writes it"):
            score = data.get("score")
            if score is not None and score.get("kind") != "exact":
                fields["error"] = _error(score)
        with _reading("target", data["target"], "a target as a case writes it"):
            target = _target(data["target"])
        return cls(target=target, **fields)

    @staticmethod
    def _fields(data: Mapping[str, Any]) -> dict[str, Any]:
        grid = data.get("grid", "uniform")
        fields: dict[str, Any] = {
            name: data[name] for name in ("clock", "sampler", "T", "N", "delta", "parameters") if name in data
        }
        if isinstance(grid, Mapping):
            fields["grid"] = tuple(grid["times"]) if grid["kind"] == "custom" else grid["kind"]
            fields |= {name: grid[name] for name in ("T", "N", "delta") if name in grid}
        else:
            fields["grid"] = tuple(grid) if isinstance(grid, list) else grid
        return fields

    def to_source(self) -> str:
        """A Python expression that makes this case through the public API ``ls``."""
        parts = [_source(self.target)]
        for name in _FIELDS[1:]:
            value, default = getattr(self, name), _DEFAULTS[name]
            if value == default or (isinstance(self.grid, tuple) and name in ("T", "N", "delta")):
                continue
            parts.append(f"{name}={_source(value)}")
        return f"ls.Case({', '.join(parts)})"


_DEFAULTS: dict[str, Any] = {
    "clock": None,
    "sampler": "none",
    "T": 1.0,
    "N": 1,
    "delta": 0.0,
    "grid": "uniform",
    "start": "gamma",
    "error": None,
    "parameters": {},
}


def _gaussian(data: Mapping[str, Any]) -> Gaussian:
    kind = data.get("type", "gaussian")
    if kind != "gaussian":
        raise ClaimError("case.target.type", kind, "'gaussian'")
    return Gaussian.from_dict(data)


def _target(data: Mapping[str, Any]) -> Any:
    kind = data.get("type", "gaussian")
    if kind == "gaussian":
        return Gaussian.from_dict(data)
    if kind not in _TARGETS:
        raise ClaimError("case.target.type", kind, f"one of gaussian, {', '.join(_TARGETS)}")
    return _TARGETS[kind].from_dict(data)


def _target_data(target: Any) -> dict[str, Any]:
    kind = next((name for name, made in _TARGETS.items() if isinstance(target, made)), "gaussian")
    return {"type": kind} | {name: value for name, value in target.to_dict().items() if name != "kind"}


_TARGETS: dict[str, Any] = {"mixture": GaussianMixture, "atoms": Atoms, "product": Product}
_ERRORS = {"bump": "Bump", "oscillation": "Oscillation"}


def _error(data: Mapping[str, Any]) -> Any:
    kind = data.get("kind", "affine")
    if kind == "affine":
        return AffineError.from_dict({"profile": "constant", **data})
    if kind not in _ERRORS:
        raise ClaimError("case.score.kind", kind, f"one of exact, affine, {', '.join(_ERRORS)}")
    from simulators.line import scores

    return getattr(scores, _ERRORS[kind])(**{name: value for name, value in data.items() if name != "kind"})


def _error_data(error: Any) -> dict[str, Any]:
    if error is None:
        return {"kind": "exact"}
    if isinstance(error, AffineError):
        return {"kind": "affine", **error.to_dict()}
    return {"kind": type(error).__name__.lower(), **asdict(error)}


def _number(value: float) -> str:
    return repr(int(value)) if float(value).is_integer() and abs(value) < 1e6 else repr(float(value))


def _numbers(values: tuple[float, ...]) -> str:
    return _bracketed([_number(v) for v in values])


def _gaussian_source(target: Gaussian) -> str:
    if len(target.eigenvalues) == 1:
        mean = f", mean={_number(target.means[0])}" if target.means[0] else ""
        variance = _number(target.eigenvalues[0])
        return f"ls.Gaussian.isotropic({target.multiplicities[0]}, variance={variance}{mean})"
    return f"ls.Gaussian({_numbers(target.eigenvalues)}, {target.multiplicities}, {_numbers(target.means)})"


def _mixture_source(target: Any) -> str:
    points = target.points if isinstance(target, Atoms) else target.means
    places = _bracketed([_numbers(point) for point in points])
    size = f", dimension={target.dimension}" if target.dimension > len(points[0]) else ""
    if isinstance(target, Atoms):
        return f"ls.Atoms({places}, {_numbers(target.weights)}{size})"
    return f"ls.GaussianMixture({_numbers(target.weights)}, {places}, {_nested(target.covariances)}{size})"


def _nested(value: Any) -> str:
    return _bracketed([_nested(item) for item in value]) if isinstance(value, tuple) else _number(value)


def _bracketed(items: Sequence[str]) -> str:
    return "(" + ", ".join(items) + ("," if len(items) == 1 else "") + ")"


def _source(value: Any) -> str:
    if isinstance(value, Gaussian):
        return _gaussian_source(value)
    if isinstance(value, Product):
        inside = ", ".join(_source(factor) for factor in value.factors)
        return f"ls.Product(({inside},))"
    if isinstance(value, GaussianMixture | Atoms):
        return _mixture_source(value)
    if isinstance(value, AffineError):
        profile = f", {value.profile!r}" if value.profile != "constant" else ""
        return f"ls.AffineError({_numbers(value.shift)}, {_numbers(value.linear)}{profile})"
    if is_dataclass(value) and not isinstance(value, type):
        inside = ", ".join(
            f"{name}={_source(item)}" for name, item in asdict(value).items() if item != "constant"
        )
        return f"ls.{type(value).__name__}({inside})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name!r}: {_number(number)}" for name, number in value.items()) + "}"
    if isinstance(value, tuple):
        return _numbers(value)
    return _number(value) if isinstance(value, float) else repr(value)
