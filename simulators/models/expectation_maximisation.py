"""Numerics of two symmetric Gaussians: the denoising loss of a student, its gradient, and the EM step.

Data (1/2) N(mu*, I) + (1/2) N(-mu*, I), student score tanh(<mu, x>) mu - x. Everything depends on |mu|, |mu*|
and their angle; u = <mu, x> is N(<mu, mu*>, |mu|^2) under one component.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from flint import arb, ctx

from simulators.enclosure import Enclosure
from simulators.models.tools import (
    Array,
    Number,
    Numerics,
    Values,
    hyperbolic_cosine,
    hyperbolic_tangent,
    in_balls,
    mean_by_floats,
    mean_by_trapezoid,
    plane_mean,
    square,
)

__all__ = ["MODELS"]


# -- one dimension: contraction of EM ------------------------------------------------------------------------


def _em_gap(p: Values) -> Enclosure:
    """|M(guess) - truth| with M(truth) = truth subtracted inside the mean: one sign, no cancellation."""
    low, high = sorted((p.guess / p.sigma**2, p.truth / p.sigma**2))

    def gain(x: Array) -> Array:
        y = np.abs(x)
        few, many = np.exp(-2 * low * y), np.exp(-2 * high * y)
        return np.asarray(2 * y * few * -np.expm1(-2 * (high - low) * y) / ((1 + few) * (1 + many)))

    return mean_by_floats(gain, p.truth, p.sigma**2)


def _em_gap_directly(p: Values) -> Number:
    """The same from M(guess) - M(truth), as the difference of two hyperbolic tangents."""

    def change(x: Number) -> Number:
        narrow, wide = (hyperbolic_tangent(y * x / p.sigma**2) for y in (p.guess, p.truth))
        return x * (narrow - wide)

    return abs(mean_by_trapezoid(change, p.truth, p.sigma**2))


EM_LINE = Numerics(integrals={"em_gap": _em_gap}, other={"em_gap": in_balls(_em_gap_directly, extra=100)})


# -- several dimensions: the denoising loss of the student ---------------------------------------------------


def _overlap(p: Values) -> Number:
    """<mu, mu*>."""
    return p.student * p.teacher * p.cosine


def _mean(p: Values, g: Callable[[Array], Array]) -> Enclosure:
    """E g(u)."""
    return mean_by_floats(g, _overlap(p), p.student**2)


def _student_risk(p: Values) -> Enclosure:
    """(1/2) E|tanh(u) mu - tanh(u*) mu*|^2 on the plane of mu and mu*."""
    sine = np.sqrt(max(0.0, 1 - p.cosine**2))

    def loss(z1: Array, z2: Array) -> Array:
        x = p.teacher + z1
        own = np.tanh(p.student * (p.cosine * x + sine * z2)) * p.student
        other = np.tanh(p.teacher * x) * p.teacher
        return np.asarray(0.5 * ((own * p.cosine - other) ** 2 + (own * sine) ** 2))

    return plane_mean(loss)


def _student_risk_by_bayes(p: Values) -> Number:
    """The same with E[tanh(u) tanh(u*)] = E[tanh u] under one component, tanh(u*) being the mean label."""

    def second(mean: Number, size: Number) -> Number:
        return mean_by_trapezoid(lambda u: square(hyperbolic_tangent(u)), mean, size)

    own = p.student**2 * second(_overlap(p), p.student**2)
    other = p.teacher**2 * second(p.teacher**2, p.teacher**2)
    cross = _overlap(p) * mean_by_trapezoid(hyperbolic_tangent, _overlap(p), p.student**2)
    return (own + other) / 2 - cross


def _objective(p: Values) -> Enclosure:
    """J = |mu|^2 (1 - E tanh^2 u/2) - E u tanh u."""
    return _mean(p, lambda u: p.student**2 * (1 - np.tanh(u) ** 2 / 2) - u * np.tanh(u))


def _objective_by_parts(p: Values) -> Number:
    """The same with E u tanh u = <mu, mu*> E tanh u + |mu|^2 E tanh' u."""

    def value(u: Number) -> Number:
        t = hyperbolic_tangent(u)
        return p.student**2 * (t * t / 2) - _overlap(p) * t

    return mean_by_trapezoid(value, _overlap(p), p.student**2)


def _as_teacher(p: Values) -> Values:
    return Values(
        student=p.teacher,
        teacher=p.teacher,
        cosine=p.cosine / p.cosine if p.cosine != 0 else 1 + 0 * p.student,
    )


def _sech2(u: Array) -> Array:
    tail = np.exp(-2 * np.abs(u))
    return np.asarray(4 * tail / (1 + tail) ** 2)


def _gradient_student(p: Values) -> Enclosure:
    """The coefficient of mu in the gradient: 2 - E t^2 - |mu|^2 E (t t')' - E (t + u t')', t = tanh u."""

    def value(u: Array) -> Array:
        t, t1 = np.tanh(u), _sech2(u)  # 2 - 2 t' = 2 t^2, and t'' = -2 t t'
        return np.asarray(t * t + 2 * u * t * t1 + p.student**2 * t1 * (2 * t * t - t1))

    return _mean(p, value)


def _gradient_teacher(p: Values) -> Enclosure:
    """The coefficient of mu* in the gradient: -|mu|^2 E t t' - E (t + u t')."""

    def value(u: Array) -> Array:
        t, t1 = np.tanh(u), _sech2(u)
        return np.asarray(-(p.student**2) * t * t1 - t - u * t1)

    return _mean(p, value)


def _gradient_along(p: Values) -> Enclosure:
    """The derivative in |mu|: 2 |mu| (1 - E t^2/2) - |mu| E t t' u - E (t + u t') u/|mu|."""

    def value(u: Array) -> Array:
        t, t1 = np.tanh(u), _sech2(u)
        r = p.student
        return np.asarray(2 * r * (1 - t * t / 2) - r * t * t1 * u - (t + u * t1) * u / r)

    return _mean(p, value)


def _bracket(p: Values) -> Enclosure:
    """What a gradient step has beyond the EM step, along mu."""

    def value(u: Array) -> Array:
        t, t1 = np.tanh(u), _sech2(u)
        r = p.student
        return np.asarray(r * (t * u - 1) * t1 + u * u * t1 / r)

    return _mean(p, value)


def _partial(p: Values, name: str) -> Number:
    """The derivative of J in one of the two scalars it depends on, |mu| or the overlap."""

    def J(value: Number) -> Number:
        size, overlap = (value, _overlap(p)) if name == "size" else (p.student, value)

        def loss(u: Number) -> Number:
            t = hyperbolic_tangent(u)
            return t * (size**2 * t / 2 - overlap)

        return mean_by_trapezoid(loss, overlap, size**2)

    h = arb(10) ** (-ctx.dps // 3)
    at = p.student if name == "size" else _overlap(p)
    return (J(at + h) - J(at - h)) / (2 * h)


def _bracket_by_means(p: Values) -> Number:
    """|mu| - dJ/d|mu| - E u tanh u/|mu|."""
    along = _partial(p, "size") + _partial(p, "overlap") * p.teacher * p.cosine
    step = mean_by_trapezoid(lambda u: u * hyperbolic_tangent(u), _overlap(p), p.student**2) / p.student
    return p.student - along - step


STUDENT = Numerics(
    integrals={
        "student_risk": _student_risk,
        "objective": _objective,
        "objective_best": lambda p: _objective(_as_teacher(p)),
        "gradient_student": _gradient_student,
        "gradient_teacher": _gradient_teacher,
        "gradient_along": _gradient_along,
        "em_student": lambda p: _mean(p, _sech2),
        "em_teacher": lambda p: _mean(p, np.tanh),
        "em_along": lambda p: _mean(p, lambda u: u * np.tanh(u) / p.student),
        "bracket_along": _bracket,
    },
    other={
        name: in_balls(f, extra=60)  # what the differences over 2h cancel
        for name, f in {
            "student_risk": _student_risk_by_bayes,
            "objective": _objective_by_parts,
            "objective_best": lambda p: _objective_by_parts(_as_teacher(p)),
            "gradient_student": lambda p: _partial(p, "size") / p.student,
            "gradient_teacher": lambda p: _partial(p, "overlap"),
            "gradient_along": lambda p: _partial(p, "size") + _partial(p, "overlap") * p.teacher * p.cosine,
            "em_student": lambda p: (
                1 - mean_by_trapezoid(lambda u: square(hyperbolic_tangent(u)), _overlap(p), p.student**2)
            ),
            "em_teacher": lambda p: mean_by_trapezoid(hyperbolic_tangent, _overlap(p), p.student**2),
            "em_along": lambda p: (
                p.teacher * p.cosine * mean_by_trapezoid(hyperbolic_tangent, _overlap(p), p.student**2)
                + p.student
                * mean_by_trapezoid(lambda u: 1 / hyperbolic_cosine(u) ** 2, _overlap(p), p.student**2)
            ),
            "bracket_along": _bracket_by_means,
        }.items()
    },
)

MODELS: Mapping[str, Numerics] = {"em-line": EM_LINE, "student": STUDENT}
