"""Symbolic sizes: the dims of a tensor type. ``[N, 3, H // 2]`` holds two of them, and the int 3.

A `Dim` is an int where the size is known and an `Expr` where it depends on a symbol; arithmetic on
either gives an int as soon as the result is constant. Every symbol is a size: an integer of 1 or
more.

>>> H, C = symbol("H"), symbol("C")
>>> str(((H - 1) // 2 + 1 - 1) // 2 + 1), 2 * C // 2 == C, H - H
('(H - 1) // 4 + 1', True, 0)
>>> equal(H - H // 2, (H + 1) // 2), equal(H, H + 1), equal(H, C)
(True, False, None)
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from specc.ir.expr import (
    Dim,
    DimTooLarge,
    Expr,
    FloorDiv,
    symbol,
    symbols_of,
)
from specc.ir.parse_dim import parse_dim

__all__ = [
    "Dim",
    "DimTooLarge",
    "Expr",
    "FloorDiv",
    "divide_exactly",
    "equal",
    "evaluate",
    "parse_dim",
    "substitute",
    "symbol",
    "symbols_of",
]


def evaluate(dim: Dim, env: Mapping[str, int]) -> int:
    """The value of a size.

    Raises KeyError for a symbol that `env` lacks, and ZeroDivisionError as Python does.

    >>> evaluate((symbol("H") - 1) // 2 + 1, {"H": 28})
    14
    """
    if isinstance(dim, int):
        return dim
    return sum(c * prod(_value(atom, env) for atom in monomial) for monomial, c in dim.terms)


def _value(atom: str | FloorDiv, env: Mapping[str, int]) -> int:
    if isinstance(atom, str):
        return env[atom]
    return evaluate(atom.numerator, env) // evaluate(atom.divisor, env)


def substitute(dim: Dim, env: Mapping[str, Dim]) -> Dim:
    """The size with symbols replaced, all at once; those that `env` lacks stay. Raises DimTooLarge.

    >>> str(substitute(symbol("H") // 2, {"H": 2 * symbol("W") + 4}))
    'W + 2'
    """
    if isinstance(dim, int) or not any(name in env for name in dim.symbols):
        return dim
    total: Dim = 0
    for monomial, coefficient in dim.terms:
        term: Dim = coefficient
        for atom in monomial:
            if isinstance(atom, str):
                term = term * (env[atom] if atom in env else symbol(atom))
            else:
                term = term * (substitute(atom.numerator, env) // substitute(atom.divisor, env))
        total = total + term
    return total


def divide_exactly(a: Dim, b: Dim) -> Dim | None:
    """The quotient, if it is certain to be exact: 2*C by 2 is C. H by 2 is None, as is 1 by 0."""
    if b == 0:
        return None
    quotient = a // b
    return quotient if quotient * b == a else None


def equal(a: Dim, b: Dim) -> bool | None:
    """Whether two sizes are equal at every assignment (True), at none (False); None: undecided."""
    if a == b:
        return True
    difference = a - b
    return False if isinstance(difference, int) else None
