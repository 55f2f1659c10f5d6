"""Monte Carlo bounds: coverage at stated rates, power, tails, and bounds that must be seen to fail."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pytest
from scipy import stats

from simulators.distances.line import line_distance
from simulators.errors import InputError, NotDefined
from simulators.functionals_paths import path_kl_mixture
from simulators.grids import Grid
from simulators.line import propagate_line
from simulators.mixtures import Atoms, GaussianMixture, Product
from simulators.monte_carlo.confidence import (
    Tail,
    mean_above,
    mean_below,
    share_above,
    share_below,
    unbounded_mean,
    visible_kl,
    visible_mean,
    visible_shares,
)
from simulators.monte_carlo.coupling import coupled_ends, distance_tail, w2_above
from simulators.monte_carlo.critics import features, log_ratios, steepest
from simulators.monte_carlo.distances import Halves, gelbrich_below, kl_below, tv_below, w2_below
from simulators.monte_carlo.measure import MEASURED, StatisticalBound, statistical_measure
from simulators.monte_carlo.paths import path_kl_sampled
from simulators.monte_carlo.tails import hessian_forms, output_moment, score_forms, square_forms
from simulators.particles.simulate import sample_target, simulate
from simulators.posterior import hessian, score
from simulators.targets import Gaussian

RATE = 1e-2  # of the bounds whose coverage is counted
REPEATS = 200
ALARM = 1e-6  # of a count of failures
ALLOWED = int(stats.binom.isf(ALARM, REPEATS, RATE))  # 13 failures or fewer are consistent with the rate
LINE = GaussianMixture((0.4, 0.6), (-1.5, 1.0), (0.2, 0.3))
C1, C2 = ((1.0, 0.3), (0.3, 0.4)), ((0.5, 0.2), (0.2, 0.9))
TURNED = GaussianMixture((0.5, 0.5), ((-1.5, 0.0), (1.5, 0.5)), (C1, C2))
SIMPLEX = GaussianMixture(
    (0.1, 0.2, 0.3, 0.4),
    ((2.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 2.0), (-1.0, -1.0, -1.0)),
    (0.3, 0.3, 0.25, 0.5),
)
COARSE = Grid.uniform(3.0, 12)


def shifted(delta, n, seed):
    """n points of N(delta, 1) and of N(0, 1)."""
    rng = np.random.default_rng(seed)
    return Halves(delta + rng.normal(size=(n, 1)), rng.normal(size=(n, 1)))


def exact_ratio(delta):
    return [lambda x: delta * x[:, 0] - delta**2 / 2]


def line_law(sampler, grid):
    return propagate_line(sampler, grid, LINE.weights, (-1.5, 1.0), LINE.covariances)


def exact(name, law, order="target,output"):
    return float(line_distance(name, LINE.weights, (-1.5, 1.0), LINE.covariances, law, order).mid)


# -- shares and means ----------------------------------------------------------------------------------------


def test_shares_invert_the_binomial_tails():
    for k, n in ((0, 50), (3, 50), (25, 50), (50, 50)):
        low, high = share_below(k, n, 0.01), share_above(k, n, 0.01)
        assert low <= k / n <= high
        if k > 0:
            assert stats.binom.sf(k - 1, n, low) == pytest.approx(0.01, rel=1e-8)
        if k < n:
            assert stats.binom.cdf(k, n, high) == pytest.approx(0.01, rel=1e-8)


def test_shares_fail_at_no_more_than_the_rate_and_plug_in_bounds_fail():
    rng = np.random.default_rng(0)
    for p, n in ((0.5, 300), (0.02, 300), (0.001, 2000)):
        counts = rng.binomial(n, p, size=REPEATS)
        assert sum(share_below(int(k), n, RATE) > p for k in counts) <= ALLOWED
        assert sum(share_above(int(k), n, RATE) < p for k in counts) <= ALLOWED
        plug_in = counts / n + stats.norm.isf(RATE) * np.sqrt(counts / n * (1 - counts / n) / n)
        if p == 0.001:  # Wald's interval, on few successes
            assert np.sum(plug_in < p) > ALLOWED


@pytest.mark.parametrize("law", ["uniform", "rare", "two points"])
def test_means_fail_at_no_more_than_the_rate_and_half_margins_fail(law):
    rng = np.random.default_rng(1)
    failures, short = [0, 0], 0
    for _ in range(REPEATS):
        u = rng.random(400)
        z = {"uniform": u, "rare": (u < 0.02).astype(float), "two points": (u < 0.5).astype(float)}[law]
        mean = {"uniform": 0.5, "rare": 0.02, "two points": 0.5}[law]
        low, high = mean_below(z, 0.0, 1.0, RATE), mean_above(z, 0.0, 1.0, RATE)
        failures[0] += low > mean
        failures[1] += high < mean
        short += abs(z.mean() - mean) > (high - z.mean()) / 4
    assert max(failures) <= ALLOWED
    if law != "rare":
        assert short > ALLOWED


def test_tails_bound_the_excess_of_an_exponential_law():
    lam = 0.9  # of Z with density e^{-z}: E e^{lam Z} = 1/(1 - lam)
    tail = Tail(lam, -log(1 - lam))
    for cap in (0.1, 1.0, 5.0, 20.0):
        assert exp(-cap) <= tail.excess(cap) <= 1 / (lam * (1 - lam))
        assert tail.excess(cap, exp(-cap)) >= exp(-cap) * (1 - 1e-12)  # at the true P(Z > cap)
        assert tail.excess(cap, exp(-cap)) <= tail.excess(cap) * (1 + 1e-9)
    square = Tail(lam, -log(1 - lam), offset=0.5, power=2)  # (1/2 + Z)^2
    z = 0.5 + stats.expon.isf((np.arange(200_000) + 0.5) / 200_000)
    for cap in (2.0, 9.0, 30.0):
        share = float(np.mean(z**2 > cap))
        assert square.excess(cap, share) >= float(np.mean(np.maximum(z**2 - cap, 0.0)))
    with pytest.raises(InputError, match="convex"):
        square.excess(0.1)


def test_unbounded_means_fail_at_no_more_than_the_rate_and_need_their_tail():
    rng = np.random.default_rng(2)
    tail = Tail(0.9, -log(0.1))
    failures, truncated = [0, 0], 0
    for _ in range(REPEATS):
        z = rng.exponential(size=4000)
        low, high = unbounded_mean(z, 1.5, tail, RATE)
        failures[0] += low > 1.0
        failures[1] += high < 1.0
        truncated += mean_above(np.minimum(z, 1.5), 0.0, 1.5, RATE) < 1.0
    assert max(failures) <= ALLOWED
    assert truncated > ALLOWED  # without the excess


def test_designs_are_met():
    rng, n, miss = np.random.default_rng(3), 5000, 0.1
    gap = visible_shares(n, RATE, miss)
    inside, outside = rng.binomial(n, 0.5 + gap / 2, REPEATS), rng.binomial(n, 0.5 - gap / 2, REPEATS)
    seen = [
        share_below(int(k), n, RATE / 2) > share_above(int(j), n, RATE / 2)
        for k, j in zip(inside, outside, strict=True)
    ]
    assert sum(seen) >= stats.binom.ppf(ALARM, REPEATS, 1 - miss)
    excess = visible_mean(n, 0.3, 1.0, RATE, miss)
    values = [mean_below(rng.beta(0.9, 0.9, n), 0.0, 1.0, RATE) for _ in range(REPEATS)]  # deviation .299
    assert np.sum(np.array(values) > 0.5 - excess) >= stats.binom.ppf(ALARM, REPEATS, 1 - miss)
    assert np.sum(np.array(values) > 0.5 - 0.4 * excess) < stats.binom.ppf(ALARM, REPEATS, 1 - miss)
    assert visible_shares(10**6, 1e-6, miss) < visible_shares(10**4, 1e-6, miss)


def test_a_visible_divergence_is_seen():
    n, miss = 20_000, 0.1
    delta = sqrt(2 * visible_kl(n, RATE, miss, 1.0))
    found = [kl_below(shifted(delta, 2 * n, seed), exact_ratio(delta), 2 * RATE)[0] for seed in range(12)]
    assert min(found) > 0


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: share_below(3, 2, 0.1), "successes=3"),
        (lambda: share_below(1, 2, 0.0), "rate=0.0: expected a probability inside"),
        (lambda: share_below(1, 2, float("nan")), "rate=nan"),
        (lambda: mean_below(np.zeros(10), 0.0, 1.0, 0.1), "n=10: expected an integer >= 100"),
        (lambda: mean_below(np.full(200, np.nan), 0.0, 1.0, 0.1), "values=nan"),
        (lambda: mean_below(np.full(200, 2.0), 0.0, 1.0, 0.1), r"expected values in \[0.0, 1.0\]"),
        (lambda: mean_below(np.zeros(200), 1.0, 1.0, 0.1), "expected a finite range"),
        (lambda: mean_below(np.zeros((20, 20)), 0.0, 1.0, 0.1), "one axis"),
        (lambda: visible_shares(10**4, 0.1, 1.0), "miss=1.0"),
        (lambda: visible_mean(10**4, -1.0, 1.0, 0.1, 0.1), "deviation=-1.0"),
        (lambda: visible_mean(10**4, 1.0, 0.0, 0.1, 0.1), "width=0.0"),
        (lambda: Tail(-1.0, 0.0), "lam=-1.0"),
        (lambda: Tail(1.0, float("inf")), "log_moment=inf"),
        (lambda: Tail(1.0, 0.0, power=3), "power=3"),
        (lambda: Halves(np.zeros((10, 1)), np.zeros((2000, 1))), "n >= 1000"),
        (lambda: Halves(np.zeros((2000, 2)), np.zeros((2000, 1))), "dimension 2"),
        (lambda: Halves(np.full((2000, 1), np.inf), np.zeros((2000, 1))), "p=inf"),
        (lambda: StatisticalBound(1.0, 0.0, 0.1, 0.0, ""), "expected lower <= upper"),
    ],
)
def test_bad_input_is_named(call, text):
    with pytest.raises(InputError, match=text):
        call()


# -- distances from samples ----------------------------------------------------------------------------------

DELTA = 0.5  # N(1/2, 1) against N(0, 1)
TRUTH = {"TV": 2 * stats.norm.cdf(DELTA / 2) - 1, "KL": DELTA**2 / 2, "W2": DELTA}
NORMAL = Tail(0.2, 0.2 * DELTA**2 / 0.6 - 0.5 * log(0.6))  # of N(1/2, 1)^2


def lower_bounds(seed):
    halves = shifted(DELTA, 4000, seed)
    return {
        "TV": tv_below(halves, exact_ratio(DELTA), RATE)[0],
        "KL": kl_below(halves, exact_ratio(DELTA), RATE)[0],
        "W2": w2_below(halves, RATE)[0],
        "Gelbrich": gelbrich_below(halves, np.zeros(1), 1.0, NORMAL, RATE),
    }


def test_lower_bounds_of_two_normals_hold_and_say_something():
    found = [lower_bounds(seed) for seed in range(REPEATS)]
    for name, truth in (TRUTH | {"Gelbrich": DELTA}).items():
        values = np.array([row[name] for row in found])
        assert np.sum(values > truth) <= ALLOWED, name
        assert np.median(values) > (0.2 if name == "KL" else 0.4) * truth, name  # 2000 points are few for KL


def test_plug_in_estimates_are_no_bounds():
    over = 0
    for seed in range(60):
        halves = shifted(0.0, 4000, seed)
        p, q = (np.sort(part[:, 0]) for part in halves.test)
        over += np.abs(np.searchsorted(p, q) - np.searchsorted(q, q)).max() / len(p) > 0
        assert tv_below(halves, exact_ratio(0.1), 1e-6)[0] == 0.0
        assert kl_below(halves, exact_ratio(0.1), 1e-6)[0] == 0.0
    assert over == 60


def test_fitted_critics_come_close_to_the_truth_on_the_line():
    law = line_law("ddpm-ei", COARSE)
    p, q = simulate(LINE, "ddpm-ei", COARSE, 200_000, 1), sample_target(LINE, 200_000, 2)
    critics = log_ratios(LINE, 0.0, p[:50_000])
    tv = tv_below(Halves(p, q), critics, 1e-6)[0]
    kl = kl_below(Halves(p, q), critics, 1e-6)[0]
    w2 = w2_below(Halves(p, q), 1e-6)[0]
    assert 0.85 * exact("TV", law) < tv < exact("TV", law)
    assert 0.7 * exact("KL", law, "output,target") < kl < exact("KL", law, "output,target")
    assert 0.5 * exact("W2", law) < w2 < exact("W2", law)


def test_features_and_their_functions_are_lipschitz():
    rng = np.random.default_rng(4)
    p, q = rng.normal(size=(3000, 3)) * [1.0, 2.0, 1.0], rng.normal(size=(3000, 3))
    x, y = rng.normal(size=(2, 2000, 3)) * 3
    for feature in features(p, q):
        f, low, high = steepest(feature(p), feature(q))
        steps = np.abs(f(feature(x)) - f(feature(y)))
        assert np.all(steps <= np.linalg.norm(x - y, axis=1) * (1 + 1e-12))
        assert np.all((f(feature(x)) >= low) & (f(feature(x)) <= high))


# -- tails ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [LINE, SIMPLEX, TURNED], ids=["line", "simplex", "turned"])
def test_forms_dominate_their_integrands(target):
    early, late, t = np.array([0.1]), np.array([0.4]), 0.25
    x = sample_target(target, 40_000, 5, t)
    bend, slope = hessian(target, x, t), score(target, x, t)
    for lam in (0.002, 0.01):
        for c in (0.0, 0.5, 1.0):
            forms = hessian_forms(target, early, late, c)
            size = np.sqrt(np.sum((bend + c * np.eye(target.dimension)) ** 2, axis=(1, 2)))
            assert log(np.mean(np.exp(lam * np.maximum(size - forms.offset[0], 0.0)))) <= float(
                forms.log_moment(np.array([lam]))[0]
            )
        for relative, field in ((False, slope), (True, slope + x)):
            forms = score_forms(target, early, late, relative)
            measured = log(np.mean(np.exp(lam * np.sum(field**2, axis=1))))
            assert measured <= float(forms.log_moment(np.array([lam]))[0]) * (1 + 1e-3)


def test_squares_have_their_moment():
    x = sample_target(TURNED, 100_000, 6, 0.3)
    values = np.exp(0.05 * np.sum(x**2, axis=1))
    bound = float(square_forms(TURNED, 0.3).log_moment(np.array([0.05]))[0])
    assert log(values.mean()) == pytest.approx(bound, abs=7 * values.std() / values.mean() / sqrt(1e5))


@pytest.mark.parametrize("sampler", ["ddpm-ei", "ddpm-em", "cds-ei", "pf-ei", "pf-heun", "lmc"])
@pytest.mark.parametrize("target", [LINE, TURNED], ids=["line", "turned"])
@pytest.mark.parametrize("start", ["gamma", "q_T"])
def test_moments_of_outputs_are_bounded(sampler, target, start):
    moment = output_moment(target, sampler, COARSE, start)
    squares = np.sum(simulate(target, sampler, COARSE, 20_000, 7, start) ** 2, axis=1)
    for lam in (0.01, 0.05, 0.1):
        assert log(np.mean(np.exp(lam * squares))) <= moment(lam)
    assert moment(0.01) < 3.0
    assert moment(10.0) == np.inf


# -- path KL -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["ddpm-ei", "cds-ei", "ddpm-em"])
@pytest.mark.parametrize("grid", [COARSE, Grid.geometric(3.0, 40, 1e-2)], ids=["uniform", "geometric"])
def test_path_kl_contains_the_exact_one(sampler, grid):
    full = np.eye(2) * [0.2, 0.5]
    targets = {
        "line": LINE,
        "product": Product((LINE, Gaussian((0.5,), (2,), (1.0,)))),
        "turned": GaussianMixture((0.5, 0.5), ((-1.0, 0.0), (1.0, 0.0)), (full, 2 * full)),
    }
    for name, target in targets.items():
        if name == "turned":  # the same law with one direction of means, which reduces on the axes
            reference = GaussianMixture((0.5, 0.5), ((-1.0, 0.0), (1.0, 0.0)), ((0.2, 0.5), (0.4, 1.0)))
            truth = path_kl_sampled(reference, sampler, grid, 40_000, 8, 1e-6)[0]
            found, visible = path_kl_sampled(target, sampler, grid, 40_000, 9, 1e-6)
            assert max(found.lo, truth.lo) <= min(found.hi, truth.hi)
        else:
            truth = path_kl_mixture(target, sampler, grid)
            found, visible = path_kl_sampled(target, sampler, grid, 40_000, 8, 1e-6)
            assert found.lo <= truth.lo
            assert truth.hi <= found.hi
            assert found.lo > float(truth.mid) - 1.5 * visible
        assert found.level == "statistical"


def test_path_kl_fails_at_no_more_than_the_rate_and_other_values_are_refused():
    truth = float(path_kl_mixture(LINE, "ddpm-ei", COARSE).mid)
    found = [path_kl_sampled(LINE, "ddpm-ei", COARSE, 600, seed, RATE) for seed in range(REPEATS)]
    lows, highs = (np.array([float(getattr(pair[0], end)) for pair in found]) for end in ("lo", "hi"))
    assert np.sum((lows > truth) | (highs < truth)) <= ALLOWED
    seen = np.array([pair[1] for pair in found])
    assert np.sum(lows > truth - seen) >= stats.binom.ppf(ALARM, REPEATS, 0.9)
    middle = 0.5 * (lows + truth)  # half the distance that is kept would fail
    assert np.sum((middle > 0.8 * truth) | (highs < 0.8 * truth)) > ALLOWED


@pytest.mark.parametrize("sampler", ["ddpm-ei", "cds-ei", "ddpm-em"])
def test_path_kl_of_gaussians_and_of_gamma(sampler):
    target = Gaussian((0.5, 2.0), (1, 2), (1.0, 0.0))
    truth = path_kl_mixture(target, sampler, COARSE)
    found, _ = path_kl_sampled(target, sampler, COARSE, 20_000, 3, 1e-6)
    assert found.lo <= truth.lo <= truth.hi <= found.hi < 1.3 * truth.hi
    gamma = path_kl_sampled(Gaussian.isotropic(2, 1.0), sampler, COARSE, 20_000, 3, 1e-6)[0]
    nothing = path_kl_mixture(Gaussian.isotropic(2, 1.0), sampler, COARSE)
    assert gamma.lo <= nothing.lo <= nothing.hi <= gamma.hi


def test_path_kl_leaves_the_start_out():
    full, part = (
        path_kl_sampled(LINE, "ddpm-ei", COARSE, 40_000, 8, 1e-6, start)[0] for start in ("gamma", "q_T")
    )
    truth = path_kl_mixture(LINE, "ddpm-ei", COARSE, "q_T")
    assert part.lo <= truth.lo <= truth.hi <= part.hi
    assert part.hi < full.hi


def test_path_kl_says_what_it_cannot_do():
    with pytest.raises(NotDefined, match="sampler='pf-ei'"):
        path_kl_sampled(LINE, "pf-ei", COARSE, 1000, 1)
    with pytest.raises(InputError, match="start='gama'"):
        path_kl_sampled(LINE, "ddpm-ei", COARSE, 1000, 1, start="gama")
    assert path_kl_sampled(Atoms.two_point(), "ddpm-ei", COARSE, 1000, 1)[0].lo == np.inf
    early = path_kl_sampled(Atoms.two_point(), "ddpm-ei", Grid.geometric(3.0, 60, 0.01), 10_000, 1)[0]
    truth = path_kl_mixture(Atoms.two_point(), "ddpm-ei", Grid.geometric(3.0, 60, 0.01))
    assert early.lo <= truth.lo <= truth.hi <= early.hi


# -- coupling ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["ddpm-ei", "ddpm-em", "cds-ei"])
def test_coupled_ends_have_their_laws_on_the_line(sampler):
    n = 10_000
    x, y = coupled_ends(LINE, sampler, COARSE, n, 3)
    law, kept = line_law(sampler, COARSE), x[np.isfinite(x)]
    target, swapped = (
        stats.norm.cdf(np.sort(end)[:, None], (-1.5, 1.0), np.sqrt([0.2, 0.3])) @ [0.4, 0.6]
        for end in (kept, y[:, 0])
    )
    steps = np.arange(1, n + 1) / n
    reach = sqrt(log(2 / 1e-9) / (2 * n))
    assert kept.size > 0.999 * n
    assert np.abs(steps[: kept.size] - target).max() < reach + (n - kept.size) / n
    assert np.abs(steps - law.cdf(np.sort(y[:, 0]))).max() < reach < np.abs(steps - swapped).max()
    assert np.mean((kept - y[np.isfinite(x)]) ** 2) >= 0.5 * exact("W2", law) ** 2


@pytest.mark.parametrize("target", [TURNED, SIMPLEX], ids=["turned", "simplex"])
def test_coupled_ends_have_the_moments_of_the_target(target):
    n = 20_000
    x, y = coupled_ends(target, "ddpm-ei", Grid.uniform(2.0, 8), n, 4, "q_T")
    x = x[np.all(np.isfinite(x), axis=1)]
    fresh = sample_target(target, n, 5)
    assert len(x) > 0.999 * n
    for power in (1, 2):
        gap = (x**power).mean(axis=0) - (fresh**power).mean(axis=0)
        assert np.all(np.abs(gap) < 6.5 * np.sqrt(2 / n) * (fresh**power).std(axis=0))
    assert np.all(np.abs(np.cov(x.T) - np.cov(fresh.T)) < 0.15)
    single = simulate(target, "ddpm-ei", Grid.uniform(2.0, 8), n, 6, "q_T")
    assert np.all(np.abs(y.mean(axis=0) - single.mean(axis=0)) < 6.5 * np.sqrt(2 / n) * single.std(axis=0))


def test_w2_lies_between_its_bounds():
    law = line_law("ddpm-ei", COARSE)
    upper = w2_above(LINE, "ddpm-ei", COARSE, 10_000, 1, 1e-6)
    assert exact("W2", law) < upper < 2.0
    one = GaussianMixture((1.0,), (0.5,), 0.6)  # for one Gaussian the coupling is tight
    near = w2_above(one, "ddpm-ei", Grid.uniform(4.0, 40), 100_000, 1, 1e-6)
    assert near < 0.25
    assert distance_tail(LINE, "ddpm-ei", COARSE).level(1e-3) > 1.0
    with pytest.raises(NotDefined, match="which have noise"):
        coupled_ends(LINE, "pf-ei", COARSE, 100, 1)


def test_w2_from_above_fails_at_no_more_than_the_rate_and_needs_its_tail():
    x, y = coupled_ends(LINE, "ddpm-ei", COARSE, 200_000, 9)
    squares = np.sum((x - y) ** 2, axis=1)
    squares = squares[np.isfinite(squares)]
    mean = squares.mean() - 6 * squares.std() / sqrt(squares.size)
    found = [w2_above(LINE, "ddpm-ei", COARSE, 400, seed, RATE) for seed in range(REPEATS)]
    assert np.sum(np.array(found) < sqrt(mean)) <= ALLOWED
    parts = squares[: REPEATS * 400].reshape(REPEATS, 400)
    cut = [mean_above(np.minimum(part, 1.0), 0.0, 1.0, RATE) for part in parts]
    assert np.sum(np.array(cut) < mean) > ALLOWED  # far pairs cut off, their excess forgotten


# -- the entry -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["target,output", "output,target"])
@pytest.mark.parametrize("quantity", MEASURED)
def test_measures_contain_the_exact_value_on_the_line(quantity, order):
    found = statistical_measure(quantity, LINE, "ddpm-ei", COARSE, 20_000, 1, order=order)
    if quantity == "PathKL":
        truth = float(path_kl_mixture(LINE, "ddpm-ei", COARSE).mid)
    else:
        truth = exact(quantity, line_law("ddpm-ei", COARSE), order)
    assert found.lower <= truth <= found.upper
    assert found.lower > 0
    assert found.enclosure.level == "statistical"
    assert "1e-06" in found.enclosure.method


@pytest.mark.parametrize(
    "target", [SIMPLEX, TURNED, Product((TURNED, LINE))], ids=["simplex", "turned", "product"]
)
@pytest.mark.parametrize("sampler", ["ddpm-ei", "pf-heun"])
def test_targets_beyond_lines_are_measured(target, sampler):
    grid = Grid.uniform(2.0, 3)
    for quantity in ("TV", "W2"):
        found = statistical_measure(quantity, target, sampler, grid, 10_000, 2)
        assert 0 <= found.lower <= found.upper
        assert (found.upper <= 1.0) == (quantity == "TV")
        if sampler == "ddpm-ei" and quantity == "TV":
            assert found.lower > 0


def test_the_same_seed_gives_the_same_bound():
    first, second = (statistical_measure("KL", TURNED, "ddpm-ei", COARSE, 4000, 5) for _ in range(2))
    assert first == second
    assert first != statistical_measure("KL", TURNED, "ddpm-ei", COARSE, 4000, 6)


def test_a_smaller_rate_says_less():
    strict, loose = (
        statistical_measure("TV", SIMPLEX, "ddpm-ei", COARSE, 20_000, 5, rate) for rate in (1e-9, 1e-2)
    )
    assert strict.lower < loose.lower
    assert strict.smallest_visible > loose.smallest_visible


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"quantity": "JS"}, "quantity='JS': expected one of TV"),
        ({"sampler": "ulmc"}, "sampler='ulmc'"),
        ({"n": 999}, "n=999: expected an integer >= 1000"),
        ({"n": float("nan")}, "n=nan"),
        ({"rate": 1.0}, "rate=1.0"),
        ({"seed": -3}, "seed=-3"),
        ({"order": "output"}, "order='output'"),
    ],
)
def test_bad_measures_are_named(change, text):
    given = {"quantity": "TV", "target": LINE, "sampler": "ddpm-ei", "grid": COARSE, "n": 2000, "seed": 1}
    with pytest.raises(InputError, match=text):
        statistical_measure(**(given | change))


@pytest.mark.parametrize("quantity", MEASURED)
def test_gaussians_are_measured(quantity):
    found = statistical_measure(quantity, Gaussian((0.5, 2.0), (1, 2), (1.0, 0.0)), "cds-ei", COARSE, 4000, 1)
    assert 0 <= found.lower <= found.upper


def test_atoms_without_early_stopping_have_no_density():
    with pytest.raises(NotDefined, match="expected delta > 0"):
        statistical_measure("TV", Atoms.two_point(), "ddpm-ei", COARSE, 2000, 1)
    found = statistical_measure("W2", Atoms.two_point(), "ddpm-ei", Grid.uniform(1.0, 3), 2000, 1)
    assert 0 < found.lower < found.upper == np.inf
