"""What is certain about a size at all assignments: interval arithmetic over symbols of 1 or more.

A size is a polynomial in its atoms. With each atom written as its least value plus an excess of 0
or more, and multiplied out, the terms with positive coefficients are at least 0 and the others
bounded by the excess's greatest value: exact for polynomials such as H*W - H - W + 1. Floor
divisions that are subtracted from what they divide, as in H - H // 2, are also bounded by
(x - b + 1) / b <= x // b <= x / b, which lets their parts cancel. The better bound counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import gcd, lcm, prod
from types import MappingProxyType
from typing import NamedTuple

from specc.ir.evaluation import substitute
from specc.ir.expr import (
    Atom,
    Dim,
    DimTooLarge,
    Expr,
    FloorDiv,
    Monomial,
    from_terms,
    sorted_monomial,
    symbol,
    terms_of,
)
from specc.ir.residues import residue_classes

_MAX_EXPANSION = 64
_NO_BOUNDS: Mapping[str, int] = MappingProxyType({})


class Interval(NamedTuple):
    """The least and the greatest value, both inclusive; None where there is no bound."""

    low: int | None
    high: int | None


def lower(dim: Dim, bounds: Mapping[str, int] = _NO_BOUNDS) -> int | None:
    """A lower bound that holds at every assignment, the greatest that is found; None if none is.

    `bounds` gives the least values of symbols where they are greater than 1.

    >>> from specc.ir.dims import symbol
    >>> H, W = symbol("H"), symbol("W")
    >>> lower((H - 5) // 2 + 1, {"H": 28}), lower(H * W - H - W), lower(H - W)
    (12, -1, None)
    """
    return dim if isinstance(dim, int) else _range(_shift(dim, bounds)).low


def at_least(dim: Dim, least: int, bounds: Mapping[str, int] = _NO_BOUNDS) -> bool | None:
    """Whether a size is `least` or more at every assignment (True) or at none (False).

    None is undecided. `bounds` is as for `lower`.

    >>> from specc.ir.dims import symbol
    >>> H = symbol("H")
    >>> at_least(H, 1), at_least(-H, 0), at_least(H, 2), at_least(H, 2, {"H": 3})
    (True, False, None, True)
    """
    if isinstance(dim, int):
        return dim >= least
    low, high = _range(_shift(dim, bounds))
    if low is not None and low >= least:
        return True
    return False if high is not None and high < least else None


def certainly_not_zero(dim: Dim) -> bool:
    """Whether a size is 0 at no assignment, by its sign or by a factor of its coefficients."""
    if isinstance(dim, int):
        return dim != 0
    low, high = _interval(dim)
    if (low is not None and low > 0) or (high is not None and high < 0):
        return True
    constant = dim.terms[-1][1] if not dim.terms[-1][0] else 0
    return constant % gcd(*(c for monomial, c in dim.terms if monomial)) != 0


def _shift(dim: Expr, bounds: Mapping[str, int]) -> Dim:
    """The size with each symbol moved so that its least value is 1."""
    shifts = {name: bounds[name] - 1 for name in dim.symbols if bounds.get(name, 1) > 1}
    try:
        return substitute(dim, {name: symbol(name) + by for name, by in shifts.items()})
    except DimTooLarge:
        return dim  # what holds from 1 on holds from there on


@lru_cache(maxsize=16384)
def _range(dim: Dim) -> Interval:
    """The interval of a size, class by class where it has no bound as a whole."""
    low, high = _interval(dim)
    if isinstance(dim, int) or (low is not None and high is not None):
        return Interval(low, high)
    if (low is None and high is None) or any(c < 0 for m, c in dim.terms if m):
        try:
            parts = [_interval(part) for part in residue_classes(dim) or ()]
        except DimTooLarge:
            parts = []
        if len(parts) > 1:
            lows, highs = [part.low for part in parts], [part.high for part in parts]
            low = low if low is not None else _least(lows)
            high = high if high is not None else _greatest(highs)
    return Interval(low, high)


def _least(lows: list[int | None]) -> int | None:
    known = [low for low in lows if low is not None]
    return min(known) if len(known) == len(lows) else None


def _greatest(highs: list[int | None]) -> int | None:
    known = [high for high in highs if high is not None]
    return max(known) if len(known) == len(highs) else None


@lru_cache(maxsize=16384)
def _interval(dim: Dim) -> Interval:
    if isinstance(dim, int):
        return Interval(dim, dim)
    high = _lower(-dim)
    return Interval(_lower(dim), None if high is None else -high)


def _lower(dim: Expr) -> int | None:
    found = [_corner(dim), _relaxed(dim)]
    return max((low for low in found if low is not None), default=None)


def _corner(dim: Dim) -> int | None:
    """The lower bound that the intervals of the atoms give, each taken apart from the others."""
    excess: dict[Monomial, int] = {}
    widths: dict[Atom, int | None] = {}
    for monomial, coefficient in terms_of(dim):
        expanded: dict[Monomial, int] = {(): coefficient}
        for atom in monomial:
            low, high = _atom_interval(atom)
            if low is not None:
                base, sign = low, 1
                widths[atom] = None if high is None else high - low
            elif high is not None:
                base, sign = high, -1
                widths[atom] = None
            else:
                return None
            step: dict[Monomial, int] = {}
            for partial, c in expanded.items():
                step[partial] = step.get(partial, 0) + base * c
                longer = sorted_monomial((*partial, atom))
                step[longer] = step.get(longer, 0) + sign * c
            expanded = step
            if len(expanded) > _MAX_EXPANSION:
                return None
        for partial, c in expanded.items():
            excess[partial] = excess.get(partial, 0) + c
    total = excess.pop((), 0)
    for partial, c in excess.items():
        if c < 0:
            spans = [widths[atom] for atom in partial]
            known = [span for span in spans if span is not None]
            if len(known) < len(spans):
                return None
            total += c * prod(known)
    return total


def _atom_interval(atom: Atom) -> Interval:
    if isinstance(atom, str):
        return Interval(1, None)
    low, high = _interval(atom.numerator)
    least, greatest = _interval(atom.divisor)
    if least is None or least < 1:
        return Interval(None, None)
    if low is not None and low < 0:
        low //= least
    elif low is not None:
        low = 0 if greatest is None else low // greatest
    if high is not None and high >= 0:
        high //= least
    elif high is not None:
        high = -1 if greatest is None else high // greatest
    return Interval(low, high)


def _relaxed(dim: Expr) -> int | None:
    """The lower bound with floor divisions replaced by fractions of one denominator."""
    divided = {m: a for m, _ in dim.terms if (a := _only_division(m)) is not None}
    if not divided:
        return None
    divisors = {m: a.divisor for m, a in divided.items() if isinstance(a.divisor, int)}
    denominator = lcm(*divisors.values())
    total: Dim = 0
    try:
        for monomial, coefficient in dim.terms:
            term = from_terms({monomial: coefficient * denominator})
            if monomial in divisors:
                atom, divisor = divided[monomial], divisors[monomial]
                slack = divisor - 1 if coefficient > 0 else 0
                others = from_terms({tuple(a for a in monomial if a != atom): 1})
                scale = coefficient * (denominator // divisor)
                term = (atom.numerator - slack) * others * scale
            total = total + term
    except DimTooLarge:
        return None
    low = _corner(total)
    return None if low is None else -(-low // denominator)


def _only_division(monomial: Monomial) -> FloorDiv | None:
    """The floor division by an int that a product holds, if symbols are its only other factors."""
    divisions = [atom for atom in monomial if isinstance(atom, FloorDiv)]
    if len(divisions) != 1 or not isinstance(divisions[0].divisor, int):
        return None
    return divisions[0]
