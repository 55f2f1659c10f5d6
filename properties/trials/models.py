"""Cases of a model: values of its scalar parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from bounds.claim import Claim
from bounds.errors import ClaimError, chosen
from bounds.frozen import FrozenMapping
from bounds.models import MODELS, Model, Parameter
from properties.admissible import assignments
from properties.evaluate import DIGITS, FLOATS
from properties.trials.road import ScalarRoad, named, scalar
from simulators.checks import finite
from simulators.enclosure import Enclosure
from simulators.errors import InputError

__all__ = ["ModelCase", "ModelFamily"]

SECOND_DIGITS = 40

CLOSER = 0.1
"""Share of the moves that bring one parameter close to another: many bounds are sharp where two agree."""

MORE_STEPS = 30.0
"""Times the largest number of steps that a search takes, on a ray that says how a ratio grows."""


@dataclass(frozen=True)
class ModelCase:
    """One case of a model.

    model      : one of `bounds.models.MODELS`.
    parameters : a value for each of its parameters, and for the user's own.
    """

    model: str
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chosen("model", self.model, MODELS)
        if not isinstance(self.parameters, Mapping):
            raise InputError("parameters", self.parameters, "expected numbers by name")
        values = {
            name: finite(f"parameters[{name!r}]", value) for name, value in sorted(self.parameters.items())
        }
        for name in (entry.name for entry in MODELS[self.model].parameters):
            if name not in values:
                raise InputError("parameters", values, f"expected a value for {name}")
        object.__setattr__(self, "parameters", FrozenMapping(values))

    def floats(self, average: str = "time") -> ScalarRoad:
        """Values as float enclosures."""
        quantities = _quantities(self.model)

        def compute(key: sp.Basic) -> Enclosure:
            name = named(key)
            if name in quantities:
                return _value(self.model, name, self.parameters)
            return Enclosure.exact(np.float64(self._parameter(name)))

        return ScalarRoad(compute, FLOATS)

    def digits(self, average: str = "time") -> ScalarRoad:
        """Values by the second road."""
        quantities = _quantities(self.model)

        def compute(key: sp.Basic) -> mp.mpf:
            name = named(key)
            if name in quantities:
                return mp.mpf(_second(self.model, name, self.parameters))
            return mp.mpf(self._parameter(name))

        return ScalarRoad(compute, DIGITS)

    def predicate(self, name: str) -> bool:
        """Raises ClaimError: predicates speak of targets."""
        raise ClaimError("assuming", name, f"a relation between the symbols of model {self.model!r}")

    def measure(self, formula: str, **_: Any) -> Enclosure:
        """The value of a formula in the model's parameters and quantities."""
        from bounds.formula import parse

        names = _quantities(self.model) | frozenset(self.parameters)
        value: Enclosure = self.floats().value(parse(formula, parameters=names))
        return scalar(value)

    def _parameter(self, name: str) -> float:
        if name not in self.parameters:
            raise KeyError(name)
        return self.parameters[name]

    def to_dict(self) -> dict[str, Any]:
        """Plain data; JSON keeps every bit of it."""
        return {"model": self.model, "parameters": dict(self.parameters)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ModelCase:
        """The inverse of `to_dict`. Raises ClaimError on anything else."""
        for name in data:
            if name not in ("model", "parameters", "clock", "sampler"):
                raise ClaimError("case", name, "model and parameters")
        return cls(data["model"], data.get("parameters", {}))

    def to_source(self) -> str:
        """A Python expression that makes this case through the public API ``ls``."""
        inside = ", ".join(f"{name!r}: {_number(value)}" for name, value in self.parameters.items())
        return f"ls.ModelCase({self.model!r}, {{{inside}}})"

    def latex(self) -> str:
        """The parameters as equations."""
        letters = {entry.name: entry.latex or entry.name for entry in MODELS[self.model].parameters}
        return ",\\ ".join(f"{letters.get(k, k)} = {_number(v)}" for k, v in self.parameters.items())


@cache
def _quantities(model: str) -> frozenset[str]:
    return frozenset(entry.name for entry in MODELS[model].quantities)


@lru_cache(maxsize=1 << 12)
def _value(model: str, quantity: str, parameters: Mapping[str, float]) -> Enclosure:
    """On the first road; a search comes to many a case again."""
    from simulators.models import MODELS as NUMERICS

    return scalar(NUMERICS[model].value(quantity, parameters))


@lru_cache(maxsize=1 << 10)
def _second(model: str, quantity: str, parameters: Mapping[str, float]) -> mp.mpf:
    """On the second road."""
    from simulators.models import MODELS as NUMERICS

    return NUMERICS[model].second(quantity, parameters, SECOND_DIGITS)


def _number(value: float) -> str:
    return repr(int(value)) if float(value).is_integer() and abs(value) < 1e6 else repr(float(value))


@dataclass(frozen=True)
class ModelFamily:
    """The cases of a claim about a model: every parameter over its range.

    share : of the (logarithmic) ranges around their middle.
    """

    claim: Claim
    share: float = 1.0

    @property
    def model(self) -> Model:
        """The claim's model."""
        return MODELS[self.claim.setup.model]

    @cached_property
    def entries(self) -> tuple[Parameter, ...]:
        """The model's parameters and the user's own, with the ranges of the claim."""
        ranges = self.claim.setup.ranges
        own = tuple(
            replace(entry, low=ranges[entry.name][0], high=ranges[entry.name][1])
            if entry.name in ranges
            else entry
            for entry in self.model.parameters
        )
        known = {entry.name for entry in own}
        extra = tuple(
            Parameter(name, low, high, "log" if low > 0 else "linear")
            for name, (low, high) in ranges.items()
            if name not in known
        )
        return tuple(_shrunk(entry, self.share) for entry in (*own, *extra))

    def coordinates(self, case: ModelCase) -> dict[str, float]:
        """The parameters by name."""
        return dict(case.parameters)

    def within(self, share: float) -> ModelFamily:
        """The same family with that share of its ranges."""
        return replace(self, share=share)

    def draw(self, rng: np.random.Generator, count: int) -> list[ModelCase]:
        """Random cases that the model admits; many numbers of every fourth are at ends of their ranges."""
        found: list[ModelCase] = []
        ends: dict[str, list[float]] = {}
        for name, value in self.ends:
            ends.setdefault(name, []).append(value)
        for turn in range(40 * count):
            values = {entry.name: _drawn(entry, rng) for entry in self.entries}
            if turn % 4 == 3:
                values |= {name: float(rng.choice(own)) for name, own in ends.items() if rng.random() < 0.6}
            case = self._made(values)
            if case is not None:
                found.append(case)
            if len(found) == count:
                break
        return found

    def moved(self, case: ModelCase, rng: np.random.Generator, spread: float) -> ModelCase:
        """A neighbour: one to three parameters moved, or one of them brought close to another."""
        values = dict(case.parameters)
        entries = self.entries
        near = [entry for entry in entries if entry.scale == "log" and values[entry.name] > 0.0]
        if len(near) > 1 and rng.random() < CLOSER:
            one, other = (near[int(i)] for i in rng.choice(len(near), size=2, replace=False))
            ratio = values[one.name] / values[other.name]
            values[one.name] = _fitted(one, values[other.name] * ratio ** (10.0 ** rng.uniform(-2.0, 0.0)))
            return self._made(values) or case
        for index in rng.choice(len(entries), size=min(len(entries), int(rng.integers(1, 4))), replace=False):
            entry = entries[int(index)]
            values[entry.name] = _stepped(entry, values[entry.name], rng, spread)
        return self._made(values) or case

    def clipped(self, case: ModelCase) -> ModelCase | None:
        """The case with its parameters cut to the ranges."""
        values = {entry.name: _fitted(entry, case.parameters[entry.name]) for entry in self.entries}
        return self._made({**case.parameters, **values})

    def moved_by(self, case: ModelCase, exponents: Mapping[str, float]) -> ModelCase | None:
        """The case with its parameters multiplied by powers of ten, as far as their ranges go."""
        values = dict(case.parameters)
        for entry in self.entries:
            if exponents[entry.name] and entry.scale != "linear":
                values[entry.name] = _fitted(entry, values[entry.name] * 10.0 ** exponents[entry.name])
        return self._made(values)

    @cached_property
    def ends(self) -> tuple[tuple[str, float], ...]:
        """Zero where it is allowed, one, and the ends of the range of each parameter."""
        found: dict[tuple[str, float], None] = {}
        for entry in self.entries:
            for value in (0.0, 1.0, entry.low, entry.high):
                found[entry.name, _fitted(entry, value)] = None
        return tuple(found)

    def put(self, case: ModelCase, name: str, value: float) -> ModelCase | None:
        """The case with one parameter replaced; None if that is no other case or the model does not admit
        it.
        """
        made = self._made({**case.parameters, name: value})
        return None if made == case else made

    def simpler(self, case: ModelCase) -> list[ModelCase]:
        """One parameter at a time made rounder: zero, one, a power of ten, one digit, two digits."""
        found = []
        for entry in self.entries:
            value = case.parameters[entry.name]
            for rounder in _rounder(entry, value):
                if rounder != value:
                    made = self._made({**case.parameters, entry.name: rounder})
                    if made is not None and made != case:
                        found.append(made)
        return found

    def rays(self, case: ModelCase) -> list[tuple[str, list[tuple[float, ModelCase]]]]:
        """Cases along each parameter, log-spaced from the middle of its range to either end."""
        found = []
        for entry in self.entries:
            value = case.parameters[entry.name]
            if entry.scale == "linear" or value == 0:
                continue
            for end, name in (
                (entry.high, f"{entry.name} -> oo"),
                (max(entry.low, 1e-300), f"{entry.name} -> 0"),
            ):
                middle = math.sqrt(max(entry.low, 1e-300) * entry.high)
                line = []
                for size in np.geomspace(middle, end, 13):
                    moved = _fitted(entry, math.copysign(float(size), value))
                    made = self._made({**case.parameters, entry.name: moved})
                    if made is not None:
                        line.append((abs(moved), made))
                found.append((name, line))
        return found

    def further(self, case: ModelCase) -> list[tuple[str, list[tuple[float, ModelCase]]]]:
        """Cases with ever more steps, to so many times the largest number that the search takes."""
        for entry in self.entries:
            if entry.name == "N" and entry.scale == "integer" and "N" not in self.claim.setup.ranges:
                counts = np.unique(np.rint(np.geomspace(entry.low, MORE_STEPS * entry.high, 33)))
                made = [(float(n), self._made({**case.parameters, "N": float(n)})) for n in counts]
                return [("N -> oo", [(n, case) for n, case in made if case is not None])]
        return []

    def _made(self, values: dict[str, float]) -> ModelCase | None:
        """The case, with the parameters that equations fix; None if the model does not admit it."""
        from simulators.models import MODELS as NUMERICS

        try:
            case = ModelCase(self.model.name, values)
            for rel in assignments(self.claim):
                fixed = float(np.asarray(case.floats().value(rel.rhs).mid))
                case = ModelCase(self.model.name, {**case.parameters, rel.lhs.name: fixed})
        except (ArithmeticError, ValueError):
            return None
        return case if NUMERICS[self.model.name].admits(case.parameters) else None


def _shrunk(entry: Parameter, share: float) -> Parameter:
    if share >= 1.0:
        return entry
    if entry.scale == "linear":
        middle, half = 0.5 * (entry.low + entry.high), 0.5 * share * (entry.high - entry.low)
        return replace(entry, low=middle - half, high=middle + half)
    low = max(entry.low, 1e-300)
    middle = min(max(1.0, low), entry.high)
    return replace(entry, low=middle * (low / middle) ** share, high=middle * (entry.high / middle) ** share)


def _fitted(entry: Parameter, value: float) -> float:
    """The value within the range, whole if it must be."""
    if value == 0.0 and (entry.zero or entry.scale == "signed"):
        return 0.0
    size = abs(value) if entry.scale == "signed" else value
    size = min(max(size, entry.low), entry.high)
    if entry.scale == "integer":
        return float(min(max(round(size), math.ceil(entry.low)), math.floor(entry.high)))
    return math.copysign(size, value) if entry.scale == "signed" else size


def _drawn(entry: Parameter, rng: np.random.Generator) -> float:
    pick = rng.random()
    if pick < 0.1 and (entry.zero or entry.scale == "signed"):
        return 0.0
    if pick > 0.92:
        return _fitted(entry, 1.0)
    if entry.scale == "linear":
        return float(rng.uniform(entry.low, entry.high))
    low = max(entry.low, 1e-300)
    low, high = (max(low, 0.05), min(entry.high, 20.0)) if pick < 0.5 else (low, entry.high)
    if low > high:
        low, high = max(entry.low, 1e-300), entry.high
    size = float(np.exp(rng.uniform(math.log(low), math.log(high))))
    sign = -1.0 if entry.scale == "signed" and rng.random() < 0.5 else 1.0
    return _fitted(entry, sign * size)


def _stepped(entry: Parameter, value: float, rng: np.random.Generator, spread: float) -> float:
    if rng.random() < 0.06:
        return _drawn(entry, rng) if value == 0 or entry.scale != "signed" else -value
    if value == 0.0:
        return _drawn(entry, rng)
    if entry.scale == "linear":
        return _fitted(entry, value + 0.3 * spread * float(rng.normal()) * (entry.high - entry.low))
    step = float(rng.normal()) * spread
    moved = value * 10.0**step
    if entry.scale == "integer" and round(moved) == value:
        moved = value + math.copysign(1.0, step)
    return _fitted(entry, moved)


def _rounder(entry: Parameter, value: float) -> list[float]:
    wanted = [0.0, 1.0, math.copysign(1.0, value)]
    if value:
        power = 10.0 ** round(math.log10(abs(value)))
        wanted += [math.copysign(power, value), *(float(f"{value:.{digits}e}") for digits in (0, 1))]
    return [_fitted(entry, number) for number in wanted]
