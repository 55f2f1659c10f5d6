"""The safe parser: formula text to sympy, without ever evaluating Python.

The text is parsed to a syntax tree, and only arithmetic, the functions of `FUNCTIONS`, the quantities, the
laws and names of symbols are translated. Everything else (attributes, indexing, strings, calls of other
names, comparisons where none belong) is an error that names the token. Decimal numbers become exact
rationals: 0.1 is 1/10.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from fractions import Fraction

import sympy as sp

from bounds.errors import ClaimError, nearest
from bounds.notation import NOTATION, symbol
from bounds.quantity import LAWS, QUANTITIES, STEP, Iterate, law

__all__ = ["FUNCTIONS", "check_value", "parse", "parse_relation"]

FUNCTIONS: dict[str, Callable[..., sp.Expr]] = {
    "exp": sp.exp,
    "log": sp.log,
    "sqrt": sp.sqrt,
    "min": sp.Min,
    "max": sp.Max,
    "Min": sp.Min,
    "Max": sp.Max,
    "abs": sp.Abs,
    "Abs": sp.Abs,
}
"""Functions that formula text may call (sympy's own names are accepted, so that printed formulas parse back).
"""

_BOUND = {"Sum": sp.Sum, "Product": sp.Product, "Integral": sp.Integral}
_ARITHMETIC: dict[type[ast.operator], Callable[[sp.Expr, sp.Expr], sp.Expr]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
_RELATIONS: dict[type[ast.cmpop], type[sp.Rel]] = {
    ast.LtE: sp.Le,
    ast.GtE: sp.Ge,
    ast.Lt: sp.Lt,
    ast.Gt: sp.Gt,
    ast.Eq: sp.Eq,
}
_LONGEST_TEXT = 10_000
_LARGEST_EXPONENT = 1_000
_MOST_DECADES = 300  # of a number in a formula: what float64 can follow


class _Reader:
    """Translates one syntax tree; keeps the text to name the offending token."""

    def __init__(self, text: str, field: str, parameters: frozenset[str]) -> None:
        self.text = text
        self.field = field
        self.known = frozenset(NOTATION) | parameters

    def fail(self, node: ast.AST, expected: str) -> ClaimError:
        token = ast.get_source_segment(self.text, node) or ast.unparse(node)
        return ClaimError(self.field, token, expected)

    def read(self, node: ast.expr) -> sp.Expr:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(node)
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.read(operand)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return self._arithmetic(node, self.read(left), op, self.read(right))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(node, name, args)
        raise self.fail(
            node, f"arithmetic (+ - * / **), {', '.join(sorted(FUNCTIONS))}, a quantity or a known symbol"
        )

    def _number(self, node: ast.Constant) -> sp.Expr:
        token = (ast.get_source_segment(self.text, node) or str(node.value)).replace("_", "")
        try:
            value = Fraction(token)
        except ValueError as error:
            raise self.fail(node, "a decimal number") from error
        number = sp.Rational(value.numerator, value.denominator)
        if len(token) > 100 or not _moderate(number):
            raise self.fail(node, _MODERATE)
        return number

    def _name(self, node: ast.AST, name: str) -> sp.Expr:
        if name in self.known:
            return symbol(name)
        if name == "pi":
            return sp.pi
        raise self.fail(
            node, f"a known symbol{nearest(name, self.known)}, or a parameter whose range the setup states"
        )

    def _arithmetic(self, node: ast.AST, left: sp.Expr, op: ast.operator, right: sp.Expr) -> sp.Expr:
        if isinstance(op, ast.Pow) and right.is_number and not abs(right) <= _LARGEST_EXPONENT:
            raise self.fail(node, f"an exponent of at most {_LARGEST_EXPONENT}")
        if isinstance(op, ast.Pow) and left.is_Rational and right.is_number and not left.is_zero:
            decades = float(abs(right)) * (_bits(left) / 3.3)
            if decades > 2 * _MOST_DECADES:
                raise self.fail(node, _MODERATE)
        if isinstance(op, ast.Div) and right.is_zero:
            raise self.fail(node, "a divisor other than zero")
        return _ARITHMETIC[type(op)](left, right)

    def _call(self, node: ast.Call, name: str, args: list[ast.expr]) -> sp.Expr:
        if name in FUNCTIONS:
            if name.lower() not in ("min", "max") and len(args) != 1:
                raise self.fail(node, f"one argument for {name}")
            if not args:
                raise self.fail(node, f"arguments for {name}")
            return FUNCTIONS[name](*(self.read(arg) for arg in args))
        if name in QUANTITIES:
            try:
                return QUANTITIES[name](*(self._law(arg) for arg in args))
            except ClaimError as error:
                raise ClaimError(self.field, error.value, error.expected) from error
        if name in STEP and len(args) == 1:
            return STEP[name](self._bound(args[0], {}))
        if name == "Iterate" and len(args) == 5:
            return self._iterate(args)
        if name in _BOUND and len(args) == 2:
            return self._summation(node, name, args)
        known = [*FUNCTIONS, *QUANTITIES, *STEP]
        raise self.fail(node.func, f"one of {', '.join(known)}{nearest(name, known)}")

    def _law(self, node: ast.expr) -> sp.Basic:
        if isinstance(node, ast.Name) and (node.id in LAWS or node.id == "q_t"):
            return law(node.id)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return law(node.value)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "q"
            and len(node.args) == 1
        ):
            return law(self.read(node.args[0]))
        if isinstance(node, ast.Name) and node.id not in self.known:
            raise self.fail(
                node, f"a law, one of {', '.join(LAWS)}, or a forward time{nearest(node.id, LAWS)}"
            )
        return law(self.read(node))

    def _dummy(self, node: ast.expr) -> sp.Symbol:
        if isinstance(node, ast.Name) and node.id not in NOTATION:
            return symbol(node.id)
        raise self.fail(node, "a new name for the bound variable")

    def _bound(self, node: ast.expr, dummies: dict[str, sp.Symbol]) -> sp.Expr:
        inner = _Reader(self.text, self.field, self.known - frozenset(NOTATION) | frozenset(dummies))
        return inner.read(node)

    def _summation(self, node: ast.Call, name: str, args: list[ast.expr]) -> sp.Expr:
        limits = args[1]
        if not isinstance(limits, ast.Tuple) or len(limits.elts) != 3:
            raise self.fail(node, f"{name}(expression, (k, first, last))")
        dummy = self._dummy(limits.elts[0])
        body = self._bound(args[0], {dummy.name: dummy})
        return _BOUND[name](body, (dummy, self.read(limits.elts[1]), self.read(limits.elts[2])))

    def _iterate(self, args: list[ast.expr]) -> sp.Expr:
        x, k = self._dummy(args[1]), self._dummy(args[3])
        body = self._bound(args[0], {x.name: x, k.name: k})
        return Iterate(body, x, self.read(args[2]), k, self.read(args[4]))


_MODERATE = f"numbers between 1e-{_MOST_DECADES} and 1e{_MOST_DECADES}"


def _bits(number: sp.Rational) -> int:
    return max(abs(int(number.p)).bit_length(), int(number.q).bit_length())


def _moderate(number: sp.Rational) -> bool:
    return abs(int(number.p)).bit_length() - int(number.q).bit_length() < 3.3 * _MOST_DECADES and (
        number.is_zero or int(number.q).bit_length() - abs(int(number.p)).bit_length() < 3.3 * _MOST_DECADES
    )


def check_value(expr: sp.Expr, field: str, value: object) -> None:
    """Refuse an expression without a finite real value, or with numbers beyond those of float64.

    field, value : what the error names: the place, and the formula as the user wrote it.
    """
    if expr.has(sp.nan, sp.zoo, sp.oo, -sp.oo):
        raise ClaimError(field, value, "a formula with a finite value")
    if expr.has(sp.I) or any(
        part.is_extended_real is False for part in sp.preorder_traversal(expr) if isinstance(part, sp.Expr)
    ):
        raise ClaimError(
            field, value, "a formula with real values: no roots or logarithms of negative numbers"
        )
    if not all(_moderate(number) for number in expr.atoms(sp.Rational)):
        raise ClaimError(field, value, _MODERATE)


def _tree(text: str, field: str) -> ast.expr:
    if not isinstance(text, str) or not text.strip():
        raise ClaimError(field, text, "a formula")
    text = " ".join(text.split())
    if len(text) > _LONGEST_TEXT:
        raise ClaimError(field, text[:40] + "...", f"a formula of at most {_LONGEST_TEXT} characters")
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise ClaimError(field, text, f"a formula; cannot read it at character {error.offset}") from error
    except (ValueError, MemoryError, RecursionError) as error:
        raise ClaimError(field, text[:40], "a formula that is not nested so deeply") from error


def parse(text: str, *, field: str = "formula", parameters: frozenset[str] = frozenset()) -> sp.Expr:
    """The expression that a formula text means.

    text       : arithmetic over known symbols, quantities and `FUNCTIONS`.
    field      : the place named in errors.
    parameters : names of user parameters with a stated range.
    Raises ClaimError naming the first token that does not belong.

    >>> parse("(M2 + d)/(2*(exp(T) - 1))")
    (M2 + d)/(2*(exp(T) - 1))
    """
    tree = _tree(text, field)
    try:
        result = _Reader(" ".join(text.split()), field, parameters).read(tree)
    except RecursionError as error:
        raise ClaimError(field, text[:40], "a formula that is not nested so deeply") from error
    check_value(result, field, text)
    return result


def parse_relation(text: str, *, field: str = "assuming", parameters: frozenset[str] = frozenset()) -> sp.Rel:
    """The relation (<=, >=, <, >, ==) that a text means, such as ``L >= 1``.

    Raises ClaimError if the text is not one comparison of two formulas.
    """
    tree = _tree(text, field)
    if not isinstance(tree, ast.Compare) or len(tree.ops) != 1 or type(tree.ops[0]) not in _RELATIONS:
        raise ClaimError(field, text, "one comparison, such as L >= 1")
    reader = _Reader(" ".join(text.split()), field, parameters)
    left, right = reader.read(tree.left), reader.read(tree.comparators[0])
    for side in (left, right):
        check_value(side, field, text)
    return _RELATIONS[type(tree.ops[0])](left, right, evaluate=False)
