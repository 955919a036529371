"""The canonical form of a floor division of sizes (`specc.ir.expr` says what it looks like).

The rules, for integers x, y, q and r, where each symbol is 1 or more:

- (b*q + r) // b = q + r // b                              for b != 0
- (g*x + c) // (g*b) = (x + c // g) // b                   for g, b > 0
- (x // a + y) // b = (x + a*y) // (a*b)                   for b > 0, a != 0

The last two are floor(floor(t) / b) = floor(t / b) for real t and an integer b > 0 (Graham, Knuth
and Patashnik, Concrete Mathematics, 3.10 and 3.11).
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from math import gcd

from specc.ir.expr import (
    MAX_TERMS,
    Dim,
    DimTooLarge,
    Expr,
    FloorDiv,
    Monomial,
    atom_expr,
    from_terms,
    is_positive,
    monomial_order,
    sorted_monomial,
    terms_of,
)


@lru_cache(maxsize=16384)
def floor_div(a: Dim, b: Dim) -> Dim:
    """The quotient a // b, rounded down as Python does. Raises ZeroDivisionError where b is 0.

    Where b is symbolic, the result agrees with a // b at each assignment at which b is not 0.
    """
    if isinstance(b, int):
        if isinstance(a, int) or b == 0:
            return a // b if isinstance(a, int) else _refuse_zero()
        if b < 0:
            return floor_div(-a, -b)
        return a if b == 1 else _divide_by_int(a, b)
    if b.terms[0][1] < 0:
        return floor_div(-a, -b)
    return 0 if a == 0 else _divide_by_expr(a, b)


def _refuse_zero() -> int:
    raise ZeroDivisionError("a size is divided by 0")


def _divide_by_int(a: Expr, b: int) -> Dim:
    outside: dict[Monomial, int] = {}
    inside: dict[Monomial, int] = {}
    constant = 0
    for monomial, coefficient in a.terms:
        if not monomial:
            constant = coefficient
            continue
        outside[monomial], rest = divmod(coefficient, b)
        if rest:
            inside[monomial] = rest
    common = gcd(b, *inside.values())
    b //= common
    constant //= common
    outside[()] = -(-constant // b)
    constant -= b * outside[()]  # in (-b, 0], 0 if b is 1
    if b == 1:
        whole = {monomial: rest // common for monomial, rest in inside.items()}
        return from_terms(outside) + from_terms(whole)
    numerator = from_terms({**{m: rest // common for m, rest in inside.items()}, (): constant})
    return from_terms(outside) + _unnest(numerator, b)


def _divide_by_expr(a: Dim, b: Expr) -> Dim:
    quotient, rest = _divide_polynomials(a, b)
    if rest == 0:
        return quotient
    smaller, divisor = _cancel(rest, b)
    if divisor != b:
        return quotient + floor_div(smaller, divisor)
    return quotient + _unnest(rest, b)


def _unnest(numerator: Dim, b: Dim) -> Dim:
    """The quotient of reduced operands, merged with a division within the numerator.

    That one has to be the only one there: with two, the result would depend on the order.
    """
    nested = [
        (monomial, coefficient)
        for monomial, coefficient in terms_of(numerator)
        if any(isinstance(atom, FloorDiv) for atom in monomial)
    ]
    if len(nested) == 1 and is_positive(b):
        monomial, coefficient = nested[0]
        atom = monomial[0]
        if len(monomial) == 1 and coefficient == 1 and isinstance(atom, FloorDiv):
            others = numerator - atom_expr(atom)
            return floor_div(atom.numerator + atom.divisor * others, atom.divisor * b)
    return atom_expr(FloorDiv(numerator, b))


def _divide_polynomials(a: Dim, b: Expr) -> tuple[Dim, Dim]:
    """The q and r of a = b*q + r with no term of r a multiple of b's leading term."""
    lead, lead_coefficient = b.terms[0]
    rest = dict(terms_of(a))
    quotient: dict[Monomial, int] = {}
    final: set[Monomial] = set()
    while pending := [monomial for monomial in rest if monomial not in final]:
        if len(final) > 2 * MAX_TERMS:
            raise DimTooLarge("a quotient of sizes has too many terms")
        monomial = min(pending, key=monomial_order)  # what is subtracted below it is smaller
        final.add(monomial)
        factor = _monomial_quotient(monomial, lead)
        if factor is None or not (times := rest[monomial] // lead_coefficient):
            continue
        quotient[factor] = times
        for other, coefficient in b.terms:
            product = sorted_monomial(factor + other)
            rest[product] = rest.get(product, 0) - times * coefficient
    return from_terms(quotient), from_terms(rest)


def _monomial_quotient(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    left = Counter(monomial)
    left.subtract(divisor)
    if min(left.values(), default=0) < 0:
        return None
    return tuple(left.elements())  # in the order of first occurrence, which is sorted


def _cancel(a: Dim, b: Expr) -> tuple[Dim, Dim]:
    """Both sizes without the factors that all their terms share."""
    common: Counter[object] | None = None
    content = 0
    # The constant of the numerator may be rounded down, where the divisor is positive.
    rounds = is_positive(b) and not isinstance(a, int)
    for index, (monomial, coefficient) in enumerate(b.terms + terms_of(a)):
        if not (rounds and index >= len(b.terms) and not monomial):
            content = gcd(content, coefficient)
        common = Counter(monomial) if common is None else common & Counter(monomial)
    assert common is not None
    shared: Monomial = sorted_monomial(tuple(common.elements()))  # type: ignore[arg-type]

    def reduce(dim: Dim) -> Dim:
        reduced: dict[Monomial, int] = {}
        for monomial, coefficient in terms_of(dim):
            factor = _monomial_quotient(monomial, shared)
            assert factor is not None
            reduced[factor] = coefficient // content
        return from_terms(reduced)

    return reduce(a), reduce(b)
