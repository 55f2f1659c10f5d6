"""Proofs over boxes: a claim with a stated constant, for every Gaussian N(m e_1, lam I_d) of a box.

`prove` bounds both sides in outward-rounded interval arithmetic and cuts the box until every piece is
decided. A piece on which the inequality certainly fails becomes a case, and the case goes the way of every
other violation: balls, then the second road. So a refuted verdict is as safe here as elsewhere.

For every N at once ("N=1:inf"): if the right side is A + sum_k h_k g with A free of the grid and g increasing
in L, it is enough that KL(q_T || start) <= A for every T >= h, and that one step costs at most h g whatever
target it ends on. A step of the reverse process ends on q_t with a variance between lam and 1, so this is the
claim for N = 1 and start q_T on a larger box. The path KL is the sum of both parts, and bounds the marginal.
A term c h FI0 telescopes instead: it is enough that a step from tau costs at most c h (I(tau - h) - I(tau)),
since the relative Fisher information I(t) = FI(q_t, gamma) is decreasing and not negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy as sp

from bounds.claim import Claim
from bounds.errors import ClaimError
from bounds.notation import symbol
from bounds.quantity import FI, KL, PathKL, Quantity
from properties.cases import Case
from properties.exam import Exam, examine, second_opinion
from properties.proofs.box import FIELD, Box, fitted, parse_box
from properties.proofs.forms import Problem, compiled_claim
from properties.proofs.search import Pieces, Tally, branch, sample_points, sides_at
from properties.verdict import Verdict, Witness
from simulators.errors import InputError, NotDefined
from simulators.score_errors import AffineError
from simulators.targets import Gaussian

__all__ = ["WORK", "Proof", "parse_box", "prove", "verdict_of"]

WORK = 50_000_000
"""Box-steps that a proof may take."""

CANDIDATES = 6  # points at which a violation is looked for in balls
DIGITS = (1, 2, 3, 17)
FAMILY = "targets other than Gaussians with one eigenvalue"


@dataclass(frozen=True)
class Proof:
    """What is known of a claim over a box.

    word    : "proved", "refuted", "undecided", or "untested" where there is no interval form.
    boxes   : pieces the box was cut into; proved and outside (no point meets the assumptions) among them.
    steps   : the effort counted, in box-steps (`properties.proofs.search.Tally`).
    closest : the sampled point with the largest ratio, examined in balls, or None.
    exams   : confirmed violations, simplest first.
    left    : what stays open, as boxes that together cover it (at most ten are kept).
    """

    claim: Claim
    box: Box
    word: str
    reason: str
    boxes: int = 0
    proved: int = 0
    outside: int = 0
    open: int = 0
    steps: int = 0
    closest: Exam | None = None
    exams: tuple[Exam, ...] = ()
    left: tuple[Box, ...] = ()


def prove(claim: Claim, box: Box | str | Mapping[str, tuple[float, float]], *, work: int = WORK) -> Proof:
    """Prove a claim over a box, or find a point that refutes it, or say where neither was possible.

    box  : intervals by name, see `properties.proofs.box.KNOWN`; text such as "lam=0.5:4,h=0.02:0.2,N=20".
    work : box-steps at most.
    Raises ClaimError for a box that cannot be read or does not fit, and for a hidden constant.
    """
    if not isinstance(claim, Claim):
        raise ClaimError("claim", claim, "a Claim")
    if not isinstance(box, str | Box | Mapping):
        raise ClaimError("box", box, "intervals by name, such as 'lam=0.5:4,h=0.02:0.2,N=20'")
    asked = parse_box(box) if isinstance(box, str) else box if isinstance(box, Box) else Box(box)
    if not claim.is_stated:
        raise ClaimError("constant", claim.constant, "a stated number; an interval proof needs one")
    asked = fitted(asked, claim)
    try:
        _check_setup(claim)
        return _for_every_count(claim, asked, work) if asked.every_count else _at_count(claim, asked, work)
    except NotDefined as error:
        return Proof(claim, asked, "untested", str(error))


def _check_setup(claim: Claim) -> None:
    """Whether the claim speaks of Gaussians on uniform grids by an inequality."""
    if claim.relation == "==":
        raise NotDefined("an equation has no interval proof: intervals have width")
    if claim.setup.model:
        raise NotDefined(f"model={claim.setup.model!r}: there are intervals for Gaussian targets only")
    if claim.setup.target not in ("any", "gaussian"):
        raise NotDefined(f"target={claim.setup.target!r}: there are intervals for Gaussian targets only")
    if claim.setup.grid == "geometric":
        raise NotDefined("grid='geometric': there are intervals for uniform grids only")


# -- one number of steps -------------------------------------------------------------------------------------


def _at_count(claim: Claim, box: Box, work: int) -> Proof:
    pieces = _pieces(claim, box)
    problem = compiled_claim(claim, _free(pieces), box.count)
    _check_known(problem, pieces, box)
    points = sample_points(pieces, np.random.default_rng(int(claim.hash, 16)))
    ratio, met = sides_at(problem, points)
    ratio = np.where(met, ratio, -np.inf)
    order = np.argsort(-ratio, kind="stable")
    suspects = [points.ends[:, 0, i] for i in order[:CANDIDATES] if ratio[i] > 1.0]
    exams = _violations(problem, pieces.names, box, suspects)
    closest = None
    if not exams:
        top = points.ends[:, 0, order[0]]
        closest = _examined(claim, pieces.names, box, top) if np.isfinite(ratio[order[0]]) else None
        tally = branch(problem, pieces, work)
        exams = _violations(problem, pieces.names, box, tally.suspects[:CANDIDATES])
    else:
        tally = Tally()
    return _concluded(problem, box, pieces.names, tally, closest, exams)


def _concluded(
    problem: Problem,
    box: Box,
    names: tuple[str, ...],
    tally: Tally,
    closest: Exam | None,
    exams: tuple[Exam, ...],
) -> Proof:
    open_ = sum(part.shape[2] for part in tally.left) + len(tally.suspects)
    if exams:
        word = "refuted"
        sides = ("bound", "left side") if problem.claim.relation == ">=" else ("left side", "bound")
        times = f"{exams[-1].ratio:.4g} times the {sides[1]}"
        reason = f"the {sides[0]} is {times} at a point of the box; two roads agree"
    elif not open_ and not tally.proved:
        raise ClaimError(FIELD, str(box), "points that meet the assumptions of the claim")
    elif not open_:
        word = "proved"
        reason = f"holds on {box}: {tally.proved + tally.outside} boxes, {tally.steps} box-steps"
        reason += f"; {tally.outside} of them outside the assumptions" if tally.outside else ""
    else:
        word = "undecided"
        reason = (
            f"{open_} of {tally.boxes + len(tally.suspects)} boxes stay open after {tally.steps} box-steps"
        )
        reason += _where(tally, names)
    return Proof(
        problem.claim,
        box,
        word,
        reason,
        boxes=tally.boxes + len(tally.suspects),
        proved=tally.proved,
        outside=tally.outside,
        open=open_,
        steps=tally.steps,
        closest=closest,
        exams=exams,
        left=tuple(_box(names, part[:, :, i]) for part in tally.left for i in range(part.shape[2]))[:10],
    )


def _where(tally: Tally, names: tuple[str, ...]) -> str:
    if not tally.left:
        return ""
    ends = np.concatenate(tally.left, axis=2)
    hull = np.stack([ends[:, 0].min(axis=1), ends[:, 1].max(axis=1)], axis=1)
    return f", all within {_box(names, hull)}"


def _box(names: tuple[str, ...], ends: Any) -> Box:
    """The box of a piece, without what is at its default."""
    pairs = zip(names, ends, strict=True)
    shown = {name: (float(low), float(high)) for name, (low, high) in pairs}
    return Box(
        {name: ends for name, ends in shown.items() if ends != ((1.0, 1.0) if name == "d" else (0.0, 0.0))}
    )


def _pieces(claim: Claim, box: Box) -> Pieces:
    """The box as pieces: T becomes h, and a shift of both signs is mirrored to c >= 0."""
    ranges = {"m": (0.0, 0.0), "c": (0.0, 0.0), "eta": (0.0, 0.0), "delta": (0.0, 0.0), "d": (1.0, 1.0)}
    ranges |= {name: ends for name, ends in box.ranges.items() if name != "N"}
    if claim.setup.sampler != "none" and "T" in ranges:
        ranges["h"] = _step(ranges.pop("T"), ranges["delta"], box.count)
    names = tuple(ranges)
    boxes = [ranges]
    low, high = ranges["c"]
    if low < 0:
        (bottom, top) = ranges["m"]
        mirrored = {**ranges, "c": (max(-high, 0.0), -low), "m": (-top, -bottom)}
        boxes = [mirrored] if high <= 0 else [{**ranges, "c": (0.0, high)}, mirrored]
    return Pieces(names, np.array([[ends[name] for ends in boxes] for name in names]).transpose(0, 2, 1))


def _step(horizon: tuple[float, float], stop: tuple[float, float], count: int) -> tuple[float, float]:
    """The interval of h for T and delta; a little wider, as rounding asks."""
    if stop[0] != stop[1] or np.isinf(horizon[1]):
        raise ClaimError(FIELD, f"T={horizon[0]:g}:{horizon[1]:g}", "h instead of T")
    if not horizon[0] > stop[1]:
        raise ClaimError(FIELD, f"delta={stop[1]:g}", f"delta < T={horizon[0]:g}")
    low, high = ((end - stop[0]) / count for end in horizon)
    return float(low - 4e-16 * abs(low)), float(high + 4e-16 * abs(high))


def _free(pieces: Pieces) -> frozenset[str]:
    return frozenset(
        name
        for i, name in enumerate(pieces.names)
        if name not in ("m", "c", "eta", "delta") or bool(np.any(pieces.ends[i] != 0))
    )


def _check_known(problem: Problem, pieces: Pieces, box: Box) -> None:
    needed = {s for side in (*problem.sides, *problem.guards) for s in side.free_symbols}
    for name in sorted(s.name for s in needed if not s.name.startswith("[")):
        if name not in pieces.names:
            raise ClaimError(FIELD, str(box), f"also {name}: an interval for it")


# -- violations ----------------------------------------------------------------------------------------------


def _violations(problem: Problem, names: tuple[str, ...], box: Box, suspects: list[Any]) -> tuple[Exam, ...]:
    """Confirmed violations near the suspected points: the roundest one of the first that is confirmed, then
    the point itself.
    """
    for point in suspects:
        found = []
        for digits in DIGITS:
            exam = _examined(problem.claim, names, box, _rounded(names, point, box, digits))
            if exam is not None and exam.outcome == "above" and second_opinion(problem.claim, exam):
                found.append(exam)
                if digits < DIGITS[-1] and len(found) == 1:
                    continue
        if found:
            return (found[0], max(found, key=lambda exam: exam.ratio))
    return ()


def _rounded(names: tuple[str, ...], point: Any, box: Box, digits: int) -> Any:
    """The point with its numbers rounded, where they stay in the box."""
    values = []
    for name, value in zip(names, point, strict=True):
        low, high = box.get(name, (-np.inf, np.inf))
        short = float(f"{value:.{digits - 1}e}")
        values.append(short if low <= short <= high or name in ("c", "m") else float(value))
    return values


def _examined(claim: Claim, names: tuple[str, ...], box: Box, point: Any) -> Exam | None:
    try:
        return examine(claim, _case(claim, names, box, point))
    except (InputError, NotDefined):
        return None


def _case(claim: Claim, names: tuple[str, ...], box: Box, point: Any) -> Case:
    """The case of one point of the box."""
    values = dict(zip(names, map(float, point), strict=True))
    lam, mean, d, delta = (values.pop(name) for name in ("lam", "m", "d", "delta"))
    shift, slope = values.pop("c"), values.pop("eta")
    h, horizon = values.pop("h", None), values.pop("T", None)
    if not box.get("c")[0] <= shift <= box.get("c")[1]:
        shift, mean = -shift, -mean
    if h is not None:
        horizon = box.count * h + delta
    error = AffineError((shift,), (slope,)) if shift or slope else None
    sampler = claim.setup.sampler
    return Case(
        Gaussian.isotropic(int(d), lam, mean),
        clock=str(claim.setup.clock),
        sampler=sampler,
        T=1.0 + delta if horizon is None else horizon,
        delta=delta,
        start="q_T" if claim.setup.start == "q_T" else "gamma",
        error=error,
        parameters=values,
        N=box.count if sampler != "none" else 1,
    )


# -- every number of steps -----------------------------------------------------------------------------------


def _for_every_count(claim: Claim, box: Box, work: int) -> Proof:
    """The claim for every N >= box.count, from its two parts."""
    start, step = _parts(claim)
    if "h" not in box.ranges:
        raise ClaimError(FIELD, str(box), "h, as N goes to infinity with it")
    if box.get("delta") != (0.0, 0.0) or box.get("eta") != (0.0, 0.0):
        raise NotDefined("every N at once: delta and eta must be 0")
    lam, m = box.ranges["lam"], box.get("m")
    wide = (min(lam[0], 1.0), max(lam[1], 1.0))
    mean = (min(m[0], 0.0), max(m[1], 0.0))
    one = _at_count(step, box.but(lam=wide, m=mean, N=(1.0, 1.0)), work)
    proofs = [one]
    if start is not None:
        least = box.count * box.ranges["h"][0]
        horizon = (float(np.nextafter(least, 0.0)), float("inf"))
        proofs.append(_at_count(start, box.without("h", "N", "c").but(T=horizon), work))
    total = {
        name: sum(getattr(p, name) for p in proofs)
        for name in ("boxes", "proved", "outside", "open", "steps")
    }
    if all(proof.word == "proved" for proof in proofs):
        reason = f"holds on {box}, for every N from {box.count} on: one step on {one.boxes} boxes"
        reason += f", the start on {proofs[1].boxes}" if start is not None else ""
        return Proof(claim, box, "proved", reason, **total)
    few = _at_count(claim, box.but(N=(float(box.count), float(box.count))), work)
    if few.word == "refuted":
        return replace(few, box=box)
    weak = next(proof for proof in proofs if proof.word != "proved")
    part = "one step" if weak is one else "the start"
    reason = f"the argument for every N fails at {part}: {weak.reason}"
    return Proof(claim, box, "undecided", reason, left=weak.left, **total)


def _parts(claim: Claim) -> tuple[Claim | None, Claim]:
    """The claim about the start and the claim about one step that together give the claim for every N."""
    lhs = claim.lhs
    if claim.relation != "<=" or not isinstance(lhs, Quantity) or lhs.spec.name not in ("PathKL", "KL"):
        raise NotDefined("every N at once: the left side must be a path KL, or a KL that it bounds")
    if lhs not in (PathKL("target", "output"), KL("target", "output")):
        raise NotDefined(f"every N at once: not for {lhs}")
    if claim.setup.sampler not in ("ddpm-ei", "ddpm-em", "cds-ei"):
        raise NotDefined(f"every N at once: not for sampler {claim.setup.sampler!r}")
    T, N, h, L = (symbol(name) for name in ("T", "N", "h", "L"))
    starts, rates, falls = {}, {}, {}
    for name, term in claim.terms.items():
        factor = sp.simplify(term.xreplace({T: N * h}) / (h * symbol("FI0")))
        if factor.is_number and factor.is_nonnegative:
            falls[name] = factor * h * (symbol("FI0") - FI("q_T", "gamma"))
            continue
        rate = sp.simplify((term.xreplace({N: T / h})) / T)
        if not {T, N} & rate.free_symbols:
            rates[name] = rate
        elif not {N, h, L} & term.free_symbols:
            starts[name] = term
        else:
            raise NotDefined(
                f"every N at once: the term {name!r} is neither T times a rate nor free of the grid"
            )
    for name, rate in rates.items():
        if not rate.free_symbols <= {symbol(s) for s in ("d", "h", "L", "eps")} or rate.has(Quantity):
            raise NotDefined(f"every N at once: the rate {name!r} depends on the target")
        if not sp.diff(rate, L).is_nonnegative:
            raise NotDefined(f"every N at once: the rate {name!r} may fall as L grows")
    if any(isinstance(item, sp.Basic) for item in claim.assuming):
        raise NotDefined("every N at once: not under assumptions")
    step = (
        replace(
            claim.but(
                "one-step",
                terms={**dict.fromkeys(claim.terms), **{n: h * r for n, r in rates.items()}, **falls},
            ),
            lhs=PathKL("target", "output"),
            setup=replace(claim.setup, start="q_T"),
        )
        if rates or falls
        else None
    )
    if step is None:
        raise NotDefined("every N at once: no term grows with the number of steps")
    if claim.setup.start == "q_T":
        return None, step
    if not starts:
        raise NotDefined("every N at once: no term bounds the start")
    setup = replace(claim.setup, sampler="none", score="exact")
    start = replace(
        claim.but("start", terms={**dict.fromkeys(claim.terms), **starts}),
        lhs=KL("q_T", "gamma"),
        setup=setup,
    )
    return start, step


# -- as a verdict --------------------------------------------------------------------------------------------


def verdict_of(proof: Proof) -> Verdict:
    """The proof in the form that records are made of."""
    kinds = ("simplest", "worst")
    witnesses = tuple(Witness(kind, exam) for kind, exam in zip(kinds, proof.exams, strict=False))
    worst = max(proof.exams, key=lambda exam: exam.ratio, default=proof.closest)
    evidence = {"proved": "proved", "refuted": "enclosed"}.get(proof.word, "none")
    left = tuple(f"open: {box}" for box in proof.left)
    setup = proof.claim.setup
    starts = ("starts other than gamma",) if setup.start == "any" else ()
    grids = ("grids other than uniform",) if setup.grid == "any" and setup.sampler != "none" else ()
    return Verdict(
        proof.claim,
        proof.word,
        proof.reason,
        evidence=evidence,
        worst=worst,
        witnesses=witnesses,
        tried=proof.boxes,
        admissible=proof.boxes - proof.outside,
        decided=proof.proved,
        undecided=proof.open,
        not_tried=(f"outside the box {proof.box}", FAMILY, *starts, *grids, *left),
        work=proof.steps,
    )
