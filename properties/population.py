"""Many cases at once, as columns: what the sweeps and the optimizer move about.

A population holds C cases of one setup with B eigenspaces each (multiplicity 0 is padding). Columns are plain
float arrays, so that a search step is array arithmetic; `Population.case` turns one row into a `Case`,
exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bounds.setup import Setup
from properties.cases import _OPTION_OF, CLOCK_SPEED, TIMES, Case, own_grid, unit_grid
from simulators.batch import Batch, Setting
from simulators.grids import Grid
from simulators.score_errors import PROFILES, AffineError
from simulators.targets import Gaussian

__all__ = ["GRID_KINDS", "PER_SPACE", "Population"]

Array = NDArray[np.float64]

GRID_KINDS = ("uniform", "geometric")
PER_SPACE = ("eigenvalues", "multiplicities", "means", "start_variances", "start_means", "shift", "linear")
PER_CASE = ("T", "N", "delta", "kind", "profile")


@dataclass(frozen=True, eq=False)
class Population:
    """C cases; arrays (C, B) for the eigenspaces and (C,) for the rest, all float64, times in the setup's
    clock.

    kind and profile are indices into `GRID_KINDS` and `PROFILES`; ``parameters`` maps names to (C,) arrays.
    ``given`` holds, for rows that came from a `Case` with an explicit grid or profile, that case.
    """

    setup: Setup
    eigenvalues: Array
    multiplicities: Array
    means: Array
    start_variances: Array
    start_means: Array
    shift: Array
    linear: Array
    T: Array
    N: Array
    delta: Array
    kind: Array
    profile: Array
    parameters: Mapping[str, Array] = field(default_factory=dict)
    given: Mapping[int, Case] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.T.shape[0])

    @property
    def speed(self) -> float:
        """Unit-clock time per unit of the setup's time."""
        return CLOCK_SPEED[str(self.setup.clock)]

    @property
    def dimension(self) -> Array:
        """Dimension of each case."""
        return np.asarray(self.multiplicities.sum(axis=1))

    def take(self, index: Any) -> Population:
        """The chosen rows, in the order of ``index`` (integers or a mask)."""
        rows = np.flatnonzero(index) if np.asarray(index).dtype == bool else np.asarray(index, dtype=np.int64)
        columns = {name: getattr(self, name)[rows] for name in (*PER_SPACE, *PER_CASE)}
        given = {i: self.given[int(row)] for i, row in enumerate(rows) if int(row) in self.given}
        chosen = replace(
            self, **columns, parameters={k: v[rows] for k, v in self.parameters.items()}, given=given
        )
        if len(rows) and not self.given and "batch" in vars(self):  # what is built already need not be again
            vars(chosen)["batch"] = self.batch.take(rows)
            vars(chosen)["grid_key"] = (self.grid_key[0], self.grid_key[1][rows])
            if "own_grids" in vars(self):
                vars(chosen)["own_grids"] = self.own_grids
        return chosen

    def with_columns(self, **columns: Any) -> Population:
        """The same rows with some columns replaced; rows given as cases become plain rows."""
        return replace(self, **columns, given={})

    @staticmethod
    def concatenate(parts: Sequence[Population]) -> Population:
        """The rows of all parts, in order; the parts share the setup and the names of the parameters."""
        offsets = np.cumsum([0, *(len(part) for part in parts)])
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in (*PER_SPACE, *PER_CASE)
        }
        names = parts[0].parameters
        parameters = {name: np.concatenate([part.parameters[name] for part in parts]) for name in names}
        given = {
            int(offset) + i: case
            for part, offset in zip(parts, offsets, strict=False)
            for i, case in part.given.items()
        }
        return replace(parts[0], **columns, parameters=parameters, given=given)

    @classmethod
    def of(cls, cases: Sequence[Case], setup: Setup, parameters: Sequence[str], width: int = 2) -> Population:
        """The population of these cases; parameters that a case leaves out are taken as one (L and kappa as
        zero: the least constant).
        """
        width = max(width, *(len(case.target.eigenvalues) for case in cases))

        def spread(rows: Sequence[Sequence[float]], fill: float) -> Array:
            table = np.full((len(rows), width), fill)
            for i, row in enumerate(rows):
                table[i, : len(row)] = row
            return table

        starts = [case.start if isinstance(case.start, Gaussian) else None for case in cases]
        errors = [case.error for case in cases]
        names = sorted({*parameters})
        custom = {
            i: case
            for i, case in enumerate(cases)
            if not isinstance(case.grid, str)
            or (case.error is not None and not isinstance(case.error.profile, str))
        }
        return cls(
            setup,
            spread([case.target.eigenvalues for case in cases], 1.0),
            spread([case.target.multiplicities for case in cases], 0.0),
            spread([case.target.means for case in cases], 0.0),
            spread([() if s is None else s.eigenvalues for s in starts], 1.0),
            spread([() if s is None else s.means for s in starts], 0.0),
            spread([() if e is None else e.shift for e in errors], 0.0),
            spread([() if e is None else e.linear for e in errors], 0.0),
            np.array([case.T for case in cases]),
            np.array([float(case.N) for case in cases]),
            np.array([case.delta for case in cases]),
            np.array(
                [
                    0.0 if not isinstance(case.grid, str) else float(GRID_KINDS.index(case.grid))
                    for case in cases
                ]
            ),
            np.array(
                [
                    0.0 if e is None or not isinstance(e.profile, str) else float(PROFILES.index(e.profile))
                    for e in errors
                ]
            ),
            {
                name: np.array(
                    [
                        float(case.parameters.get(name, 0.0 if name in ("L", "kappa") else 1.0))
                        for case in cases
                    ]
                )
                for name in names
            },
            custom,
        )

    # -- towards the simulators ------------------------------------------------------------------------------

    @property
    def has_start(self) -> bool:
        """Whether the start is a Gaussian of its own."""
        return self.setup.start == "any"

    @property
    def has_error(self) -> NDArray[np.bool_]:
        """(C,) whether the score of the case has an error."""
        return np.asarray(np.any((self.shift != 0) | (self.linear != 0), axis=1))

    def _option_names(self) -> list[str]:
        if self.setup.sampler in (
            "none",
            "ddpm-ei",
            "ddpm-em",
            "cds-ei",
            "pf-ei",
            "pf-heun",
            "pf-ode",
            "reverse-sde",
            "lmc",
            "cld-ei",
        ):
            return []
        wanted = {"ulmc": ("friction",), "langevin": ("t",), "ou-flow": ("a", "t")}.get(
            self.setup.sampler, ("L", "h_corr", "friction")
        )
        return [name for name in wanted if name in self.parameters]

    @cached_property
    def grid_key(self) -> tuple[list[tuple[Any, ...]], NDArray[np.int64]]:
        """The distinct settings of the population and the index of each case into them."""
        options = self._option_names()
        columns = [
            self.T,
            self.N,
            self.delta,
            self.kind,
            self.profile,
            *(self.parameters[name] for name in options),
        ]
        rows = list(zip(*(column.tolist() for column in columns), strict=True))
        keys: list[tuple[Any, ...]] = [(*row, i if i in self.given else -1) for i, row in enumerate(rows)]
        position = {key: i for i, key in enumerate(dict.fromkeys(keys))}
        return list(position), np.array([position[key] for key in keys], dtype=np.int64)

    def _setting(self, key: tuple[Any, ...], scales: Mapping[str, float]) -> Setting:
        """The setting of a key; ``scales`` takes each option to the unit clock."""
        T, N, delta, kind, profile, *options, given = key
        pairs = tuple(
            sorted((name, value * by) for (name, by), value in zip(scales.items(), options, strict=True))
        )
        if given >= 0:
            case = self.given[given]
            return Setting(case.unit_grid, "constant" if case.error is None else case.error.profile, pairs)
        grid = unit_grid(GRID_KINDS[int(kind)], T, int(N), delta, str(self.setup.clock))
        return Setting(grid, PROFILES[int(profile)], pairs)

    @cached_property
    def batch(self) -> Batch:
        """The population as the simulators take it, in the unit clock."""
        keys, index = self.grid_key
        scales = {_OPTION_OF[name]: self.speed if name in TIMES else 1.0 for name in self._option_names()}
        start = {"any": "given", "gamma": "gamma", "q_T": "q_T"}[self.setup.start]
        starts = (self.start_variances, self.start_means) if start == "given" else (None, None)
        return Batch(
            self.setup.sampler,
            tuple(self._setting(key, scales) for key in keys),
            index,
            self.eigenvalues,
            self.multiplicities.astype(np.int64),
            self.means,
            self.shift,
            self.linear,
            start,
            *starts,
        )

    @cached_property
    def own_grids(self) -> list[Grid]:
        """The grid of each distinct setting, in the setup's own clock; index by ``grid_key[1]``."""
        grids = []
        for key in self.grid_key[0]:
            given = key[-1]
            if given >= 0:
                grids.append(self.given[given].own_grid)
            else:
                T, N, delta, kind = key[:4]
                grids.append(own_grid(GRID_KINDS[int(kind)], T, int(N), delta))
        return grids

    def case(self, i: int) -> Case:
        """Row ``i`` as a `Case`; padding is dropped, equal columns stay bit for bit."""
        if i in self.given:
            return self.given[i]
        spaces = np.flatnonzero(self.multiplicities[i] > 0)

        def row(name: str) -> tuple[float, ...]:
            return tuple(float(value) for value in getattr(self, name)[i, spaces])

        counts = tuple(int(n) for n in self.multiplicities[i, spaces])
        error = (
            AffineError(row("shift"), row("linear"), PROFILES[int(self.profile[i])])
            if self.has_error[i]
            else None
        )
        start: str | Gaussian = str(self.setup.start)
        if self.has_start:
            start = Gaussian(row("start_variances"), counts, row("start_means"))
        parameters = {
            name: float(values[i])
            for name, values in self.parameters.items()
            if not (name in ("L", "kappa") and values[i] == 0)
        }
        return Case(
            Gaussian(row("eigenvalues"), counts, row("means")),
            str(self.setup.clock),
            self.setup.sampler,
            float(self.T[i]),
            int(self.N[i]),
            float(self.delta[i]),
            GRID_KINDS[int(self.kind[i])],
            start,
            error,
            parameters,
        )
