"""The probability flow with correctors, with constants: the predictor, the corrector, and both in turn.

Predictor. The frozen-score run x and the flow y start together. With an estimate that is L-Lipschitz like the
score and errs by eps at each step, D = (E|x - y|^2)^{1/2} obeys

    D'  <=  (1 + L) D + eps + E(t),     E(t) = ||s_k(y_k) - s_t(y_t)||  <=  int (E|d/dt s_t(y_t)|^2)^{1/2} dt,

the integral from the start of the step to t. Over a block of length b Groenwall's lemma gives at most
exp((1 + L) b) (eps b + h int sqrt(rate)), and rate <= L^2 d (103 L + 7/t) has the root at most sqrt(103)
L^{3/2} sqrt d + sqrt(7) L sqrt(d/t).

Corrector. Underdamped Langevin with potential V, |Hess V| <= L, friction g, for time b, from a law p with
fresh velocities. Couple x ~ p with y ~ q so that E|x - y|^2 = W^2, and let (Y, P) start from (y, v). The path
Y + (1 - t/b)(x - y) ends where Y ends, and solves the equation from x with the velocity shifted by (x - y)/b
and the drift by at most L (1 - t/b) |x - y| + g |x - y|/b. Girsanov's theorem charges

    KL(q || p P)  <=  W^2 (1/(2 b^2) + L^2 b/(12 g) + L/4 + g/(4 b)),

and Pinsker's inequality takes the root of a half. The frozen gradient and the error cost

    KL  <=  (1/(4 g)) int E(L |x_t - x_k| + eps)^2 dt,       |x_t - x_k|  <=  (t - t_k) sup |v|  in L2,

where the velocity differs from a stationary one, E|v|^2 = d, by at most sqrt(L) sinh(sqrt(L) t) W, as both
obey |x''| <= L |x| up to friction, which only slows them. The error is a shift, so that the law of x_k does
not matter. With b = 1/sqrt L and g = 2 sqrt L the roots of half the costs are sqrt(31/48) sqrt(L) W and (eps
+ (h sqrt(L)/sqrt(3)) (sqrt(L d) + sinh(1) L W))/(4 sqrt L).

In turn. Rounds end when the elapsed time passes a multiple of 1/L, so that a block is no longer than 1/L + h
and there are at most L T + 1 of them. From the law q_t at the start of a round the predictor makes an error
in W2, the corrector (time 1/sqrt L, friction sqrt L) turns it into one in TV,

    TV  <=  sqrt(L) W2 + eps/sqrt(8 L) + sqrt(L d) h_corr/sqrt(24),

since sqrt(13/24) + sinh(1)/sqrt(24) < 1; and TV neither grows under what follows nor exceeds the sum over the
rounds. Groenwall's errors add up to one integral over the whole time.
"""

from __future__ import annotations

from sympy import E, Integral, Rational, exp, sqrt

from bounds.claims import chen_2023_predictor_corrector as whole
from bounds.claims import chen_2023_probability_flow as parts
from bounds.derivation import Derivation, Link, Split, by
from bounds.notation import symbol, symbols
from bounds.quantity import KL, STEP, TV, W2

__all__ = ["DERIVATIONS"]

d, T, L, M2, delta, eps, h, h_corr, friction = symbols("d T L M2 delta eps h h_corr friction")
u = symbol("u")
SPEED = STEP["speed_at"](u)
BLOCK = T - delta
LINEAR, SINGULAR = sqrt(103) * L * sqrt(L * d), 2 * sqrt(7) * L * sqrt(d)
GAP = W2("start", "target")
REACHED = (exp(sqrt(L) * T) - exp(-sqrt(L) * T)) / 2
AT_ONE = (E - 1 / E) / 2
BLOCK_OF_CORRECTOR = by("T = 1/sqrt(L) and friction 2 sqrt(L), numbers rounded up")

predictor = Derivation(
    key="chen-2023-probability-flow/predictor-explicit",
    title="One block of the predictor",
    proves="chen-2023-probability-flow/predictor-explicit",
    start=W2("q_delta", "output"),
    steps=(
        Link(
            "groenwall",
            exp((1 + L) * BLOCK) * (eps * BLOCK + h * Integral(SPEED, (u, delta, T))),
            by("Groenwall: the frozen score against the flow, coupled at the start"),
        ),
        Link(
            "rate",
            exp((1 + L) * BLOCK) * (eps * BLOCK + h * (LINEAR * BLOCK + SINGULAR * (sqrt(T) - sqrt(delta)))),
            "chen-2023-probability-flow/score-rate-explicit",
        ),
        Link(
            "block",
            parts.predictor_explicit.rhs,
            by("(T - delta) L <= 1 <= L, and sqrt(103) + 2 sqrt(7) <= 16"),
        ),
    ),
    assuming=parts.predictor_explicit.assuming,
    setup=parts.predictor_explicit.setup,
)

corrector = Derivation(
    key="chen-2023-probability-flow/corrector-explicit",
    about="chen-2023-probability-flow/corrector",
    title="One block of the underdamped corrector",
    start=TV("output", "target"),
    steps=(
        Split(
            "coupling",
            {
                "contraction": (
                    GAP * sqrt(1 / (4 * T**2) + L**2 * T / (24 * friction) + L / 8 + friction / (8 * T)),
                    (Link("time", Rational(81, 100) * sqrt(L) * GAP, BLOCK_OF_CORRECTOR),),
                ),
                "score": (
                    eps * sqrt(T / (8 * friction)),
                    (Link("time", Rational(13, 50) * eps / sqrt(L), BLOCK_OF_CORRECTOR),),
                ),
                "discretisation": (
                    L * h * sqrt(T / (24 * friction)) * (sqrt(d) + sqrt(L) * REACHED * GAP),
                    (
                        Link(
                            "time",
                            Rational(3, 20) * sqrt(L) * h * (sqrt(d) + sqrt(L) * AT_ONE * GAP),
                            BLOCK_OF_CORRECTOR,
                        ),
                    ),
                ),
            },
            by("Girsanov along the straight shift and for the frozen gradient, and Pinsker twice"),
        ),
        Link(
            "small-steps",
            {
                "initialisation": sqrt(L) * GAP,
                "score": Rational(13, 50) * eps / sqrt(L),
                "discretisation": Rational(3, 20) * sqrt(L * d) * h,
            },
            by("h sqrt(L) <= 1, and 0.81 + 0.15 sinh(1) < 1"),
        ),
    ),
    assuming=whole.corrector.assuming,
    setup=whole.corrector.setup,
)

ROUNDS, ROUND = L * T + 1, exp((1 + L) * (1 / L + h))
dpum = Derivation(
    key="chen-2023-probability-flow/dpum-explicit",
    about="chen-2023-probability-flow/dpum",
    title="The probability flow with underdamped correctors",
    start=TV("target", "output"),
    steps=(
        Split(
            "rounds",
            {
                "initialisation": (
                    TV("q_T", "gamma"),
                    (
                        Link("pinsker", sqrt(KL("q_T", "gamma") / 2), "functional-inequalities/pinsker"),
                        Link(
                            "second-moment",
                            (sqrt(d) + sqrt(M2)) * exp(-T),
                            by("the initial error by the second moment, and 2 (1 - e^{-2}) >= 1"),
                        ),
                    ),
                ),
                "predictors": (
                    sqrt(L) * ROUND * (eps * T + h * Integral(SPEED, (u, 0, T))),
                    (
                        Link(
                            "rate",
                            sqrt(L) * ROUND * (eps * T + h * (LINEAR * T + SINGULAR * sqrt(T))),
                            "chen-2023-probability-flow/score-rate-explicit",
                        ),
                        Link(
                            "small-steps",
                            E**4 * (sqrt(L) * T * eps + 16 * L**2 * T * sqrt(d) * h),
                            by("h L <= 1 <= L and T >= 1, and sqrt(103) + 2 sqrt(7) <= 16"),
                        ),
                    ),
                ),
                "correctors": (
                    ROUNDS * (eps / sqrt(8 * L) + sqrt(L * d) * h_corr / sqrt(24)),
                    (
                        Link(
                            "many-rounds",
                            T * sqrt(L) * (eps / sqrt(2) + L * sqrt(d) * h_corr / sqrt(6)),
                            by("L T >= 1"),
                        ),
                    ),
                ),
            },
            by("data processing over the rounds, the predictor and the corrector in each"),
        ),
    ),
    assuming=whole.dpum.assuming,
    setup=whole.dpum.setup,
)

DERIVATIONS = (predictor, corrector, dpum)
