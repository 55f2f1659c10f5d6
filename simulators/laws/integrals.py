"""Integrals over one step that the path KL needs, as exponential polynomials: see `simulators.laws.paths`."""

from __future__ import annotations

from simulators.exppoly import E, ExpPoly, H

__all__ = ["FUNCTIONS", "STATIONARY"]


def _gram(first: ExpPoly, second: ExpPoly) -> ExpPoly:
    return (first * second).integral()


ONE = E(0)
FADE, RISE = 1 - E(-1), E(1) - 1  # 1 - e^{-u}, e^u - 1
BEND = E(1) + E(-1) - 2


def _residue(f: ExpPoly, g: ExpPoly, by: ExpPoly) -> ExpPoly:
    """<by, by><f, g> - <f, by><g, by>: the Gram matrix after projecting out ``by``, times <by, by>."""
    return _gram(by, by) * _gram(f, g) - _gram(f, by) * _gram(g, by)


def _determinant() -> ExpPoly:
    """Gram determinant of (rise, bend, 1)."""
    a, b, c = RISE, BEND, ONE
    minor = _gram(b, b) * _gram(c, c) - _gram(b, c) * _gram(b, c)
    first = _gram(a, a) * minor
    second = _gram(a, b) * (_gram(a, b) * _gram(c, c) - _gram(b, c) * _gram(a, c))
    third = _gram(a, c) * (_gram(a, b) * _gram(b, c) - _gram(b, b) * _gram(a, c))
    return first - second + third


def _damped_functions() -> tuple[ExpPoly, ...]:
    """(2h(1 - e^{-h}); b0, b1, b2; a0, a1, a2; h, h(1 - e^{-h})), see `damped_kernel`."""
    a0, a1, a2 = E(2) * (1 - 2 * H + 2 * H * H) - 1, E(2) * (2 - 4 * H) - 2, 2 * E(2) - 2
    keep, cross = H - 2 * H * E(-1), 1 - (1 + H) * E(-1)
    b0, b1, b2 = H + keep - a0 / 4, 2 * H + 2 * keep - 2 * cross - a1 / 4, 2 * H + keep - 2 * cross - a2 / 4
    return 2 * H * FADE, b0, b1, b2, a0, a1, a2, H, H * FADE


FUNCTIONS: dict[str, tuple[ExpPoly, ...]] = {
    "ddpm-ei": (1 - E(-2), E(-2), H, FADE.integral(), _gram(FADE, FADE), _residue(ONE, ONE, FADE)),
    "cds-ei": (E(2) - 1, E(2), H, RISE.integral(), _gram(RISE, RISE), _residue(ONE, ONE, RISE)),
    "ddpm-em": (
        *(
            E(2) - 1,
            1 - E(-2),
            E(-2),
            H,
            RISE.integral(),
            _gram(RISE, RISE),
            _gram(RISE, BEND),
            _residue(ONE, ONE, RISE),
        ),
        *(_residue(BEND, ONE, RISE), _determinant(), (E(2) - 1).integral(), (1 - E(-2)).integral()),
    ),
}
FUNCTIONS["cld-ei"] = _damped_functions()
"""Coefficients of a reverse step's contribution, by sampler."""
STATIONARY = (FADE.integral(), _gram(FADE, FADE), _residue(ONE, ONE, FADE), (1 - E(-2)).integral())
"""Integrals of w = 1 - e^{-s} over [0, y]: of w, of w^2, y int w^2 - (int w)^2, and int (2w - w^2); for lmc.
"""
