"""Sampling under quantile error: what the score does on sets of small mass costs the sum of the masses.

P is the true reverse path at the grid; the run uses a score that is lost on the set B_k in step k. Coupled
maximally, the two paths agree until some B_k is met, so their distance is P(some x_k in B_k).

By the union bound this is at most the sum of the masses. For the stationary chain of gamma and B_k =
{|x| > c} it is less: the intervals are symmetric and convex, so that by Sidak's inequality

    P(all |x_k| <= c)  >=  prod_k P(|x_k| <= c)  =  (1 - delta)^N,

and Bernoulli's inequality gives back the sum.

With an error elsewhere: let A be the run whose score errs, but is never lost, and A' the one that loses it.
Couple P and A maximally, and let A' follow A until some B_k is met. Then A' differs from P only where A does,
or where P itself meets a B_k, so that the masses are those of the true law:

    TV(A', P)  <=  TV(A, P) + P(some x_k in B_k)  <=  sqrt(KL(P || A)/2) + N delta.
"""

from __future__ import annotations

from sympy import sqrt

from bounds.claims import gupta_2023 as stated
from bounds.derivation import Derivation, Link, Split, by
from bounds.notation import symbols
from bounds.setup import Setup

__all__ = ["DERIVATIONS"]

escape, lossy_tv, shift_kl, shift_tv = symbols("escape lossy_tv shift_kl shift_tv")

transfer = Derivation(
    key="gupta-2023/quantile-sampling",
    title="Sampling with a score that is lost on a small set",
    proves="gupta-2023/quantile-sampling",
    start=escape,
    steps=(
        Link("sidak", stated.union_product.rhs, "gupta-2023/quantile-sampling-product"),
        Link("bernoulli", stated.union.rhs, by("Bernoulli: (1 - x)^N >= 1 - N x")),
    ),
    setup=stated.union.setup,
)

with_an_error = Derivation(
    key="gupta-2023/quantile-transfer",
    about="gupta-2023/quantile-sampling",
    title="Sampling with a score that errs, and is lost on a small set",
    start=lossy_tv,
    steps=(
        Split(
            "coupling",
            {
                "error": (
                    shift_tv,
                    (Link("pinsker", sqrt(shift_kl / 2), "functional-inequalities/pinsker"),),
                ),
                "loss": (
                    escape,
                    (
                        Link("sidak", stated.union_product.rhs, "gupta-2023/quantile-sampling-product"),
                        Link("bernoulli", stated.union.rhs, by("Bernoulli: (1 - x)^N >= 1 - N x")),
                    ),
                ),
            },
            by("the true run and the erring one coupled maximally, and the same until the score is lost"),
        ),
    ),
    setup=Setup(clock="unit", model="lossy-chain"),
)

DERIVATIONS = (transfer, with_an_error)
