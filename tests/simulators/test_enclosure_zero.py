"""An exact zero stays zero through the arithmetic of enclosures, and what is not exact is still rounded
outward.
"""

import numpy as np
import pytest

from simulators.enclosure import Enclosure

ZERO = Enclosure.exact(0.0)
WIDE = Enclosure.between(0.1, 0.3)
TINY = Enclosure.exact(1e-200)

EXACT = {
    "0 + 0": (lambda: ZERO + ZERO, 0.0),
    "0 - 0": (lambda: ZERO - ZERO, 0.0),
    "x + 0": (lambda: Enclosure.exact(0.1) + 0, 0.1),
    "0 * x": (lambda: ZERO * WIDE, 0.0),
    "x * 0": (lambda: (-WIDE) * 0, 0.0),
    "0 / x": (lambda: ZERO / WIDE, 0.0),
    "0^2": (lambda: ZERO.power(2), 0.0),
    "0^(3/2)": (lambda: ZERO.power(1.5), 0.0),
    "0^0": (lambda: ZERO.power(0), None),
    "sqrt 0": (lambda: ZERO.sqrt(), 0.0),
    "expm1 0": (lambda: ZERO.expm1(), 0.0),
    "exp 0": (lambda: ZERO.exp(), 1.0),
    "log 1": (lambda: Enclosure.exact(1.0).log(), 0.0),
    "around 0": (lambda: Enclosure.around(0.0, 0.0), 0.0),
}


@pytest.mark.parametrize("name", EXACT)
def test_what_is_exactly_known_stays_so(name):
    form, value = EXACT[name]
    found = form()
    if value is None:
        assert found.contains(1.0)
    else:
        assert (float(found.lo), float(found.hi)) == (value, value)


@pytest.mark.parametrize(
    "form",
    [
        lambda: TINY * TINY,
        lambda: TINY.power(2),
        lambda: TINY / 1e200,
        lambda: (-TINY * 1e10).exp() - 1,
        lambda: Enclosure.around(0.0, 1e-320),
    ],
    ids=["product", "square", "quotient", "exponential", "radius"],
)
def test_an_underflow_is_not_a_zero(form):
    found = form()
    assert float(found.hi) > 0 or float(found.lo) < 0


def test_signs_and_corners_are_kept():
    assert float((WIDE * Enclosure.between(0.0, 1.0)).lo) == 0.0
    assert float((WIDE + Enclosure.between(-0.1, 0.0)).lo) <= 0.0
    signs = Enclosure.between(-1.0, 2.0) * WIDE
    assert float(signs.lo) <= -0.3
    assert float(signs.hi) >= 0.6
    assert bool(np.isinf((WIDE / Enclosure.between(0.0, 1.0)).hi))
    assert float((ZERO * Enclosure.between(1.0, np.inf)).lo) == 0.0
    straddling = ZERO / Enclosure.between(0.0, 1.0)
    assert float(straddling.lo) == 0.0
    assert bool(np.isinf(straddling.hi))


def test_arrays_mix_zeros_and_others():
    left = Enclosure.exact(np.array([0.0, 0.1, 0.0]))
    total = left + np.array([0.2, 0.2, 0.0])
    assert total.lo.tolist()[0] == 0.2
    assert total.hi.tolist()[2] == 0.0
    assert total.lo[1] < 0.1 + 0.2 < total.hi[1]


def test_a_distance_beyond_the_floats_is_large_and_not_infinite():
    """An overflow of W2^2 says nothing more than W2 >= 1e154."""
    from simulators.distances import gaussian
    from simulators.distances.relation import relate
    from simulators.laws.law import Law

    def law(mean):
        one, zero = np.ones((1, 1)), np.zeros((1, 1))
        return Law(one, one, zero, np.zeros(1), zero, zero, np.full((1, 1), mean), zero)

    found = gaussian.w2(relate(law(1e170), law(0.0)))
    assert found.lo[0] <= 1e170 <= found.hi[0]


def test_planes_of_which_nothing_is_known_spoil_no_others():
    from simulators.distances import gaussian
    from simulators.distances.plane import pencil_2x2

    cov, gap = np.tile(np.eye(2), (3, 1, 1, 1)), np.tile(np.diag([0.5, 0.1]), (3, 1, 1, 1))
    error = np.zeros((3, 1, 2, 2))
    error[1], error[2] = 1e3, np.inf
    found = gaussian.kl(pencil_2x2(cov, gap, np.zeros((3, 1, 2)), np.ones((3, 1)), cov_q_err=error))
    exact = (0.5 - np.log(1.5) + 0.1 - np.log(1.1)) / 2
    assert found.lo[0] <= exact <= found.hi[0]
    assert found.width[0] < 1e-12
    assert (found.lo[1:] <= 1e-9).all()
    assert np.isinf(found.hi[1:]).all()
