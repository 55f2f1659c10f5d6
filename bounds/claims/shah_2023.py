"""Shah, Chen & Klivans (2023): gradient descent on the denoising loss learns mixtures of two Gaussians.
 Data (1/2) N(mu*, I) + (1/2) N(-mu*, I), noisy laws of the same form with mu* e^{-t}; score tanh(<mu*, x>)
mu* - x, student f(x) = tanh(<mu, x>) mu - x. With u = <mu, x> and J(mu) = |mu|^2 (1 - E tanh^2 u/2) - E u
tanh u,

    (1/2) E|f - S|^2  =  J(mu) - J(mu*)                                        (implicit score matching).

Low noise: one gradient step of size one is the EM step M(mu) = E tanh(u) x = E[tanh u] mu* + E[tanh' u] mu,
plus a bracket that is exponentially small in the overlap. Along mu, with c the cosine,

    |mu| - dJ/d|mu|  =  <M(mu), mu>/|mu| + E[|mu| (u tanh u - 1) tanh' u + u^2 tanh' u/|mu|],

and the bracket is O(e^{-(|mu*| c)^2/2}) once |mu| >= max(1, |mu*| c). High noise: the step is a power
iteration, -grad J = 2 mu* mu*^T mu + O(|mu|^3 (2 + 6 c^2 |mu*|^2 + (4/3) c^4 |mu*|^4)),
the next term of the expansion.

Two components on the line (Daskalakis, Tzamos & Zampetakis 2017): the EM step M(l) = E x tanh(l x/sigma^2)
under N(m, sigma^2) contracts,

    |M(l) - m|  <=  exp(-min(l, m)^2/(2 sigma^2)) |l - m|.

From any start that is not orthogonal to mu*, gradient descent on J with steps eta comes within |mu*|/10 of
+-mu* in

    O(1 + log(1/|cos|) + log(1 + |mu*|/|mu|))/(eta |mu*|^2)       steps for |mu*| <= 1.2:

the overlap grows like (1 + 2 eta |mu*|^2)^k, and from a random start 1/|cos| is of order sqrt d. That is the
first theorem for endless data, polynomial in the separation and logarithmic in the dimension.

The theorems, learning from 1/poly(d) separation by random start and K components from a warm start, have
unspecified constants.
"""

from __future__ import annotations

from sympy import Abs, Max, Min, Rational, exp, log

from bounds.claim import Claim, Sharp, Source
from bounds.notation import symbols
from bounds.quantity import W2
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS", "SOURCE"]

SOURCE = Source(
    "Kulin Shah, Sitan Chen, Adam Klivans",
    2023,
    "Learning mixtures of Gaussians using the DDPM objective",
    "Theorems 1 and 2",
    arxiv="2307.01178",
    venue="NeurIPS 2023",
    provenance="printed",
)
DTZ = Source(
    "Constantinos Daskalakis, Christos Tzamos, Manolis Zampetakis",
    2017,
    "Ten steps of EM suffice for mixtures of two Gaussians",
    "contraction in one dimension",
    arxiv="1609.00368",
    venue="COLT 2017",
    provenance="recalled",
)

STUDENT, LINE = Setup(clock="unit", model="student"), Setup(clock="unit", model="em-line")
WIDE = Setup(clock="unit", model="student", parameters={"student": (0.01, 10), "teacher": (0.05, 10)})
DESCENT = Setup(clock="unit", model="descent")
cosine, d, em_along, em_gap, eps, guess, sigma, student, teacher, truth = symbols(
    "cosine d em_along em_gap eps guess sigma student teacher truth"
)
bracket_along, gradient_along, objective, objective_best, student_risk = symbols(
    "bracket_along gradient_along objective objective_best student_risk"
)
gradient_student, gradient_teacher = symbols("gradient_student gradient_teacher")
descent_steps, overlap, rate = symbols("descent_steps overlap rate")
OVERLAP = teacher * cosine
POWER = 2 * student * OVERLAP**2

FLAT = Sharp(
    "both means small",
    {"model": "em-line", "parameters": {"guess": 0.05, "truth": 0.06, "sigma": 1}},
    attains=0.99,
)

loss = Claim(
    key="shah-2023/objective",
    title="The denoising loss of the student in closed form",
    lhs=student_risk,
    terms={"student": objective, "teacher": -objective_best},
    relation="==",
    setup=STUDENT,
)

gradient = Claim(
    key="shah-2023/gradient",
    title="The gradient along the student, from its two coefficients",
    lhs=gradient_along,
    terms={"student": gradient_student * student, "teacher": gradient_teacher * teacher * cosine},
    relation="==",
    setup=STUDENT,
)

em_step = Claim(
    key="shah-2023/gradient-step-is-em",
    title="A gradient step is an EM step plus a bracket",
    lhs=student - gradient_along,
    terms={"EM": em_along, "bracket": bracket_along},
    relation="==",
    setup=STUDENT,
)

low_noise = Claim(
    key="shah-2023/low-noise",
    title="At low noise the bracket is exponentially small in the overlap",
    lhs=Abs(bracket_along),
    terms={"bound": exp(-(OVERLAP**2) / 2)},
    constant="absolute",
    assuming=("student >= teacher*abs(cosine)", "student >= 1"),
    setup=WIDE,
)

high_noise = Claim(
    key="shah-2023/power-iteration",
    title="At high noise the gradient is a power iteration",
    lhs=Abs(gradient_along + POWER),
    terms={"cubic": student**3 * (2 + 6 * OVERLAP**2 + Rational(4, 3) * OVERLAP**4)},
    constant="absolute",
    setup=WIDE,
)

contraction = Claim(
    key="shah-2023/em-contraction",
    title="EM contracts for two symmetric Gaussians on the line",
    lhs=em_gap,
    terms={"bound": exp(-(Min(guess, truth) ** 2) / (2 * sigma**2)) * Abs(guess - truth)},
    setup=LINE,
    source=DTZ,
    standing="literal",
    note="Recalled; checked against quadrature at high precision.",
    sharp=(FLAT,),
)

descent = Claim(
    key="shah-2023/descent",
    title="Gradient descent with endless data finds the teacher from any overlap",
    lhs=descent_steps * rate * teacher**2,
    terms={"alignment": log(1 / overlap), "growth": log(1 + teacher / student), "convergence": 1},
    constant="absolute",
    setup=DESCENT,
    note="The rate is argued from the power iteration; the constant is what the search sees.",
)

theorems = Claim(
    key="shah-2023/two-components",
    title="Gradient descent learns two components with separation 1/poly(d)",
    lhs=W2("target", "output"),
    terms={"accuracy": eps},
    constant="absolute",
    setup=Setup(clock="unit"),
    source=SOURCE,
    standing="literal",
    expect="untested",
    note="Claims polynomial time and samples with unspecified powers and constants: no case decides a "
    "polynomial. Its steps are above, with endless data shah-2023/descent.",
)

CLAIMS: tuple[Claim, ...] = (loss, gradient, em_step, low_noise, high_noise, contraction, descent, theorems)

FALSEHOODS: tuple[Claim, ...] = (
    loss.but("half-forgotten", lhs=2 * student_risk),
    gradient.but("without-overlap", terms={"teacher": gradient_teacher * teacher}),
    em_step.but("ascent", lhs=student + gradient_along),
    low_noise.but("squared-rate", terms={"bound": exp(-(OVERLAP**2))}, constant=1),
    high_noise.but("unhalved-loss", lhs=Abs(gradient_along + 2 * POWER), constant=10),
    contraction.but(
        "larger-mean", terms={"bound": exp(-(Max(guess, truth) ** 2) / (2 * sigma**2)) * Abs(guess - truth)}
    ),
    descent.but("overlap-forgotten", terms={"alignment": None}, constant=2),
    descent.but("separation-unsquared", lhs=descent_steps * rate * teacher, constant=2),
)
