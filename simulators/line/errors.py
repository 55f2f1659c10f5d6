"""Score errors measured: E e_k^2, E e_k s_k and E e_k x under q_{tau_k}, and the path KL they give.

With q = sum w_j N(m_j, v_j) at time tau, s = (log q)' and Phi, phi of the standard normal:

    affine a + b x        : e s -> -b,   e x -> a E x + b E x^2
    A sin(w x + f)        : from E e^{i(w x + f)} = sum w_j e^{i(w m_j + f) - w^2 v_j/2} and its derivatives
    height on [lo, hi]    : height^2 (stop - start),   e s -> height (q(hi) - q(lo)),
                            e x -> height sum w_j [m_j Phi - sqrt(v_j) phi] from lo to hi
    anything else         : Gauss panels halved until they agree

E e s = -E e' since int e q' = -int e' q. A path KL with the exact score gains per step (Girsanov) h E e^2 and
a multiple of the cross term, see `simulators.functionals_paths`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from simulators.distances.line import Side, mixture_distance
from simulators.enclosure import Enclosure
from simulators.errors import InputError, NotDefined
from simulators.functionals_paths import PathError, path_kl_mixture
from simulators.grids import Grid
from simulators.line.kernels import ERROR_FIELDS, error_values, learned_score
from simulators.line.mixture_kernels import mixture_logpdf
from simulators.line.problem import Problem
from simulators.line.quadrature import integrate_rows
from simulators.line.scores import Affine, Bump, Custom, Mixture, Oscillation, OtherMixture
from simulators.mixtures import Atoms, GaussianMixture
from simulators.score_errors import AVERAGES

__all__ = ["averaged", "averaged_error", "line_path_kl", "mixture_of", "path_error"]

Array = NDArray[np.float64]
UNIT = 2.0**-53
GUARD = 16.0  # multiple of the unit roundoff allowed for in a closed form or a quadrature
EDGE = (-40.0, -20.0, -10.0, -5.0, -2.0, 0.0, 2.0, 5.0, 10.0, 20.0, 40.0)  # places around a logistic edge


def path_error(problem: Problem) -> PathError:
    """E e_k^2, E e_k s_k and E e_k x under q_{tau_k}, k = 0 ... N - 1, as enclosures of shape (N,).

    Raises InputError where q_{tau_k} has atoms. Zero without an error, and at steps that the profile leaves
    out.
    """
    N, error = problem.grid.N, problem.error
    if error is None:
        zero = Enclosure.exact(np.zeros(N))
        return PathError(zero, zero, zero)
    rows = np.array([_step(problem, k) for k in range(N)])
    value, radius = rows[:, :3].T, rows[:, 3:].T
    parts = [Enclosure.around(v, r, "expectation on the line") for v, r in zip(value, radius, strict=True)]
    squared = Enclosure(np.maximum(parts[0].lo, 0.0), parts[0].hi, parts[0].method, parts[0].level)
    return PathError(squared, parts[1], parts[2])


def averaged_error(problem: Problem, average: str) -> Enclosure:
    """The squared score error averaged over the grid, shape ().

    average : "time" sum h_k e_k/sum h_k; "integral" sum h_k e_k; "sup" max e_k; "steps" sum e_k/N; "g2-half"
    (1/2) sum g^2 h_k e_k, g^2 = 2 on the unit clock.
    """
    if average not in AVERAGES:
        raise InputError("average", average, f"expected one of {', '.join(AVERAGES)}")
    return averaged(path_error(problem).part("squared", problem.grid.N), problem.grid, average)


def averaged(squared: Enclosure, grid: Grid, average: str) -> Enclosure:
    """Squared errors (N,) averaged over the steps as `averaged_error` says."""
    if average not in AVERAGES:
        raise InputError("average", average, f"expected one of {', '.join(AVERAGES)}")
    if average == "sup":
        return Enclosure(squared.lo.max(), squared.hi.max(), squared.method, squared.level)
    h = np.ones(grid.N) if average == "steps" else grid.steps
    slack = GUARD * UNIT * np.log2(h.size + 2.0)
    low, high = float(squared.lo @ h) * (1.0 - slack), float(squared.hi @ h) * (1.0 + slack)
    total = Enclosure.between(low, high, squared.method)
    if average in ("integral", "g2-half"):
        return total
    whole = float(h.sum())
    return total / Enclosure.around(whole, slack * whole)


def line_path_kl(problem: Problem) -> Enclosure:
    """KL(path of the true reverse process from q_T || path of the sampler) with its score error, nats.

    ddpm-ei, ddpm-em or cds-ei; others raise NotDefined. The start adds KL(q_T || start). Infinite where the
    true process ends on a singular law.
    """
    start = problem.start
    target, error = mixture_of(problem.target), None if problem.error is None else path_error(problem)
    begins = start if isinstance(start, str) else "q_T"
    found = path_kl_mixture(target, problem.sampler, problem.grid, begins, error)
    if isinstance(start, Mixture):
        end = problem.target.at(problem.grid.T)
        first, second = ((law.weights, law.means, law.variances) for law in (end, start))
        found = found + mixture_distance("KL", first, second)
    return found


def mixture_of(law: Mixture) -> GaussianMixture | Atoms:
    """The law as a target; raises NotDefined where it has both atoms and a density."""
    weights, means = law.weights.tolist(), [(m,) for m in law.means.tolist()]
    if bool(np.all(law.variances == 0)):
        return Atoms(means, weights)
    if bool(np.any(law.variances == 0)):
        raise NotDefined("path KL of a target with both atoms and a density: expected one or the other")
    return GaussianMixture(weights, means, law.variances.tolist())


def _step(problem: Problem, k: int) -> Array:
    """(E e^2, E e s, E e x, and their error bounds) at step k."""
    error = problem.error
    row = 0 if problem.stays else k
    law = problem.target.at(float(problem.times[row]))
    given = problem.errors[k]
    if isinstance(error, Affine):
        value, size = _affine(law, given)
    elif isinstance(error, Oscillation):
        value, size = _oscillation(law, given)
    elif isinstance(error, Bump) and error.edge == 0.0:
        value, size = _jumps(law, given, error.stop - error.start)
    else:
        return _quadrature(problem, law, row, k)
    narrow = float(law.sds.min())
    noise = GUARD * UNIT * (2.0 + float(np.abs(law.means).max()) / narrow + law.weights.size)
    return np.concatenate([value, noise * size])


def _affine(law: Mixture, row: Array) -> tuple[Array, Array]:
    a, b = row[0], row[1]
    mean = float(law.weights @ law.means)
    spread = float(law.weights @ (law.variances + (law.means - mean) ** 2))
    moment, size = spread + mean * mean, float(law.weights @ np.abs(law.means))
    centre = a + b * mean
    value = np.array([centre * centre + b * b * spread, -b, a * mean + b * moment])
    both = (abs(a) + abs(b) * size) ** 2 + b * b * spread
    return value, np.array([both, abs(b), abs(a) * size + abs(b) * (moment + size * size)])


def _oscillation(law: Mixture, row: Array) -> tuple[Array, Array]:
    size, omega, phase = row[6:9]
    turn = omega * law.means + phase
    fade = law.weights * np.exp(-0.5 * omega * omega * law.variances)
    twice = law.weights * np.exp(-2.0 * omega * omega * law.variances)
    square = law.weights * -np.expm1(-2.0 * omega * omega * law.variances) + 2.0 * twice * np.sin(turn) ** 2
    tilt = fade * (law.means * np.sin(turn) + omega * law.variances * np.cos(turn))
    value = np.array([0.5 * size**2 * square.sum(), -size * omega * (fade @ np.cos(turn)), size * tilt.sum()])
    big, reach = 1.0 + float(np.abs(turn).max()), float(law.weights @ (np.abs(law.means) + law.sds))
    return value, big * np.array(
        [size**2 * (1.0 if omega else np.sin(phase) ** 2), abs(size * omega), abs(size) * reach]
    )


def _jumps(law: Mixture, row: Array, mass: float) -> tuple[Array, Array]:
    height, ends = row[2], row[3:5]
    z = (ends[:, None] - law.means) / law.sds
    phi = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    density = (law.weights * phi / law.sds).sum(axis=1)
    below = np.where(z[0] > 0, ndtr(-z[0]) - ndtr(-z[1]), ndtr(z[1]) - ndtr(z[0]))
    state = law.weights @ (law.means * below - law.sds * (phi[1] - phi[0]))
    value = np.array([height * height * mass, height * (density[1] - density[0]), height * state])
    steep = (1.0 + np.abs(z)) * law.weights * phi / law.sds
    reach = float(law.weights @ (np.abs(law.means) + law.sds))
    return value, np.array([height * height, abs(height) * float(steep.sum()), abs(height) * reach])


def _quadrature(problem: Problem, law: Mixture, row: int, k: int) -> Array:
    error, given = problem.error, problem.errors[k]
    if isinstance(error, Bump | OtherMixture) and error.weights(problem.grid.N)[k] == 0.0:
        return np.zeros(6)
    tau, share = float(problem.times[row]), float(given[9])
    edges = Side(law).around(1.0)
    near = np.zeros(0)
    if isinstance(error, OtherMixture):
        near = Side(error.learned.at(tau)).around(1.0)
    if isinstance(error, Bump):
        near = (given[3:5, None] + np.array(EDGE) / given[5]).ravel()
    edges = np.union1d(edges, near[(near > edges[0]) & (near < edges[-1])])
    own = tuple(part[row] for part in problem.scores.rows)

    def values(x: Array) -> Array:
        """The three integrands, and the sizes that their rounding errors are relative to; (6, len(x))."""
        s = _score(x, own)
        if isinstance(error, Custom):
            e = np.asarray(error.value(tau, x), dtype=np.float64)
        elif isinstance(error, OtherMixture):
            e = share * (_score(x, tuple(part[row] for part in problem.learned.rows)) - s)
        else:
            e = error_values(x, given)
        size = np.abs(e) + 2.0 * share * np.abs(s)
        rows = [e * e, e * s, e * x, size * np.abs(e), size * np.abs(s), size * np.abs(x)]
        return np.asarray(np.exp(mixture_logpdf(x, *own)) * np.stack(rows))

    value, gap = integrate_rows(values, edges, 3)
    noise = GUARD * UNIT * (2.0 + float(np.abs(law.means).max() / law.sds.min()) + law.weights.size)
    return np.concatenate([value[:3], 10.0 * gap[:3] + 4.0 * noise * value[3:]])


def _score(x: Array, rows: tuple[Array, ...]) -> Array:
    mu, inv, lw = rows
    s, ds, var, top, work = *np.empty((4, x.size)), np.empty((9, x.size))
    learned_score(x, mu, inv, lw, mu, inv, lw, np.zeros(ERROR_FIELDS), s, ds, var, top, work)
    return np.asarray(s)
