"""Derivations: true proofs pass, a planted error is found in its own link and in no earlier one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from sympy import Rational, exp, sqrt

from bounds.catalogue import find
from bounds.claims import chen_2023_sampling as sampling
from bounds.claims.initialisation import split
from bounds.claims.regularisation import COST
from bounds.derivation import Cases, Derivation, Link, Split, by, check_lemmas
from bounds.derivations import DERIVATIONS
from bounds.derivations import chen_2023_sampling as proofs
from bounds.errors import ClaimError
from bounds.notation import symbol, symbols
from bounds.quantity import FI, KL, TV, J, PathKL, ScoreError, q
from bounds.setup import Setup
from properties.derive import derive, shown
from properties.search import Effort
from properties.trials.judging import examine_trial
from properties.trials.models import ModelFamily
from properties.waterfall import losses, proofs_of, share

SMALL = Effort(16, 16, 2, 12, 5, 2, 3)
KNOWN = {derivation.key: derivation for derivation in DERIVATIONS}
T, d, h, L, M2, KL0, FI0, eps, a, t, kappa, N = symbols("T d h L M2 KL0 FI0 eps a t kappa N")
START = KL("q_T", "gamma")


def test_there_are_enough_and_every_lemma_exists() -> None:
    assert len(DERIVATIONS) >= 10
    assert len(KNOWN) == len(DERIVATIONS)
    check_lemmas(DERIVATIONS)
    assert sum(bool(derivation.proves) for derivation in DERIVATIONS) >= 10


TINY = Effort(6, 8, 1, 4, 2, 1, 1)
HEAVY = {key for key, derivation in KNOWN.items() if derivation.setup.model == "bsm"}
"""Double integrals, milliseconds each: their links are looked at on a few cases below."""


@pytest.mark.parametrize("key", sorted(KNOWN.keys() - HEAVY))
def test_true_proofs_hold(key: str) -> None:
    small = TINY if KNOWN[key].setup.sampler in ("pf-ei", "ulmc", "dpum") else SMALL
    found = derive(KNOWN[key], profile=small)
    assert found.broken is None
    assert found.uncovered is None
    assert found.word == "holds", [(link.name, link.verdict.reason) for link in found.open]


@pytest.mark.parametrize("key", sorted(HEAVY))
def test_true_proofs_in_double_integrals_hold(key: str) -> None:
    for claim in KNOWN[key].claims:
        for case in ModelFamily(claim).draw(np.random.default_rng(5), 4):
            exam = examine_trial(claim, case)
            assert exam.outcome in ("below", "touching")
            assert claim.relation == "<=" or exam.ratio == pytest.approx(1.0, abs=1e-9)


def test_a_weight_without_the_square_breaks_the_variance_identity() -> None:
    whole = KNOWN["kumar-2025/bootstrap-risk"]
    planted = whole.but(
        "orthogonality", whole.at("1-orthogonality").xreplace({symbol("mmse_early"): symbol("mmse_late")})
    )
    claim = planted.claims[0]
    (case,) = ModelFamily(claim).draw(np.random.default_rng(5), 1)
    assert examine_trial(claim, case).outcome == "above"
    assert examine_trial(whole.claims[0], case).outcome in ("below", "touching")


PLANTED = [
    # constants, one in each position
    ("chen-2023-sampling/explicit", "projection", PathKL("target", "output") / 2, "1-projection"),
    ("chen-2023-sampling/explicit", "martingale.initialisation", START / 2, "2-martingale"),
    ("chen-2023-sampling/explicit", "martingale.discretisation", proofs.MARTINGALE / 2, "2-martingale"),
    (
        "chen-2023-sampling/explicit",
        "contraction",
        exp(-2 * T) * KL0 / 2,
        "2-martingale.initialisation.1-contraction",
    ),
    (
        "chen-2023-sampling/explicit",
        "elementary",
        sampling.discretisation / 2,
        "2-martingale.discretisation.1-elementary",
    ),
    # exponents
    (
        "chen-2023-sampling/explicit",
        "contraction",
        exp(-4 * T) * KL0,
        "2-martingale.initialisation.1-contraction",
    ),
    (
        "chen-2023-sampling/explicit",
        "elementary",
        T * d * L**2 * h**2,
        "2-martingale.discretisation.1-elementary",
    ),
    ("chen-2023-sampling/explicit-young", "young.score", 2 * ScoreError("output") ** 2, "2-young"),
    ("chen-2023-sampling/explicit-young", "average", 2 * T * eps, "2-young.score.1-average"),
    ("benton-2024/explicit", "steps", START + d * kappa**2 * N, "3-steps"),
    ("initialisation/split", "series", M2 * exp(-2 * T) / 2 + d * exp(-6 * T), "2-series"),
    # signs
    (
        "chen-2023-sampling/explicit-score-path",
        "cross-term.cross",
        -T * h * eps * sqrt(d * L),
        "1-cross-term",
    ),
    ("functional-inequalities/log-sobolev", "hwi", sqrt(FI0 * KL0) - KL0, "1-hwi"),
    # end points: the wrong time, the wrong law
    ("chen-2023-sampling/explicit", "martingale.initialisation", KL(q(2 * T), "gamma"), "2-martingale"),
    (
        "conforti-2023/explicit-path",
        "telescope.discretisation",
        h * (FI("q_T", "gamma") - FI("q_T", "gamma") / 2),
        "1-telescope",
    ),
    ("conforti-2023/early-stopped-path", "telescope.discretisation", h * FI("q_T", "gamma"), "1-telescope"),
    ("initialisation/second-moment", "two-rates", M2 * exp(-4 * T) / 2 + d * exp(-4 * T), "1-two-rates"),
]


@pytest.mark.parametrize(("key", "link", "wrong", "named"), PLANTED, ids=[f"{p[0]}:{p[1]}" for p in PLANTED])
def test_a_planted_error_is_found_where_it_is(key: str, link: str, wrong: sp.Expr, named: str) -> None:
    planted = KNOWN[key].but(link, wrong)
    found = derive(planted, profile=SMALL, until_broken=True)
    assert found.broken is not None
    assert found.broken.name == named
    assert found.links[-1] is found.broken
    assert all(not earlier.broken for earlier in found.links[:-1])
    assert found.broken.verdict.worst is not None


def test_an_error_that_is_too_large_breaks_the_next_link() -> None:
    planted = KNOWN["initialisation/second-moment"].but("two-rates", 3 * split.rhs)
    found = derive(planted, profile=SMALL, until_broken=True)
    assert found.broken is not None
    assert found.broken.name == "2-one-rate"


def test_a_wrong_sign_in_one_case_is_found_there() -> None:
    whole = KNOWN["regularisation/any-curvature"]
    wrong = exp(2 * a * t) * COST / (4 * t)
    step = Cases("sign", wrong, {"a <= 0": (Link("concave", wrong, by("a wrong sign")),)})
    found = derive(replace(whole, steps=(whole.steps[0], step)), profile=SMALL, until_broken=True)
    assert found.broken is not None
    assert found.broken.name == "2-sign.case1.1-concave"


@pytest.mark.parametrize(
    "key",
    ["chen-2023-sampling/explicit", "initialisation/second-moment", "noise-stability/low-degree"],
)
def test_the_losses_add_up_to_the_whole(key: str) -> None:
    derivation = KNOWN[key]
    found, tightest, uncovered = losses(derivation, seed=1)
    assert uncovered is None
    assert tightest is not None
    whole = derivation.whole
    from properties.exam import examine

    exam = examine(whole, tightest)
    total = sum(loss.at_tightest for loss in found)
    assert total == pytest.approx(float(np.log(float(exam.rhs.mid) / float(exam.lhs.mid))), abs=1e-6)
    assert sum(share(loss, found) for loss in found) == pytest.approx(1.0)
    assert all(loss.largest >= loss.typical >= -1e-9 for loss in found)


def test_the_wasteful_link_is_named() -> None:
    tenfold = Derivation(
        key="note/tenfold",
        start=START,
        steps=(
            Link("rate", exp(-2 * T) * KL0, "initialisation/contraction"),
            Link("slack", 10 * exp(-2 * T) * KL0, by("carelessness")),
        ),
        setup=Setup(clock="unit"),
    )
    found = derive(tenfold, profile=SMALL)
    assert found.wasteful is not None
    assert found.wasteful.name == "2-slack"
    assert found.wasteful.typical == pytest.approx(np.log(10))
    assert [link.symbolic for link in found.links] == [False, True]


def test_a_case_split_with_a_gap_is_refused() -> None:
    whole = KNOWN["regularisation/any-curvature"]
    sign = whole.steps[1]
    assert isinstance(sign, Cases)
    cases = {"a >= 1": sign.cases["a >= 0"], "a <= 0": sign.cases["a <= 0"]}
    gap = replace(whole, steps=(whole.steps[0], replace(sign, cases=cases)))
    found = derive(gap, profile=SMALL)
    assert found.broken is None
    assert found.uncovered is not None
    assert found.uncovered[0] == "2-sign"
    assert 0 < found.uncovered[1].parameters["a"] < 1
    assert found.word == "refuted"


def _note(*links: Link | Split | Cases, **changes: object) -> Derivation:
    fields: dict[str, object] = {
        "key": "note/x",
        "start": START,
        "steps": links,
        "setup": Setup(clock="unit"),
    }
    return Derivation(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ((Link("one", "KL0", by("x")), Link("two", START, by("y"))), r"link 2-two='KL\(q_T, gamma\)'"),
        ((Link("one", "KL0", by("x")), Link("one", "2*KL0", by("y"))), "once in its chain"),
        ((Link("one", "KL0 + sepp", by("x")),), "nearest: 'sep'"),
        ((Link("one", "KL0 + R", by("x")), Link("two", "2*KL0", by("y"))), "link 1-one='R'"),
        ((Link("one", "KL0", " "),), "link 1-one: by"),
        ((Link("one", "KL0 <= 1", by("x")),), "link 1-one"),
        ((Link("one two", "KL0", by("x")),), "a name without blanks, dots and slashes"),
        ((Link("one", "KL0", by("x"), "<"),), "relation='<'"),
        ((Link("one", "KL0", by("x"), ">="),), "link 1-one: relation='>=': expected '<=' or '=='"),
        ((), "at least one link"),
        (
            (Cases("c", "KL0", {"T >= 1": (Link("one", "2*KL0", by("x")),)}),),
            "a chain that ends in KL0",
        ),
    ],
)
def test_malformed_derivations_name_the_link(steps: tuple[Link, ...], message: str) -> None:
    with pytest.raises(ClaimError, match=message):
        _note(*steps)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: _note(steps=None), r"steps=None: expected a tuple of Link"),
        (lambda: _note(steps=Link("one", "KL0", by("x"))), r"one is written \(Link\(...\),\)"),
        (lambda: _note(steps=("KL0",)), "steps='KL0': expected Link"),
        (lambda: _note(Link("one", "KL0", by("x")), key="note"), "key='note': expected 'paper/name'"),
        (lambda: _note(Link("one", "KL0", by("x")), key=3), "key=3"),
        (lambda: _note(Link("one", "KL0", by("x")), setup=None), "setup=None: expected a Setup"),
        (lambda: _note(Link("one", "KL0", by("x")), assuming="T => 1"), "link 1-one: assuming"),
        (lambda: _note(Link("one", None, by("x"))), "link 1-one=None: expected an expression"),
        (lambda: _note(Link("one", KL0 * float("nan"), by("x"))), "link 1-one: .*nan: expected a formula"),
        (lambda: _note(Link("one", KL0 * sp.oo, by("x"))), "link 1-one: .*a finite value"),
        (lambda: _note(Link("one", KL0 * sp.I, by("x"))), "link 1-one=.*a real expression"),
        (lambda: _note(Link("one", KL0, None)), "link one: by=None: expected text"),  # type: ignore[arg-type]
        (lambda: _note(Link(1, KL0, by("x"))), "link: name=1: expected text"),  # type: ignore[arg-type]
        (lambda: _note(Link("a.b", KL0, by("x"))), "without blanks, dots and slashes"),
        (lambda: Split("s", [KL0], by("x")), r"link s: parts=\[KL0\]"),  # type: ignore[arg-type]
        (lambda: Split("s", {"a": KL0}, by("x")), "link s, part a=KL0"),  # type: ignore[dict-item]
        (lambda: _note(Split("s", {}, by("x"))), "link 1-s: terms={}"),
        (lambda: Cases("c", KL0, {}), "link c: cases={}"),
        (lambda: Cases("c", KL0, {"T >= 1": ()}), "link c, case T >= 1"),
    ],
)
def test_wrong_types_and_values_name_the_link(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ClaimError, match=message):
        make()


def test_lemmas_must_exist_and_not_go_round() -> None:
    with pytest.raises(ClaimError, match=r"note/x/1-one: by.*nearest: 'initialisation/contraction'"):
        derive(_note(Link("one", exp(-2 * T) * KL0, "initialisation/contractio")), profile=SMALL)
    own = Link("one", exp(-2 * T) * KL0, "initialisation/contraction")
    with pytest.raises(ClaimError, match="lemmas that do not rest on the claim"):
        derive(_note(own, proves="initialisation/contraction"), profile=SMALL)
    first = _note(Link("one", exp(-2 * T) * KL0, "initialisation/split"), proves="initialisation/contraction")
    proof = KNOWN["initialisation/split"]
    second = replace(proof, steps=(replace(proof.steps[0], by="initialisation/contraction"), proof.steps[1]))
    with pytest.raises(ClaimError, match="lemmas that do not rest on the claim"):
        check_lemmas((first, second))
    with pytest.raises(ClaimError, match=r"note/x: proves='initialisation/splitt'.*nearest"):
        derive(_note(own, proves="initialisation/splitt"), profile=SMALL)
    with pytest.raises(ClaimError, match="end='2\\*KL0\\*exp\\(-2\\*T\\)'"):
        derive(
            _note(Link("one", 2 * exp(-2 * T) * KL0, by("x")), proves="initialisation/contraction"),
            profile=SMALL,
        )


def test_a_link_without_a_case_is_an_error() -> None:
    with pytest.raises(ClaimError, match="assumptions that some case meets"):
        derive(_note(Link("one", KL0, by("x")), assuming=("T >= 100",)), profile=SMALL)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("PathKL(target, output)", "the path KL of sampler='none'"),
        ("KL(target_t, gamma)", "law 'target_t' does not exist"),
    ],
)
def test_a_quantity_that_the_setup_does_not_have_is_an_error(formula: str, message: str) -> None:
    with pytest.raises(ClaimError, match=rf"note/x/1-one='.*{message}"):
        derive(_note(Link("one", formula, by("x"))), profile=SMALL)


def test_a_derivation_may_be_about_a_claim_of_the_catalogue() -> None:
    link = Link("one", 2 * exp(-2 * T) * KL0, "initialisation/contraction")
    check_lemmas((_note(link, about="initialisation/contraction"),))
    with pytest.raises(ClaimError, match=r"note/x: about='initialisation/contractio': .*nearest"):
        check_lemmas((_note(link, about="initialisation/contractio"),))


def test_every_derivation_has_its_waterfall_on_record() -> None:
    proof, related = proofs_of(find("gupta-2023/quantile-sampling"))
    assert proof["proves"]
    assert not related["proves"]
    assert [link["name"] for link in proof["links"]] == ["1-sidak", "2-bernoulli"]
    assert proof["links"][1]["slack"]["typical"] > 0.01
    shown_with = {key: derivation.proves or derivation.about for key, derivation in KNOWN.items()}
    assert all(shown_with.values())


def test_formulas_may_be_text_and_quantities_may_stand_in_the_middle() -> None:
    found = derive(
        _note(
            Link("hellinger", "sqrt(KL(q_T, gamma)/2)", "functional-inequalities/pinsker"),
            Link("decay", {"all": "exp(-T)*sqrt(KL0/2)"}, "initialisation/contraction"),
            start="TV(q_T, gamma)",
        ),
        profile=SMALL,
    )
    assert found.word == "holds"
    assert found.derivation.first == TV("q_T", "gamma")
    assert [link.name for link in found.links] == ["1-hellinger", "2-decay"]


def test_equality_links_are_checked_both_ways() -> None:
    identity = Link("identity", J("target") - 2 * d + M2, "functional-inequalities/fisher-identity", "==")
    good = _note(identity, start=FI("target", "gamma"))
    assert derive(good, profile=SMALL).word == "holds"
    larger = good.but("identity", J("target") - 2 * d + M2 + Rational(1, 10))
    assert derive(larger, profile=SMALL, until_broken=True).word == "refuted"


def test_what_gaussians_do_not_show_mixtures_do() -> None:
    """J M2 is 1 for centred Gaussians on the line, and more for every other law (Cramér-Rao)."""
    false = Derivation(
        key="note/cramer-rao",
        start=J("target") * M2,
        steps=(Link("cramer-rao", Rational(101, 100), by("equality, as if every law were a Gaussian")),),
        setup=Setup(clock="unit"),
        assuming=("one-dimensional", "centred"),
    )
    assert derive(false, profile="quick").word == "holds"
    found = derive(false, profile="default", until_broken=True)
    assert found.broken is not None
    assert found.broken.name == "1-cramer-rao"
    assert found.broken.verdict.worst is not None
    assert not found.broken.verdict.worst.case.is_gaussian


SHOWN = {
    "benton-2024/explicit-path": {"2-steps": "means"},
    "chen-2023-sampling/explicit-path": {"1-martingale.discretisation.1-elementary": "Taylor"},
    "chen-2023-sampling/explicit-tv": {"3-roots": "algebra", "4-small-steps": "means"},
    "chen-2023-sampling/frozen-score-on-gamma": {"2-taylor": "Taylor"},
    "conforti-2023/explicit-path": {"1-telescope.discretisation.1-drop": "algebra"},
    "functional-inequalities/log-sobolev": {"2-young": "means"},
    "functional-inequalities/bretagnolle-huber-linear": {"2-root": "algebra"},
    "initialisation/split": {"2-series": "Taylor"},
    "initialisation/second-moment": {"2-one-rate": "algebra"},
    "regularisation/any-curvature": {
        "2-sign.case1.1-convex": "algebra",
        "2-sign.case1.2-growth": "algebra",
        "2-sign.case2.1-concave": "algebra",
    },
}
"""The links that follow for all values of their symbols, and how."""


@pytest.mark.parametrize("key", SHOWN)
def test_symbolic_links_are_shown_and_the_others_are_not(key: str) -> None:
    derivation = KNOWN[key]
    how = {name: shown(derivation.claim(name)) for name in derivation.names}
    assert {name: word for name, word in how.items() if word} == SHOWN[key]


@pytest.mark.parametrize("key", SHOWN)
def test_a_symbolic_link_with_a_smaller_constant_is_not_shown(key: str) -> None:
    derivation = KNOWN[key]
    for name in SHOWN[key]:
        claim = derivation.claim(name)
        assert not shown(replace(claim, terms={"bound": claim.rhs * Rational(45, 100)}))


def test_formulas_in_few_parameters_are_shown_by_intervals() -> None:
    claim = replace(
        KNOWN["initialisation/split"].claim("2-series"),
        lhs=sp.log(1 + T) * d,
        terms={"bound": T * d},
    )
    assert shown(claim).startswith("intervals on T=0.5:30, d=1:1e+06")
    assert not shown(replace(claim, terms={"bound": T * d / 2}))
