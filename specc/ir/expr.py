"""Integer polynomials over sizes: the symbolic half of `specc.ir.dims`, which is what to import.

An expression is a sum of terms, a term an integer times a monomial, a monomial a product of atoms,
and an atom a symbol (a size, an integer of 1 or more) or a floor division. Constructing one brings
it to canonical form:

- terms in graded lexicographic order, none of them zero, the constant last;
- multiples of the divisor stand outside a floor division: (4*H + 6) // 2 is 2*H + 3. What stays
  inside has coefficients in [0, divisor) and a constant in (-divisor, 0], as a strided
  convolution gives it;
- common factors are cancelled, and (x // a + y) // b is (x + a*y) // (a*b).

So most equal sizes are equal objects. Where two forms of one function remain (H - H // 2 and
(H + 1) // 2), `specc.ir.dims.equal` looks further.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

from specc.ir.dim_text import quotient_text, sum_text

MAX_TERMS = 256
MAX_DEGREE = 16
MAX_DEPTH = 24
MAX_DIGITS = 40
MAX_WIDTH = 4000
"""Bounds on an expression: terms, factors of a term, nested divisions, digits, characters."""

_MAX_COEFFICIENT = 10**MAX_DIGITS
_NAME = re.compile(r"\$\w+|[^\W\d]\w*")


class DimTooLarge(ValueError):
    """A size has more terms, digits or nested divisions than anything that a network needs."""


@dataclass(frozen=True)
class FloorDiv:
    """The atom `numerator // divisor`, in canonical form (`floor_div` alone makes them)."""

    numerator: Dim
    divisor: Dim

    @cached_property
    def depth(self) -> int:
        """The number of floor divisions one within the other."""
        return 1 + max(_depth(self.numerator), _depth(self.divisor))

    @cached_property
    def symbols(self) -> frozenset[str]:
        """The names below this atom."""
        return symbols_of(self.numerator) | symbols_of(self.divisor)

    @cached_property
    def text(self) -> str:
        """In the language: ``(H - 1) // 2``."""
        return quotient_text(self.numerator, self.divisor)


Atom: TypeAlias = str | FloorDiv
Monomial: TypeAlias = tuple[Atom, ...]
"""The factors in order, each as often as it occurs: H*H*W is ("H", "H", "W")."""


class Expr:
    """A size that depends on at least one symbol. Immutable; made by `symbol` and arithmetic.

    >>> H = symbol("H")
    >>> (H + 2 - 3) // 1 + 1 == H, str((H - 3) // 2 + 1), (2 * H + 1) // 2 - H
    (True, '(H - 1) // 2', 0)
    """

    __slots__ = ("_hash", "_text", "depth", "symbols", "terms")

    terms: tuple[tuple[Monomial, int], ...]
    symbols: frozenset[str]
    depth: int
    _hash: int
    _text: str | None

    def __init__(self, terms: tuple[tuple[Monomial, int], ...]) -> None:
        """Takes terms in canonical order; `from_terms` takes any. Raises DimTooLarge."""
        names: set[str] = set()
        width = depth = 0
        for monomial, coefficient in terms:
            if not -_MAX_COEFFICIENT < coefficient < _MAX_COEFFICIENT:
                raise DimTooLarge(f"a coefficient of a size has more than {MAX_DIGITS} digits")
            width += 4 + coefficient.bit_length() // 3
            for atom in monomial:
                if isinstance(atom, str):
                    names.add(atom)
                    width += 1 + len(atom)
                else:
                    names |= atom.symbols
                    width += 3 + len(atom.text)
                    depth = max(depth, atom.depth)
        if len(terms) > MAX_TERMS or width > MAX_WIDTH or depth > MAX_DEPTH:
            raise DimTooLarge(f"a size is too large an expression ({len(terms)} terms)")
        set_slot = object.__setattr__
        set_slot(self, "terms", terms)
        set_slot(self, "symbols", frozenset(names))
        set_slot(self, "depth", depth)
        set_slot(self, "_hash", hash(terms))
        set_slot(self, "_text", None)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a size is immutable")

    def __reduce__(self) -> tuple[type[Expr], tuple[object]]:
        return (Expr, (self.terms,))  # not the hash: strings hash differently in another process

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Expr) and self._hash == other._hash and self.terms == other.terms

    def __str__(self) -> str:
        if self._text is None:
            object.__setattr__(self, "_text", sum_text(self.terms))
        assert self._text is not None
        return self._text

    def __repr__(self) -> str:
        return f"<{self}>"

    def __add__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            return self._add_constant(other)
        if not isinstance(other, Expr):
            return NotImplemented
        total = dict(self.terms)
        for monomial, coefficient in other.terms:
            total[monomial] = total.get(monomial, 0) + coefficient
        return from_terms(total)

    __radd__ = __add__

    def _add_constant(self, value: int) -> Expr:
        if value == 0:
            return self
        monomial, constant = self.terms[-1]
        if monomial:
            return Expr((*self.terms, ((), value)))
        rest = self.terms[:-1]
        return Expr((*rest, ((), constant + value)) if constant + value else rest)

    def __neg__(self) -> Expr:
        return Expr(tuple((monomial, -coefficient) for monomial, coefficient in self.terms))

    def __sub__(self, other: Dim) -> Dim:
        return self + -other

    def __rsub__(self, other: int) -> Dim:
        return -self + other

    def __mul__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            if other == 0:
                return 0
            return Expr(tuple((monomial, other * c) for monomial, c in self.terms))
        if not isinstance(other, Expr):
            return NotImplemented
        if len(self.terms) * len(other.terms) > 4 * MAX_TERMS:
            raise DimTooLarge("a product of sizes has too many terms")
        product: dict[Monomial, int] = {}
        for left, a in self.terms:
            for right, b in other.terms:
                monomial = _times(left, right)
                product[monomial] = product.get(monomial, 0) + a * b
        return from_terms(product)

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Dim:
        if not 0 <= exponent <= MAX_DEGREE:
            raise DimTooLarge(f"a size to a power that is not in 0..{MAX_DEGREE}")
        power: Dim = 1
        for _ in range(exponent):
            power = power * self
        return power

    def __floordiv__(self, other: Dim) -> Dim:
        return _floor_div(self, other)

    def __rfloordiv__(self, other: int) -> Dim:
        return _floor_div(other, self)

    def __mod__(self, other: Dim) -> Dim:
        return self - _floor_div(self, other) * other

    def __rmod__(self, other: int) -> Dim:
        return other - _floor_div(other, self) * self


Dim: TypeAlias = int | Expr
"""A size: an int where it is known, an Expr where it depends on a symbol."""


@lru_cache(maxsize=4096)
def symbol(name: str) -> Expr:
    """The size called `name`: an identifier, or `$` and word characters for a hole of the IR.

    Raises ValueError for any other name.
    """
    if len(name) > MAX_WIDTH // 4 or name == "_" or not _NAME.fullmatch(name):
        raise ValueError(f"not a name for a size: {name[:80]!r}")
    return Expr((((name,), 1),))


def from_terms(terms: Mapping[Monomial, int]) -> Dim:
    """The sum of `terms`, whatever their order; zeros are dropped. Monomials must be sorted."""
    kept = [(monomial, coefficient) for monomial, coefficient in terms.items() if coefficient]
    if not kept:
        return 0
    if len(kept) == 1 and not kept[0][0]:
        return kept[0][1]
    kept.sort(key=_term_order)
    return Expr(tuple(kept))


def atom_expr(atom: Atom) -> Expr:
    """The expression that consists of one atom."""
    return Expr((((atom,), 1),))


def symbols_of(dim: Dim) -> frozenset[str]:
    """The names in a size; none in an int."""
    return dim.symbols if isinstance(dim, Expr) else frozenset()


def terms_of(dim: Dim) -> tuple[tuple[Monomial, int], ...]:
    """The terms of a size; an int has one, or none if it is 0."""
    if isinstance(dim, Expr):
        return dim.terms
    return (((), dim),) if dim else ()


def is_positive(dim: Dim) -> bool:
    """Whether a size is 1 or more by its form alone: a sum of positive multiples of symbols."""
    return all(c > 0 and all(isinstance(a, str) for a in m) for m, c in terms_of(dim)) and dim != 0


def _floor_div(a: Dim, b: Dim) -> Dim:
    from specc.ir.floor_division import (
        floor_div,
    )  # built on this module, which only offers its operator

    return floor_div(a, b)


def _depth(dim: Dim) -> int:
    return dim.depth if isinstance(dim, Expr) else 0


def _atom_order(atom: Atom) -> tuple[int, str]:
    return (0, atom) if isinstance(atom, str) else (1, atom.text)


@lru_cache(maxsize=65536)
def monomial_order(monomial: Monomial) -> tuple[int, tuple[tuple[int, str], ...]]:
    """Sorts the greatest monomial first: graded lexicographic, which multiplication respects."""
    return -len(monomial), tuple(_atom_order(atom) for atom in monomial)


def _term_order(term: tuple[Monomial, int]) -> tuple[int, tuple[tuple[int, str], ...]]:
    return monomial_order(term[0])


def sorted_monomial(atoms: Monomial) -> Monomial:
    """The product of `atoms`."""
    return tuple(sorted(atoms, key=_atom_order))


@lru_cache(maxsize=65536)
def _times(left: Monomial, right: Monomial) -> Monomial:
    if not left or not right:
        return left or right
    if len(left) + len(right) > MAX_DEGREE:
        raise DimTooLarge(f"a size has a product of more than {MAX_DEGREE} factors")
    return sorted_monomial(left + right)
