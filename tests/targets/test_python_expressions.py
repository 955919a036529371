"""Precedence, quoting and layout, against Python's own parser and ruff's own formatter."""

from __future__ import annotations

import ast
import math
import operator
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import specc
from specc.ir.attributes import Hole
from specc.ir.dims import Dim, evaluate, symbol
from specc.ops.code import Code, Infix, Lit, Operand, Prefix
from specc.ops.operator import CodeSite, Input, Operator, Torch
from specc.targets.python import expressions as py
from specc.targets.python import layout, literals
from specc.targets.python.errors import EmitError
from specc.targets.python.expressions import Expression
from specc.targets.python.lowering import Place, lower
from specc.targets.python.sizes import size

# ---- precedence ----------------------------------------------------------------------------------

INFIX: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
PREFIX: dict[str, Callable[[Any], Any]] = {
    "-": operator.neg,
    "~": operator.invert,
    "not": operator.not_,
}
ALL_INFIX = [*INFIX, "**", "/", "@", "<<", ">>", "and", "or"]
NAMES = ["a", "b", "c"]


def codes(infix: list[str]) -> st.SearchStrategy[Code]:
    leaves = st.one_of(st.integers(-9, 9).map(Lit), st.integers(0, len(NAMES) - 1).map(Operand))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Infix, st.sampled_from(infix), inner, inner),
            st.builds(Prefix, st.sampled_from(list(PREFIX)), inner),
        ),
        max_leaves=25,
    )


def place() -> Place:
    def refuse(*_: object) -> Any:
        raise AssertionError

    entry = Operator("f", "", (Input("x"),), refuse, Torch(Operand()), {}, ())
    return Place(entry, {}, (), refuse, refuse, operands=[py.name(name) for name in NAMES])


def value_of(code: Code, values: list[int]) -> Any:
    """The value of the tree itself, without a look at any text."""
    match code:
        case Lit(value):
            return value
        case Operand(index):
            return values[index]
        case Prefix(symbol_, operand):
            return PREFIX[symbol_](value_of(operand, values))
        case Infix(symbol_, left, right):
            return INFIX[symbol_](value_of(left, values), value_of(right, values))
    raise AssertionError(code)


def attempt(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except ZeroDivisionError:
        return "division by zero"


@pytest.mark.filterwarnings("ignore:Bitwise inversion")  # of a bool, which Python 3.12 deprecates
@given(codes(list(INFIX)), st.lists(st.integers(-5, 5), min_size=3, max_size=3))
def test_the_text_means_what_the_tree_means(code: Code, values: list[int]) -> None:
    text = lower(code, place()).text
    found = attempt(lambda: eval(text, {}, dict(zip(NAMES, values, strict=True))))
    assert found == attempt(lambda: value_of(code, values)), text


def tree_of(node: ast.expr) -> object:
    """Python's parse of a text as nested tuples."""
    match node:
        case ast.Name(id=name):
            return NAMES.index(name), "operand"
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=op, operand=operand):
            return type(op).__name__, tree_of(operand)
        case ast.BinOp(left=left, op=op, right=right):
            return type(op).__name__, tree_of(left), tree_of(right)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return type(op).__name__, tree_of(left), tree_of(right)
        case ast.BoolOp(op=op, values=values):
            first, *rest = map(tree_of, values)
            for right in rest:  # Python's own tree is flat: a and b and c
                first = (type(op).__name__, first, right)
            return first
    raise AssertionError(ast.dump(node))


def fully_parenthesized(code: Code) -> str:
    match code:
        case Lit(value):
            return f"({value})"
        case Operand(index):
            return NAMES[index]
        case Prefix(symbol_, operand):
            return f"({symbol_} {fully_parenthesized(operand)})"
        case Infix(symbol_, left, right):
            return f"({fully_parenthesized(left)} {symbol_} {fully_parenthesized(right)})"
    raise AssertionError(code)


def is_chain_of_and_or(code: Code) -> bool:
    """Whether ``a and (b and c)`` occurs, which Python's flat tree does not show."""
    match code:
        case Infix(symbol_, left, right):
            same = isinstance(right, Infix) and symbol_ in {"and", "or"}
            return same or is_chain_of_and_or(left) or is_chain_of_and_or(right)
        case Prefix(_, operand):
            return is_chain_of_and_or(operand)
    return False


@given(codes(ALL_INFIX).filter(lambda code: not is_chain_of_and_or(code)))
def test_python_reads_the_tree_that_was_printed(code: Code) -> None:
    text = lower(code, place()).text
    read = tree_of(ast.parse(text, mode="eval").body)
    assert read == tree_of(ast.parse(fully_parenthesized(code), mode="eval").body), text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (py.infix("**", py.literal(-2), py.name("x")), "(-2) ** x"),
        (py.infix("**", py.name("x"), py.literal(-2)), "x**-2"),
        (py.prefix("-", py.infix("**", py.name("x"), py.literal(2))), "-(x**2)"),
        (py.attribute(py.literal(1), "real"), "(1).real"),
        (py.attribute(py.prefix("-", py.name("x")), "T"), "(-x).T"),
        (py.slice_of(py.name("a"), py.infix("+", py.name("b"), py.literal(1)), None), "a : b + 1"),
        (py.slice_of(None, py.literal(-1), py.literal(2)), ":-1:2"),
        (py.attribute(py.SELF, "0"), 'getattr(self, "0")'),
        (py.attribute(py.SELF, "__x"), 'getattr(self, "__x")'),
        (py.attribute(py.SELF, "ﬁ"), 'getattr(self, "\\ufb01")'),
        (py.tuple_of([py.literal(1)]), "(1,)"),
        (py.literal(1e-5), "1e-5"),
        (py.literal(1e22), "1e22"),
        (py.literal(-0.0), "-0.0"),
        (py.literal(math.inf), 'float("inf")'),
        (py.literal(-math.inf), '-float("inf")'),
    ],
)
def test_special_forms(expression: Expression, text: str) -> None:
    assert expression.text == text


# ---- literals ------------------------------------------------------------------------------------


@given(st.one_of(st.floats(), st.integers(), st.text(), st.booleans(), st.none()))
def test_a_literal_reads_back_as_itself(value: object) -> None:
    text = py.literal(value).text
    found = eval(text, {"float": float})
    assert type(found) is type(value)
    if isinstance(value, float):
        assert math.isnan(value) == math.isnan(found)
        assert math.copysign(1, found) == math.copysign(1, value) or math.isnan(value)
    assert found == value or math.isnan(found)


@given(st.text())
def test_a_string_literal_is_plain_ascii_on_one_line(value: str) -> None:
    text = literals.string(value)
    assert text.isascii()
    assert text.isprintable()
    assert ast.literal_eval(text) == value


@given(st.text())
def test_a_comment_is_one_line(text: str) -> None:
    lines = literals.comment(text).splitlines()
    assert len(lines) == 1
    assert ast.parse("\n".join(lines)).body == []


@given(st.text())
def test_a_docstring_is_nothing_but_a_string(text: str) -> None:
    lines = literals.docstring(text, 4)
    tree = ast.parse("\n".join(["class C:", *lines, "    x = 1"]))
    (made,) = tree.body
    assert isinstance(made, ast.ClassDef)
    assert len(made.body) == 1 + bool(lines)
    if lines:
        assert isinstance(made.body[0], ast.Expr)
        assert isinstance(made.body[0].value, ast.Constant)


@pytest.mark.parametrize("text", ["", "1x", "a b", "class", "x;y", "x\n", "ﬁ", "a.b", "None"])
def test_what_is_no_identifier_is_refused(text: str) -> None:
    with pytest.raises(EmitError):
        py.name(text)


# ---- sizes ---------------------------------------------------------------------------------------

SYMBOLS = {name: symbol(name) for name in NAMES}


def dims() -> st.SearchStrategy[Dim]:
    leaves = st.one_of(st.integers(-6, 6), st.sampled_from(list(SYMBOLS.values())))

    def combine(inner: st.SearchStrategy[Dim]) -> st.SearchStrategy[Dim]:
        return st.one_of(
            st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
            st.tuples(inner, inner).map(lambda pair: pair[0] - pair[1]),
            st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1]),
            st.tuples(inner, st.integers(1, 7)).map(lambda pair: pair[0] // pair[1]),
        )

    return st.recursive(leaves, combine, max_leaves=8)


@given(dims(), st.lists(st.integers(1, 9), min_size=3, max_size=3))
def test_a_printed_size_has_the_sizes_value(dim: Dim, values: list[int]) -> None:
    env = dict(zip(NAMES, values, strict=True))

    def known(part: Dim) -> Expression | None:
        return py.name(str(part)) if str(part) in env else None

    assert eval(size(dim, known).text, {}, env) == evaluate(dim, env)


# ---- layout --------------------------------------------------------------------------------------

identifiers = st.text("abcxyz_", min_size=1, max_size=24).map(lambda text: "v" + text)


def calls() -> st.SearchStrategy[Expression]:
    def combine(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        several = st.lists(inner, min_size=1, max_size=5)
        keyed = st.lists(st.tuples(identifiers, inner), max_size=3, unique_by=lambda p: p[0])
        return st.one_of(
            st.builds(lambda f, a, k: py.call(py.name(f), a, k), identifiers, several, keyed),
            several.map(py.list_of),
            several.map(py.tuple_of),
        )

    leaves = st.one_of(
        identifiers.map(py.name),
        st.integers(-99, 10**6).map(py.literal),
        st.text("ab'\"", max_size=9).map(py.literal),
    )
    return st.recursive(leaves, combine, max_leaves=20)


@settings(max_examples=12, phases=[Phase.generate])
@given(st.lists(calls(), min_size=30, max_size=40))
def test_calls_are_laid_out_as_ruff_does(expressions: list[Expression]) -> None:
    lines = [layout.render(("x = ", expression.doc)) for expression in expressions]
    text = "\n".join(lines) + "\n"
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--stdin-filename", "x.py", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == text


def test_a_hole_is_never_printed_as_a_default() -> None:
    from specc.ops.arguments import INT, Argument

    def refuse(*_: object) -> Any:
        raise AssertionError

    entry = Operator(
        "f", "", (Input("x"),), refuse, Torch(Operand()), {}, (), arguments=(Argument("k", INT, 1),)
    )
    at = Place(entry, {"k": Hole("k")}, (), refuse, lambda hole: py.name(hole.name))
    assert not at.is_default("k")
    assert Place(entry, {"k": 1}, (), refuse, refuse).is_default("k")
    assert not Place(entry, {"k": True}, (), refuse, refuse).is_default("k")
    assert CodeSite((), (), {"k": 1}).attributes == {"k": 1}


def test_a_tensor_that_is_taken_apart_is_unpacked() -> None:
    text = "net Apart(x: [3, N]) -> [N] { a, b, c = x\n a * b - c }"
    assert "        a, b, c = x\n" in specc.compile(text).python()
    some = "net Some(x: [3, N]) -> [N] { a, b = x[0], x[1]\n a * b + a }"
    assert "x[0]" in specc.compile(some).python()


def test_layers_that_take_more_than_the_last_result_are_a_loop_too() -> None:
    text = """
block Add(width: int)(x: [N, D], y: [N, D]) -> [N, D] { (x |> Linear(width)) + y }
net Deep(x: [N, 4], y: [N, 4]) -> [N, 4] {
    for i in 0..4 { x = (x, y) |> "layers.{i}": Add(4) }
    return x
}
"""
    lines = specc.compile(text).python()
    assert "for layer in self.layers:\n            x = layer(x, y)\n" in lines
