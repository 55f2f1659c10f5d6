"""The safe parser: what it reads, what it refuses, and that it never evaluates Python."""

import pytest
import sympy as sp

from bounds.errors import ClaimError
from bounds.formula import check_value, parse, parse_relation
from bounds.notation import symbol, symbols
from bounds.quantity import STEP, Iterate
from bounds.render import latex, mathml, text

d, T, L, M2, KL0, tol, N = symbols("d T L M2 KL0 tol N")


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


def test_a_sum_over_the_steps_is_a_recursion_and_a_short_one_is_written_out():
    step, x, k = STEP["step"], symbol("total"), symbol("k")
    assert parse("Sum(step(k)*L, (k, 0, N - 1))") == Iterate(x + step(k) * L, x, 0, k, N)
    assert parse("Sum(step(k - 1), (k, 1, N))") == Iterate(x + step(k), x, 0, k, N)
    assert parse("Product(1 + step(k), (k, 0, N - 1))") == Iterate(x * (1 + step(k)), x, 1, k, N)
    assert parse("Sum(T/k, (k, 1, 3))") == T + T / 2 + T / 3
    assert parse("Sum(k - k, (k, 0, 3))") == 0
    assert parse("Sum(total*step(k), (k, 0, N - 1))", parameters=frozenset({"total"})).args[1] != x


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("Sum(step(k), (k, 0, T))", "the range of the steps"),
        ("Sum(step(k), (k, 0, N))", "the range of the steps"),
        ("Sum(k, (k, 0, 10000))", "at most 200 whole numbers"),
        ("Sum(step(k), (k, 3, 1))", "the range of the steps"),
        ("Sum(step(T), (k, 0, N - 1))", "the number of a step"),
        ("step(1/2)", "the number of a step"),
    ],
)
def test_other_sums_are_refused_with_what_would_be_right(formula, message):
    with pytest.raises(ClaimError, match=message):
        parse(formula)


def test_a_sum_of_sympy_is_no_formula():
    with pytest.raises(ClaimError, match="as formula text"):
        check_value(sp.Sum(T * sp.Symbol("k"), (sp.Symbol("k"), 0, 5)), "terms.a", "a sum")
