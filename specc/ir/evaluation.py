"""The value of a size at an assignment, and a size with symbols replaced by others."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from specc.ir.expr import Dim, FloorDiv, symbol


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
