"""The safe parser: what it reads, what it refuses, and that it never evaluates Python."""

import pytest
import sympy as sp

from bounds.errors import ClaimError
from bounds.formula import parse, parse_relation
from bounds.notation import symbols
from bounds.render import latex, mathml, text

d, T, L, M2, KL0, tol = symbols("d T L M2 KL0 tol")


def test_formulas_are_read_exactly():
    assert parse("(M2 + d)/(2*(exp(T) - 1))") == (M2 + d) / (2 * (sp.exp(T) - 1))
    assert parse("0.1*L") == L / 10
    assert parse("2e-3") == sp.Rational(1, 500)


@pytest.mark.parametrize(
    "formula",
    [
        "sqrt(KL(target, output)/2)",
        "W2(q(t), gamma)**2 + J(q_T)",
        "min(1, d*T)",
        "Iterate(x + eps_at(k), x, 0, k, N)",
    ],
)
def test_printed_text_reads_back(formula):
    expr = parse(formula)
    assert parse(text(expr)) == expr
    assert latex(expr)
    assert mathml(expr).startswith("<math")


@pytest.mark.parametrize(
    ("formula", "token"),
    [
        ("__import__('os').system('true')", "__import__"),
        ("d.real", "d.real"),
        ("d[0]", "d[0]"),
        ("TT + 1", "TT"),
        ("9**9**9**9", "9**9**9"),
        ("KL(targt, output)", "targt"),
        ("KL(target)", "target"),
        ("lambda: 1", "lambda"),
        ("1/0", "1/0"),
        ("", ""),
        ("d +", "d +"),
        ("log(0)", "log(0)"),
        ("True", "True"),
        ("'a'", "'a'"),
        ("d if T else L", "d if"),
        ("nan", "nan"),
        ("1e400", "1e400"),
        ("1e-320*d", "1e-320"),
        ("(1000**1000)**1000", "1000**1000"),
        ("10**-250*10**-250*d", "10**-250*10**-250*d"),
        ("log(-T)", "log(-T)"),
        ("sqrt(-1)", "real values"),
        ("(-8)**(1/3)", "real values"),
        ("KL(q(-1), gamma)", "forward time >= 0"),
        ("J(q(-T))", "-T"),
        ("(" * 300 + "d" + ")" * 300, "(((("),
    ],
)
def test_anything_else_is_one_error_that_names_the_token(formula, token):
    with pytest.raises(ClaimError) as caught:
        parse(formula)
    assert token in str(caught.value)


def test_the_nearest_known_symbol_is_offered():
    with pytest.raises(ClaimError, match="nearest: 'eps'"):
        parse("epss")


def test_relations():
    assert parse_relation("T == log(KL0/tol)") == sp.Eq(T, sp.log(KL0 / tol))
    with pytest.raises(ClaimError, match="one comparison"):
        parse_relation("1 <= L <= 2")
