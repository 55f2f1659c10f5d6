"""Compiled quadrature of the contour integrals for the total variation (see `contour`)."""

from __future__ import annotations

import math

import numpy as np
from numba import prange
from numpy.typing import NDArray

from simulators.compiled import compiled

__all__ = ["integrate", "integrate_parallel"]

Array = NDArray[np.float64]

UNIT = 2.0**-53
CUT = -46.0  # M below e^-46 = 1e-20 is dropped
BENDS = (0.0, 0.2, -0.2, 0.4, -0.4)
FIRST_STEP = 0.2
LEVELS = 6  # steps 0.2 ... 0.2/32
SMALL = 0.01  # |u rho|^2 below which log(1 + u rho) - u rho is summed as a series
TERMS = 18
TARGET = 2e-15
POWERS = 20  # of e^{-t} in the tail
REACH = 0.1  # that a power may fall by at least


@compiled()
def _log_m(
    sx: float, sy: float, ux: float, lanes: Array, count: int, plain: bool
) -> tuple[float, float, float, float]:
    """Value of log M(s) at s = sx + i sy, u = 1 - s, in four numbers.

    Returns the real and the imaginary part, a bound of the rounding error in units of 2^-53 (elementary
    operations weighted by the size of what they act on), and a bound of the error inherited from the lanes.
    lanes : columns n, rho, ratio, log(1 + rho), rho - log(1 + rho), quad, errors of rho/ratio and of quad.

    A lane adds n/2 [u log(1 + rho) - log(1 + u rho)] - s u quad/(2 (1 + u rho)). Where |u rho| < 0.1 the
    bracket is g(u rho) - u (rho - log(1 + rho)) with g(z) = z - log(1 + z) by series, which keeps a tiny
    1 - M accurate; 1 + u rho is formed as ratio - s rho, which keeps a tiny ratio accurate.
    """
    re, im, size, shift = 0.0, 0.0, 0.0, 0.0
    uy = -sy
    px, py = sx * ux - sy * uy, sx * uy + sy * ux  # s u
    us = math.hypot(px, py)
    au = math.hypot(ux, uy)
    for i in range(count):
        n, rho = lanes[i, 0], lanes[i, 1]
        zx, zy = ux * rho, uy * rho
        ox, oy = lanes[i, 2] - sx * rho, -sy * rho
        zz = zx * zx + zy * zy
        oo = ox * ox + oy * oy
        if rho != 0.0:
            if zz < SMALL:
                gx, gy = 0.0, 0.0
                for k in range(TERMS, 1, -1):
                    sign = 1.0 / k if k % 2 == 0 else -1.0 / k
                    gx, gy = gx * zx - gy * zy + sign, gx * zy + gy * zx
                gx, gy = gx * zx - gy * zy, gx * zy + gy * zx
                gx, gy = gx * zx - gy * zy, gx * zy + gy * zx
                re += 0.5 * n * (gx - ux * lanes[i, 4])
                im += 0.5 * n * (gy - uy * lanes[i, 4])
                size += n * (zz + au * lanes[i, 4])
            else:
                lx = 0.5 * math.log(oo)
                ly = math.atan2(oy, ox)
                re += 0.5 * n * (ux * lanes[i, 3] - lx)
                im += 0.5 * n * (uy * lanes[i, 3] - ly)
                spread = (lanes[i, 2] + (abs(sx) + abs(sy)) * abs(rho)) / math.sqrt(oo)
                size += 0.5 * n * (au * abs(lanes[i, 3]) + abs(lx) + abs(ly) + 2.0 * spread)
        quad = lanes[i, 5]
        if quad > 0.0:
            qx, qy = (px * ox + py * oy) / oo, (py * ox - px * oy) / oo
            re -= 0.5 * quad * qx
            im -= 0.5 * quad * qy
            size += (
                0.5
                * quad
                * us
                * (3.0 + 2.0 * (lanes[i, 2] + (abs(sx) + abs(sy)) * abs(rho)) / math.sqrt(oo))
                / math.sqrt(oo)
            )
        if not plain:
            root = math.sqrt(oo)
            tilt = n * abs(rho) + au * quad * lanes[i, 2] / root
            shift += 0.5 * us / root * (tilt * lanes[i, 6] + lanes[i, 7])
    return re, im, size, shift


@compiled()
def _slope(s: float, u: float, lanes: Array, count: int) -> tuple[float, float]:
    """First and second derivative of log M on (0, 1), where it is convex."""
    first, second = 0.0, 0.0
    for i in range(count):
        n, rho, quad = lanes[i, 0], lanes[i, 1], lanes[i, 5]
        one = lanes[i, 2] - s * rho
        r = rho / one
        first += 0.5 * n * (lanes[i, 4] - u * rho * r) - 0.5 * quad / one * (u - s + s * u * r)
        second += 0.5 * n * r * r + quad * lanes[i, 2] / (one * one * one)
    return first, second


@compiled()
def _saddle(lanes: Array, count: int) -> tuple[float, float]:
    """The minimiser s0 of log M on (0, 1) by safeguarded Newton, and the curvature there."""
    low, high, s = 0.0, 1.0, 0.5
    second = 0.0
    for _ in range(60):
        first, second = _slope(s, 1.0 - s, lanes, count)
        if first > 0.0:
            high = s
        else:
            low = s
        step = s - first / second
        if not (low < step < high):
            step = 0.5 * (low + high)
        if abs(step - s) < 1e-6 * min(s, 1.0 - s):
            s = step
            break
        s = step
    return s, _slope(s, 1.0 - s, lanes, count)[1]


@compiled()
def _node(t: float, s0: float, width: float, bend: float) -> tuple[float, float, float, float, float]:
    """s, Re(1 - s) and (ds/dt)/(s(1 - s)) at s = s0 + a(i cos b sinh t - sin b (cosh t - 1))."""
    sinh, cosh = math.sinh(t), math.cosh(t)
    half = math.sinh(0.5 * t)
    back = width * math.sin(bend) * 2.0 * half * half
    sx, sy, ux = s0 - back, width * math.cos(bend) * sinh, (1.0 - s0) + back
    dx, dy = -width * math.sin(bend) * sinh, width * math.cos(bend) * cosh
    ss, uu = sx * sx + sy * sy, ux * ux + sy * sy
    ax, ay = (dx * sx + dy * sy) / ss, (dy * sx - dx * sy) / ss
    return sx, sy, ux, (ax * ux - ay * sy) / uu, (ay * ux + ax * sy) / uu


@compiled()
def _choose_bend(s0: float, width: float, top: float, lanes: Array, count: int) -> float:
    """The bend on which M drops out soonest, a detour over high ground counting as extra way.

    Where log M grows like kappa s the vertical line sees e^{i kappa y} die off algebraically only; a bend to
    the right side turns that into exponential decay.
    """
    best, least = 0.0, math.inf
    for bend in BENDS:
        climb, t = 0.0, 0.0
        while t < 300.0 and t + climb < least:
            sx, sy, ux, wx, wy = _node(t, s0, width, bend)
            level = _log_m(sx, sy, ux, lanes, count, True)[0]
            if level < CUT and level - top + math.log(math.hypot(wx, wy)) < CUT:
                break
            climb = max(climb, level - top)
            t += 0.25
        if t + climb < least:
            best, least = bend, t + climb
    return best


@compiled()
def _decay_rate(s0: float, width: float, bend: float) -> float:
    """With s = A (1 + c q + b q^2)/q, q = e^{-t}, |b| = 1: the series of 1/(s (1 - s)) in q converges where
    this times q is below one.
    """
    middle = s0 + width * math.sin(bend)
    return 1.0 + 2.0 * max(abs(middle), abs(1.0 - middle)) / width


@compiled()
def _powers(t: float, s0: float, width: float, bend: float, out: NDArray[np.complex128]) -> None:
    """Coefficients of (ds/dt)/(s(1 - s)) at t + x as a series in e^{-x}, e^{-x} first.

    It is (q/A)(1 - b q^2)/D(q) with D = (1 + c q + b q^2)(-1 + (1/A - c) q - b q^2).
    """
    q = math.exp(-t)
    lead = 0.5 * width * complex(-math.sin(bend), math.cos(bend))
    c, e = (s0 + width * math.sin(bend)) / lead * q, q / lead
    b = 0.5 * width * complex(-math.sin(bend), -math.cos(bend)) / lead * q * q
    d1, d2, d3, d4 = e - 2.0 * c, c * (e - c) - 2.0 * b, b * (e - 2.0 * c), -b * b
    x1, x2, x3, x4 = complex(0.0), complex(0.0), complex(0.0), complex(0.0)
    for m in range(len(out)):
        x = d1 * x1 + d2 * x2 + d3 * x3 + d4 * x4
        x += -1.0 if m == 0 else (b if m == 2 else 0.0)
        out[m] = x * e
        x1, x2, x3, x4 = x, x1, x2, x3


@compiled()
def _tail(step: float, t: float, powers: NDArray[np.complex128]) -> tuple[float, float]:
    """The sum of the imaginary part over all nodes beyond t, and a bound of its rounding."""
    total, size = 0.0, 0.0
    for m in range(len(powers)):
        nodes = 1.0 / math.expm1((m + 1) * step)
        total += powers[m].imag * nodes
        size += abs(powers[m]) * nodes * (16.0 + 2.0 * (m + 1) * t)
    return total, UNIT * size


@compiled()
def _add(sums: Array, which: int, term: float) -> None:
    """Neumaier's compensated sum: the correction of sums[which] gathers in sums[which + 6]."""
    old = sums[which]
    new = old + term
    sums[which + 6] += (old - new) + term if abs(old) >= abs(term) else (term - new) + old
    sums[which] = new


@compiled()
def _case(lanes: Array, count: int, common: bool, out: Array) -> None:
    """One case; out = TV and 1 - TV, then of each the quadrature, the rounding and the input error.

    The step is halved until TV is known, or 1 - TV if ``common``; the other one may be known less well. Once
    M is dropped, the nodes far out are summed as geometric series.
    """
    s0, curvature = _saddle(lanes, count)
    width = min(s0, 1.0 - s0, 2.0 / math.sqrt(curvature))
    top = _log_m(s0, 0.0, 1.0 - s0, lanes, count, True)[0]
    bend = _choose_bend(s0, width, top, lanes, count)
    sums = np.zeros(8)
    t_cut, t_end = math.inf, math.inf
    faint = math.log(_decay_rate(s0, width, bend) / REACH)
    powers = np.zeros(POWERS, dtype=np.complex128)
    rest, rest_size = 0.0, 0.0
    previous_tv, previous_ov, change_tv, change_ov = 0.0, 0.0, 0.0, 0.0
    error_tv, error_ov = math.inf, math.inf
    step = FIRST_STEP
    for level in range(LEVELS):
        j = 0 if level == 0 else 1
        while True:
            t = j * step
            if t > t_end:
                break
            sx, sy, ux, wx, wy = _node(t, s0, width, bend)
            weight = 0.5 if j == 0 else 1.0
            w = math.hypot(wx, wy) * weight
            if t < t_cut:
                re, im, size, shift = _log_m(sx, sy, ux, lanes, count, False)
                mod = math.exp(re - top)
                cos, sin = math.cos(im), math.sin(im)
                # 1 - M = -(expm1(re) cos im - 2 sin^2(im/2)) - i e^re sin im
                half = math.sin(0.5 * im)
                full = math.exp(re)
                ex, ey = 2.0 * half * half - math.expm1(re) * cos, -full * sin
                _add(sums, 0, weight * (ex * wy + ey * wx))
                _add(sums, 1, weight * mod * (cos * wy + sin * wx))
                rounding = UNIT * (8.0 * size + 8.0 * abs(re) + 8.0 * abs(im))
                sums[2] += w * (full * math.expm1(min(rounding, 700.0)) + 16.0 * UNIT * math.hypot(ex, ey))
                sums[3] += w * mod * (math.expm1(min(rounding, 700.0)) + 16.0 * UNIT)
                moved = math.expm1(min(1.01 * shift, 700.0))
                sums[4] += w * full * moved
                sums[5] += w * mod * moved
                if level == 0 and re < CUT and re - top + math.log(w) < CUT:
                    t_cut = t
            else:
                _add(sums, 0, weight * wy)
                sums[2] += 8.0 * UNIT * w
            if level == 0 and t >= t_cut and t >= faint:
                t_end = t
                _powers(t, s0, width, bend, powers)
            elif level == 0:
                small = 1e-18 * min(abs(sums[0]), 1.0)
                if (
                    w < small and (t_cut < t or w < 1e-18 * abs(sums[1]) * math.exp(min(0.0, top)))
                ) or t > 600.0:
                    t_end = t
            j += 1 if level == 0 else 2
        rest, rest_size = _tail(step, t_end, powers)
        tv, ov = (sums[0] + (sums[6] + rest)) * step / math.pi, (sums[1] + sums[7]) * step / math.pi
        if level > 0:
            new_tv, new_ov = abs(tv - previous_tv), abs(ov - previous_ov)
            if level > 1:
                error_tv, error_ov = _remaining(change_tv, new_tv), _remaining(change_ov, new_ov)
            change_tv, change_ov = new_tv, new_ov
        previous_tv, previous_ov = tv, ov
        if error_ov < TARGET * ov if common else error_tv < TARGET * tv:
            break
        if level < LEVELS - 1:
            step *= 0.5
    scale = math.exp(top)
    out[0], out[1] = previous_tv, previous_ov * scale
    out[2], out[3] = error_tv, error_ov * scale
    out[4], out[5] = (
        (sums[2] + rest_size) * step / math.pi,
        sums[3] * step / math.pi * scale * (1.0 + 8.0 * UNIT * (1.0 + abs(top))),
    )
    out[5] += out[1] * 8.0 * UNIT * (2.0 + abs(top))
    out[6], out[7] = sums[4] * step / math.pi, sums[5] * step / math.pi * scale


@compiled()
def _remaining(before: float, now: float) -> float:
    """Error left after halving a step changed the sum by ``before`` and then by ``now``.

    Ten times the next change if changes went on shrinking by the last factor (they shrink faster: the rule
    converges exponentially); an accidentally small change counts as at least 1e-5 of the one before.
    """
    if before == 0.0:
        return now
    held = max(now, 1e-5 * before)
    return 10.0 * held * (held / before)


@compiled()
def integrate(lanes: Array, counts: NDArray[np.int64], common: bool, out: Array) -> None:
    """All cases: lanes (C, B, 8), the counts (C,) live ones first in each; fills out (C, 8), see `_case`."""
    for c in range(lanes.shape[0]):
        _case(lanes[c], counts[c], common, out[c])


@compiled(parallel=True)
def integrate_parallel(lanes: Array, counts: NDArray[np.int64], common: bool, out: Array) -> None:
    """`integrate` with the cases shared among the threads."""
    for c in prange(lanes.shape[0]):
        _case(lanes[c], counts[c], common, out[c])
