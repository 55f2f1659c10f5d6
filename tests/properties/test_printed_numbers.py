"""Numbers that notes on convergence print, through the public API: half a unit of the last printed digit."""

import math

import pytest

import lesssim as ls

SMOOTH = ls.Gaussian.isotropic(1, 0.3)
STANDARD = ls.Gaussian.isotropic(1, 1.0)


def value(formula, target, **fields):
    """The middle of the enclosure, which is much narrower than any printed digit."""
    found = ls.Case(target, **fields).measure(formula)
    assert float(found.width) <= 1e-12 * abs(float(found.mid))
    return float(found.mid)


def printed(text):
    """The number, up to half a unit of its last digit."""
    digits, _, power = text.partition("e")
    places = len(digits.partition(".")[2]) - int(power or 0)
    return pytest.approx(float(text), abs=0.5 * 10.0**-places * (1 + 1e-9))


@pytest.mark.parametrize(
    ("N", "marginal", "path"),
    [(50, "0.0393", "0.87"), (100, "0.0101", "0.45"), (200, "0.00252", "0.23"), (400, "0.00063", "0.115")],
)
def test_the_marginal_is_one_order_below_the_path(N, marginal, path):
    fields = {"sampler": "ddpm-ei", "T": 6, "N": N}
    assert value("KL(target, output)", SMOOTH, **fields) == printed(marginal)
    assert value("PathKL(target, output)", SMOOTH, **fields) == pytest.approx(float(path), rel=0.006)


@pytest.mark.parametrize(("h", "ratio"), [(0.01, "0.9967"), (0.1, "0.967"), (0.5, "0.852")])
def test_path_kl_on_the_standard_gaussian(h, ratio):
    fields = {"T": 10 * h, "N": 10}
    assert value("PathKL(target, output)/(d*h*T)", STANDARD, sampler="ddpm-ei", **fields) == printed(ratio)
    euler = 5 * (h + math.expm1(-h))
    assert value("PathKL(target, output)", STANDARD, sampler="ddpm-em", **fields) == pytest.approx(euler)
    damped = -40 * h * math.expm1(-h)
    assert value("PathKL(target, output)", STANDARD, sampler="cld-ei", **fields) == pytest.approx(damped)
    for sampler, formula in (("cds-ei", "PathKL(target, output)"), ("pf-ei", "KL(target, output)")):
        assert ls.Case(STANDARD, sampler=sampler, **fields).measure(formula).hi < 1e-30


@pytest.mark.parametrize(("h", "sign"), [(3.9206, 1), (3.9208, -1)])
def test_where_the_lower_bound_of_the_damped_path_ends(h, sign):
    gap = value("PathKL(target, output)/(d*h*T) - 1", STANDARD, sampler="cld-ei", T=h)
    assert math.copysign(1, gap) == sign


@pytest.mark.parametrize("h", [0.1, 1.0, 1.0986])
def test_the_fixed_point_of_the_exponential_integrator(h):
    """The variance (e^h + 1)/(3 - e^h) is that of a chain of many steps on the standard Gaussian."""
    many = 400 if h < 1.09 else 6000  # (2 - e^h)^2 is close to one at the edge of stability, log 3
    fixed = (math.exp(h) + 1) / (3 - math.exp(h))
    found = value("M2(output)", STANDARD, sampler="ddpm-ei", T=many * h, N=many)
    share = -math.expm1(2 * many * math.log(abs(2 - math.exp(h))))
    assert found == pytest.approx(1 + (fixed - 1) * share, rel=1e-9)
    assert value("M2(output)", STANDARD, sampler="ddpm-ei", T=1.2 * 60, N=60) > 1e10


@pytest.mark.parametrize(("T", "ratio"), [(2, "3.6"), (5, "73"), (10, "1.1e4")])
def test_the_rate_of_the_other_clock_is_unbounded(T, ratio):
    far = ls.Gaussian.isotropic(1, 1.0, 10.0)
    found = value("KL(q_T, gamma)/((M2 + d)*exp(-2*T))", far, clock="half", T=T)
    assert found == printed(ratio)


@pytest.mark.parametrize(
    ("L", "N", "path", "bound"),
    [(1e2, 150, "0.208", 0.386), (1e4, 240, "0.266", 0.621), (1e6, 330, "0.324", 0.857)],
)
def test_steps_that_shrink_towards_the_data(L, N, path, bound):
    times = [3.0]
    while times[-1] > 0:
        step = 0.05 * min(max(times[-1], 1 / L), 1)
        times.append(times[-1] - step if times[-1] - step > 1e-12 else 0.0)
    assert len(times) - 1 == N
    target = ls.Gaussian.isotropic(1, 1 / L)
    assert value("PathKL(target, output)", target, sampler="ddpm-ei", grid=times) == printed(path)
    assert (3 + math.log(L)) ** 2 / N == pytest.approx(bound, abs=5e-4)


@pytest.mark.parametrize(("mean", "kl"), [(10.0, "3.2e-4"), (1e3, "2.82"), (1e5, "2.8e4")])
def test_a_far_mean_is_not_paid_for_by_the_dimension(mean, kl):
    fields = {"sampler": "ddpm-ei", "grid": "geometric", "T": 3, "delta": 1e-3, "N": 400}
    assert value("KL(q_delta, output)", ls.Gaussian.isotropic(1, 1.0, mean), **fields) == printed(kl)


@pytest.mark.parametrize(("L", "ratio"), [(2, "0.0968"), (10, "0.155"), (100, "0.1656"), (1000, "0.1666")])
def test_the_predictor_over_one_block(L, ratio):
    fields = {"sampler": "pf-ei", "start": "q_T", "T": 1 / L, "N": 4000}
    assert value("W2(target, output)/(sqrt(L)*h)", ls.Gaussian.isotropic(1, 1 / L), **fields) == printed(
        ratio
    )


def test_the_flow_and_the_diffusion_in_w2():
    numbers = {50: "0.03888", 100: "0.01940", 200: "0.00966", 400: "0.00481", 800: "0.00240"}
    for N, w2 in numbers.items():
        assert value("W2(target, output)", SMOOTH, sampler="pf-ei", T=6, N=N) == printed(w2)
    for N, w2 in {50: "0.1295", 800: "0.00693"}.items():
        assert value("W2(target, output)", SMOOTH, sampler="ddpm-ei", T=6, N=N) == printed(w2)
    heun = [value("W2(target, output)", SMOOTH, sampler="pf-heun", T=6, N=N) for N in (400, 800)]
    assert heun[0] / heun[1] == pytest.approx(4, rel=0.05)


def test_the_contraction_of_chi2_of_a_shift():
    shifted = ls.Gaussian.isotropic(1, 1.0, 0.1)
    found = value("chi2(q_T, gamma)/chi2(target, gamma)", shifted, T=1)
    assert found == printed("0.13475")
    assert found < math.exp(-2) == printed("0.13534")
