"""Interval recurrences of the one-stage samplers, box by box, and the interval functions they need.

Rounding. ``low`` and ``high`` move a correctly rounded result past the number it rounds: the error is at most
half an ulp, which is at most 2^-53 |x|, and x - 2^-52 |x| is rounded to x - 1 or x - 2 ulps. TINY covers what
underflows. Fusing a product into the move (the only contraction the compiler may do) rounds less, not more.
exp and log1p of the C library are taken to be good to `LIBM` ulps. A box whose numbers leave 1e300, or are
lost to inf - inf, comes out as the whole line.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled

__all__ = ["EULER", "FROZEN", "LOST", "RELATIVE", "deviations", "excess_ratios", "path_terms"]

Array = NDArray[np.float64]
Pair = tuple[float, float]

ULP = 2.0**-52
TINY = 1e-300
LIBM = 4.0
HUGE = 1e300
LOST = np.inf
FRESH = 32  # steps between two evaluations of the exponential from the time itself

FROZEN, EULER, RELATIVE = 0, 1, 2  # path terms of ddpm-ei, ddpm-em, cds-ei


@compiled(inline=True)
def low(x: float) -> float:
    """A float below the number that x rounds."""
    return x - abs(x) * ULP - TINY


@compiled(inline=True)
def high(x: float) -> float:
    """A float above the number that x rounds."""
    return x + abs(x) * ULP + TINY


@compiled(inline=True)
def product(al: float, ah: float, bl: float, bh: float) -> Pair:
    """[al, ah] [bl, bh]."""
    p, q, r, s = al * bl, al * bh, ah * bl, ah * bh
    return low(min(min(p, q), min(r, s))), high(max(max(p, q), max(r, s)))


@compiled(inline=True)
def quotient(al: float, ah: float, bl: float, bh: float) -> Pair:
    """[al, ah] / [bl, bh] for bl > 0."""
    return low(al / (bh if al >= 0.0 else bl)), high(ah / (bl if ah >= 0.0 else bh))


@compiled(inline=True)
def square(al: float, ah: float) -> Pair:
    """The squares of [al, ah]."""
    p, q = al * al, ah * ah
    bottom = 0.0 if al <= 0.0 <= ah else max(low(min(p, q)), 0.0)
    return bottom, high(max(p, q))


@compiled(inline=True)
def exponential(x: float) -> Pair:
    """Bounds of e^x."""
    value = math.exp(x)
    slack = value * (LIBM * ULP) + TINY
    return max(value - slack, 0.0), value + slack


@compiled()
def excess_ratio(x: float) -> Pair:
    """k(x) = (x - log(1 + x))/x^2 for x >= -1, with a bound on its error; 1/2 at 0, inf at -1.

    log(1 + x) = 2 atanh r with r = x/(2 + x), so k = (1 - 2 x s/(2 + x)^2)/(2 + x), s = sum r^{2j}/(2j + 3).
    """
    if not x > -1.0:
        return np.inf, 0.0
    if x > 1e140:
        return 0.0, 1e-140
    if x < -0.5 or x > 1.0:
        logarithm = math.log1p(x)
        square_of_x = x * x
        error = (LIBM + 4.0) * ULP * (abs(x) + abs(logarithm)) / square_of_x
        return (x - logarithm) / square_of_x, error * (1.0 + 8.0 * ULP)
    r = x / (2.0 + x)
    rr = r * r  # at most 1/9: what follows the last term is below rr^16/35/(1 - rr) < 2e-17
    series = 0.0
    for odd in range(33, 1, -2):
        series = series * rr + 1.0 / odd
    value = (1.0 - 2.0 * x * series / ((2.0 + x) * (2.0 + x))) / (2.0 + x)
    return value, 32.0 * ULP


@compiled(inline=True)
def ratio_range(xl: float, xh: float) -> Pair:
    """The range of k on [xl, xh]; k decreases, being the integral of (1 - s)/(1 + s x)^2 over [0, 1]."""
    bottom, slack = excess_ratio(xh)
    top, more = excess_ratio(xl)
    return max(low(min(bottom, HUGE) - slack), 0.0), high(top + more)


@compiled()
def excess_ratios(x: Array, out: Array) -> None:
    """The range of k on each of the intervals x (2, n), into out (2, n)."""
    for i in range(x.shape[1]):
        out[0, i], out[1, i] = ratio_range(x[0, i], x[1, i])


@compiled(inline=True)
def decay_at(tl: float, th: float) -> Pair:
    """e^{-2t} for t in [tl, th], at most 1."""
    return exponential(-2.0 * th)[0], min(exponential(-2.0 * tl)[1], 1.0)


@compiled(inline=True)
def time_at(k: int, h: float, delta: float, side: float) -> float:
    """The time delta + k h, moved down (side -1) or up (side 1)."""
    value = k * h
    value += side * value * ULP
    value += delta
    return value + side * (value * ULP + TINY)


@compiled(inline=True)
def variance_at(Rl: float, Rh: float, El: float, Eh: float) -> Pair:
    """1 + R E."""
    lo, hi = product(Rl, Rh, El, Eh)
    return max(low(1.0 + lo), 0.0), high(1.0 + hi)


@compiled()
def deviations(
    N: int, reverse: bool, scaled: bool, rate: float, box: Array, steps: Array, growth: Array, out: Array
) -> None:
    """The output of a one-stage sampler relative to its reference, on boxes.

    With S = 1 + R e^{-2 tau}, a = 1 + B (rate + eta - 1/S), a0 the same for eta = 0 and mu = m e^{-tau},

        delta' = a^2 (S/S') delta + (k2 R^2 + k1 R + k0)/(S S') + B eta (a + a0) S/S',
        e'     = a e + (A - growth + B eta) mu + B c,      e = alpha m + beta c.

    N       : steps.
    reverse : False for Langevin at fixed time, where S' = S and mu = m.
    scaled  : delta is divided by R (then k0 = 0 and eta = 0).
    rate    : (A - 1)/B, a constant of the sampler.
    box     : (4, 2, n) intervals of R, eta, h, delta (unit clock).
    steps   : (5, 2, n) intervals of B, k0, k1, k2, A - growth.
    growth  : (2, 2, n) intervals of e^{2h}, e^{h}.
    out     : (6, n) delta, alpha, beta as (lo, hi) pairs: the start on entry, the output on return.
    """
    for i in range(box.shape[2]):
        Rl, Rh = box[0, 0, i], box[0, 1, i]
        sl, sh = box[1, 0, i], box[1, 1, i]
        Bl, Bh = steps[0, 0, i], steps[0, 1, i]
        k0l, k0h, k1l, k1h = steps[1, 0, i], steps[1, 1, i], steps[2, 0, i], steps[2, 1, i]
        k2l, k2h, gl, gh = steps[3, 0, i], steps[3, 1, i], steps[4, 0, i], steps[4, 1, i]
        dl, dh, al, ah, bl, bh = out[0, i], out[1, i], out[2, i], out[3, i], out[4, i], out[5, i]
        plain = sl == 0.0 and sh == 0.0
        pl, ph = (gl, gh) if plain else (0.0, 0.0)
        Fl, Fh = 0.0, 0.0
        if not plain:
            Fl, Fh = product(Bl, Bh, sl, sh)
            pl, ph = low(gl + Fl), high(gh + Fh)
        El, Eh, el, eh = 1.0, 1.0, 1.0, 1.0
        fl, fh = low(1.0 / growth[0, 1, i]), high(1.0 / growth[0, 0, i])
        lost = False
        for k in range(N):
            if reverse and k % FRESH == 0:
                tl = time_at(N - k, box[2, 0, i], box[3, 0, i], -1.0)
                th = time_at(N - k, box[2, 1, i], box[3, 1, i], 1.0)
                El, Eh = decay_at(tl, th)
                el, eh = exponential(-th)[0], min(exponential(-tl)[1], 1.0)
            elif reverse:  # each end of the interval follows its own step length
                El, Eh = low(El * growth[0, 0, i]), min(high(Eh * growth[0, 1, i]), 1.0)
                el, eh = low(el * growth[1, 0, i]), min(high(eh * growth[1, 1, i]), 1.0)
            Sl, Sh = variance_at(Rl, Rh, El, Eh)
            ql, qh = Sl, Sh
            ul, uh = 1.0, 1.0
            if reverse:
                Nl, Nh = El * growth[0, 0, i], min(high(Eh * growth[0, 1, i]), 1.0)
                ql, qh = variance_at(Rl, Rh, low(Nl), Nh)
            if not (Sl > 0.0 and ql > 0.0):
                lost = True
                break
            il, ih = low(1.0 / Sh), high(1.0 / Sl)
            jl, jh = low(1.0 / qh), high(1.0 / ql)
            if reverse:  # S/S' = 1/S' + e^{-2h} (1 - 1/S')
                xl, xh = product(fl, fh, low(1.0 - jh), high(1.0 - jl))
                ul, uh = low(jl + xl), high(jh + xh)
            xl, xh = product(Bl, Bh, low(rate - ih), high(rate - il))
            cl, ch = low(1.0 + xl), high(1.0 + xh)
            zl, zh = cl, ch
            if not plain:
                xl, xh = product(Bl, Bh, low(low(rate + sl) - ih), high(high(rate + sh) - il))
                zl, zh = low(1.0 + xl), high(1.0 + xh)
            xl, xh = square(zl, zh)
            xl, xh = product(xl, xh, ul, uh)
            dl, dh = product(dl, dh, xl, xh)
            if scaled:
                xl, xh = product(Rl, Rh, El, Eh)
                xl, xh = product(k2l, k2h, xl, xh)
                xl, xh = product(low(k1l + xl), high(k1h + xh), El, Eh)
            else:
                xl, xh = product(Rl, Rh, El, Eh)
                yl, yh = product(k2l, k2h, xl, xh)
                xl, xh = product(low(k1l + yl), high(k1h + yh), xl, xh)
                xl, xh = low(k0l + xl), high(k0h + xh)
            yl, yh = product(il, ih, jl, jh)
            xl, xh = product(xl, xh, yl, yh)
            dl, dh = low(dl + xl), high(dh + xh)
            if not plain:
                xl, xh = product(Fl, Fh, low(cl + zl), high(ch + zh))
                xl, xh = product(xl, xh, ul, uh)
                dl, dh = low(dl + xl), high(dh + xh)
            if not scaled:
                dl = max(dl, -1.0)  # a variance is not negative
            al, ah = product(al, ah, zl, zh)
            xl, xh = product(pl, ph, el, eh)
            al, ah = low(al + xl), high(ah + xh)
            bl, bh = product(bl, bh, zl, zh)
            bl, bh = low(bl + Bl), high(bh + Bh)
            if not (abs(dl) < HUGE and abs(dh) < HUGE and abs(al) < HUGE and abs(ah) < HUGE):
                lost = True
                break
            if not (abs(bl) < HUGE and abs(bh) < HUGE):
                lost = True
                break
        if lost:
            dl, dh, al, ah, bl, bh = -LOST, LOST, -LOST, LOST, -LOST, LOST
            dl = dl if scaled else -1.0
        out[0, i], out[1, i], out[2, i], out[3, i], out[4, i], out[5, i] = dl, dh, al, ah, bl, bh


@compiled()
def path_terms(kind: int, N: int, box: Array, steps: Array, growth: Array, out: Array) -> None:
    """Mean over the steps of what the exact score adds to the path KL, an eigenvalue, divided by h^2 (and by
    R^2 for the frozen relative score). Every term is positive:

        FROZEN   : (z/S)^2 k(-h z/S)/2 + h w/S,                                h z = 1 - e^{-2h}
        RELATIVE : (E x/S)^2 k(h R E x/S)/2 + h E^2 w/S,                       h x = e^{2h} - 1
        EULER    : [y (S_u - 2)^2/(S S_u) + h (S w - 2 h c + h^2 q/S)]/4       for some S_u in [S, S']

    box   : (4, 2, n) intervals of R, eta (not read), h, delta.
    steps : (n_f, 2, n) intervals of z, w; x, w; y, w, c, q.
    out   : (2, n).
    """
    for i in range(box.shape[2]):
        Rl, Rh, hl, hh = box[0, 0, i], box[0, 1, i], box[2, 0, i], box[2, 1, i]
        fl, fh, wl, wh = steps[0, 0, i], steps[0, 1, i], steps[1, 0, i], steps[1, 1, i]
        El, Eh = 1.0, 1.0
        total, most = 0.0, 0.0
        for k in range(N):
            if k % FRESH == 0:
                El, Eh = decay_at(
                    time_at(N - k, hl, box[3, 0, i], -1.0), time_at(N - k, hh, box[3, 1, i], 1.0)
                )
            else:
                El, Eh = low(El * growth[0, 0, i]), min(high(Eh * growth[0, 1, i]), 1.0)
            Sl, Sh = variance_at(Rl, Rh, El, Eh)
            if not Sl > 0.0:
                most = np.inf
                break
            il, ih = low(1.0 / Sh), high(1.0 / Sl)
            if kind == FROZEN:
                xl, xh = product(fl, fh, il, ih)
                yl, yh = product(hl, hh, xl, xh)
                yl, yh = ratio_range(-yh, -yl)
                xl, xh = square(xl, xh)
                xl, xh = product(0.5 * xl, 0.5 * xh, yl, yh)
                yl, yh = product(wl, wh, il, ih)
                yl, yh = product(hl, hh, yl, yh)
            elif kind == RELATIVE:
                xl, xh = product(fl, fh, il, ih)
                xl, xh = product(xl, xh, El, Eh)
                yl, yh = product(hl, hh, Rl, Rh)
                yl, yh = product(yl, yh, xl, xh)
                yl, yh = ratio_range(max(yl, -1.0), yh)
                xl, xh = square(xl, xh)
                xl, xh = product(0.5 * xl, 0.5 * xh, yl, yh)
                yl, yh = square(El, Eh)
                yl, yh = product(yl, yh, il, ih)
                yl, yh = product(yl, yh, wl, wh)
                yl, yh = product(hl, hh, yl, yh)
            else:
                Nl, Nh = low(El * growth[0, 0, i]), min(high(Eh * growth[0, 1, i]), 1.0)
                ql, qh = variance_at(Rl, Rh, Nl, Nh)
                ql, qh = min(ql, Sl), max(qh, Sh)
                if not ql > 0.0:
                    most = np.inf
                    break
                xl, xh = bend_range(ql, qh)
                xl, xh = product(xl, xh, il, ih)
                xl, xh = product(xl, xh, fl, fh)
                yl, yh = product(Sl, Sh, wl, wh)
                cl, ch = product(hl, hh, steps[2, 0, i], steps[2, 1, i])
                yl, yh = low(yl - 2.0 * ch), high(yh - 2.0 * cl)
                cl, ch = square(hl, hh)
                cl, ch = product(cl, ch, steps[3, 0, i], steps[3, 1, i])
                cl, ch = product(cl, ch, il, ih)
                yl, yh = product(hl, hh, max(low(yl + cl), 0.0), high(yh + ch))
                xl, xh, yl, yh = 0.25 * xl, 0.25 * xh, 0.25 * yl, 0.25 * yh
            total = low(total + max(low(xl + yl), 0.0))
            most = high(most + high(xh + yh))
        broken = not most < HUGE
        out[0, i] = 0.0 if broken else max(low(total / N), 0.0)
        out[1, i] = LOST if broken else high(most / N)


@compiled(inline=True)
def bend_range(sl: float, sh: float) -> Pair:
    """The range of (s - 2)^2/s on [sl, sh], which falls to 0 at 2 and rises after."""
    p, q = (sl - 2.0) * (sl - 2.0) / sl, (sh - 2.0) * (sh - 2.0) / sh
    bottom = 0.0 if sl <= 2.0 <= sh else max(min(p, q) * (1.0 - 8.0 * ULP), 0.0)
    return bottom, max(p, q) * (1.0 + 8.0 * ULP) + TINY
