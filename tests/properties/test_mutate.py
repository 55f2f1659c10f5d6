"""Mutants of claims: what is changed, which changes make a claim stronger, and that these are refused."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from sympy import exp, log

from bounds.catalogue import CATALOGUE
from bounds.claim import Claim
from bounds.notation import symbols
from bounds.quantity import KL, PathKL
from bounds.setup import Setup
from properties import mutate as module
from properties.assess import assess
from properties.mutate import Mutant, effects, mutants, mutate
from properties.session import Settings
from properties.space import draw, space_of
from reports.cli import main

CLAIMS = {claim.key: claim for claim in CATALOGUE}
PATH = CLAIMS["chen-2023-sampling/explicit-path"]
START = CLAIMS["initialisation/contraction"]
QUICK = Settings(profile="quick", jobs=1)
d, T, h, L, KL0, M2, eps = symbols("d T h L KL0 M2 eps")


def by_name(claim, name, sharpest=None):
    return next(m for m in mutants(claim, sharpest) if m.claim.key == f"{claim.key}!{name}")


def test_every_mutant_is_a_valid_claim_of_its_own():
    for claim in CATALOGUE[::6]:
        changed = mutants(claim)
        hashes = [mutant.claim.hash for mutant in changed]
        assert len(set(hashes)) == len(hashes)
        assert claim.hash not in hashes
        assert all(mutant.claim.key.startswith(f"{claim.key}!") and mutant.reason for mutant in changed)


def test_operators_cover_what_goes_wrong_in_derivations():
    claim = Claim(
        key="all/operators",
        lhs=KL("target", "output"),
        terms={"start": (M2 + d) * exp(-2 * T), "score": T * eps**2, "step": d * log(L) * h},
        assuming=(L >= 1, h <= 1),
        constant="absolute",
        setup=Setup(clock="unit", sampler="ddpm-ei"),
    )
    names = {mutant.operator for mutant in mutants(claim)}
    wanted = {"exponent", "drop term", "duplicate term", "swap symbols", "clock", "order of KL"}
    assert wanted | {"path or marginal", "average", "assumption", "dimension", "logarithm"} <= names
    assert "constant" in {mutant.operator for mutant in mutants(PATH, 0.9999)}
    ends = Claim(
        key="all/ends", lhs=KL("q_T", "gamma"), terms={"a": KL("target", "gamma")}, setup=Setup(clock="unit")
    )
    assert by_name(ends, "a-at-q_T").operator == "ends"


@pytest.mark.parametrize(
    ("name", "effect"),
    [
        ("twice-discretisation", "loosening"),
        ("without-discretisation", "tightening"),
        ("marginal", "loosening"),
        ("exponent-discretisation-d-1", "loosening"),
        ("exponent-discretisation-d-less-1-2", "tightening"),
        ("root-d-discretisation", "tightening"),
        ("constant-below-sharp", "tightening"),
        ("half-clock", "tightening"),
    ],
)
def test_effects_are_known_without_a_search(name, effect):
    assert effects(PATH, [by_name(PATH, name, 0.9999)]) == [effect]


def test_a_loosening_is_nowhere_smaller():
    """The same on other random cases, for every change of the right side of a few claims."""
    for claim in (PATH, START, CLAIMS["chen-2023-sampling/explicit-young"]):
        changed = [m for m in mutants(claim) if m.operator in ("exponent", "duplicate term", "swap symbols")]
        loose = [m for m, e in zip(changed, effects(claim, changed), strict=True) if e == "loosening"]
        population = draw(space_of(claim), np.random.default_rng(99), 30, 20)
        before = assess(claim, population)
        for mutant in loose:
            after = assess(mutant.claim, population)
            assert (after.rhs.hi >= before.rhs.lo * (1 - 1e-9)).all(), mutant.reason


def test_a_bounded_factor_is_no_tightening_of_a_hidden_constant():
    hidden = CLAIMS["conforti-2023/finite-fisher-path"]
    halved = Mutant(hidden.but("half", terms={n: t / 2 for n, t in hidden.terms.items()}), "test", "halved")
    assert effects(hidden, [halved]) == ["loosening"]
    assert effects(hidden, [by_name(hidden, "without-score")]) == ["tightening"]


def test_an_assumption_removed_admits_more_cases():
    claim = CLAIMS["initialisation/corrected-rate"]
    assert effects(claim, [by_name(claim, "unless-1")]) == ["tightening"]


def test_false_mutants_are_refused_and_true_ones_survive_with_a_reason(monkeypatch):
    chosen = (
        "without-discretisation",
        "exponent-discretisation-L-1-2",
        "constant-below-sharp",
        "root-d-discretisation",
    )
    monkeypatch.setattr(
        module, "mutants", lambda claim, sharpest=None: [by_name(claim, n, 0.9999) for n in chosen]
    )
    monkeypatch.setattr(module, "LONGER", 0.5)
    results = mutate([PATH], QUICK)
    rows = {row["key"].partition("!")[2]: row for row in results["mutants"]}
    assert rows["without-discretisation"]["refused"]
    assert rows["constant-below-sharp"]["refused"]
    assert rows["root-d-discretisation"]["refused"]
    survivor = rows["exponent-discretisation-L-1-2"]  # true: what the start leaves over makes up for it
    assert (survivor["truth"], survivor["refused"]) == ("unknown", False)
    assert "best ratio" in survivor["why"]
    score = {"judged": 4, "false": 3, "refused": 3, "missed": 0, "survivors": 1, "score": 1.0}
    assert results["score"] == score


def test_a_hidden_constant_is_refused_by_divergence(monkeypatch):
    hidden = CLAIMS["conforti-2023/finite-fisher-path"]
    monkeypatch.setattr(module, "mutants", lambda claim, sharpest=None: [by_name(claim, "without-score")])
    (row,) = mutate([hidden], QUICK)["mutants"]
    assert (row["verdict"], row["refused"], row["truth"]) == ("diverges", True, "false")


def test_a_checker_that_misses_is_seen_to_miss(monkeypatch):
    """Blind the first search only: the longer one finds the violation, and the score falls."""
    monkeypatch.setattr(
        module, "mutants", lambda claim, sharpest=None: [by_name(claim, "without-discretisation")]
    )
    true = module.judge

    def blind(claim, *, seed, effort, briefly):
        weak = effort == QUICK.effort  # sees the claim before the change
        return true(PATH if weak else claim, seed=seed, effort=effort, briefly=briefly)

    monkeypatch.setattr(module, "judge", blind)
    monkeypatch.setattr(module, "LONGER", 1.0)
    results = mutate([PATH], QUICK)
    assert results["mutants"][0]["why"].startswith("missed")
    assert results["score"]["score"] == 0.0


def test_the_limit_is_kept_and_the_seed_decides(monkeypatch):
    monkeypatch.setattr(
        module,
        "_judged",
        lambda settings, mutant: {"key": mutant.claim.key, "truth": "unknown", "refused": False},
    )
    first, again = (mutate([PATH, START], QUICK, limit=5) for _ in range(2))
    assert first == again
    assert len(first["mutants"]) == 5
    assert first["mutants"] != mutate([PATH, START], Settings("quick", seed=1, jobs=1), limit=5)["mutants"]


def test_claims_that_are_expected_to_fail_are_skipped():
    (skipped,) = mutate([CLAIMS["chen-2023-sampling/horizon"]], QUICK)["skipped"]
    assert skipped["why"] == "expected to be refuted"


def test_the_command_says_the_score_first_and_exits_with_one_when_something_was_missed(monkeypatch):
    row = {
        "of": "a/b",
        "key": "a/b!c",
        "change": "x",
        "verdict": "holds",
        "why": "missed: ...",
        "refused": False,
    }
    score = {"judged": 1, "false": 1, "refused": 0, "missed": 1, "survivors": 0, "score": 0.0}
    results = {"mutants": [{**row, "truth": "false"}], "score": score, "tightening": 1, "loosening": 0}
    results |= {"unclear": 0, "skipped": []}
    monkeypatch.setattr(module, "mutate", lambda claims, settings, limit: results)
    shown = CliRunner().invoke(main, ["mutate", START.key])
    assert shown.exit_code == 1
    assert shown.stdout.startswith("missed: 0 of 1 refused")
    assert "a/b!c" in shown.stdout
    printed = CliRunner().invoke(main, ["mutate", START.key, "--json", "-"])
    assert json.loads(printed.stdout)["score"]["missed"] == 1
    assert CliRunner().invoke(main, ["mutate", "no-such-claim"]).exit_code == 2


def test_path_mutant_of_a_marginal_claim_is_stronger():
    claim = CLAIMS["chen-2023-sampling/explicit"]
    assert by_name(claim, "path").claim.lhs == PathKL("target", "output")
    assert effects(claim, [by_name(claim, "path")]) == ["tightening"]
