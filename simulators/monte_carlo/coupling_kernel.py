"""Compiled coupling of the true reverse chain with a sampler, one particle at a time.

Given X_t = x the true reverse step is a Gaussian mixture M: component k has the share r_k(x) and, in its
eigenbasis, mean a' mu_k + e^{-h} S'_k/S_k (x - a mu_k) and variances S'_k (1 - e^{-2h})/S_k. Both chains use
the same z: x' = m + sqrt(V) z with the mean and the variances of M, kept with probability min(1, M/N(m, V));
else x' is drawn from what M has beyond N(m, V). Where one component has all but `ALONE` of the share, k is
drawn first and then x' from it, with the same z. The law of x' is M in every case.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from simulators.compiled import compiled
from simulators.particles.kernels import ELEVEN, FORTY, UNIT, Array, Words, logarithm, turn, words

__all__ = ["couple"]

PATIENCE = 1_000_000  # refusals after which a particle is given up; its X is then infinite
ALONE = 1e-5


@compiled()
def two_normals(key: Words, stream: int, particle: int, count: int) -> tuple[float, float]:
    """Two independent N(0, 1)."""
    a, b = words(key[0], key[1], np.uint64(particle), (np.uint64(stream) << FORTY) | np.uint64(count))
    radius = math.sqrt(-2.0 * logarithm((np.float64(np.int64(a >> ELEVEN)) + 1.0) * UNIT))
    cosine, sine = turn(np.float64(np.int64(b >> ELEVEN)) * UNIT)
    return radius * cosine, radius * sine


@compiled()
def fill_normals(key: Words, stream: int, particle: int, count: int, z: Array) -> int:
    """Fill z with N(0, 1) and return the next count."""
    for j in range(0, z.size, 2):
        first, second = two_normals(key, stream, particle, count)
        count += 1
        z[j] = first
        if j + 1 < z.size:
            z[j + 1] = second
    return count


@compiled()
def two_uniforms(key: Words, stream: int, particle: int, count: int) -> tuple[float, float]:
    """Two independent uniforms in (0, 1)."""
    a, b = words(key[0], key[1], np.uint64(particle), (np.uint64(stream) << FORTY) | np.uint64(count))
    return (np.float64(np.int64(a >> ELEVEN)) + 0.5) * UNIT, (np.float64(np.int64(b >> ELEVEN)) + 0.5) * UNIT


@compiled()
def chosen(shares: Array, u: float) -> int:
    """The component whose share of (0, 1) contains u."""
    total = 0.0
    for k in range(shares.size - 1):
        total += shares[k]
        if u < total:
            return k
    return int(shares.size - 1)


@compiled()
def local(x: Array, a: float, lw: Array, mu: Array, S: Array, turns: Array, y: Array, shares: Array) -> None:
    """Coordinates y (K, d) of x - a mu_k in the eigenbases, and the shares r_k(x)."""
    K, d = mu.shape
    top = -np.inf
    for k in range(K):
        shares[k] = lw[k]
        for j in range(d):
            if turns.shape[0] == 0:
                y[k, j] = x[j] - a * mu[k, j]
            else:
                y[k, j] = 0.0
                for axis in range(d):
                    y[k, j] += turns[k, axis, j] * (x[axis] - a * mu[k, axis])
            shares[k] -= 0.5 * y[k, j] * y[k, j] / S[k, j]
        top = max(top, shares[k])
    total = 0.0
    for k in range(K):
        shares[k] = math.exp(shares[k] - top)
        total += shares[k]
    for k in range(K):
        shares[k] /= total


@compiled()
def back(y: Array, turns: Array, k: int, out: Array) -> None:
    """A vector of component k's eigenbasis in the axes."""
    for j in range(y.size):
        if turns.shape[0] == 0:
            out[j] = y[j]
        else:
            out[j] = 0.0
            for axis in range(y.size):
                out[j] += turns[k, j, axis] * y[axis]


@compiled()
def excess_log(
    x: Array, centres: Array, spreads: Array, shares: Array, turns: Array, m: Array, V: Array
) -> float:
    """The logarithm of M(x)/N(m, V)(x)."""
    K, d = centres.shape
    total, top = 0.0, -np.inf
    for k in range(K):
        if shares[k] > 0.0:
            value = math.log(shares[k])
            for j in range(d):
                off = 0.0
                if turns.shape[0] == 0:
                    off = x[j] - centres[k, j]
                else:
                    for axis in range(d):
                        off += turns[k, axis, j] * (x[axis] - centres[k, axis])
                value -= 0.5 * (off * off / spreads[k, j] + math.log(spreads[k, j]))
            if value > top:
                total = total * math.exp(top - value) + 1.0
                top = value
            else:
                total += math.exp(value - top)
    reference = 0.0
    for j in range(d):
        reference -= 0.5 * ((x[j] - m[j]) ** 2 / V[j] + math.log(V[j]))
    return top + math.log(total) - reference


@compiled(parallel=True)
def couple(
    key: Words,
    stream: int,
    steps: Array,
    clock: Array,
    lw: Array,
    mu: Array,
    lam: Array,
    turns: Array,
    joined: bool,
    out: Array,
) -> None:
    """Fill out (2, d, n) with coupled ends: X of the true reverse chain, Y of the sampler.

    steps (N, 3) as in `simulators.particles.kernels`; clock (N + 1, 2) and lw (N + 1, K) at every grid time;
    joined : Y starts at X, and not from gamma.
    """
    K, d = mu.shape
    N = steps.shape[0]
    S = np.empty((N + 1, K, d))
    for k in range(N + 1):
        S[k] = clock[k, 0] ** 2 * lam + clock[k, 1]
    for i in prange(out.shape[2]):
        x, y, z, m, V, move = np.empty(d), np.empty(d), np.empty(d), np.empty(d), np.empty(d), np.empty(d)
        off, shares, centres, spreads = np.empty((K, d)), np.empty(K), np.empty((K, d)), np.empty((K, d))
        for k in range(K):
            shares[k] = math.exp(lw[0, k])
            for j in range(d):
                shares[k] *= math.sqrt(S[0, k, j])
        shares /= shares.sum()
        count, lost = fill_normals(key, stream, i, 0, z), False
        u, v = two_uniforms(key, stream, i, count)
        count += 1
        which = chosen(shares, u)
        for j in range(d):
            m[j] = z[j]
            if turns.shape[0]:
                m[j] = 0.0
                for axis in range(d):
                    m[j] += turns[which, axis, j] * z[axis]
            m[j] *= math.sqrt(S[0, which, j])
        back(m, turns, which, move)
        for j in range(d):
            x[j] = clock[0, 0] * mu[which, j] + move[j]
            y[j] = x[j] if joined else z[j]
        for k in range(N):
            count = fill_normals(key, stream, i, count, z)
            local(y, clock[k, 0], lw[k], mu, S[k], turns, off, shares)
            m[:] = 0.0
            for c in range(K):
                for j in range(d):
                    V[j] = -off[c, j] / S[k, c, j]
                back(V, turns, c, move)
                for j in range(d):
                    m[j] += shares[c] * move[j]
            for j in range(d):
                y[j] += steps[k, 0] * y[j] + steps[k, 1] * m[j] + steps[k, 2] * z[j]
            local(x, clock[k, 0], lw[k], mu, S[k], turns, off, shares)
            decay = clock[k, 0] / clock[k + 1, 0]
            room = clock[k, 1] - clock[k + 1, 1] * decay * decay  # 1 - e^{-2h}
            m[:] = 0.0
            for c in range(K):
                for j in range(d):
                    V[j] = decay * S[k + 1, c, j] / S[k, c, j] * off[c, j]
                    spreads[c, j] = S[k + 1, c, j] * room / S[k, c, j]
                back(V, turns, c, move)
                for j in range(d):
                    centres[c, j] = clock[k + 1, 0] * mu[c, j] + move[j]
                    m[j] += shares[c] * centres[c, j]
            V[:] = 0.0
            for c in range(K):
                for j in range(d):
                    own = spreads[c, j]
                    if turns.shape[0]:
                        own = 0.0
                        for axis in range(d):
                            own += turns[c, j, axis] ** 2 * spreads[c, axis]
                    V[j] += shares[c] * (own + (centres[c, j] - m[j]) ** 2)
            u, v = two_uniforms(key, stream, i, count)
            count += 1
            if shares.max() > 1.0 - ALONE:
                which = chosen(shares, u)
                for j in range(d):
                    V[j] = z[j]
                    if turns.shape[0]:
                        V[j] = 0.0
                        for axis in range(d):
                            V[j] += turns[which, axis, j] * z[axis]
                    V[j] *= math.sqrt(spreads[which, j])
                back(V, turns, which, move)
                for j in range(d):
                    x[j] = centres[which, j] + move[j]
                continue
            for j in range(d):
                x[j] = m[j] + math.sqrt(V[j]) * z[j]
            if math.log(u) <= excess_log(x, centres, spreads, shares, turns, m, V):
                continue
            for refusal in range(PATIENCE):
                u, v = two_uniforms(key, stream, i, count)
                count = fill_normals(key, stream, i, count + 1, z)
                which = chosen(shares, u)
                for j in range(d):
                    z[j] *= math.sqrt(spreads[which, j])
                back(z, turns, which, move)
                for j in range(d):
                    x[j] = centres[which, j] + move[j]
                if math.log(v) > -excess_log(x, centres, spreads, shares, turns, m, V):
                    break
                lost = lost or refusal == PATIENCE - 1
        for j in range(d):
            out[0, j, i] = np.inf if lost else x[j]
            out[1, j, i] = y[j]
