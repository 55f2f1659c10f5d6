"""Reported ratios against those of a longer search: the sample, the comparison, and what is kept of it."""

from dataclasses import replace
from importlib import import_module

import pytest
from click.testing import CliRunner

from bounds.catalogue import CATALOGUE
from properties.effects import Effect
from properties.longer import Asked, compared, sample
from properties.mutants import OPERATORS, RAREST_FIRST, mutants
from properties.session import Settings
from reports import longer as kept
from reports import mutation
from reports.cli import main

module = import_module("properties.longer")
CLAIMS = {claim.key: claim for claim in CATALOGUE}
START = CLAIMS["initialisation/contraction"]
QUICK = Settings(profile="quick", jobs=1)


def named(claim, name):
    return next(m for m in mutants(claim, 0.9999) if m.claim.key == f"{claim.key}!{name}")


@pytest.fixture
def all_stronger(monkeypatch):
    """No measuring: every mutant counts as stronger, and no constant is looked for."""
    monkeypatch.setattr(module, "effects", lambda claim, changed, seed: [Effect("tightening")] * len(changed))
    monkeypatch.setattr(module, "sharpest", lambda settings, claim: 0.9)


def test_the_sample_takes_operators_in_turn_and_claims_once(all_stronger):
    chosen = sample(CATALOGUE, Asked(100, 26), QUICK)
    assert chosen == sample(CATALOGUE, Asked(100, 26), QUICK)
    assert chosen[:5] == sample(CATALOGUE, Asked(100, 5), QUICK)  # a larger sample goes on with a smaller one
    assert chosen != sample(CATALOGUE, Asked(100, 26, seed=1), QUICK)
    claims = [mutant.claim.key.partition("!")[0] for mutant in chosen]
    assert len(set(claims)) == 26
    assert all(CLAIMS[key].is_stated and CLAIMS[key].relation != "==" for key in claims)
    operators = [mutant.operator for mutant in chosen]
    assert len(set(operators)) >= 8
    assert max(map(operators.count, operators)) <= 5


def test_every_operator_has_a_turn():
    assert len(RAREST_FIRST) == len(set(RAREST_FIRST))
    assert set(RAREST_FIRST) == {*OPERATORS, "constant"}


def test_a_finite_violation_is_reported_at_its_full_size():
    """The supremum is 1/0.97 of the constant past the sharp one, and a search as long again finds no more."""
    row = compared(QUICK, 1.0, named(START, "constant-below-sharp"))
    assert (row["word"], row["verdict"]) == ("within", "refuted")
    assert row["largest"] == pytest.approx(1 / 0.97, rel=1e-3)
    assert row["cases"][1] >= row["cases"][0]


def test_a_violation_without_end_is_not_compared():
    row = compared(QUICK, 1.0, named(START, "exponent-initialisation-KL0-less-1"))
    assert (row["word"], "part" in row) == ("endless", False)


def test_a_search_that_stops_too_early_is_seen_to_be_behind(monkeypatch):
    """Report a milder violation than there is: the longer search says so."""
    mutant = named(START, "constant-below-sharp")
    halved = replace(mutant, claim=mutant.claim.but("halved", constant=mutant.claim.constant / 2))
    judged = module.judge

    def early(claim, *, seed, effort):
        verdict = judged(claim, seed=seed, effort=effort)
        verdict.worst = replace(verdict.worst, ratio=1.2)
        return verdict

    monkeypatch.setattr(module, "judge", early)
    row = compared(QUICK, 1.0, halved)
    assert row["word"] == "behind"
    assert row["part"] == pytest.approx(1.2 * 0.97 / 2, rel=1e-3)


def test_a_mutant_that_holds_is_said_to_be_not_refused():
    assert (
        compared(QUICK, 1.0, replace(named(START, "constant-below-sharp"), claim=START))["word"]
        == "not refused"
    )


def test_the_command_keeps_rows_and_goes_on(all_stronger, monkeypatch, tmp_path):
    asked = []

    def row(settings, factor, mutant):
        asked.append(mutant.claim.key)
        facts = {
            "key": mutant.claim.key,
            "hash": mutant.claim.hash,
            "operator": mutant.operator,
            "change": "c",
        }
        numbers = {"reported": 1.5, "largest": 3.0, "part": 0.5, "cases": [10, 1000]}
        word = "within" if len(asked) > 1 else "behind"
        return {**facts, **numbers, "verdict": "refuted", "word": word}

    monkeypatch.setattr(module, "compared", row)
    page = tmp_path / "MUTATION.md"
    options = ["--longer", "100", "--write", "--file", str(page), "--jobs", "1"]
    first = CliRunner().invoke(main, ["mutate", *options, "--sample", "3"])
    assert first.exit_code == 1
    assert first.stdout.startswith("2 of 3 reported ratios are within 10%")
    stored = mutation.load(tmp_path / mutation.STORE)
    assert page.read_text(encoding="utf-8") == mutation.render(stored)
    assert f"| `{asked[0]}` |" in page.read_text(encoding="utf-8").partition("## Against a longer search")[2]
    stored["longer"]["rows"].pop()  # as if the run had been stopped
    (tmp_path / mutation.STORE).write_text(mutation.text(stored), encoding="utf-8")
    CliRunner().invoke(main, ["mutate", *options, "--sample", "3"])
    assert asked == [*asked[:3], asked[2]]
    assert kept.sentence(mutation.load(tmp_path / mutation.STORE)["longer"]).startswith("2 of 3")
    CliRunner().invoke(main, ["mutate", *options, "--sample", "2"])
    assert len(asked) == 6  # another sample is another comparison
