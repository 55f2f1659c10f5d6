"""Compiled pieces of the particle simulator: random words, normals, powers of two, mixture scores, chains.

Random numbers are a function of (key, stream, particle, count) and of nothing else (Threefry-2x64, 20 rounds:
Salmon, Moraes, Dror & Shaw 2011), so that neither threads nor chunks change a bit. Normal number c of a
particle is the cosine (c even) or the sine (c odd) of the Box-Muller pair c // 2.

Loops over particles run over chunks of `CHUNK` and contain nothing that keeps the compiler from vectorising:
polynomials instead of calls of the C library, selections instead of branches.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from simulators.compiled import compiled

__all__ = ["CHUNK", "normals", "propagate", "uniforms", "words"]

Array = NDArray[np.float64]
Words = NDArray[np.uint64]

CHUNK = 128
SHIFTED = 6755399441055744.0  # 1.5 2^52: adding it rounds to an integer
LOWEST = -1000.0  # powers of two below it are taken at it; they are added to one that is 1
LOG2_E = 1.4426950408889634
LOG_2 = 0.6931471805599453
UNIT = 2.0**-53
PARITY = np.uint64(0x1BD11BDAA9FC1A22)
ELEVEN, FORTY, SIXTY_FOUR = np.uint64(11), np.uint64(40), np.uint64(64)
ROTATIONS = np.array([[16, 42, 12, 31], [16, 32, 24, 21]], dtype=np.uint64)
MANTISSA, ONE = np.int64((1 << 52) - 1), np.int64(1023 << 52)


@compiled(inline=True)
def power_of_two(t: float) -> float:
    """2^t for -1000 <= t <= 1000, relative error below 4e-16."""
    k = (t + SHIFTED) - SHIFTED
    f = t - k
    p = 4.45410341058704e-10
    p = p * f + 7.070977866508138e-09
    p = p * f + 1.0178067267449427e-07
    p = p * f + 1.3215451633221434e-06
    p = p * f + 1.5252733820795803e-05
    p = p * f + 0.00015403530424776529
    p = p * f + 0.0013333558146423213
    p = p * f + 0.009618129107618665
    p = p * f + 0.05550410866482158
    p = p * f + 0.24022650695910075
    p = (p * f + LOG_2) * f + 1.0
    scaled: float = p * np.int64((np.int64(k) + np.int64(1023)) << np.int64(52)).view(np.float64)
    return scaled


@compiled(inline=True)
def logarithm(u: float) -> float:
    """Natural logarithm of a normal u > 0, relative error below 1e-15 where u <= 1."""
    bits = np.float64(u).view(np.int64)
    k = np.float64((bits >> np.int64(52)) - np.int64(1023))
    m = np.int64((bits & MANTISSA) | ONE).view(np.float64)
    high = m > 1.4142135623730951
    m = 0.5 * m if high else m
    k = k + 1.0 if high else k
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 1.0 / 21.0
    p = p * z + 1.0 / 19.0
    p = p * z + 1.0 / 17.0
    p = p * z + 1.0 / 15.0
    p = p * z + 1.0 / 13.0
    p = p * z + 1.0 / 11.0
    p = p * z + 1.0 / 9.0
    p = p * z + 1.0 / 7.0
    p = p * z + 1.0 / 5.0
    p = p * z + 1.0 / 3.0
    return k * LOG_2 + (2.0 * s + 2.0 * s * (z * p))


@compiled(inline=True)
def turn(u: float) -> tuple[float, float]:
    """(cos 2 pi u, sin 2 pi u) for 0 <= u <= 1, absolute error below 4e-16."""
    k = (4.0 * u + SHIFTED) - SHIFTED
    x = (4.0 * u - k) * 1.5707963267948966
    z = x * x
    s = -1.0 / 1307674368000.0
    s = s * z + 1.0 / 6227020800.0
    s = s * z - 1.0 / 39916800.0
    s = s * z + 1.0 / 362880.0
    s = s * z - 1.0 / 5040.0
    s = s * z + 1.0 / 120.0
    s = s * z - 1.0 / 6.0
    s = x + x * (z * s)
    c = 1.0 / 20922789888000.0
    c = c * z - 1.0 / 87178291200.0
    c = c * z + 1.0 / 479001600.0
    c = c * z - 1.0 / 3628800.0
    c = c * z + 1.0 / 40320.0
    c = c * z - 1.0 / 720.0
    c = c * z + 1.0 / 24.0
    c = c * z - 0.5
    c = c * z + 1.0
    quarter = np.int64(k)
    odd = (quarter & np.int64(1)) != 0
    first, second = (s if odd else c), (c if odd else s)
    cosine = -first if ((quarter + np.int64(1)) & np.int64(2)) != 0 else first
    sine = -second if (quarter & np.int64(2)) != 0 else second
    return cosine, sine


@compiled(inline=True)
def mixed(a: np.uint64, b: np.uint64, r: np.uint64) -> tuple[np.uint64, np.uint64]:
    """One round of Threefry."""
    a = a + b
    return a, ((b << r) | (b >> (SIXTY_FOUR - r))) ^ a


@compiled(inline=True)
def words(key0: np.uint64, key1: np.uint64, a: np.uint64, b: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The two words of counter (a, b) under the key."""
    key2 = PARITY ^ key0 ^ key1
    a, b = a + key0, b + key1
    a, b = four(a, b, 0)
    a, b = a + key1, b + key2 + np.uint64(1)
    a, b = four(a, b, 1)
    a, b = a + key2, b + key0 + np.uint64(2)
    a, b = four(a, b, 0)
    a, b = a + key0, b + key1 + np.uint64(3)
    a, b = four(a, b, 1)
    a, b = a + key1, b + key2 + np.uint64(4)
    a, b = four(a, b, 0)
    return a + key2, b + key0 + np.uint64(5)


@compiled(inline=True)
def four(a: np.uint64, b: np.uint64, half: int) -> tuple[np.uint64, np.uint64]:
    """Four rounds with the first or the second half of the rotations."""
    a, b = mixed(a, b, ROTATIONS[half, 0])
    a, b = mixed(a, b, ROTATIONS[half, 1])
    a, b = mixed(a, b, ROTATIONS[half, 2])
    return mixed(a, b, ROTATIONS[half, 3])


@compiled()
def pair(key: Words, stream: int, first: int, number: int, cosines: Array, sines: Array) -> None:
    """Box-Muller pair ``number`` of the particles first, first + 1, ...: independent N(0, 1)."""
    key0, key1 = key[0], key[1]
    count = (np.uint64(stream) << FORTY) | np.uint64(number)
    for i in range(cosines.size):
        a, b = words(key0, key1, np.uint64(first + i), count)
        u = (np.float64(np.int64(a >> ELEVEN)) + 1.0) * UNIT
        cosine, sine = turn(np.float64(np.int64(b >> ELEVEN)) * UNIT)
        radius = np.sqrt(-2.0 * logarithm(u))
        cosines[i] = radius * cosine
        sines[i] = radius * sine


@compiled(parallel=True)
def normals(key: Words, stream: int, out: Array) -> None:
    """Fill (d, n) with N(0, 1): column i holds the first d normals of particle i."""
    d, n = out.shape
    for chunk in prange((n + CHUNK - 1) // CHUNK):
        first = chunk * CHUNK
        size = min(CHUNK, n - first)
        both = np.empty((2, size))
        for j in range(d):
            if j % 2 == 0:
                pair(key, stream, first, j // 2, both[0], both[1])
            out[j, first : first + size] = both[j % 2]


@compiled()
def uniforms(key: Words, stream: int, out: Array) -> None:
    """Fill (n,) with uniforms in (0, 1), one a particle."""
    key0, key1, count = key[0], key[1], np.uint64(stream) << FORTY
    for i in range(out.size):
        a, _ = words(key0, key1, np.uint64(i), count)
        out[i] = (np.float64(np.int64(a >> ELEVEN)) + 0.5) * UNIT


# -- scores --------------------------------------------------------------------------------------------------


@compiled()
def line_score(x: Array, a: float, lw: Array, mu: Array, inv: Array, s: Array, work: Array) -> None:
    """Score of sum_k exp(lw_k - (x - a mu_k)^2 inv_k / 2) at x (L,); work (K + 2, L)."""
    n, K = x.size, mu.shape[0]
    top, total = work[K, :n], work[K + 1, :n]
    for i in range(n):
        top[i] = -np.inf
        total[i] = 0.0
        s[i] = 0.0
    for k in range(K):
        row = work[k, :n]
        m, v, c = a * mu[k, 0], 0.5 * LOG2_E * inv[k, 0], LOG2_E * lw[k]
        for i in range(n):
            t = x[i] - m
            r = c - v * t * t
            row[i] = r
            top[i] = r if r > top[i] else top[i]
    for k in range(K):
        row = work[k, :n]
        m, v = a * mu[k, 0], inv[k, 0]
        for i in range(n):
            r = row[i] - top[i]
            e = power_of_two(r if r > LOWEST else LOWEST)
            total[i] += e
            s[i] += e * (v * (m - x[i]))
    for i in range(n):
        s[i] /= total[i]


@compiled()
def space_score(
    x: Array, a: float, lw: Array, mu: Array, inv: Array, turns: Array, s: Array, work: Array, y: Array
) -> None:
    """The same in d dimensions: x, s (d, L); mu, inv (K, d) in the eigenbases ``turns`` (K, d, d), or in the
    axes when there are none; work (K + 2, L), y (d, L).
    """
    d, n = x.shape
    K = mu.shape[0]
    top, total = work[K, :n], work[K + 1, :n]
    for i in range(n):
        top[i] = -np.inf
        total[i] = 0.0
    for k in range(K):
        row = work[k, :n]
        for i in range(n):
            row[i] = LOG2_E * lw[k]
        centred(x, a, mu[k], turns, k, y)
        for j in range(d):
            v = 0.5 * LOG2_E * inv[k, j]
            for i in range(n):
                row[i] -= v * y[j, i] * y[j, i]
        for i in range(n):
            top[i] = row[i] if row[i] > top[i] else top[i]
    for k in range(K):
        row = work[k, :n]
        for i in range(n):
            r = row[i] - top[i]
            row[i] = power_of_two(r if r > LOWEST else LOWEST)
            total[i] += row[i]
    for i in range(n):
        total[i] = 1.0 / total[i]
    s[:, :] = 0.0
    for k in range(K):
        row = work[k, :n]
        for i in range(n):
            row[i] *= total[i]
        centred(x, a, mu[k], turns, k, y)
        for j in range(d):
            v = inv[k, j]
            if turns.shape[0] == 0:
                for i in range(n):
                    s[j, i] -= v * row[i] * y[j, i]
            else:
                for axis in range(d):
                    w = v * turns[k, axis, j]
                    for i in range(n):
                        s[axis, i] -= w * row[i] * y[j, i]


@compiled()
def centred(x: Array, a: float, mu: Array, turns: Array, k: int, y: Array) -> None:
    """Coordinates of x - a mu in the eigenbasis of component k."""
    d, n = x.shape
    if turns.shape[0] == 0:
        for j in range(d):
            m = a * mu[j]
            for i in range(n):
                y[j, i] = x[j, i] - m
        return
    for j in range(d):
        for i in range(n):
            y[j, i] = 0.0
        for axis in range(d):
            m, w = a * mu[axis], turns[k, axis, j]
            for i in range(n):
                y[j, i] += w * (x[axis, i] - m)


@compiled()
def score(
    x: Array,
    clock: Array,
    lw: Array,
    mu: Array,
    lam: Array,
    turns: Array,
    inv: Array,
    s: Array,
    work: Array,
    y: Array,
) -> None:
    """Score of the forward law at clock = (a, 1 - a^2) of components (mu, lam); lw are log weights less
    half the log determinants.
    """
    a, noise = clock[0], clock[1]
    for k in range(mu.shape[0]):
        for j in range(mu.shape[1]):
            inv[k, j] = 1.0 / (a * a * lam[k, j] + noise)
    if x.shape[0] == 1:
        line_score(x[0], a, lw, mu, inv, s[0], work)
    else:
        space_score(x, a, lw, mu, inv, turns, s, work, y)


@compiled(parallel=True)
def propagate(
    x: Array,
    key: Words,
    stream: int,
    steps: Array,
    heun: bool,
    clock: Array,
    lw: Array,
    mu: Array,
    lam: Array,
    turns: Array,
) -> None:
    """Run the chain in place on x (d, n).

    steps : (N, 3) rows (A - 1, B, sqrt Q), or (0, 0, h) for Heun.
    clock : (N, 2) or (N + 1, 2) rows (a, 1 - a^2) of the forward times of the scores, one row when they are
            all taken at one time; lw (the same, K).
    """
    d, n = x.shape
    K, last = mu.shape[0], clock.shape[0] - 1
    for chunk in prange((n + CHUNK - 1) // CHUNK):
        first = chunk * CHUNK
        size = min(CHUNK, n - first)
        here, s, y, other = np.empty((d, size)), np.empty((d, size)), np.empty((d, size)), np.empty((d, size))
        work, inv, noise = np.empty((K + 2, size)), np.empty((K, d)), np.empty((2, size))
        here[:, :] = x[:, first : first + size]
        for k in range(steps.shape[0]):
            at = min(k, last)
            a, b, c = steps[k, 0], steps[k, 1], steps[k, 2]
            score(here, clock[at], lw[at], mu, lam, turns, inv, s, work, y)
            if heun:
                for j in range(d):
                    for i in range(size):
                        s[j, i] += here[j, i]
                        here[j, i] += 0.5 * c * s[j, i]
                        s[j, i] = here[j, i] + 0.5 * c * s[j, i]
                score(s, clock[at + 1], lw[at + 1], mu, lam, turns, inv, other, work, y)
                for j in range(d):
                    for i in range(size):
                        here[j, i] += 0.5 * c * (s[j, i] + other[j, i])
                continue
            for j in range(d):
                for i in range(size):
                    here[j, i] += a * here[j, i] + b * s[j, i]
                if c != 0.0:
                    number = k * d + j
                    if number % 2 == 0:
                        pair(key, stream, first, number // 2, noise[0], noise[1])
                    row = noise[number % 2]
                    for i in range(size):
                        here[j, i] += c * row[i]
        x[:, first : first + size] = here
