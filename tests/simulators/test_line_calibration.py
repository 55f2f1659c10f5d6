"""Enclosures on the line against finer laws and a second road to TV: no value lies outside.

200 configurations by default, most of them short runs; LESSSIM_CALIBRATION=1000 draws that many from the
whole range instead (five minutes). What lay outside in such calibrations is planted here.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

import simulators.distances.line as distances
import simulators.line.quadrature as quadrature
import simulators.line.transport as transports
from simulators.distances.line import Side, line_distance, mixture_cdf, sign_changes
from simulators.grids import Grid
from simulators.line import Affine, Bump, Mixture, Oscillation, OtherMixture
from simulators.line.law import FlowLaw
from simulators.line.outcome import line_case
from simulators.line.propagate import Setup
from simulators.line.quadrature import integrate
from simulators.line.transport import FoldedChart

SAMPLERS = ("ddpm-ei", "ddpm-em", "cds-ei", "lmc", "pf-ei", "pf-heun")
SYMMETRIC = ("W2", "Hellinger")
WHOLE = int(os.environ.get("LESSSIM_CALIBRATION", "0"))
CONFIGURATIONS, PARTS = WHOLE or 200, 10
LONG = 9  # of the default configurations, every ninth is from the whole range


def short(rng):
    """A run of at most 15 steps for two components or one, of moderate width."""
    sampler = str(rng.choice(SAMPLERS))
    K = int(rng.integers(1, 3))
    weights, variances = rng.dirichlet(np.ones(K) * 2), np.exp(rng.uniform(-2.5, 1.0, size=K))
    mixture = Mixture.of(weights, rng.choice([0.3, 1.5]) * rng.normal(size=K), variances)
    N, h = int(rng.integers(2, 16)), float(np.exp(rng.uniform(-4, -0.5)) * min(1.0, float(variances.min())))
    delta = 0.05 * float(rng.integers(2)) if sampler != "lmc" else 0.0
    grid = Grid.uniform(N * h + delta, N, delta)
    errors = [None, None, None, Affine(0.1, -0.1), Oscillation(0.2, 3.0, 0.3)]
    start = str(rng.choice(["gamma", "q_T"]))
    return line_case(mixture, sampler, grid, start, errors[int(rng.integers(len(errors)))])


def draw(rng):
    sampler = str(rng.choice(SAMPLERS))
    K = int(rng.integers(1, 5))
    means = rng.choice([0.3, 2.0, 5.0]) * rng.normal(size=K)
    mixture = Mixture.of(rng.dirichlet(np.ones(K) * 2), means, np.exp(rng.uniform(-4, 1.5, size=K)))
    N, T = int(np.exp(rng.uniform(np.log(2), np.log(100)))), float(np.exp(rng.uniform(-1, 1.5)))
    geometric = rng.random() < 0.3 and sampler != "lmc"
    grid = Grid.geometric(T, N, float(10 ** rng.uniform(-4, -1.5))) if geometric else Grid.uniform(T, N)
    errors = [
        None,
        None,
        Affine(0.1, -0.1),
        Oscillation(0.2, 5.0, 0.3),
        Bump(0.4, 0.2, 0.5, edge=0.2),
        OtherMixture(Mixture(mixture.weights[::-1].copy(), mixture.means, mixture.variances)),
    ]
    start = str(rng.choice(["gamma", "q_T"]))
    return line_case(mixture, sampler, grid, start, errors[int(rng.integers(len(errors)))])


def total_variation(target, law):
    """Half the sum of |F_p - F_q| over the intervals between crossings found on 40 points a panel.

    Next to the inverse square roots of a folded law the points are geometric.
    """
    side = Side(target)
    chart = law.charts(side.around(1.0))[0]
    t = (chart.edges[:-1, None] + np.diff(chart.edges)[:, None] * np.linspace(0, 1, 41)).ravel()
    if isinstance(chart, FoldedChart):
        near, cuts = np.geomspace(1e-7, 0.3, 200), np.arange(chart.cuts.size)[:, None]
        t = np.concatenate([t, (cuts[:-1] + near).ravel(), (cuts[1:] - near).ravel()])
    roots = sign_changes(side, chart, t)
    y = chart.nodes(roots)[0]
    order = np.argsort(y)
    y, roots = y[order], roots[order]
    cdf, sf = chart.tails(roots, y)
    below, above = mixture_cdf(np.ascontiguousarray(y), target.weights, target.means, target.sds)
    gaps = np.where(cdf < 0.5, cdf - below, above - sf)
    return 0.5 * float(np.abs(np.diff(np.concatenate([[0.0], gaps, [0.0]]))).sum())


@pytest.mark.parametrize("part", range(PARTS))
def test_no_finer_value_lies_outside(part):
    """No miss, and a median half-width below 1e-8; where the finer grids are too much work, which is rare,
    nothing is decided.
    """
    widths, undecided = [], 0
    seeds = range(part * CONFIGURATIONS // PARTS, (part + 1) * CONFIGURATIONS // PARTS)
    for seed in seeds:
        long = bool(WHOLE) or seed % LONG == 0
        case = (draw if long else short)(np.random.default_rng(400 + seed))
        end = "target" if case.problem.stays else "q_delta"
        if not case.finer.resolved:
            undecided += 1
            continue
        for name in ("KL", "TV", "W2", "Hellinger"):
            found = case.distance(name, end, "output")
            value = float(case.finer.distance(name, end, "output").mid)
            assert found.contains(value), (seed, name, case.problem)
            if value >= (1e-8 if name == "KL" else 1e-4):
                widths.append(float(found.width) / 2 / value)
        if long:
            found = case.TV(end, "output")
            value = total_variation(case.law(end), case.finer.output)
            folded = getattr(
                case.output, "folded", False
            )  # its distribution function has half the digits there
            off = abs(value - float(found.mid))
            assert off <= (1e-6 if folded else float(found.width)), (seed, case.problem)
    assert np.median(widths) <= 1e-8
    assert undecided <= 0.02 * len(seeds) + 1


@pytest.mark.parametrize("name", ["KL", "W2", "TV", "chi2"])
def test_cheap_enclosures_hold_the_accurate_value(name):
    widths = []
    for seed in range(12):
        case = draw(np.random.default_rng(500 + seed))
        problem = case.problem
        cheap = line_case(
            problem.target, problem.sampler, problem.grid, problem.start, problem.error, mode="cheap"
        )
        end = "target" if problem.stays else "q_delta"
        best, found = case.distance(name, end, "output"), cheap.distance(name, end, "output")
        assert found.contains(best.mid), (seed, problem)
        if np.isfinite(float(best.hi)) and best.lo >= 1e-8:
            widths.append(float(found.width) / 2 / float(best.mid))
    assert np.median(widths) <= 1e-6


@pytest.mark.parametrize(("seed", "name"), [(1028, "KL"), (1028, "Hellinger"), (1105, "TV")])
def test_what_lay_outside_once_lies_inside(seed, name):
    """A far mode reached only through a gap, where grids of both accuracies were the same; a step of the
    folded integrand between the end of a panel and its first node.
    """
    case = draw(np.random.default_rng(seed))
    end = "target" if case.problem.stays else "q_delta"
    found = case.distance(name, end, "output")
    assert found.contains(case.finer.distance(name, end, "output").mid)


def test_a_step_beside_a_logarithm_is_seen(monkeypatch):
    """Between two basins the images jump by 49, a few thousandths of a panel from its end, and approach the
    jump like a logarithm on both sides, so that the last coefficients are far from small. The truth is the
    integral over geometric panels about the jumps of both quantiles, with 40 digits.
    """
    target = Mixture.of(
        [0.9382737296583723, 0.0617262703416277],
        [-37.565252692724975, 29.951982878787565],
        [0.00371897008787176, 1.128778549073898],
    )
    case = line_case(target, "pf-ei", Grid.uniform(1.1261523128413256, 43))
    truth = 53.339344062343771512
    assert case.W2("q_delta", "output").contains(truth)
    monkeypatch.setattr(transports, "ASIDE", np.inf)  # panels that do not end at the jump
    monkeypatch.setattr(transports, "APART", 1e-9)  # nor samples that do
    found = replace(case, found={}).W2("q_delta", "output")
    assert found.contains(truth)
    assert found.width <= 1e-9
    monkeypatch.setattr(quadrature, "STEP", 1e3)
    assert not replace(case, found={}).W2("q_delta", "output").contains(truth)


def test_panels_end_where_the_map_crosses_a_mode(monkeypatch):
    """p^2/q has a bump between two modes, 4e-11 wide in t: samples of the map do not tell where it is."""
    target = Mixture.of(
        [0.5915773586282282, 0.3316959821208687, 0.07672665925090297],
        [-7.958823472776361, 0.7651746025198247, 19.836224959191956],
        [0.3206627387465726, 0.9657810544397657, 0.13551543195491839],
    )
    case = line_case(target, "pf-heun", Grid.uniform(0.3229240040880035, 5))
    roads = [road.chi2("output", "q_delta") for road in (case, case.finer)]
    truth = float(roads[1].mid)
    assert float(roads[0].mid) == pytest.approx(truth, rel=1e-13)
    monkeypatch.setattr(transports, "ASIDE", np.inf)
    blind = replace(case.finer, found={}).chi2("output", "q_delta")
    assert 2e-9 < truth - float(blind.mid) < 4e-9
    assert not blind.contains(truth)


def test_two_grids_that_agree_as_a_whole_differ_in_their_parts():
    """One step after the first the errors of both grids were nearly the same 5e-13 in the whole integral."""
    target = Mixture.of(
        [0.005661651832664552, 0.9943383481673355],
        [-0.1749171822384984, 0.06379414961757904],
        [0.0001445316627301599, 0.22521715843930928],
    )
    grid = Grid.geometric(0.3435531139259311, 2, 0.0012702628750045992)
    case = line_case(target, "ddpm-em", grid, "q_T", Affine(-0.23029061198819972, -0.007742077800462731))
    exact = replace(case, setups=(Setup(accuracies=(54.0, 76.0)),), found={})
    for name in ("KL", "chi2", "Hellinger"):
        found = case.distance(name, "q_delta", "output")
        assert found.contains(exact.distance(name, "q_delta", "output").mid)
        assert found.width <= 1e-9


def from_one_half(case):
    """W2 of a symmetric case: no quantile leaves its side."""
    side, law = Side(case.law("q_delta")), case.finer.output
    chart = law.charts(side.around(1.0))[0]

    def moved(t):
        y, log_slope, logp = chart.nodes(t)
        above = np.minimum(chart.tails(t, y)[1], np.nextafter(0.5, 0.0))
        aim = np.maximum(side.quantile(1.0 - above, above, np.maximum(y, 1e-9)), 0.0)
        density = np.exp(logp + log_slope)
        return np.where(density > 0, density * (aim - y) ** 2, 0.0)

    edges = np.union1d([0.0], chart.edges[chart.edges > 0])
    return np.sqrt(2.0 * integrate(moved, edges, 1e-3 * law.noise, 1e-13)[0])


def test_mass_on_the_wrong_side_of_a_gap(monkeypatch):
    """Between two modes of mass 1/2 the quantiles jump, and rounding of the masses sends some the whole way
    across, on both grids the same way more often than rarely.
    """
    cases = []
    for sampler, N, mean, variance, T, delta in (
        ("cds-ei", 143, 3.69, 0.001, 4.17, 6e-4),
        ("ddpm-ei", 195, 3.3, 0.01, 2.9, 1e-5),
        ("ddpm-em", 300, 1.59, 0.001, 5.74, 1e-5),
        ("ddpm-ei", 400, 1.0, 0.0, 5.0, 1e-6),
        ("pf-ei", 457, 1.84, 0.001, 4.74, 9e-5),
        ("cds-ei", 217, 3.23, 0.003, 2.24, 6e-4),
    ):
        target = Mixture.of([0.5, 0.5], [-mean, mean], [variance, variance])
        cases.append(line_case(target, sampler, Grid.geometric(T, N, delta)))
    truths = [from_one_half(case) for case in cases]
    for case, truth in zip(cases, truths, strict=True):
        found = case.W2("q_delta", "output")
        assert found.contains(truth), case.problem
        assert found.width <= 1e-3 * truth
    monkeypatch.setattr(Side, "astray", lambda side, sway: 0.0)
    monkeypatch.setattr(distances.Integrand, "astray", lambda integrand, leaves, sway: 0.0)
    blind = [replace(case, found={}).W2("q_delta", "output") for case in cases]
    assert not all(found.contains(truth) for found, truth in zip(blind, truths, strict=True))


@pytest.mark.parametrize("shift", [1e-6, 1e-5, 1e-4])
def test_a_crossing_in_the_wrong_place_is_seen_at_the_ends_of_panels(monkeypatch, shift):
    """A kink this close to the end of a panel lies between its end and its first node, where no halving sees
    it: TV misses |(p - q)'| shift^2/2 a crossing. The value at the end tells, and the panel is halved.
    """
    case = line_case(Mixture.of([0.4, 0.6], [-1.5, 1.0], [0.2, 0.3]), "cds-ei", Grid.uniform(3.0, 12))
    law, end = case.output, case.law("q_delta")
    truth = total_variation(end, case.finer.output)
    assert case.TV("q_delta", "output").contains(truth)
    monkeypatch.setattr(distances, "sign_changes", lambda *found: sign_changes(*found) + shift)
    assert line_distance("TV", end.weights, end.means, end.variances, law).contains(truth)
    monkeypatch.setattr(quadrature, "GAP", 0.0)
    beside = line_distance("TV", end.weights, end.means, end.variances, law)
    assert not beside.contains(truth)
    assert 0.1 * shift**2 < truth - float(beside.mid) < shift**2


@pytest.mark.parametrize("seed", range(8))
def test_crossings_are_where_bisection_finds_them(seed):
    """Crossings to 1e-9, whose effect on TV is of the order of 1e-18."""
    case = draw(np.random.default_rng(600 + seed))
    side = Side(case.law("target" if case.problem.stays else "q_delta"))
    chart = case.output.charts(side.around(1.0))[0]
    edges = chart.edges
    t = np.unique((edges[:-1, None] + np.diff(edges)[:, None] * np.linspace(0, 1, 9)).ravel())

    def log_ratio(t):
        y, _, logp = chart.nodes(t)
        return np.maximum(logp, distances.LOG_SMALLEST) - side.logpdf(y)

    values = log_ratio(t)
    at = np.flatnonzero(values[1:] * values[:-1] < 0)
    lo, hi = t[at], t[at + 1]
    for _ in range(60):
        middle = 0.5 * (lo + hi)
        same = log_ratio(middle) * values[at] > 0
        lo, hi = np.where(same, middle, lo), np.where(same, hi, middle)
    off = np.abs(sign_changes(side, chart, t) - lo)
    there = np.exp(side.logpdf(chart.nodes(lo)[0])) > 1e-8
    assert np.all(off[there] < 1e-9 * (1.0 + np.abs(lo[there])))


def misses_of_steps():
    """How many integrals of 1 + a step of height 3, 1e-5 wide, lie farther off than ten disagreements."""
    rng, misses = np.random.default_rng(0), 0
    for at in rng.uniform(0.0, 8.0, size=1500):
        value, error, _ = integrate(
            lambda t, at=at: 2.5 + 1.5 * np.tanh((t - at) / 1e-5), np.arange(9.0), 0.0
        )
        misses += abs(value - (8 + 3 * (8 - at))) > 10 * error + 1e-13 and 1e-3 < at < 8 - 1e-3
    return misses


def test_a_step_inside_a_panel_is_not_taken_for_resolved(monkeypatch):
    """Two Gauss sums over a step can agree by accident, and see none beside their nodes: the Legendre
    coefficients and the values at the ends tell.
    """
    assert misses_of_steps() == 0
    monkeypatch.setattr(quadrature, "GAP", 0.0)
    assert misses_of_steps() > 20


def test_folds_that_are_missed_are_seen_by_the_mass(monkeypatch):
    """A pair of folds between two samples: found by the bend of the map; unfound, the mass is not 1."""
    case = draw_folds()
    assert case.output.folded
    assert FoldedChart(case.output.flow, np.zeros(1)).critical.size == 4
    assert case.output.mass == pytest.approx(1.0, abs=1e-10)
    found = case.TV("q_delta", "output")
    assert float(found.mid) == pytest.approx(total_variation(case.law("q_delta"), case.output), abs=1e-6)
    assert found.width <= 1e-7
    monkeypatch.setattr(transports, "BEND", np.inf)
    monkeypatch.setattr(transports, "SAMPLES", 65)
    blind = draw_folds()
    assert isinstance(blind.output, FlowLaw)
    assert abs(blind.output.mass - 1.0) > 1e-5
    missed = blind.TV("q_delta", "output")
    assert (float(missed.lo), float(missed.hi)) == (0.0, 1.0)
    assert blind.second_moment().hi == np.inf


def test_folds_of_a_later_step_have_one_image(monkeypatch):
    """80 folds of two steps have 42 images, some of them twice and a rounding apart: nothing lies between."""
    target = Mixture.of(
        [0.4278691115908575, 0.0920887448230641, 0.04383813946801329, 0.4362040041180652],
        [-1.0016099336403743, -0.8552491317798815, 0.05621659623096226, 0.6960830795487141],
        [0.09365568805361829, 0.3518348015449375, 0.00026707783238714126, 0.10698971254324985],
    )
    grid = Grid.uniform(3.997748238380185, 2, 0.00010999575813999271)
    error = Oscillation(-0.2918192803481677, 2.0040870182848463, 1.9137424316971599)
    case = line_case(target, "pf-ei", grid, error=error)
    chart = FoldedChart(case.output.flow, np.zeros(1))
    assert chart.critical.size == 80
    assert chart.cuts.size == 42
    assert case.output.mass == pytest.approx(1.0, abs=1e-10)
    monkeypatch.setattr(transports, "SAME", 0.0)
    blind = replace(case, found={})
    assert FoldedChart(blind.output.flow, np.zeros(1)).cuts.size > 42
    assert abs(blind.output.mass - 1.0) > 1e-9


def far_turns():
    """A map that turns four times where the start has density e^-80 and less, short of a mode of the target.

    KL and log densities with mpmath, 40 digits: every preimage found, Gauss-Legendre of 10 and of 14 nodes on
    panels of one standard deviation about both modes.
    """
    target = Mixture.of(
        [0.8175606371344972, 0.18243936286550286],
        [34.24524685691132, 43.5758175808428],
        [0.26426474327098004, 0.0026415331075592833],
    )
    error = Oscillation(0.08296415737755347, 0.4331732071816817, 2.610206150122262)
    return line_case(target, "pf-heun", Grid.uniform(5.207460102460144, 5), "q_T", error)


def test_turns_beyond_the_start_are_followed(monkeypatch):
    """Of the preimages of a mode beyond the start's images the farthest has the least density."""
    case, value = far_turns(), 88.29746154785559
    assert case.KL("q_delta", "output").contains(value)
    assert case.finer.KL("q_delta", "output").contains(value)
    assert case.KL("q_delta", "output").width <= 1e-7 * value
    logs = [-106.17896907576, -106.052987668982, -14.3578757716007, -12.8014252346247]
    np.testing.assert_allclose(np.log(case.output.pdf([33.0, 34.2, 43.5, 43.6])), logs, rtol=0, atol=1e-6)
    monkeypatch.setattr(transports, "TURNS", 1)  # too many to be followed: unknown, and said to be
    few = far_turns().KL("q_delta", "output")
    assert few.lo <= value
    assert few.hi == np.inf
    monkeypatch.setattr(transports, "PAST", 0.0)
    assert far_turns().KL("q_delta", "output").lo > 500.0


def test_the_target_where_there_are_no_images_counts(monkeypatch):
    """More turns than are followed lie between the images of the start and the target."""

    def drawn():
        target = Mixture.of([1.0], [200.0], [1.0])
        return line_case(target, "pf-ei", Grid.uniform(0.3, 1), error=Oscillation(1.0, 4.0, 0.3))

    case = drawn()
    assert case.output.folded
    assert case.TV("q_delta", "output").contains(1.0)
    assert case.Hellinger("q_delta", "output").contains(1.0)
    for name in ("KL", "chi2"):
        assert case.distance(name, "q_delta", "output").hi == np.inf
    flow = case.output.flow
    t = np.linspace(-9.0, 9.0, 200_001)
    y, density = flow(t)[0], np.exp(flow.start_logpdf(t))
    terms = density * (np.log(case.output.pdf(y)) + 0.5 * (y - 200.0) ** 2 + 0.5 * np.log(2.0 * np.pi))
    value = float(np.trapezoid(terms, t))
    assert float(case.KL("output", "q_delta").mid) == pytest.approx(value, abs=1e-2)
    chart = case.output.charts(np.array([200.0]))[0]
    np.testing.assert_array_equal(chart.ceiling(np.zeros(2), np.array([-60.0, -10.0])), [-50.0, -10.0])
    monkeypatch.setattr(distances, "UNREACHED", {})
    assert drawn().TV("q_delta", "output").hi < 0.6


def torn():
    """A map that rises from -16 to 42 between two neighbouring floats and falls on both sides."""
    target = Mixture.of(
        [0.9913306644554999, 0.00866933554450015],
        [-13.581612419488762, 2.0133997192275435],
        [0.0035777320334678298, 0.00029559725011277254],
    )
    error = Bump(0.25358770628523264, 0.03845768376412736, 0.10845768376412737, edge=0.3)
    return line_case(target, "pf-heun", Grid.uniform(1.2502508770582603, 50), "q_T", error)


def test_a_map_torn_between_two_floats_is_folded(monkeypatch):
    """Points of equal mass carried one by one are the second road."""
    case = torn()
    target, initial = case.law("q_delta"), case.problem.initial
    u = (np.arange(400_000) + 0.5) / 400_000
    start, end = (Side(law).quantile(u, 1.0 - u, np.zeros(u.size)) for law in (initial, target))
    moved = float(np.sqrt(np.mean((np.sort(case.output.flow(start)[0]) - end) ** 2)))
    assert float(case.W2("q_delta", "output").mid) == pytest.approx(moved, abs=1e-4)
    assert float(case.TV("q_delta", "output").mid) == pytest.approx(0.5873532, abs=1e-3)
    chart = case.output.charts(np.array([0.0]))[0]
    assert isinstance(chart, FoldedChart)
    assert np.count_nonzero(chart.tears) == 1
    assert chart.ceiling(np.array([20.0]), np.array([-60.0]))[0] > -50.0
    monkeypatch.setattr(transports, "torn", lambda *table: np.zeros(0, dtype=np.intp))
    assert torn().W2("q_delta", "output").lo > 2.0


def test_rounding_tears_no_map():
    """Neighbouring samples whose images rounding exchanges."""
    target = Mixture.of(
        [0.9999999980229827, 1.977017320030632e-09],
        [-3.6176751191816816, 0.7908924760114185],
        [1.770397676948946, 1.6355065247859264],
    )
    case = line_case(target, "pf-ei", Grid.uniform(4.818167902041018, 1))
    assert not case.finer.output.folded
    assert case.finer.chi2("output", "q_delta").hi < 0.2


def test_branches_end_at_their_cut():
    """A rounding beyond it a branch would have the density of its turn, and the panel there all of it."""
    error = Oscillation(-0.4352243095059807, 3.982681738963484, 2.3247598465918777)
    target = Mixture.of([1.0], [-0.5472495746266125], [0.0024498799935179587])
    case = line_case(target, "pf-ei", Grid.uniform(2.6793675036483746, 4), error=error)
    assert case.finer.KL("q_delta", "output").contains(float(case.KL("q_delta", "output").mid))
    chart = case.finer.output.charts(Side(case.law("q_delta")).around(1.0))[0]
    low, high = (function(*chart.branches[2:4]) for function in (np.minimum, np.maximum))
    for ends in (low[1:-1], high[1:-1]):
        assert bool(np.all(np.isin(ends, chart.cuts)))


def test_preimages_on_a_steep_branch_are_known_to_rounding():
    """KL 2.76307 by panels of 2,000 nodes; that of 40 digits by panels of 6 differs by 2e-5 from the same sum
    in double precision.
    """
    target = Mixture.of(
        [0.6973418330168359, 0.302658166983164],
        [-19.020920900759187, -4.41792233787133],
        [0.13537238805654936, 0.05144580774002211],
    )
    case = line_case(target, "pf-heun", Grid.uniform(2.5488427849716517, 17), "q_T")
    found = case.KL("q_delta", "output")
    assert found.contains(2.76307)
    assert 1e-4 < found.width < 0.1
    assert case.TV("q_delta", "output").width < 1e-7


def test_two_turns_with_near_images_keep_their_mass(monkeypatch):
    """2e-4 between two inverse square roots at -24.5: images there are a rounding apart."""

    def excess():
        target = Mixture.of(
            [0.39605169671123613, 0.44317489590674236, 0.1607734073820215],
            [-24.55678925338135, -3.460366688694791, 11.53346669829141],
            [0.0008796133603225301, 0.4294577951686557, 0.15009912723742866],
        )
        grid = Grid.geometric(4.902274232802594, 5, 0.005157956074600597)
        case = line_case(target, "pf-heun", grid, "q_T")
        chart = case.output.charts(Side(case.law("q_delta")).around(1.0))[0]

        def density(u):
            _, log_slope, logp = chart.nodes(u)
            return np.exp(logp + log_slope)

        return abs(integrate(density, chart.edges, 1e-8, linear=True)[0] - 1.0)

    assert excess() < 2e-9
    monkeypatch.setattr(transports, "BESIDE", 0.0)
    assert excess() > 4e-9


def draw_folds():
    target = Mixture.of([0.4939322, 0.5060678], [-1.79631469, 2.85257866], [0.250195, 0.03590822])
    grid = Grid.uniform(2.93506629100323, 8)
    return line_case(target, "pf-heun", grid, "q_T", Oscillation(0.2, 5.0, 0.3))


def test_a_chi2_that_is_all_error_has_no_upper_end():
    """Far in the start's tail the map turns, where int p^2/q diverges; the coarse charts do not tell."""
    weights = np.array([0.000473947884417204, 0.9696295971648484, 0.029896454950734404])
    target = Mixture.of(
        weights / weights.sum(),
        [-56.77939808739727, -4.2181998625315265, 38.893038468286804],
        [0.05448308541301035, 0.2662274651103876, 1.7409093714123511],
    )
    learned = OtherMixture(
        Mixture.of(
            target.weights,
            [-58.99271555, -4.38262949, 40.40912783],
            [0.06197681, 0.30284498, 1.98035789],
        )
    )
    case = line_case(target, "pf-heun", Grid.uniform(0.32728058807790417, 4), error=learned)
    for road in (case, case.finer):
        assert road.distance("chi2", "output", "q_delta").hi == np.inf
