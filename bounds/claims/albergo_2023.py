"""Albergo, Boffi & Vanden-Eijnden (2023): KL of the diffusions of stochastic interpolants.

rho_t is the law of an interpolant, b its velocity, s its score. For every diffusion coefficient e > 0 the
forward SDE

    dX = (b + e s) dt + sqrt(2 e) dW

has the marginals rho_t. Run with estimates, whose errors are db and ds,

    KL(rho_1 || output)  <=  (1/(4 e)) int_0^1 E |db + e ds|^2 dt                                    (Lemma
    22, (2.42))

by Girsanov's theorem. Theorem 23, equation (2.45), splits it over the two losses,

    KL  <=  (1/(2 e)) (L_b[b + db] - min L_b)  +  (e/2) (L_s[s + ds] - min L_s).

With the losses of the paper, L_b[f] = int E(|f|^2/2 - f.x') and L_s alike, the gaps are half of the squared
errors, and the display asks for |db + e ds|^2 <= |db|^2 + e^2 |ds|^2, which fails by up to a factor two
where db and e ds point the same way. Young's inequality gives |db|^2/(2 e) + e |ds|^2/2 in squared errors,
or twice the display in gaps.

The example: rho_0 = rho_1 = N(0, 1), x_t = (1 - t) x_0 + t x_1 + sqrt(2 t (1 - t)) z, so that rho_t = N(0,
1), b = 0 and s = -x; db(t) = c e^{-e (1 - t)} and ds = rho db/e. Then KL = (c (1 + rho) F)^2/2 with F = (1
- e^{-2e})/(2 e) = int db^2/c^2. At rho = 1 it reaches 2 (1 - e^{-2e}) times the display, and 1 - e^{-2e}
times the lemma.
"""

from __future__ import annotations

from dataclasses import replace

from bounds.claim import Claim, Sharp, Source
from bounds.notation import symbols
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SOURCE = Source(
    "Michael S. Albergo, Nicholas M. Boffi, Eric Vanden-Eijnden",
    2023,
    "Stochastic interpolants: a unifying framework for flows and diffusions",
    "Theorem 23, equation (2.45)",
    "2303.08797",
    "",
    "",
    "quoted",
)
diff = symbols("diff")[0]
interpolant_kl, drift_error, score_error, forward_error = symbols(
    "interpolant_kl drift_error score_error forward_error"
)
SETUP = Setup(clock="unit", model="interpolant")
BOTH = {"model": "interpolant", "parameters": {"diff": 20, "offset": 1, "score_share": 1}}

lemma = Claim(
    key="albergo-2023/lemma-22",
    title="KL of an interpolant's diffusion below the error of its drift",
    lhs=interpolant_kl,
    terms={"drift": forward_error / (4 * diff)},
    setup=SETUP,
    source=replace(SOURCE, locator="Lemma 22, equation (2.42)"),
    standing="literal",
    sharp=(Sharp("strong diffusion", BOTH, 0.999),),
)
printed = Claim(
    key="albergo-2023/theorem-23",
    title="KL of an interpolant's diffusion below the gaps of its two losses, as printed",
    lhs=interpolant_kl,
    terms={"velocity": drift_error / 2 / (2 * diff), "score": diff / 2 * score_error / 2},
    setup=SETUP,
    source=SOURCE,
    standing="literal",
    expect="refuted",
    note="Read with the quoted losses, whose gaps are half of the squared errors (2.13): short by a "
    "factor two, "
    "which is reached when both errors push the same way.",
)
in_errors = Claim(
    key="albergo-2023/theorem-23-errors",
    title="KL of an interpolant's diffusion below the squared errors of velocity and score",
    lhs=interpolant_kl,
    terms={"velocity": drift_error / (2 * diff), "score": diff / 2 * score_error},
    setup=SETUP,
    source=SOURCE,
    standing="corrected",
    note="Squared errors in place of the gaps of the losses, which are half of them; in gaps the "
    "coefficients are 1/e "
    "and e, twice those printed.",
    sharp=(Sharp("strong diffusion", BOTH, 0.999),),
)
CLAIMS: tuple[Claim, ...] = (lemma, printed, in_errors)

FALSEHOODS: tuple[Claim, ...] = (
    lemma.but("half", terms={"drift": forward_error / (8 * diff)}),
    in_errors.but("velocity-alone", terms={"score": None}),
)
