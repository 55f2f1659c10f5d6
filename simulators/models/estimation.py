"""Numerics of the models of estimation: Wishart least squares, finite classes, score matching against MLE.

First road: closed forms in balls, quadrature of chi-squared densities in float64. Second road: Gamma
functions, eigenvalues of mpmath matrices, Gauss-Hermite rules, the trapezoidal rule.
"""

from __future__ import annotations

from collections.abc import Mapping

import mpmath as mp
import numpy as np

from simulators.enclosure import Enclosure
from simulators.models.chi_squared import chi_power, chi_power_by_gamma
from simulators.models.mixture import Channel
from simulators.models.tools import (
    Array,
    Number,
    Numerics,
    Values,
    circle,
    exponential,
    in_balls,
    mean_by_floats,
    mean_by_trapezoid,
    normal_tail,
    root,
    square,
    tanh_sinh,
)

__all__ = ["MODELS"]


def _scaled(value: Enclosure, factor: float) -> Enclosure:
    """The product, which keeps infinity exact; the factor is a rounded float."""
    if np.isinf(value.lo):
        return value
    return value * Enclosure.around(factor, 4e-16 * abs(factor))


# -- least squares in d dimensions ---------------------------------------------------------------------------


def _noisy_variance(p: Values) -> Number:
    return p.a_t**2 * p.v1 + p.s_t**2


def _target_noise(p: Values) -> Number:
    """The trace of Cov(Y | X),  d a^2 v/(s^2 A)."""
    return p.d * p.a_t**2 * p.v1 / (p.s_t**2 * _noisy_variance(p))


def _population(p: Values) -> Enclosure:
    """The risk c E tr W^{-1}: the diagonal is one over chi-squared with m - d + 1 degrees of freedom."""
    return _scaled(chi_power(p.n_data - p.d + 1, 1), p.d * _target_noise(p))


def _intercept(p: Values) -> Enclosure:
    """The risk c [1/m + (1 + 1/m) E tr W^{-1}] with one degree of freedom less, the mean being fitted too."""
    slope = _scaled(chi_power(p.n_data - p.d, 1), p.d * (1 + 1 / p.n_data))
    return slope if np.isinf(slope.lo) else _scaled(slope + 1 / p.n_data, _target_noise(p))


def _ism(p: Values) -> Number:
    """(1/A) [m^2 E tr W^{-2} - 2 m E tr W^{-1} + d].

    (W^{-2})_11 = chi^{-4} (1 + |b|^2), chi^2 with m - d + 1 degrees of freedom and b, the regression of the
    first coordinate on the others, independent with E|b|^2 = (d - 1)/(m - d).
    """
    k = p.n_data - p.d + 1
    if k <= 4:
        return Enclosure.exact(np.inf)
    inverse, square = chi_power(k, 1), chi_power(k, 2) * (1 + (p.d - 1) / (p.n_data - p.d))
    m = float(p.n_data)
    return (square * m * m - inverse * (2 * m) + 1.0) * p.d / _noisy_variance(p)


def _in_sample_by_beta(p: Values) -> Number:
    """The risk c E h_11 of the hat matrix, h_11 ~ Beta(d/2, (m - d)/2)."""
    d, m = mp.mpf(p.d), mp.mpf(p.n_data)
    share = mp.mpf(1) if p.d == p.n_data else mp.beta(d / 2 + 1, (m - d) / 2) / mp.beta(d / 2, (m - d) / 2)
    return _target_noise(p) * share


def _ism_by_gamma(p: Values) -> Number:
    k, d, m = p.n_data - p.d + 1, p.d, mp.mpf(p.n_data)
    if k <= 4:
        return mp.inf
    inverse = chi_power_by_gamma(k, 1)
    square = chi_power_by_gamma(k, 2) * (m - 1) / (m - d)
    return (square * m**2 - 2 * m * inverse + 1) * d / _noisy_variance(p)


LEAST_SQUARES = Numerics(
    balls={
        "target_noise": _target_noise,
        "in_sample_risk": lambda p: _target_noise(p) * p.d / p.n_data,
    },
    integrals={"population_risk": _population, "intercept_risk": _intercept, "ism_ls_risk": _ism},
    other={
        "target_noise": lambda p: p.d * (1 / p.s_t**2 - 1 / _noisy_variance(p)),
        "in_sample_risk": _in_sample_by_beta,
        "population_risk": lambda p: _target_noise(p) * p.d * chi_power_by_gamma(p.n_data - p.d + 1, 1),
        "intercept_risk": lambda p: (
            _target_noise(p) * (1 + (p.n_data + 1) * p.d * chi_power_by_gamma(p.n_data - p.d, 1)) / p.n_data
        ),
        "ism_ls_risk": _ism_by_gamma,
    },
    integers=("d", "n_data"),
    admits=lambda p: p["n_data"] >= p["d"],
)


# -- finite classes ------------------------------------------------------------------------------------------


def _miss(p: Values) -> Number:
    """1 - (1 - P(Z > gap/(2 sqrt c)))^rivals, rivals with orthogonal errors of the same size."""
    tail = normal_tail(p.gap / (2 * root(p.noise_level)))
    return -((p.rivals * (-tail).log1p()).expm1())


def _miss_by_density(p: Values) -> Number:
    """P(max of the rivals' normals exceeds gap/(2 sqrt c)), from the density of the maximum."""
    edge = p.gap / (2 * root(p.noise_level))

    def density(z: Number) -> Number:
        return p.rivals * exponential(-z * z / 2) * normal_tail(-z) ** (p.rivals - 1)

    return tanh_sinh(density, [edge + step for step in (0, 1, 2, 4, 8, 16)]) / root(circle(edge))


SELECTION = Numerics(
    balls={"selection_miss": _miss},
    other={"selection_miss": in_balls(_miss_by_density)},
    integers=("rivals",),
)


# -- score matching against maximum likelihood ---------------------------------------------------------------


def _gaussian_moments(p: Values) -> dict[int, Number]:
    """E X^n for X ~ N(m1, v1), n = 0..4."""
    m, v = p.m1, p.v1
    return {0: 1 + 0 * v, 1: m, 2: m * m + v, 3: m**3 + 3 * m * v, 4: m**4 + 6 * m * m * v + 3 * v * v}


def _matrices(p: Values, E: Mapping[int, Number]) -> tuple[list[Number], list[Number], list[Number]]:
    """Cov F, E JJ^T and Cov(JJ^T theta + Lap F) for F = (x, x^2), each as (a, b, d) of [[a, b], [b, d]].

    J = (1, 2x), theta = (m/v, -1/(2v)), so that J^T theta = -(x - m)/v and JJ^T theta + Lap F =
    (-(x - m)/v, 2 - 2x (x - m)/v).
    """
    m, v = p.m1, p.v1
    cov_f = [E[2] - E[1] ** 2, E[3] - E[1] * E[2], E[4] - E[2] ** 2]
    jacobian = [E[0], 2 * E[1], 4 * E[2]]
    one = E[2] - E[1] ** 2  # Var(x)
    mixed = 2 * (E[3] - m * E[2] - E[1] * (E[2] - m * E[1]))  # Cov(x, 2 x (x - m))
    square = 4 * (E[4] - 2 * m * E[3] + m * m * E[2] - (E[2] - m * E[1]) ** 2)
    return cov_f, jacobian, [one / v**2, mixed / v**2, square / v**2]


def _top(matrix: list[Number]) -> Number:
    """The largest eigenvalue of a symmetric 2 x 2 matrix, or of a product of two of them (a, b, c, d)."""
    a, b, c, d = matrix
    half, gap = (a + d) / 2, (a - d) / 2
    return half + root(gap * gap + b * c)


def _inverse(m: list[Number]) -> list[Number]:
    det = m[0] * m[2] - m[1] ** 2
    return [m[2] / det, -m[1] / det, m[0] / det]


def _product(x: list[Number], y: list[Number]) -> list[Number]:
    """The product of two symmetric matrices, (a, b, c, d) by rows."""
    return [
        x[0] * y[0] + x[1] * y[1],
        x[0] * y[1] + x[1] * y[2],
        x[1] * y[0] + x[2] * y[1],
        x[1] * y[1] + x[2] * y[2],
    ]


def _sandwich(outer: list[Number], inner: list[Number]) -> list[Number]:
    """The symmetric product outer inner outer."""
    a, b, c, d = _product(outer, inner)
    rows = [a * outer[0] + b * outer[1], a * outer[1] + b * outer[2], c * outer[1] + d * outer[2]]
    return [rows[0], rows[1], rows[1], rows[2]]


def _sm_norm(p: Values) -> Number:
    _, jacobian, spread = _matrices(p, _gaussian_moments(p))
    return _top(_sandwich(_inverse(jacobian), spread))


def _mle_norm(p: Values) -> Number:
    a, b, d = _inverse(_matrices(p, _gaussian_moments(p))[0])
    return _top([a, b, b, d])


def _poincare(p: Values) -> Number:
    cov_f, jacobian, _ = _matrices(p, _gaussian_moments(p))
    return _top(_product(_inverse(jacobian), cov_f))


def _jacobian_fourth(p: Values) -> Number:
    E = _gaussian_moments(p)
    return 1 + 8 * E[2] + 16 * E[4]


def _hermite_moments(p: Values) -> dict[int, Number]:
    """The same by the five-point Gauss-Hermite rule."""
    nodes = [mp.mpf(0)]
    for sign in (1, -1):
        for inner in (1, -1):
            nodes.append(sign * mp.sqrt(5 + inner * mp.sqrt(10)))
    weights = [120 / (5 * _he4(z)) ** 2 for z in nodes]
    return {
        n: mp.fsum(w * (p.m1 + mp.sqrt(p.v1) * z) ** n for w, z in zip(weights, nodes, strict=True))
        for n in range(5)
    }


def _he4(z: Number) -> Number:
    return z**4 - 6 * z**2 + 3


def _mp_matrices(p: Values) -> list[Number]:
    return [mp.matrix([[a, b], [b, d]]) for a, b, d in _matrices(p, _hermite_moments(p))]


def _norm_by_eigenvalues(matrix: Number) -> Number:
    return max(mp.eigsy(matrix, eigvals_only=True))


def _poincare_by_eigenvalues(p: Values) -> Number:
    """The largest eigenvalue of L^{-1} Cov F L^{-T}, E JJ^T = L L^T."""
    cov_f, jacobian, _ = _mp_matrices(p)
    lower = mp.cholesky(jacobian) ** -1
    return _norm_by_eigenvalues(lower * cov_f * lower.T)


EXPONENTIAL_FAMILY = Numerics(
    balls={
        "gamma_sm": _sm_norm,
        "gamma_mle": _mle_norm,
        "poincare": _poincare,
        "jacobian_fourth": _jacobian_fourth,
        "theta_sq": lambda p: p.m1**2 / p.v1**2 + 1 / (4 * p.v1**2),
    },
    other={
        "gamma_sm": lambda p: _norm_by_eigenvalues(
            _mp_matrices(p)[1] ** -1 * _mp_matrices(p)[2] * _mp_matrices(p)[1] ** -1
        ),
        "gamma_mle": lambda p: _norm_by_eigenvalues(_mp_matrices(p)[0] ** -1),
        "poincare": _poincare_by_eigenvalues,
        "jacobian_fourth": lambda p: mean_by_trapezoid(lambda x: (1 + 4 * x * x) ** 2, p.m1, p.v1),
        "theta_sq": lambda p: (mp.hypot(p.m1, mp.mpf(1) / 2) / p.v1) ** 2,
    },
    admits=lambda p: p["v1"] > 0,
)

VARIANCE_FAMILY = Numerics(
    balls={
        "gamma_sm": lambda p: 8 / (16 * p.v1**2),  # Var(-2 x^2/v)/(E 4 x^2)^2
        "gamma_mle": lambda p: 1 / (3 * p.v1**2 - p.v1**2),
        "inverse_mean": lambda p: p.n_data / (p.v1 * (p.n_data - 2)),
    },
    other={
        "gamma_sm": lambda p: (
            4
            * mean_by_trapezoid(lambda x: (x * x - p.v1) ** 2, mp.mpf(0), p.v1)
            / p.v1**2
            / mean_by_trapezoid(lambda x: 4 * x * x, mp.mpf(0), p.v1) ** 2
        ),
        "gamma_mle": lambda p: 1 / mean_by_trapezoid(lambda x: (x * x - p.v1) ** 2, mp.mpf(0), p.v1),
        "inverse_mean": lambda p: p.n_data * chi_power_by_gamma(p.n_data, 1) / p.v1,
    },
    integers=("n_data",),
    admits=lambda p: p["v1"] > 0 and p["n_data"] >= 3,
)


# -- two modes of unknown weight -----------------------------------------------------------------------------


def _sech(x: Array) -> Array:
    tail = np.exp(-np.abs(x))
    return np.asarray(2 * tail / (1 + tail * tail))


def _tangent_squared(p: Values) -> Enclosure:
    return mean_by_floats(lambda x: np.tanh(p.half_sep * x) ** 2, p.half_sep, 1.0)


def _bimodal_sm(p: Values) -> Number:
    """E psi^2/(E g'^2)^2 with g' = -2a sech^2(ax) and psi = 2a sech^2(ax) (x + a tanh(ax))."""
    a = p.half_sep
    curvature = mean_by_floats(lambda x: _sech(a * x) ** 4, a, 1.0)
    spread = mean_by_floats(lambda x: _sech(a * x) ** 4 * (x + a * np.tanh(a * x)) ** 2, a, 1.0)
    return spread / (curvature * curvature) / (4 * a * a)


def _bimodal_sm_by_definition(p: Values) -> Number:
    """The same from log p_w: psi = s g' + g'', g the derivative of log p_w in the weight, s the score."""
    a = p.half_sep

    def parts(x: Number) -> tuple[Number, Number, Number]:
        left, right = exponential(-square(x + a) / 2), exponential(-square(x - a) / 2)
        share = right / (left + right)
        score = -x - a + 2 * a * share
        slope = 2 * a * share * (1 - share)
        bend = 2 * a * slope * (1 - 2 * share)
        return score, -4 * slope, -4 * bend  # g = 2 - 4 share

    def psi(x: Number) -> Number:
        s, first, second = parts(x)
        return square(s * first + second)

    one = 1 + 0 * a
    left, right = (mean_by_trapezoid(psi, c, one) for c in (-a, a))
    below, above = (mean_by_trapezoid(lambda x: square(parts(x)[1]), c, one) for c in (-a, a))
    return (left + right) / 2 / ((below + above) / 2) ** 2


def _bimodal_mle_by_definition(p: Values) -> Number:
    a = p.half_sep

    def squared(x: Number) -> Number:
        return square(2 - 4 / (1 + exponential(-2 * a * x)))

    left, right = (mean_by_trapezoid(squared, c, 1 + 0 * a) for c in (-a, a))
    return 2 / (left + right)


BIMODAL = Numerics(
    integrals={"gamma_sm": _bimodal_sm, "gamma_mle": lambda p: 1.0 / (4.0 * _tangent_squared(p))},
    other={
        "gamma_sm": in_balls(_bimodal_sm_by_definition),
        "gamma_mle": in_balls(_bimodal_mle_by_definition),
    },
)


# -- two atoms -----------------------------------------------------------------------------------------------


def _symmetric(p: Values) -> Channel:
    half = 0.5 + 0 * p.R
    return Channel([half, half], [-p.R, p.R], [0 * p.R, 0 * p.R], 1 + 0 * p.R, p.s_t**2)


def _tanh_mean(p: Values) -> Enclosure:
    """1 - E tanh(g + sqrt g Z) = E 2/(1 + e^{2 (g + sqrt g Z)}), g = R^2/s^2."""
    g = (p.R / p.s_t) ** 2
    return mean_by_floats(lambda y: 2 / (1 + np.exp(np.minimum(2 * y, 700.0))), g, g)


def _one_less_tanh(p: Values) -> Number:
    g = (p.R / p.s_t) ** 2
    return mean_by_trapezoid(lambda y: 2 / (1 + exponential(2 * y)), g, g)


TWO_ATOMS = Numerics(
    integrals={"mmse": lambda p: _symmetric(p).mmse(), "one_less_tanh": _tanh_mean},
    other={
        "mmse": in_balls(lambda p: _symmetric(p).mmse_by_moments(), doublings=4),
        "one_less_tanh": in_balls(_one_less_tanh),
    },
)

MODELS: Mapping[str, Numerics] = {
    "least-squares": LEAST_SQUARES,
    "selection": SELECTION,
    "exponential-family": EXPONENTIAL_FAMILY,
    "variance-family": VARIANCE_FAMILY,
    "bimodal": BIMODAL,
    "two-atoms": TWO_ATOMS,
}
