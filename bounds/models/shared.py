"""Parameters and quantities that several models of learning theory share."""

from __future__ import annotations

from bounds.models.model import ModelQuantity, Parameter

__all__ = [
    "ATOMS",
    "DATA",
    "DEGREE",
    "DIMENSION",
    "DRAWS",
    "EARLY",
    "ETA",
    "FAIL",
    "FIRST",
    "FISHER",
    "HESSIAN",
    "HORIZON",
    "INNER",
    "LAG",
    "MMSE",
    "NOISE",
    "OFFSET",
    "PAIR",
    "POINT",
    "POSTERIOR_THIRD",
    "POSTERIOR_VARIANCE",
    "RADIUS",
    "REPS",
    "SCALE",
    "SCORE",
    "SECOND",
    "SHARE",
    "SIGMA",
    "SLOPE",
    "SPREAD_1",
    "SPREAD_2",
    "STEPS",
    "STOP",
    "TIME",
    "WEIGHT",
]

# -- parameters ----------------------------------------------------------------------------------------------

WEIGHT = Parameter("w", 0.02, 0.98, "linear", "weight of the first component", "w")
FIRST = Parameter("m1", 0.05, 3, "signed", "mean of the first component", "m_1")
SECOND = Parameter("m2", 0.05, 3, "signed", "mean of the second component", "m_2")
SPREAD_1 = Parameter("v1", 0.05, 4, "log", "variance of the first component", "v_1", zero=True)
SPREAD_2 = Parameter("v2", 0.05, 4, "log", "variance of the second component", "v_2", zero=True)
SCALE = Parameter("a_t", 0.1, 2, "log", "scale of the data in X = a X0 + s Z", "a_t")
NOISE = Parameter("s_t", 0.3, 3, "log", "standard deviation of the noise in X = a X0 + s Z", "s_t")
POINT = Parameter("x", 0.05, 6, "signed", "the point at which functions are evaluated", "x")
SLOPE = Parameter("slope", 0.05, 3, "signed", "slope of the affine estimate or error", "b")
OFFSET = Parameter("offset", 0.05, 3, "signed", "offset of the affine estimate or error", "c")
ATOMS = (WEIGHT, FIRST, SECOND)
PAIR = (*ATOMS, SPREAD_1, SPREAD_2)
EARLY = Parameter("s", 0.05, 2, "log", "the earlier forward time, unit clock", "s")
LAG = Parameter("lag", 0.02, 2, "log", "time from the earlier to the later forward time", "h")
SHARE = Parameter("share", 0.0, 1.0, "linear", "share of the second atom in what is left", r"\rho")
RADIUS = Parameter("R", 0.05, 5, "log", "radius of the interval that holds the atoms", "R")
INNER = Parameter("inner", -1.0, 1.0, "linear", "place of the inner atom in units of R", "u")
SIGMA = Parameter("sigma", 0.3, 4, "log", "standard deviation of the noise", r"\sigma")
DEGREE = Parameter("deg", 1, 8, "integer", "degree of a Hermite polynomial, or one above", "n")
REPS = Parameter("reps", 1, 3, "integer", "number of applications of the generator", "m")
DRAWS = Parameter("draws", 1, 50, "integer", "number of noise draws a datum", "k")
STEPS = Parameter("steps", 1, 200, "integer", "number of steps", "n")
DIMENSION = Parameter("d", 1, 400, "integer", "dimension", "d")
DATA = Parameter("n_data", 1, 2000, "integer", "number of data", "m")
HORIZON = Parameter("T", 0.1, 5, "log", "horizon of the forward process", "T")
FAIL = Parameter("fail", 1e-6, 0.999, "log", "probability allowed to fail", r"\delta_f")
TIME = Parameter("t", 1e-3, 5, "log", "forward time, unit clock", "t")
STOP = Parameter("delta", 1e-4, 0.99, "log", "early-stopping time", r"\delta", zero=True)
ETA = Parameter("eta", 1e-8, 0.5, "log", "weight of the minor component", r"\eta")

# -- quantities ----------------------------------------------------------------------------------------------

SCORE = ModelQuantity("score", "score d/dx log q(x) of the noisy law", "S(x)", "1/length", signed=True)
HESSIAN = ModelQuantity("hessian", "d^2/dx^2 log q(x)", "S'(x)", "1/length^2", signed=True)
POSTERIOR_VARIANCE = ModelQuantity("post_var", "Var(X0 | X = x)", "C(x)", "length^2")
POSTERIOR_THIRD = ModelQuantity(
    "post_third", "third cumulant of X0 given X = x", r"\kappa_3(x)", "length^3", signed=True
)
MMSE = ModelQuantity("mmse", "E Var(X0 | X)", "V", "length^2")
FISHER = ModelQuantity("fisher", "Fisher information E|S(X)|^2 of the noisy law", "I", "1/length^2")
