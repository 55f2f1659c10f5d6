"""Constants of a case in closed form: Lipschitz constants of scores, moments, divergences of the target,
score errors.

Everything here is evaluated with outward rounding, so the enclosures contain the truth; infinities are
values.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.batch import Batch, Setting
from simulators.enclosure import Enclosure
from simulators.errors import InputError
from simulators.laws.phase import phase_nodes
from simulators.samplers import SAMPLERS
from simulators.samplers.scheme import CriticallyDamped
from simulators.score_errors import AVERAGES, profile_weights

__all__ = [
    "fi_target_gamma",
    "j_target",
    "kl_target_gamma",
    "lipschitz",
    "lipschitz_all",
    "mean_squared",
    "score_error",
    "second_moment",
    "w2_target_gamma",
]

Array = NDArray[np.float64]
UNIT = 2.0**-53
CELLS, ROUNDS, LANES_AT_ONCE = 1024, 5, 500  # of the refinement for cld-ei
AT_ONCE = 4_000_000  # entries (case, eigenspace, step) held at a time


def lipschitz(batch: Batch) -> Enclosure:
    """Supremum over forward times [tau_N, T] of |Hess log q_t|: the larger of 1/S_min at the two ends. (C,)

    S is monotone in time. For lmc and ulmc the target's own constant 1/lam_min; for cld-ei the Lipschitz
    constant in (x, v) of the velocity score, |Sigma^{-1} e_v|, which is not monotone.
    """
    if isinstance(SAMPLERS[batch.sampler], CriticallyDamped):
        return _steepest_velocity(batch)
    if not getattr(SAMPLERS[batch.sampler], "reverse", True):
        return _steepest(batch, np.zeros(batch.C))
    return _steepest(batch, batch.stop).maximum(_steepest(batch, batch.horizon)).labelled("closed form")


def lipschitz_all(batch: Batch) -> Enclosure:
    """Supremum over all forward times t >= 0 of |Hess log q_t| = max(1, 1/lam_min). (C,)"""
    return _steepest(batch, np.zeros(batch.C)).maximum(1.0)


def _steepest(batch: Batch, time: Array) -> Enclosure:
    """Maximum over eigenspaces of 1/S at a forward time."""
    twice = Enclosure.exact(-2.0 * time[:, None])
    S = batch.eigenvalues * twice.exp() - twice.expm1()
    S = Enclosure(np.maximum(S.lo, 0.0), np.maximum(S.hi, 0.0))
    singular = (batch.eigenvalues == 0) & (time[:, None] == 0)
    real = batch.multiplicities > 0
    low = np.where(real, np.where(singular, 0.0, S.lo), np.inf).min(axis=1)
    high = np.where(real, np.where(singular, 0.0, S.hi), np.inf).min(axis=1)
    with np.errstate(divide="ignore"):
        top = np.where(low > 0, np.nextafter(1.0 / low, np.inf), np.inf)
        bottom = np.where(high > 0, np.nextafter(1.0 / high, 0.0), np.inf)
    return Enclosure(bottom, top, "closed form")


def _steepest_velocity(batch: Batch) -> Enclosure:
    """Supremum over times and eigenspaces of |Sigma^{-1} e_v|. With w = e^{-tau}(1 + tau, -tau) its square is

        1 - (lam - 1) w_v^2 (1 + 1/det)/det,   det = lam X + (1 - X),   X = |w|^2.

    For lam >= 1 it is at most 1, its value at tau = 0 and at infinity. Below, w_v^2 rises until tau = 1 and
    falls after, and 1/det falls, so that values at its ends bound the function on a cell; the cells are
    refined.
    """
    real = batch.multiplicities > 0
    lam = batch.eigenvalues[real]
    first, last = (np.broadcast_to(t[:, None], real.shape)[real] for t in (batch.stop, batch.horizon))
    ends = [_velocity_square(lam, t) for t in (first, last)]
    low, high = np.maximum(ends[0][0], ends[1][0]), np.maximum(1.0 * (lam >= 1), ends[0][1])
    narrow = np.flatnonzero((lam < 1) & ~((lam == 0) & (first == 0)))
    for at in range(0, len(narrow), LANES_AT_ONCE):
        some = narrow[at : at + LANES_AT_ONCE]
        bottom, top = _refined(lam[some], first[some], last[some], low[some])
        low[some], high[some] = np.maximum(low[some], bottom), np.maximum(high[some], top)
    squares = np.zeros((2, *real.shape))
    squares[:, real] = low, high
    squares[:, (batch.eigenvalues == 0) & real & (batch.stop == 0)[:, None]] = np.inf
    low, high = squares.max(axis=2)
    return Enclosure(
        np.sqrt(low) * (1 - 4 * UNIT), np.sqrt(high) * (1 + 4 * UNIT), "bisection on monotone pieces"
    )


def _refined(lam: Array, first: Array, last: Array, bottom: Array) -> tuple[Array, Array]:
    """Bounds of the supremum over [first, last] of lanes with lam < 1; only cells that may hold it are
    refined.
    """
    left, right = np.maximum(first, 1e-12 * last), last
    before = _velocity_cell(lam, first, left)
    for _ in range(ROUNDS):
        points = left[:, None] * (right / left)[:, None] ** (np.arange(CELLS + 1) / CELLS)
        bottom = np.maximum(bottom, _velocity_square(lam[:, None], points)[0].max(axis=1))
        upper = _velocity_cell(lam[:, None], points[:, :-1], points[:, 1:])
        alive = (upper >= bottom[:, None]) | (upper == upper.max(axis=1, keepdims=True))
        lanes = np.arange(len(lam))
        left, right = (
            points[lanes, alive.argmax(axis=1)],
            points[lanes, CELLS - alive[:, ::-1].argmax(axis=1)],
        )
    return bottom, np.maximum(before, upper.max(axis=1))


def _velocity_square(lam: Array, tau: Array) -> tuple[Array, Array]:
    """Bounds of |Sigma^{-1} e_v|^2 at times tau."""
    _, _, Z, X, rest, _, _, _ = np.moveaxis(phase_nodes(tau), -1, 0)
    det = lam * X + rest
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(tau == 0, 0.0, (1 - lam) * Z * (1 + 1 / det) / det)
    slack = 1000 * UNIT * (1 + np.abs(part))
    return np.maximum(1 + part - slack, 0.0), 1 + part + slack


def _velocity_cell(lam: Array, left: Array, right: Array) -> Array:
    """Upper bound on [left, right]."""
    _, _, _, X, rest, _, _, _ = np.moveaxis(phase_nodes(left), -1, 0)
    det = lam * X + rest
    peak = np.where((left <= 1) & (right >= 1), 1.0, np.where(right < 1, right, left))
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(lam < 1, (1 - lam) * (peak * np.exp(-peak)) ** 2 * (1 + 1 / det) / det, 0.0)
    return 1 + part * (1 + 1000 * UNIT)


def _total(values: Enclosure, batch: Batch) -> Enclosure:
    """Sum over the eigenspaces of nonnegative enclosures, padding left out."""
    real = batch.multiplicities > 0
    low, high = np.where(real, values.lo, 0.0).sum(axis=1), np.where(real, values.hi, 0.0).sum(axis=1)
    slack = 2 * batch.B * UNIT
    return Enclosure(np.maximum(low, 0.0) * (1 - slack), high * (1 + slack), "closed form")


def _unless_singular(value: Enclosure, batch: Batch) -> Enclosure:
    """The value, infinite where the target is singular."""
    singular = np.any((batch.eigenvalues == 0) & (batch.multiplicities > 0), axis=1)
    return Enclosure(np.where(singular, np.inf, value.lo), np.where(singular, np.inf, value.hi), value.method)


def mean_squared(batch: Batch) -> Enclosure:
    """|E x|^2 under the target. (C,)"""
    return _total(Enclosure.exact(batch.means).power(2), batch)


def second_moment(batch: Batch) -> Enclosure:
    """E|x|^2 = tr Sigma + |m|^2 under the target. (C,)"""
    lam = Enclosure.exact(batch.eigenvalues)
    return _total(lam * batch.multiplicities + Enclosure.exact(batch.means).power(2), batch)


def kl_target_gamma(batch: Batch) -> Enclosure:
    """KL(target || gamma) = sum n (lam - 1 - log lam)/2 + |m|^2/2; infinite for a singular target. (C,)"""
    from simulators.laws.paths import excess_kl

    lam = _positive(batch)
    value, error = excess_kl(lam - 1, UNIT * np.abs(lam - 1), lam, np.zeros_like(lam))
    half = Enclosure(np.maximum(np.nextafter(value - error, 0.0), 0.0), np.nextafter(value + error, np.inf))
    squares = Enclosure.exact(batch.means).power(2)
    return _unless_singular(_total(half * batch.multiplicities + 0.5 * squares, batch), batch)


def fi_target_gamma(batch: Batch) -> Enclosure:
    """FI(target | gamma) = E|grad log target/gamma|^2 = sum n (lam - 1)^2/lam + |m|^2; infinite if singular.
    (C,)
    """
    lam = Enclosure.exact(_positive(batch))
    squares = Enclosure.exact(batch.means).power(2)
    return _unless_singular(_total((lam - 1).power(2) / lam * batch.multiplicities + squares, batch), batch)


def j_target(batch: Batch) -> Enclosure:
    """J(target) = E|grad log target|^2 = sum n/lam; infinite for a singular target. (C,)"""
    return _unless_singular(_total(batch.multiplicities / Enclosure.exact(_positive(batch)), batch), batch)


def _positive(batch: Batch) -> Array:
    """Eigenvalues, with 1 in place of 0."""
    return np.where(batch.eigenvalues > 0, batch.eigenvalues, 1.0)


def w2_target_gamma(batch: Batch) -> Enclosure:
    """W2(target, gamma) = sqrt(sum n (sqrt lam - 1)^2 + |m|^2). (C,)"""
    lam = Enclosure.exact(batch.eigenvalues)
    gap = (lam - 1) / (lam.sqrt() + 1)
    return _total(gap.power(2) * batch.multiplicities + Enclosure.exact(batch.means).power(2), batch).sqrt()


# -- score error


class _Frozen(NamedTuple):
    """Per (case, eigenspace, step): variance and mean of what the error multiplies, the adapted weight, and
    their relative error.
    """

    variance: Array
    mean: Array
    adapted: Array
    loose: Array


def score_error(batch: Batch, average: str) -> Enclosure:
    """E|s_hat - s|^2 under the true forward law at the grid times tau_0 ... tau_{N-1}, averaged over the
    grid. (C,)

    average : "time" sum h_k e_k/sum h_k; "integral" sum h_k e_k; "sup" max e_k; "steps" sum e_k/N; "g2-half"
              (1/2) sum g^2 h_k e_k with g^2 = 2 on the unit clock. For lmc and ulmc the law is the target at
              every step; for cld-ei the error is in the velocity.
    """
    if average not in AVERAGES:
        raise InputError("average", average, f"expected one of {', '.join(AVERAGES)}")
    damped = isinstance(SAMPLERS[batch.sampler], CriticallyDamped)
    value, error = (_velocity_error if damped else _position_error)(batch, average)
    low, high = np.maximum(value - error, 0.0), value + error
    return Enclosure(
        np.maximum(np.nextafter(low, -np.inf), 0.0),
        np.where(high > 0, np.nextafter(high, np.inf), 0.0),
        "closed form",
    )


def _position_error(batch: Batch, average: str) -> tuple[Array, Array]:
    """The averaged error of every case and its own error, (C,) each, in one pass over all steps."""
    from simulators.laws.kernels.score_errors import score_error_kernel

    stays = not getattr(SAMPLERS[batch.sampler], "reverse", True)
    grids = [setting.grid for setting in batch.settings]
    counts = np.array([grid.N for grid in grids])
    tau = np.concatenate([np.zeros(grid.N) if stays else grid.times[:-1] for grid in grids])
    adapted = np.array([setting.profile == "adapted" for setting in batch.settings])
    weights = [
        np.zeros(setting.grid.N) if own else profile_weights(setting.profile, setting.grid.N)
        for setting, own in zip(batch.settings, adapted, strict=True)
    ]
    steps = [np.ones(grid.N) if average == "steps" else grid.steps for grid in grids]
    ulps = 2 * tau * np.repeat([grid.time_ulps for grid in grids], counts)
    columns = (np.exp(-2 * tau), -np.expm1(-2 * tau), np.exp(-tau), ulps)
    nodes = np.stack([*columns, np.concatenate(weights), np.concatenate(steps)], axis=1)
    lane = np.stack(
        [
            batch.eigenvalues,
            batch.multiplicities.astype(np.float64),
            batch.means,
            batch.shift,
            batch.linear,
        ]
    )
    index, first = batch.setting_index, np.concatenate([[0], np.cumsum(counts)])
    out = np.zeros((2, batch.C))
    score_error_kernel(index, first, nodes, adapted, average == "sup", lane, out)
    value, error = out
    if average == "sup":
        return value, error
    if average in ("time", "steps"):
        length = np.array([h.sum() for h in steps])[index]
        value, error = value / length, error / length
    count = counts[index]
    rounding = (4 * np.log2(2 * count) + 40) * UNIT  # of the sums
    return value, error + (rounding + count * UNIT) * value


def _velocity_error(batch: Batch, average: str) -> tuple[Array, Array]:
    """The same for cld-ei, grid by grid."""
    values, errors = np.zeros(batch.C), np.zeros(batch.C)
    for g, setting in enumerate(batch.settings):
        mine = np.flatnonzero(batch.setting_index == g)
        portion = max(1, AT_ONCE // (setting.grid.N * batch.B))
        for at in range(0, len(mine), portion):
            chosen = mine[at : at + portion]
            values[chosen], errors[chosen] = _averaged(batch, chosen, setting, average)
    return values, errors


def _averaged(batch: Batch, mine: NDArray[np.intp], setting: Setting, average: str) -> tuple[Array, Array]:
    value, error = _squared(batch, mine, setting)
    if average == "sup":
        return value.max(axis=1), error.max(axis=1)
    h = np.ones(setting.grid.N) if average == "steps" else setting.grid.steps
    rounding = (4 * np.log2(2 * setting.grid.N) + 40) * UNIT  # numpy sums pairwise in blocks of 128
    total, slack = value @ h, error @ h
    if average in ("time", "steps"):
        total, slack = total / h.sum(), slack / h.sum()
    return total, slack + (rounding + setting.grid.N * UNIT) * total


def _squared(batch: Batch, mine: NDArray[np.intp], setting: Setting) -> tuple[Array, Array]:
    """Squared error at each step, (cases, N), and its error."""
    n, m = batch.multiplicities[mine][..., None], batch.means[mine][..., None]
    c, eta = batch.shift[mine][..., None], batch.linear[mine][..., None]
    frozen = _frozen(batch, mine, setting)
    mean = m * frozen.mean
    p = (
        frozen.adapted
        if setting.profile == "adapted"
        else profile_weights(setting.profile, setting.grid.N)[None, None, :]
    )
    shift = c + eta * mean
    shift_err = (frozen.loose + 4 * UNIT) * (np.abs(c) + np.abs(eta * mean))
    square, spread = shift * shift, n * eta * eta * frozen.variance
    value = np.where(n > 0, p * p * (square + spread), 0.0)
    error = (
        p * p * ((2 * np.abs(shift) + shift_err) * shift_err + (frozen.loose + 4 * UNIT) * spread)
        + (2 * frozen.loose + 8 * UNIT) * value
    )
    return value.sum(axis=1), np.where(n > 0, error, 0.0).sum(axis=1) * (
        1 + 4 * batch.B * UNIT
    ) + 2 * batch.B * UNIT * value.sum(axis=1)


def _frozen(batch: Batch, mine: NDArray[np.intp], setting: Setting) -> _Frozen:
    lam = batch.eigenvalues[mine][..., None]
    tau = setting.grid.times[:-1]
    slack = 2 * tau * setting.grid.time_ulps
    _, _, Z, X, rest, _, v, _ = np.moveaxis(phase_nodes(tau), -1, 0)[:, None, None, :]
    return _Frozen(lam * Z + (1 - Z), -v + 0 * lam, -v / (lam * X + rest), (400 + 3 * slack) * UNIT + 0 * lam)
