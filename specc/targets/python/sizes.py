"""Symbolic sizes as Python expressions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from specc.ir.dims import Dim, Expr, FloorDiv, symbol
from specc.targets.python import expressions as py
from specc.targets.python.expressions import Expression

Known = Callable[[Dim], Expression | None]
"""The expression that holds a size, where there is one."""


def size(dim: Dim, known: Known) -> Expression:
    """``dim`` as an expression over what ``known`` gives.

    ``known`` is asked for the whole, then for its parts; it raises EmitError for a symbol that it
    cannot give.
    """
    if isinstance(dim, int):
        return py.literal(dim)
    whole = known(dim)
    return whole if whole is not None else _sum(dim, known)


def _sum(dim: Expr, known: Known) -> Expression:
    terms = list(dim.terms)
    # A positive term leads where there is one: W - H, not -H + W.
    lead = next((index for index, (_, c) in enumerate(terms) if c > 0), 0)
    terms.insert(0, terms.pop(lead))
    (monomial, coefficient), *rest = terms
    total = _product(monomial, coefficient, known)
    for monomial, coefficient in rest:
        operator = "-" if coefficient < 0 else "+"
        total = py.infix(operator, total, _product(monomial, abs(coefficient), known))
    return total


def _product(monomial: tuple[str | FloorDiv, ...], coefficient: int, known: Known) -> Expression:
    if not monomial:
        return py.literal(coefficient)
    factors = []
    for atom, power in Counter(monomial).items():  # keeps the order
        factor = _atom(atom, known)
        factors.append(py.infix("**", factor, py.literal(power)) if power > 1 else factor)
    if abs(coefficient) != 1:
        factors.insert(0, py.literal(abs(coefficient)))
    product = factors[0]
    for factor in factors[1:]:
        product = py.infix("*", product, factor)
    return py.prefix("-", product) if coefficient < 0 else product


def _atom(atom: str | FloorDiv, known: Known) -> Expression:
    if isinstance(atom, str):
        found = known(symbol(atom))
        assert found is not None, atom
        return found
    whole = known(Expr((((atom,), 1),)))
    if whole is not None:
        return whole
    return py.infix("//", size(atom.numerator, known), size(atom.divisor, known))


def solve(name: str, dim: Dim) -> tuple[Dim, Dim] | None:
    """(a, b) such that ``dim`` is a * name + b and neither holds ``name``, if there are such."""
    if isinstance(dim, int):
        return None
    slope: Dim = 0
    offset: Dim = 0
    for monomial, coefficient in dim.terms:
        term: Dim = coefficient
        count = 0
        for atom in monomial:
            if atom == name:
                count += 1
                continue
            if isinstance(atom, FloorDiv) and name in atom.symbols:
                return None
            term = term * Expr((((atom,), 1),))
        if count > 1:
            return None
        if count:
            slope = slope + term
        else:
            offset = offset + term
    return None if slope == 0 else (slope, offset)
