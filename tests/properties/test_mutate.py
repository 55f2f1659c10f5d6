"""Mutants of claims: what is changed, which changes make a claim stronger, and that these are refused."""

import json
from dataclasses import replace

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
from properties.effects import pool_of
from properties.mutants import OPERATORS, Mutant, mutants
from properties.mutate import effects, mutate
from properties.session import Settings
from properties.space import draw, space_of
from reports import mutation
from reports.cli import main

CLAIMS = {claim.key: claim for claim in CATALOGUE}
PATH = CLAIMS["chen-2023-sampling/explicit-path"]
START = CLAIMS["initialisation/contraction"]
QUICK = Settings(profile="quick", jobs=1)
d, T, h, L, KL0, M2, eps = symbols("d T h L KL0 M2 eps")


def words(claim, changed):
    return [effect.word for effect in effects(claim, changed)]


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
    recursion = CLAIMS["chen-2023-sampling/girsanov-shift"]
    assert by_name(recursion, "frozen-score-at-step-end").operator == "step end"
    seen = names | {"constant", "ends", "step end"}
    assert seen == {*OPERATORS, "constant"}


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
    assert words(PATH, [by_name(PATH, name, 0.9999)]) == [effect]


def test_a_loosening_is_nowhere_smaller():
    """The same on other random cases, for every change of the right side of a few claims."""
    for claim in (PATH, START, CLAIMS["chen-2023-sampling/explicit-young"]):
        changed = [m for m in mutants(claim) if m.operator in ("exponent", "duplicate term", "swap symbols")]
        loose = [m for m, e in zip(changed, words(claim, changed), strict=True) if e == "loosening"]
        population = draw(space_of(claim), np.random.default_rng(99), 30, 20)
        before = assess(claim, population)
        for mutant in loose:
            after = assess(mutant.claim, population)
            assert (after.rhs.hi >= before.rhs.lo * (1 - 1e-9)).all(), mutant.reason


def test_a_bounded_factor_is_no_tightening_of_a_hidden_constant():
    hidden = CLAIMS["conforti-2023/finite-fisher-path"]
    halved = Mutant(hidden.but("half", terms={n: t / 2 for n, t in hidden.terms.items()}), "test", "halved")
    assert words(hidden, [halved]) == ["loosening"]
    assert words(hidden, [by_name(hidden, "without-score")]) == ["tightening"]


def test_an_assumption_removed_admits_more_cases():
    claim = CLAIMS["initialisation/corrected-rate"]
    assert words(claim, [by_name(claim, "unless-1")]) == ["tightening"]


def test_a_pool_measures_what_a_fresh_assessment_measures():
    """The left side and the terms are shared; each mutant comes out as if it had been measured anew."""
    for key in ("chen-2023-sampling/explicit-path", "langevin/klmc-w2", "building-blocks/de-bruijn"):
        claim = CLAIMS[key]
        pool = pool_of(claim, 0)
        for mutant in mutants(claim)[::9]:
            seen = pool.seen(mutant.claim)
            fresh = assess(mutant.claim, replace(pool.population, setup=mutant.claim.setup))
            rows = fresh.population.parameters["row"].astype(int)
            assert set(np.flatnonzero(~np.isnan(seen.ratios))) <= set(rows)
            above = dict(zip(rows.tolist(), fresh.above.tolist(), strict=True))
            assert all(above[row] for row in np.flatnonzero(seen.above))
            small, large = fresh.lhs.mid, fresh.rhs.mid
            with np.errstate(all="ignore"):
                expected = dict(zip(rows.tolist(), np.where(large > 0, small / large, np.inf), strict=True))
            for row in np.flatnonzero(~np.isnan(seen.ratios))[::50]:
                assert seen.ratios[row] == pytest.approx(expected[int(row)], rel=1e-9)


def test_rows_on_which_a_changed_bound_has_no_value_are_left_out():
    claim = CLAIMS["building-blocks/log-sobolev-along-the-flow"]  # its a may be negative, a^(-1/2) may not
    pool = pool_of(claim, 0)
    whole, cut = pool.seen(claim), pool.seen(by_name(claim, "exponent-bound-a-less-1-2").claim)
    a = pool.population.parameters["a"]
    spoken = ~np.isnan(whole.ratios)
    assert (np.isnan(cut.ratios) == ~(spoken & (a > 0))).all()


def test_a_case_of_the_pool_shows_that_a_mutant_is_false_before_any_search():
    (dropped, loose) = effects(PATH, [by_name(PATH, "without-discretisation"), by_name(PATH, "marginal")])
    assert dropped.above
    assert all(
        module._violated(by_name(PATH, "without-discretisation").claim, case) for case in dropped.above
    )
    assert not loose.above
    assert not any(module._violated(PATH, case) for case in dropped.above)


def test_models_and_recursions_have_pools_too():
    model = CLAIMS["gupta-2023/hard-pair-two-samples"]
    assert [e.word for e in effects(model, [by_name(model, "constant-below-sharp", 1.0)])] == ["tightening"]
    recursion = CLAIMS["chen-2023-sampling/girsanov-shift"]
    (effect,) = effects(recursion, [by_name(recursion, "frozen-score-at-step-end")])
    assert (effect.word, bool(effect.above)) == ("tightening", True)


def test_a_lower_bound_is_mutated_upwards():
    claim = CLAIMS["building-blocks/entropy-loss-lower"]
    past = by_name(claim, "constant-below-sharp", 1.0)
    assert past.claim.constant > claim.constant


def chosen(monkeypatch, *names):
    monkeypatch.setattr(
        module, "mutants", lambda claim, sharpest=None: [by_name(claim, name, 0.9999) for name in names]
    )
    monkeypatch.setattr(module, "LONGER", 0.5)


def test_false_mutants_are_refused_and_true_ones_survive_with_a_reason(monkeypatch):
    names = (
        "without-discretisation",
        "exponent-discretisation-L-1-2",
        "constant-below-sharp",
        "root-d-discretisation",
    )
    chosen(monkeypatch, *names)
    results = mutate([PATH], QUICK)
    (entry,) = results["claims"]
    rows = {row["key"].partition("!")[2]: row for row in entry["mutants"]}
    assert rows["without-discretisation"]["refused"]
    assert rows["constant-below-sharp"]["refused"]
    assert rows["root-d-discretisation"]["refused"]
    survivor = rows["exponent-discretisation-L-1-2"]  # true: what the start leaves over makes up for it
    assert (survivor["truth"], survivor["refused"], survivor["pool"]) == ("true", False, False)
    assert "best ratio" in survivor["why"]
    score = {"judged": 4, "false": 3, "refused": 3, "missed": 0, "true": 1, "unclassified": 0, "score": 1.0}
    assert results["score"] == score


def test_a_hidden_constant_is_refused_by_divergence(monkeypatch):
    chosen(monkeypatch, "without-score")
    (entry,) = mutate([CLAIMS["conforti-2023/finite-fisher-path"]], QUICK)["claims"]
    (row,) = entry["mutants"]
    assert (row["verdict"], row["refused"], row["truth"]) == ("diverges", True, "false")


def test_a_right_side_that_vanishes_on_a_case_of_a_model_is_no_bound():
    """A hidden constant over zero: the ratio is infinite from the first box on, and not flat."""
    (row,) = [
        m for m in mutants(CLAIMS["li-2023/stochastic"]) if m.claim.key.endswith("!without-discretisation")
    ]
    verdict = module.judge(row.claim, effort="quick", briefly=True)
    assert (verdict.word, verdict.growth.law) == ("diverges", "infinite")
    assert verdict.worst.rhs.hi <= 0 < verdict.worst.lhs.lo


@pytest.mark.parametrize("witness", ["a case of the pool", "a longer search"])
def test_a_checker_that_misses_is_seen_to_miss(witness, monkeypatch):
    """Blind the search under test: the pool or the longer search finds the violation, and the score falls."""
    chosen(monkeypatch, "without-discretisation")
    true, looked = module.judge, module.effect_of

    def blind(claim, *, seed, effort, briefly):
        weak = effort == QUICK.effort  # sees the claim before the change
        return true(PATH if weak else claim, seed=seed, effort=effort, briefly=briefly)

    monkeypatch.setattr(module, "judge", blind)
    if witness == "a longer search":
        monkeypatch.setattr(module, "effect_of", lambda *args: replace(looked(*args), above=()))
    results = mutate([PATH], QUICK)
    (row,) = results["claims"][0]["mutants"]
    assert row["why"].startswith(f"missed: {witness}")
    assert results["score"]["score"] == 0.0


def test_the_limit_goes_round_the_operators_and_the_seed_decides(monkeypatch):
    row = {"truth": "unclassified", "refused": False}
    monkeypatch.setattr(module, "_verdict", lambda claim, settings: (None, ""))
    monkeypatch.setattr(
        module,
        "_row",
        lambda s, mutant, *rest: {**row, "key": mutant.claim.key, "operator": mutant.operator},
    )
    (rare,) = mutate([PATH], QUICK, limit=4)["claims"]
    operators = [row["operator"] for row in rare["mutants"]]
    assert sorted(operators) == ["clock", "constant", "dimension", "drop term"]  # the rarest there are
    first, again, other = (
        mutate([START], replace(QUICK, seed=seed), limit=5)["claims"] for seed in (0, 0, 1)
    )
    assert first == again
    assert len(first[0]["mutants"]) == 5
    assert first != other


def test_finished_claims_are_not_judged_again(monkeypatch):
    entry = {"key": PATH.key, "hash": PATH.hash, "mutants": []}
    monkeypatch.setattr(module, "entry_of", lambda work, claim: pytest.fail("judged again"))
    assert mutate([PATH], QUICK, done={PATH.hash: entry})["claims"] == [entry]


def test_claims_that_are_expected_to_fail_are_skipped():
    (skipped,) = mutate([CLAIMS["chen-2023-sampling/horizon"]], QUICK)["skipped"]
    assert skipped["why"] == "expected to be refuted"


# -- what is said and kept -----------------------------------------------------------------------------------


def entry(key, *rows):
    return {
        "key": key,
        "hash": CLAIMS[key].hash,
        "tightening": 3,
        "loosening": 2,
        "unclear": 1,
        "mutants": rows,
    }


def row(key, operator, truth, *, refused=False, pool=False):
    why = {"false": "missed: ...", "true": "holds ..."}.get(truth, "undecided: ...")
    facts = {"key": key, "operator": operator, "change": "x | y", "statement": "s", "ratio": 2.0}
    verdict = "refuted" if refused else "holds"
    return {**facts, "verdict": verdict, "refused": refused, "pool": pool, "truth": truth, "why": why}


ENTRY = entry(
    START.key,
    row(f"{START.key}!a", "exponent", "false", refused=True, pool=True),
    row(f"{START.key}!b", "exponent", "false", refused=True),
    row(f"{START.key}!c", "clock", "false", pool=True),
    row(f"{START.key}!d", "clock", "true"),
    row(f"{START.key}!e", "drop term", "unclassified"),
)


def judged(entries, **options):
    """A stand-in for the judging of claims, which hands out these entries and counts."""
    calls = []

    def run(claims, settings, limit=None, *, done=None, on_done=None):
        asked = [claim.key for claim in claims]
        calls.append(asked)
        for claim in claims:
            if on_done is not None and claim.key in entries:
                on_done(claim, entries[claim.key], [0.5])
        found = [entries[key] for key in asked if key in entries]
        return {"claims": found, "score": module.score_of(found), "skipped": []}

    return run, calls


def test_the_command_says_the_score_first_and_exits_with_one_when_something_was_missed(monkeypatch):
    monkeypatch.setattr(module, "mutate", judged({START.key: ENTRY})[0])
    shown = CliRunner().invoke(main, ["mutate", START.key])
    assert shown.exit_code == 1
    assert shown.stdout.startswith("missed: 2 of 3 refused")
    assert f"{START.key}!c" in shown.stdout
    printed = CliRunner().invoke(main, ["mutate", START.key, "--json", "-"])
    assert json.loads(printed.stdout)["score"]["missed"] == 1
    assert CliRunner().invoke(main, ["mutate", "no-such-claim"]).exit_code == 2


def test_what_is_written_is_kept_and_goes_on(monkeypatch, tmp_path):
    other = entry(PATH.key, row(f"{PATH.key}!z", "ends", "false", refused=True))
    run, calls = judged({START.key: ENTRY, PATH.key: other})
    monkeypatch.setattr(module, "mutate", run)
    page = tmp_path / "MUTATION.md"
    first = CliRunner().invoke(main, ["mutate", START.key, "--limit", "5", "--write", "--file", str(page)])
    assert first.exit_code == 1
    assert "2 of 3 false mutants refused (66.6%)" in first.stdout
    stored = mutation.load(tmp_path / mutation.STORE)
    assert PATH.key in stored["waiting"]
    CliRunner().invoke(main, ["mutate", START.key, PATH.key, "--limit", "5", "--write", "--file", str(page)])
    assert calls == [[START.key], [PATH.key]]  # the first is kept
    stored = mutation.load(tmp_path / mutation.STORE)
    assert set(stored["claims"]) == {START.key, PATH.key}
    assert page.read_text(encoding="utf-8") == mutation.render(stored)
    stored["claims"][START.key]["hash"] = "edited since"
    (tmp_path / mutation.STORE).write_text(mutation.text(stored), encoding="utf-8")
    CliRunner().invoke(main, ["mutate", START.key, "--limit", "5", "--write", "--file", str(page)])
    assert calls[-1] == [START.key]
    CliRunner().invoke(main, ["mutate", PATH.key, "--limit", "6", "--write", "--file", str(page)])
    assert calls[-1] == [PATH.key]  # another limit is another score
    (tmp_path / mutation.STORE).write_text("{}", encoding="utf-8")
    broken = CliRunner().invoke(main, ["mutate", PATH.key, "--write", "--file", str(page)])
    assert broken.exit_code == 2


def test_the_page_lists_what_was_missed_what_survives_and_what_cannot_be_told():
    stored = mutation.empty({"limit": 5, "profile": "default", "seed": 0})
    stored["claims"][START.key] = mutation.brief(ENTRY)
    stored["skipped"]["chen-2023-sampling/horizon"] = "expected to be refuted"
    stored["waiting"] = [PATH.key]
    counts = mutation.totals(stored)
    kept = {name: counts[name] for name in module.score_of([ENTRY])}
    assert kept == module.score_of([ENTRY])  # the small entry says the same
    assert (counts["pool"], counts["pool_refused"]) == (2, 1)
    page = mutation.render(stored)
    assert "**2 of 3 false mutants refused (66.6%)**" in page
    assert "| exponent | 2 | 2 | 2 | 0 | 0 | 0 |" in page
    for title, name in (("Missed", "c"), ("Survivors that no search violates", "d"), ("Unclassified", "e")):
        assert f"`{START.key}!{name}` | x \\| y |" in page.partition(f"## {title}")[2].split("##")[0]
    assert f"- `{PATH.key}`" in page.partition("## Not judged yet")[2]
    assert mutation.render(json.loads(mutation.text(stored))) == page


def test_the_committed_score_is_rendered_from_what_is_kept_and_meets_what_is_promised():
    stored = mutation.committed()
    assert stored is not None
    from importlib.resources import files

    page = files("reports").joinpath("MUTATION.md").read_text(encoding="utf-8")
    assert page == mutation.render(stored)
    assert mutation.totals(stored)["score"] >= 0.95
    operators = {name for entry in stored["claims"].values() for name in entry["refused"]}
    assert operators >= {"exponent", "drop term", "constant", "clock", "order of KL", "assumption"}


def test_the_page_of_a_run_of_the_catalogue_shows_the_score(monkeypatch):
    from reports import html

    stored = mutation.empty({"limit": 5, "profile": "default", "seed": 0})
    stored["claims"][START.key] = mutation.brief(ENTRY)
    monkeypatch.setattr(mutation, "committed", lambda: stored)
    assert html._score([{"file": "my_bound.py"}]) is None
    score = html._score([{"file": "catalogue"}])
    assert score["sentence"] == "2 of 3 false mutants refused (66.6%)"
    assert score["rows"]["clock"]["missed"] == 1


def test_path_mutant_of_a_marginal_claim_is_stronger():
    claim = CLAIMS["chen-2023-sampling/explicit"]
    assert by_name(claim, "path").claim.lhs == PathKL("target", "output")
    assert words(claim, [by_name(claim, "path")]) == ["tightening"]
