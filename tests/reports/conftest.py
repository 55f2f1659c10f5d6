"""Hand-made results of every kind for the renderers, and a stand-in for the session for the command line."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from properties import session
from reports import record
from reports.cli import main

ISOTROPIC = {
    "target": {"type": "gaussian", "eigenvalues": [0.5], "multiplicities": [10], "means": [2.0]},
    "clock": "unit",
    "sampler": "ddpm-ei",
    "grid": {"kind": "uniform", "T": 3.0, "N": 20, "delta": 0.0},
    "start": "gamma",
    "score": {"kind": "exact"},
    "parameters": {},
}
SCRIPT = """import lesssim as ls
claim = ls.find("{key}")
case = ls.Case(target=ls.Gaussian([0.5], [10], [2.0]), T=3, N=20)
print(claim.check(case))  # lhs 0.52 > rhs 0.31"""
BIBTEX = """@inproceedings{chen2023sampling,
  title  = {Sampling is as easy as learning the score},
  author = {Chen, Sitan and Chewi, Sinho and Li, Jerry and Li, Yuanzhi and Salim, Adil and Zhang, Anru R.},
  year   = {2023}
}"""
STATEMENTS = {
    "stated": (
        "KL(target, output) <= (M2 + d)/(2*(exp(T) - 1)) + T*eps**2 + L**2*T**2*d/(2*N)",
        r"\mathrm{KL}(q\,\|\,p) \leq \frac{M_2 + d}{2\left(e^{T} - 1\right)}"
        r" + T \varepsilon^{2} + \frac{L^{2} T^{2} d}{2 N}",
    ),
    "absolute": (
        "TV(target, output) <~ sqrt(KL0)*exp(-T) + sqrt(T)*(L*sqrt(d*h) + L*sqrt(M2)*h + eps)",
        r"\mathrm{TV}(q, p) \lesssim \sqrt{\mathrm{KL}_0}\, e^{-T} + \sqrt{T}"
        r"\left(L\sqrt{d h} + L \sqrt{M_2}\, h + \varepsilon\right)",
    ),
    "polylog": (
        "KL(q_delta, output) <~ eps**2 + kappa**2*d*N + kappa*d*T + d*exp(-2*T)",
        r"\mathrm{KL}(q_\delta\,\|\,p) \lesssim \varepsilon^{2} + \kappa^{2} d N + \kappa d T + d e^{-2 T}",
    ),
}
TERMS = [
    {
        "name": "initialisation",
        "latex": r"\frac{M_2 + d}{2\left(e^{T} - 1\right)}",
        "value": [0.0812, 0.0812001],
        "share": 0.26,
    },
    {"name": "score", "latex": r"T \varepsilon^{2}", "value": [0.0, 0.0], "share": 0.0},
    {
        "name": "discretisation",
        "latex": r"\frac{L^{2} T^{2} d}{2 N}",
        "value": [0.2309, 0.2309001],
        "share": 0.74,
    },
]


def claim_record(
    key: str, verdict: str, ratio: float | str | None = 0.83, kind: str = "stated", **changes: Any
) -> dict[str, Any]:
    """A record in which everything but the arguments has a plausible value."""
    text, latex = STATEMENTS[kind]
    sides = {"ratio": ratio, "lhs": [0.3121, 0.3121], "rhs": [0.376, 0.376], "case": copy.deepcopy(ISOTROPIC)}
    if verdict == "refuted":
        sides |= {"lhs": [0.5231, 0.5231], "rhs": [0.3121, 0.3121]}
    refuted = verdict in ("refuted", "diverges")
    witness = {
        **sides,
        "latex": r"q = \mathcal{N}\left(m, \tfrac{1}{2} I_{10}\right),\ |m| = 2,\ T = 3,\ N = 20",
    }
    record: dict[str, Any] = {
        "key": key,
        "file": "catalogue",
        "title": "KL of the exponential integrator, smooth score",
        "verdict": verdict,
        "evidence": "deterministic" if ratio is not None else "none",
        "expected": verdict,
        "met": True,
        "constant": {
            "kind": kind,
            "stated": 1.0 if kind == "stated" else None,
            "lower": None if kind == "stated" else ratio,
            "used": None if kind == "stated" else 0.9,
        },
        "cases": {
            "tried": 1200,
            "decided": 1180,
            "undecided": 20,
            "vacuous": 0,
            "touching": 0,
            "admissible": 1200,
        },
        "worst": sides if ratio is not None else None,
        "witnesses": [
            {**copy.deepcopy(witness), "kind": name, "script": SCRIPT.format(key=key)}
            for name in ("simplest", "worst", "natural")
        ]
        if refuted
        else [],
        "terms": copy.deepcopy(TERMS),
        "growth": {},
        "not_tried": ["mixtures in d > 2", "score errors that are not affine"],
        "seconds": 1.25,
        "statement": {"text": text, "latex": latex, "mathml": ""},
        "assumptions": [{"text": "L >= 1", "latex": r"L \geq 1"}, {"text": "h <= 1", "latex": r"h \leq 1"}],
        "setup": {
            "clock": "unit",
            "sampler": "ddpm-ei",
            "grid": "uniform",
            "score": "estimated",
            "target": "any",
        },
        "source": {
            "authors": "Chen, Chewi, Li, Li, Salim, Zhang",
            "year": 2023,
            "title": "Sampling is as easy as learning the score",
            "arxiv": "2209.11215",
            "version": "v2",
            "locator": "Theorem 2",
            "bibtex": BIBTEX,
        },
        "standing": "literal",
        "provenance": "printed",
        "note": "",
        "reason": "every decided case lies below the bound",
        "next": "extend the search with --profile deep",
        "points": [
            [10 ** (-4 + 0.02 * n), 10 ** (-3.8 + 0.02 * n + 0.3 * math.sin(n) ** 2), "deterministic"]
            for n in range(200)
        ],
        "falsehoods": [{"key": f"{key}[halved]", "verdict": "refuted", "ratio": 1.66, "refused": True}],
        "sharp": [{"name": "N(m, I), h -> 0", "ratio": 0.9987, "attains": 1.0, "met": True}],
        "claim_hash": f"{sum(map(ord, key)):08x}",
    }
    record.update(changes)
    return record


def sample_results() -> dict[str, Any]:
    """Every verdict at least once, one claim that fails, one file that could not be read."""
    growth = {
        "ray": "d -> oo, T = 2, N = 8",
        "law": "power",
        "exponent": 0.998,
        "interval": [0.991, 1.004],
        "points": [[2.0**n, 0.31 * 2.0**n] for n in range(10)],
    }
    claims = [
        claim_record("chen-2023/ddpm-tv", "bounded", 0.412, "absolute", title="TV of DDPM, smooth score"),
        claim_record("chen-2023/ddpm-kl-explicit", "proved", 0.9987, evidence="proved", standing="derived"),
        claim_record("chen-lee-lu-2023/smooth-score", "holds", 0.83),
        claim_record("chen-lee-lu-2023/early-stopping", "bounded", 0.0213, "polylog", title="early stopping"),
        claim_record(
            "song-2021/likelihood-literal",
            "refuted",
            1.676,
            title="likelihood bound, as printed",
            reason="the factor 1/2 of Girsanov is missing for the half clock",
            note="The corrected statement is song-2021/likelihood.",
        ),
        claim_record(
            "my-note/thm-1",
            "refuted",
            1.676,
            file="my_bound.py",
            expected="holds",
            met=False,
            standing="user",
            provenance="user",
            source=None,
            title="a bound of my own",
            reason="the discretisation term is too small by 1.7 at small T",
            next="replace d*L**2*T**2/(2*N) by d*L**2*T**2/N, or assume N >= 4*T",
        ),
        claim_record("benton-2024/kl", "bounded", 0.118, "polylog", title="nearly d-linear KL"),
        claim_record(
            "lee-lu-tan-2023/w2",
            "diverges",
            "inf",
            "absolute",
            growth=growth,
            title="W2 by the naive Pinsker route",
            reason="lhs/rhs grows like d^0.998 along d -> oo",
        ),
        claim_record("kwon-2022/w2", "holds", 1.0, title="W2 by contraction; equality on gamma"),
        claim_record(
            "li-2024/tv-schedule", "untested", None, title="discrete schedules", reason="no case generator"
        ),
        claim_record(
            "albergo-2023/interpolant-23",
            "undecided",
            0.99999999,
            expected="holds",
            met=False,
            reason="enclosures overlap in 12 of 400 cases; 200 digits would tell",
        ),
        claim_record("conforti-2023/kl-large-h", "vacuous", 0.002, title="TV bound above 1 on every case"),
    ]
    packages = ("lesssim", "python", "numpy", "scipy", "sympy", "flint", "numba")
    versions = ("0.1.0", "3.11.7", "2.4.6", "1.17.1", "1.14.0", "0.9.0", "0.68.1")
    environment: dict[str, Any] = dict(zip(packages, versions, strict=True)) | {"platform": "Linux-x86_64"}
    environment |= {"seed": 0, "profile": "default"}
    errors = [
        {
            "file": "bad_bound.py",
            "field": "setup.clock",
            "value": "'fast'",
            "message": "bad_bound.py: setup.clock='fast': expected one of unit, half",
        }
    ]
    return {"schema": "lesssim.results/1", "environment": environment, "claims": claims, "errors": errors}


@pytest.fixture
def results() -> dict[str, Any]:
    """A fresh copy of the sample results."""
    return sample_results()


KEPT = {
    *("verdict", "evidence", "kind", "law", "standing", "provenance"),
    *("clock", "type", "schema", "profile", "seed"),
}
"""Fields whose words come from a fixed list."""


def poisoned(value: Any, evil: str) -> Any:
    """The record with that text in every free string."""
    if isinstance(value, dict):
        return {name: item if name in KEPT else poisoned(item, evil) for name, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item, evil) for item in value]
    return evil if isinstance(value, str) and value not in ("inf", "-inf") else value


@pytest.fixture
def poison() -> Callable[[Any, str], Any]:
    """What puts a text into every free string of a record."""
    return poisoned


@pytest.fixture
def make_record() -> Any:
    """The builder of one record."""
    return claim_record


@pytest.fixture
def lesssim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def invoke(*words: str, **environment: str) -> Result:
        result = CliRunner().invoke(main, list(words), env=environment or None, prog_name="lesssim")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


class FakeSession:
    """Gives every claim a record with a chosen verdict; counts the claims it worked on."""

    def __init__(self, make_record: Any) -> None:
        self.make_record = make_record
        self.verdicts: dict[str, str] = {}
        self.worked: list[str] = []
        self.interrupt_at: str | None = None
        self.falsehoods: list[Any] = []
        self.settings: Any = None

    def record(self, file: str, claim: Any) -> dict[str, Any]:
        verdict = self.verdicts.get(claim.key, claim.expect)
        kind = claim.constant_kind
        met = verdict == claim.expect
        facts = {
            "file": file,
            "title": claim.title,
            "claim_hash": claim.hash,
            "expected": claim.expect,
            "met": met,
            "points": [],
        }
        made: dict[str, Any] = self.make_record(claim.key, verdict, kind=kind, **facts)
        return made

    def verify(
        self,
        entries: Any,
        settings: Any,
        *,
        falsehoods: Any = (),
        on_start: Any = None,
        on_done: Any = None,
        done: Mapping[str, dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        self.settings, self.falsehoods = settings, list(falsehoods)
        found = {}
        for place, (file, claim) in reversed(
            list(enumerate(entries))
        ):  # records arrive in an order of their own
            if claim.hash in (done or {}):
                found[place] = (done or {})[claim.hash]
                continue
            if claim.key == self.interrupt_at:
                raise KeyboardInterrupt
            if on_start is not None:
                on_start(claim.key)
            self.worked.append(claim.key)
            found[place] = self.record(file, claim)
            if on_done is not None:
                on_done(found[place])
        environment = dict.fromkeys(
            ("lesssim", "python", "numpy", "scipy", "sympy", "flint", "numba", "platform"), "1"
        )
        environment |= {"seed": settings.seed, "profile": settings.profile}
        return {
            "schema": record.FORMAT,
            "environment": environment,
            "claims": [found[place] for place in sorted(found)],
        }


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, make_record: Any) -> FakeSession:
    """The stand-in, in place of the session."""
    stand_in = FakeSession(make_record)
    monkeypatch.setattr(session, "verify", stand_in.verify)
    monkeypatch.setattr(
        session, "refute", lambda claim, settings, file="catalogue": stand_in.record(file, claim)
    )
    return stand_in


BOUND = """
import lesssim as ls
d, T, M2 = ls.symbols("d T M2")
half = ls.Setup(clock="half")
claim = ls.Claim(key="my-note/{name}", lhs=ls.KL("q_T", "gamma"), terms={{"all": {term}}}, setup=half)
"""


def write_bound(path: Path, name: str = "thm-1", term: str = "(M2 + d) / (2 * (ls.exp(T) - 1))") -> str:
    """A claim file; returns its name."""
    path.write_text(BOUND.format(name=name, term=term), encoding="utf-8")
    return path.name


@pytest.fixture
def bound_file() -> Callable[..., str]:
    """Writes a claim file; returns its name."""
    return write_bound
