"""Numbers and facts of a record in words, shared by the terminal, the page and the tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from reports.record import Record, counts, falsehoods, number, wrong

__all__ = [
    "against", "cases", "constant", "decimal", "enclosed", "expectation", "growth", "headline", "interval",
    "listed", "needed", "outcome", "percent", "plural", "quotient", "rates", "ratio", "share", "sig",
]  # fmt: skip

Pair = Sequence[float | str]
LEAST = 1e-14  # a quotient of doubles says no more about its distance from 1


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "claim"), plural(2, "case")
    ('1 claim', '2 cases')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(names: Sequence[str]) -> str:
    """Names in a row.

    >>> listed(["worst"]), listed(["simplest", "worst", "natural"])
    ('worst', 'simplest, worst and natural')
    """
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def sig(value: float | str | None, digits: int = 3) -> str:
    """A number to some significant digits; whole numbers below a million in full.

    >>> sig(0.83159), sig(1200), sig(1.5e-7), sig("inf")
    ('0.832', '1200', '1.5e-7', '∞')
    """
    if value is None:
        return "–"
    x = number(value)
    if math.isinf(x):
        return "∞" if x > 0 else "-∞"
    if x == int(x) and abs(x) < 1e6:
        return str(int(x))
    text = f"{x:.{digits}g}"
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    if 0 <= int(exponent) < 6:
        return str(round(x, digits - 1 - int(exponent)).__trunc__())
    return f"{mantissa}e{int(exponent)}"


def enclosed(pair: Pair, digits: int = 6) -> str:
    """An enclosure: one number where both ends agree to that many digits, else the interval.

    >>> enclosed([0.5, 0.5]), enclosed([0.25, 0.75])
    ('0.5', '[0.25, 0.75]')
    """
    lo, hi = (sig(end, digits) for end in pair)
    return lo if lo == hi else f"[{lo}, {hi}]"


def against(lhs: Pair, rhs: Pair) -> str:
    """Number against bound, with as many digits as it takes to see which is larger.

    >>> against([0.5, 0.5], [0.25, 0.25])
    'lhs 0.5 > rhs 0.25'
    """
    left, right = ([number(end) for end in pair] for pair in (lhs, rhs))
    above = left[0] > right[1]
    sign = ">" if above else "≤" if left[1] <= right[0] else "≈"
    apart = [
        digits for digits in range(4, 18 if above else 13) if enclosed(lhs, digits) != enclosed(rhs, digits)
    ]
    digits = min(apart, default=6)
    return f"lhs {enclosed(lhs, digits)} {sign} rhs {enclosed(rhs, digits)}"


def ratio(claim: Record, digits: int = 3) -> str:
    """The worst ratio lhs/rhs, or a dash; next to 1 the distance from it, which tells the side.

    >>> ratio({"worst": {"ratio": 0.99999}}), ratio({"worst": {"ratio": 1.0}}), ratio({"worst": None})
    ('1 - 1e-5', '1', '–')
    """
    return "–" if claim["worst"] is None else quotient(claim["worst"]["ratio"], digits)


def quotient(value: float | str, digits: int = 3) -> str:
    """A ratio to some digits; next to 1 the distance from it."""
    x = number(value)
    if sig(x, digits) != "1" or abs(x - 1) < LEAST:
        return sig(x, digits)
    return f"1 {'+' if x > 1 else '-'} {sig(abs(x - 1), 2)}"


def percent(share: float | str | None) -> str:
    """A share of the whole; a dash where the whole is zero or infinite.

    >>> percent(0.74), percent(0.001), percent(0)
    ('74%', '<1%', '0%')
    """
    if share is None:
        return "–"
    value = number(share)
    return "<1%" if 0 < value < 0.005 else f"{100 * value:.0f}%"


def constant(claim: Record) -> str:
    """What is known about the constant: its value, or a bracket that holds every value that could do.

    >>> fact = {"kind": "absolute", "stated": None, "lower": 0.41, "used": 0.9}
    >>> constant({"constant": fact, "verdict": "bounded"})
    'in [0.41, 0.9]'
    """
    fact = claim["constant"]
    if fact["kind"] == "stated":
        return sig(fact["stated"])
    if claim["verdict"] == "diverges":
        return "none works"
    if fact["used"] is None:
        return "unknown" if fact["lower"] is None else f"at least {sig(fact['lower'])}"
    return (
        f"at most {sig(fact['used'])}"
        if fact["lower"] is None
        else f"in [{sig(fact['lower'])}, {sig(fact['used'])}]"
    )


def cases(claim: Record) -> str:
    """How many cases were tried, and what became of them."""
    fact = claim["cases"]
    equal = fact.get("touching", 0)
    shown = {
        "undecided": max(fact["undecided"] - equal, 0),
        "with equality": equal,
        "vacuous": fact["vacuous"],
    }
    parts = [f"{fact['decided']} decided", *(f"{count} {name}" for name, count in shown.items() if count)]
    return f"{plural(fact['tried'], 'case')} tried: {', '.join(parts)}" if fact["tried"] else "no case tried"


LAWS = {
    "power": "{name}^{exponent}",
    "log": "(log {name})^{exponent}",
    "exponential": "exp({exponent} {name})",
}


def growth(claim: Record) -> str:
    """The growth law with its confidence interval and ray, or an empty string."""
    fact = claim["growth"]
    if not fact:
        return ""
    along = f" along {fact['ray']}" if fact["ray"] else " as the box is extended"
    low, high = (sig(end) for end in fact["interval"])
    spread = f", exponent in [{low}, {high}]" if low != high else ""
    if fact["law"] == "flat":
        return f"lhs/rhs is flat{along}{spread}"
    if fact["law"] == "infinite":
        return f"lhs/rhs is infinite: {fact['ray']}"
    name, arrow, _ = fact["ray"].partition("->")
    law = LAWS[fact["law"]].format(
        name=name.strip() if arrow else "the parameter", exponent=sig(fact["exponent"])
    )
    return f"lhs/rhs grows like {law}{along}{spread}"


def rates(claim: Record) -> str:
    """The exponents that each term claims, and those of the left side where the term is alone."""
    lines: dict[str, list[Mapping[str, Any]]] = {}
    for rate in claim.get("rates", []):
        lines.setdefault(rate["term"], []).append(rate)
    return "; ".join(
        f"{term}: claimed {_exponents(own, 'claimed')}, seen {_exponents(own, 'seen')}"
        for term, own in lines.items()
    )


def needed(claim: Record) -> str:
    """How much of each term the left side was seen to need beyond the others, where there are several."""
    terms = [term for term in claim["terms"] if term.get("needed") is not None]
    shown = [f"{term['name']} {share(term['needed'])}" for term in terms if claim["verdict"] == "holds"]
    return "; ".join(shown)


def share(needed: float | str | None) -> str:
    """The part of a term that is needed; a dash where that is nothing or unknown.

    >>> share(0.98), share(-3.0), share(None)
    ('0.98', '–', '–')
    """
    return "–" if needed is None or number(needed) <= 0 else quotient(needed)


def _exponents(rates: Sequence[Mapping[str, Any]], which: str) -> str:
    """Powers of the parameters; those seen with their intervals."""
    return " ".join(
        f"{rate['parameter']}^{decimal(rate[which])}"
        + (f" {interval(rate)}" if which == "seen" and rate.get("interval") else "")
        for rate in rates
    )


def decimal(exponent: float | str) -> str:
    """An exponent to two decimals.

    >>> decimal(-1.998)
    '-2.00'
    """
    return f"{number(exponent) + 0.0:.2f}"


def interval(rate: Mapping[str, Any]) -> str:
    """The interval of a measured exponent, rounded outward to three decimals.

    >>> interval({"interval": [-2.0004, -1.9996]})
    '[-2.001, -1.999]'
    """
    low, high = (1000 * number(end) for end in rate["interval"])
    return f"[{math.floor(low) / 1000 + 0.0:.3f}, {math.ceil(high) / 1000 + 0.0:.3f}]"


def expectation(claim: Record) -> str:
    """Whether the verdict was expected; if it was and the claim still failed, what else did."""
    if claim["met"]:
        return "as expected"
    if not all(falsehood["refused"] for falsehood in claim["falsehoods"]):
        return f"expected {claim['expected']}; a planted falsehood is accepted too"
    if not all(case["met"] for case in claim["sharp"]):
        return f"expected {claim['expected']}; a case said to be tight is not"
    return f"expected {claim['expected']}" if wrong(claim) else f"open, expected {claim['expected']}"


def outcome(claim: Record) -> str:
    """``met``, ``open`` or ``wrong``."""
    return "met" if claim["met"] else "wrong" if wrong(claim) else "open"


def headline(claims: Sequence[Record], errors: Sequence[Mapping[str, str]] = ()) -> str:
    """One sentence over all claims: first what is wrong, then what there is."""
    outcomes = [outcome(claim) for claim in claims]
    failed, unsettled = outcomes.count("wrong"), outcomes.count("open")
    refused, planted = falsehoods(claims)
    parts = [
        f"{failed} of {plural(len(claims), 'claim')} not as expected"
        if failed
        else f"{plural(len(claims), 'claim')}, none wrong"
    ]
    parts += [f"{unsettled} open"] if unsettled else []
    parts += [f"{plural(len(errors), 'claim')} could not be read"] if errors else []
    parts += [", ".join(f"{count} {verdict}" for verdict, count in counts(claims).items())] if claims else []
    parts += [f"planted falsehoods refused {refused}/{planted}"] if planted else []
    return "; ".join(parts)
