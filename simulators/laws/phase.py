"""Critically damped Langevin diffusion on Gaussian targets: exact phase-space laws, with bounds on the
rounding error.

Forward: dX = V dt, dV = -(X + 2V) dt + 2 dB from q x gamma, so with w = e^{-tau}(1 + tau, -tau) the law q_tau
has, in each eigenspace, covariance Sigma = I + (lam - 1) w w^T and mean m w. The sampler's covariance is
Sigma + D, its mean m w + e, and

    D' = F D F^T + local + 16 (Sigma^{-1})_vv G G^T + score error,    e' = F e + 4 G p (c + eta m w_v),

F = e^{Bh} + 4 G s^T, s the row of the linear score estimate. Error matrices are bounded in units of Sigma: F
Sigma F^T <= rho Sigma' with rho close to one, so the bound does not grow where the dynamics rotates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.batch import Batch
from simulators.errors import InputError
from simulators.exppoly import E, H
from simulators.laws.kernels.damped import damped_kernel
from simulators.laws.steps import Lanes, groups_of, portions, schedule, tasks_of, times_of

__all__ = ["PhaseLaw", "forward_phase", "phase_forward", "phase_gap", "phase_reference", "propagate_phase"]

Array = NDArray[np.float64]
Index = NDArray[np.int64]
U = 2.0**-53

DECAY_XX = E(-2) * (1 + H) ** 2
DECAY_VV = E(-2) * H * H
DECAY_DET = E(-2) * (1 + 2 * H + 2 * H * H)
REST_XX, REST_DET = 1 - DECAY_XX, 1 - DECAY_DET
"""Made once: a polynomial keeps its Taylor series."""


@dataclass(frozen=True, slots=True, eq=False)
class PhaseLaw:
    """C cases of phase-space Gaussian laws with B eigenspaces each.

    eigenvalues, multiplicities, target_means : (C, B), as in `Law`; a lane is that many independent (x, v)
                                                planes.
    time                      : (C,) forward time of the reference; inf is gamma x gamma.
    dev_cov, dev_cov_err      : (C, B, 3) covariance minus the reference (xx, xv, vv), known up to +- err.
    dev_mean, dev_mean_err    : (C, B, 2) mean minus the reference (x, v), along the mean axis.
    """

    eigenvalues: Array
    multiplicities: NDArray[np.int64]
    target_means: Array
    time: Array
    dev_cov: Array
    dev_cov_err: Array
    dev_mean: Array
    dev_mean_err: Array


def forward_phase(batch: Batch, time: float | Array | str) -> PhaseLaw:
    """The forward phase-space law at a time: a number, one a case, or "target", "delta", "T", "gamma"."""
    return phase_forward(batch.eigenvalues, batch.multiplicities, batch.means, times_of(batch, time))


def phase_forward(
    eigenvalues: Array, multiplicities: NDArray[np.int64], target_means: Array, time: Array
) -> PhaseLaw:
    """The exact forward law at ``time`` (C,), no deviation."""
    cov, mean = np.zeros((*eigenvalues.shape, 3)), np.zeros((*eigenvalues.shape, 2))
    return PhaseLaw(eigenvalues, multiplicities, target_means, time, cov, cov, mean, mean)


def phase_nodes(time: Array) -> Array:
    """Decay factors at forward times, (n, 8): Y, 1 - Y, Z, X, 1 - X, e^{-tau}(1 + tau), e^{-tau} tau, cross;
    inf is the limit.

    Sigma_xx = lam Y + (1 - Y), Sigma_vv = lam Z + (1 - Z), det = lam X + (1 - X), Sigma_xv = -(lam - 1)
    cross. Relative errors below 160 units of roundoff.
    """
    tau = np.where(np.isfinite(time), time, 1000.0)
    small = np.minimum(tau, 0.5)
    decay = np.exp(-tau)
    x, v = decay * (1 + tau), decay * tau
    Y, X = x * x, decay * decay * (1 + 2 * tau * (1 + tau))
    rest_x = np.where(tau <= 0.5, REST_XX(small), 1 - Y)
    rest_det = np.where(tau <= 0.5, REST_DET(small), 1 - X)
    return np.stack([Y, rest_x, v * v, X, rest_det, x, v, x * v], axis=-1)


def phase_reference(law: PhaseLaw) -> tuple[Array, Array]:
    """Covariance (C, B, 3) and mean (C, B, 2) of the reference, to working precision."""
    Y, rest, Z, _, _, x, v, cross = np.moveaxis(phase_nodes(law.time), -1, 0)[:, :, None]
    lam, m = law.eigenvalues, law.target_means
    return np.stack([lam * Y + rest, -(lam - 1) * cross, lam * Z + (1 - Z)], axis=-1), np.stack(
        [m * x, -m * v], axis=-1
    )


def phase_gap(p: PhaseLaw, q: PhaseLaw) -> dict[str, Array]:
    """The law p seen from q: covariance of q, covariance and mean differences as matrices (C, B, 2, 2) and
    vectors (C, B, 2), with error bounds.

    The keys are the arguments of `simulators.distances.plane.pencil_2x2` and ``w2_2x2``. Differences of
    two references are formed from differences of times where the times are equal (zero) and by subtraction
    otherwise.
    """
    (ref_p, mean_p), (ref_q, mean_q) = phase_reference(p), phase_reference(q)
    twins = (p.eigenvalues == q.eigenvalues) & (p.target_means == q.target_means)
    same = np.asarray((p.time == q.time)[:, None] & twins)[..., None]
    base, base_err = _closer((ref_p, ref_q), (_excess(p), _excess(q)), same)
    shift = np.where(same, 0.0, mean_p - mean_q)
    loose = 200 * U
    cov_q, gap, diff = ref_q + q.dev_cov, base + (p.dev_cov - q.dev_cov), shift + (p.dev_mean - q.dev_mean)
    cov_err = loose * (np.abs(ref_q) + np.abs(q.dev_cov)) + q.dev_cov_err
    gap_err = (
        base_err
        + p.dev_cov_err
        + q.dev_cov_err
        + 4 * U * (np.abs(base) + np.abs(p.dev_cov) + np.abs(q.dev_cov))
    )
    diff_err = (
        np.where(same, 0.0, loose * (np.abs(mean_p) + np.abs(mean_q))) + p.dev_mean_err + q.dev_mean_err
    )
    diff_err = diff_err + 4 * U * (np.abs(shift) + np.abs(p.dev_mean) + np.abs(q.dev_mean))
    return {
        "cov_q": _matrix(cov_q),
        "gap": _matrix(gap),
        "diff": diff,
        "multiplicities": p.multiplicities.astype(np.float64),
        "cov_q_err": _matrix(cov_err),
        "gap_err": _matrix(gap_err),
        "diff_err": diff_err,
    }


def _excess(law: PhaseLaw) -> Array:
    """Reference covariance minus the identity, without cancellation."""
    Y, _, Z, _, _, _, _, cross = np.moveaxis(phase_nodes(law.time), -1, 0)[:, :, None]
    excess: Array = (law.eigenvalues - 1)[..., None] * np.stack([Y, -cross, Z], axis=-1)
    return excess


def _closer(
    whole: tuple[Array, Array], excess: tuple[Array, Array], same: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Difference of two references from their entries or from their excesses over the identity, whichever
    rounds less; and its error.
    """
    errors = [200 * U * (np.abs(a) + np.abs(b)) for a, b in (whole, excess)]
    difference = np.where(errors[0] < errors[1], whole[0] - whole[1], excess[0] - excess[1])
    return np.where(same, 0.0, difference), np.where(same, 0.0, np.minimum(*errors))


def _matrix(entries: Array) -> Array:
    xx, xv, vv = np.moveaxis(entries, -1, 0)
    return np.stack([np.stack([xx, xv], axis=-1), np.stack([xv, vv], axis=-1)], axis=-2)


def propagate_phase(batch: Batch) -> PhaseLaw:
    """The phase-space law of the output of cld-ei, as deviations from q at tau_N; an overflow comes out as 0
    +- inf.
    """
    real = batch.multiplicities > 0
    if bool(np.any((batch.eigenvalues == 0) & real & (batch.stop == 0)[:, None])):
        raise InputError(
            "eigenvalue", 0.0, "expected > 0, or delta > 0: the phase-space reference is singular"
        )
    groups, lanes = groups_of(batch)
    cov, mean = _start(batch)
    state = np.concatenate([cov, np.zeros((*cov.shape[:2], 1)), mean, np.zeros((*cov.shape[:2], 1))], axis=-1)
    state = np.moveaxis(state[lanes.case, lanes.space], -1, 0).copy()
    state[3], state[6] = _start_error(batch, lanes)
    for part in portions(groups):
        plan = schedule(batch.sampler, groups[part])
        mine = slice(*np.searchsorted(lanes.group, [part.start, part.stop]).tolist())
        local = Lanes(lanes.case[mine], lanes.space[mine], lanes.group[mine] - part.start)
        lane = np.stack(
            [a[local.case, local.space] for a in (batch.eigenvalues, batch.means, batch.shift, batch.linear)]
        )
        nodes = np.concatenate([phase_nodes(plan.time), plan.slack[:, None]], axis=1)
        chunk = state[:, mine].copy()
        damped_kernel(
            tasks_of(local, len(plan.first) - 1),
            plan.first,
            plan.row,
            plan.table,
            nodes,
            plan.weight,
            plan.adapted,
            lane,
            chunk,
        )
        state[:, mine] = chunk
    return _law(batch, lanes, state)


def _start(batch: Batch) -> tuple[Array, Array]:
    """Deviations of the start from q_T."""
    at_T = phase_forward(batch.eigenvalues, batch.multiplicities, batch.means, batch.horizon)
    if batch.start == "q_T":
        return at_T.dev_cov, at_T.dev_mean
    Y, _, Z, _, _, x, v, cross = np.moveaxis(phase_nodes(batch.horizon), -1, 0)[:, :, None]
    excess = batch.eigenvalues - 1
    cov, mean = (
        -np.stack([excess * Y, -excess * cross, excess * Z], axis=-1),
        np.stack([-batch.means * x, batch.means * v], axis=-1),
    )
    if batch.start == "given":
        v0, m0 = batch.given_start
        cov[..., 0] = v0 - phase_reference(at_T)[0][..., 0]
        mean[..., 0] += m0
    return cov, mean


def _start_error(batch: Batch, lanes: Lanes) -> Array:
    """In units of Sigma_T: error bounds of the start, for covariance and mean, in lane order."""
    at_T = phase_forward(batch.eigenvalues, batch.multiplicities, batch.means, batch.horizon)
    (sxx, sxv, svv), mean = np.moveaxis(phase_reference(at_T)[0], -1, 0), phase_reference(at_T)[1]
    loose = (200 + 16 * batch.horizon)[:, None] * U
    det = sxx * svv - sxv * sxv
    _, _, _, X, rest, _, _, _ = np.moveaxis(phase_nodes(batch.horizon), -1, 0)[:, :, None]
    det = batch.eigenvalues * X + rest
    cov, shift = _start(batch)
    size = np.abs(cov)
    if batch.start == "given":
        v0, m0 = batch.given_start
        size[..., 0] = v0 + sxx
        mean = np.abs(mean) + np.stack([np.abs(m0), np.zeros_like(sxx)], axis=-1)
    else:
        mean = np.abs(shift)
    wide = loose * (size[..., 0] * svv + 2 * size[..., 1] * np.abs(sxv) + size[..., 2] * sxx) / det
    off = loose * (mean[..., 0] * np.sqrt(svv / det) + mean[..., 1] * np.sqrt(sxx / det))
    zero = 0.0 if batch.start == "q_T" else 1.0
    return zero * np.stack([wide[lanes.case, lanes.space], off[lanes.case, lanes.space]])


def _law(batch: Batch, lanes: Lanes, state: Array) -> PhaseLaw:
    """Entrywise error bounds from the ones in units of the reference; what is not finite becomes 0 +- inf."""
    law = phase_forward(batch.eigenvalues, batch.multiplicities, batch.means, batch.stop)
    sxx, _, svv = np.moveaxis(phase_reference(law)[0], -1, 0)
    full = np.zeros((7, batch.C, batch.B))
    full[:, lanes.case, lanes.space] = state
    with np.errstate(over="ignore", invalid="ignore"):
        wide = full[3][..., None] * np.stack([sxx, np.sqrt(sxx * svv), svv], axis=-1) * (1 + 400 * U)
        off = full[6][..., None] * np.sqrt(np.stack([sxx, svv], axis=-1)) * (1 + 400 * U)
    cov, mean = np.moveaxis(full[:3], 0, -1), np.moveaxis(full[4:6], 0, -1)
    lost = ~(np.isfinite(cov) & np.isfinite(wide)).all(axis=-1, keepdims=True)
    adrift = ~(np.isfinite(mean) & np.isfinite(off)).all(axis=-1, keepdims=True)
    return PhaseLaw(
        law.eigenvalues,
        law.multiplicities,
        law.target_means,
        law.time,
        np.where(lost, 0.0, cov),
        np.where(lost, np.inf, wide),
        np.where(adrift, 0.0, mean),
        np.where(adrift, np.inf, off),
    )
