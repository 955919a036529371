"""Random computations over sizes, to be done on symbols and on Python's integers alike."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from hypothesis import strategies as st

from specc.ir.dims import Dim, symbol

# An int, a name, or (operator, left, right).
Tree = int | str | tuple[str, Any, Any]

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
NAMES = ("H", "W", "N")
sizes = st.integers(1, 50)
environments = st.fixed_dictionaries(dict.fromkeys(NAMES, sizes))

symbolic_divisors: st.SearchStrategy[Tree] = st.sampled_from(
    ["N", "W", ("+", "N", "W"), ("*", 2, "N"), ("-", "H", 3), ("-", 2, "W"), -3, ("*", "N", "W")]
)


def trees(divisors: st.SearchStrategy[Any] | None = None) -> st.SearchStrategy[Any]:
    """Random computations whose divisors are drawn from `divisors` (small ints if None)."""
    dividing = st.integers(1, 6) if divisors is None else divisors
    return st.recursive(
        st.sampled_from(NAMES) | st.integers(-9, 9),
        lambda inner: (
            st.tuples(st.sampled_from(["+", "-", "*"]), inner, inner)
            | st.tuples(st.sampled_from(["//", "%"]), inner, dividing)
        ),
        max_leaves=10,
    )


def build(tree: Tree) -> Dim:
    """The symbolic size."""
    if isinstance(tree, tuple):
        result: Dim = _OPERATORS[tree[0]](build(tree[1]), build(tree[2]))
        return result
    return symbol(tree) if isinstance(tree, str) else tree


def evaluate_tree(tree: Tree, env: Mapping[str, int]) -> int:
    """The value, by Python's integers alone."""
    if isinstance(tree, tuple):
        value: int = _OPERATORS[tree[0]](evaluate_tree(tree[1], env), evaluate_tree(tree[2], env))
        return value
    return env[tree] if isinstance(tree, str) else tree


def random_tree(source: Random, depth: int) -> Tree:
    """Sums, products by constants and divisions, such as shape rules make them."""
    if depth == 0 or source.random() < 0.2:
        return source.choice(("H", "W", "H", source.randint(1, 5)))
    kind = source.choice(("+", "-", "*", "//", "//"))
    left = random_tree(source, depth - 1)
    if kind in "+-":
        return (kind, left, random_tree(source, depth - 1))
    return (kind, left, source.randint(2, 4))


def rewrite(tree: Tree, source: Random) -> Tree:
    """An equal computation: identities applied at random places."""
    if not isinstance(tree, tuple):
        return tree
    kind, left, right = tree[0], rewrite(tree[1], source), rewrite(tree[2], source)
    if source.random() < 0.4:
        return (kind, left, right)
    if kind == "+":
        return ("-", right, ("*", left, -1))
    if kind == "-":
        return ("+", ("*", right, -1), left)
    if kind == "*":
        return ("+", left, ("*", left, ("-", right, 1)))
    choice = source.randrange(3)
    if choice == 0:  # x // b = (k*x) // (k*b)
        return ("//", ("*", left, 3), ("*", right, 3))
    if choice == 1:  # Hermite: x = sum of (x + i) // b over i in 0..b
        rest: Tree = left
        for step in range(1, right):
            rest = ("-", rest, ("//", ("+", left, step), right))
        return rest
    # x // b = -((b - 1 - x) // b)  (the ceiling of -x / b, negated)
    return ("*", ("//", ("-", ("-", right, 1), left), right), -1)
