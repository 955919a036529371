"""Symbolic sizes: canonical form, arithmetic, text."""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specc.ir import dims
from specc.ir.dims import Dim, DimTooLarge, Expr, divide_exactly, equal, evaluate, parse_dim
from specc.ir.dims import substitute, symbol

C, H, N, T, W = map(symbol, "CHNTW")

# A random computation over sizes: an int, a name, or (operator, left, right).
Tree = int | str | tuple[str, "Tree", "Tree"]
_OPERATORS: dict[str, Callable[[Dim, Dim], Dim]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
sizes = st.integers(1, 50)
environments = st.fixed_dictionaries({"H": sizes, "W": sizes, "N": sizes})


def trees(divisors: st.SearchStrategy[Tree] | None = None) -> st.SearchStrategy[Tree]:
    """Random computations whose divisors are drawn from `divisors` (small ints if None)."""
    leaves: st.SearchStrategy[Tree] = st.sampled_from(["H", "W", "N"]) | st.integers(-9, 9)
    dividing = divisors if divisors is not None else st.integers(1, 6)
    return st.recursive(
        leaves,
        lambda inner: (
            st.tuples(st.sampled_from(["+", "-", "*"]), inner, inner)
            | st.tuples(st.sampled_from(["//", "%"]), inner, dividing)
        ),
        max_leaves=10,
    )


symbolic_divisors: st.SearchStrategy[Tree] = st.sampled_from(
    ["N", "W", ("+", "N", "W"), ("*", 2, "N"), ("-", "H", 3), ("-", 2, "W"), -3, ("*", "N", "W")]
)


def build(tree: Tree, leaf: Callable[[str], Dim]) -> Dim:
    """The value of a computation, where `leaf` gives the value of a name."""
    if isinstance(tree, tuple):
        return _OPERATORS[tree[0]](build(tree[1], leaf), build(tree[2], leaf))
    return leaf(tree) if isinstance(tree, str) else tree


@given(trees(), environments)
@settings(max_examples=400)
def test_values_are_those_of_python_integers(tree: Tree, env: dict[str, int]) -> None:
    assert evaluate(build(tree, symbol), env) == build(tree, env.__getitem__)


@given(trees(symbolic_divisors), environments)
@settings(max_examples=400)
def test_values_are_those_of_python_integers_by_symbolic_divisors(
    tree: Tree, env: dict[str, int]
) -> None:
    try:
        expected = build(tree, env.__getitem__)
    except ZeroDivisionError:
        return
    try:
        dim = build(tree, symbol)
    except DimTooLarge:
        return
    assert evaluate(dim, env) == expected


@given(trees(symbolic_divisors))
@settings(max_examples=400)
def test_text_reads_back_as_the_same_size(tree: Tree) -> None:
    try:
        dim = build(tree, symbol)
    except (ZeroDivisionError, DimTooLarge):
        return
    assert parse_dim(str(dim)) == dim, str(dim)
