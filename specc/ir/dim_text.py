"""How a size is written, in the language's syntax: ``2*C``, ``(H - 1) // 2 + 1``, ``H**2``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specc.ir.expr import Atom, Dim, Monomial


def sum_text(terms: tuple[tuple[Monomial, int], ...]) -> str:
    """The text of a sum; a positive term leads where there is one: ``W - H``."""
    lead = next((index for index, (_, c) in enumerate(terms) if c > 0), 0)
    monomial, coefficient = terms[lead]
    parts = [_product_text(monomial, coefficient)]
    for monomial, coefficient in terms[:lead] + terms[lead + 1 :]:
        sign = "-" if coefficient < 0 else "+"
        parts.append(f"{sign} {_product_text(monomial, abs(coefficient))}")
    return " ".join(parts)


def quotient_text(numerator: Dim, divisor: Dim) -> str:
    """The text of a floor division. ``3*H // 2`` is (3*H) // 2, as in Python."""
    left, right = str(numerator), str(divisor)
    if not (_is_int(numerator) or _is_plain_product(numerator)) or left.startswith("-"):
        left = f"({left})"
    if not (_is_int(divisor) or right.isidentifier() or right.startswith("$")):
        right = f"({right})"
    return f"{left} // {right}"


def _product_text(monomial: Monomial, coefficient: int) -> str:
    if not monomial:
        return str(coefficient)
    powers = Counter(monomial)  # keeps the order
    if len(powers) == 1 and coefficient == 1:
        ((atom, power),) = powers.items()
        return _factor_text(atom, power) if power > 1 else _atom_text(atom)
    factors = "*".join(_factor_text(atom, power) for atom, power in powers.items())
    if coefficient == 1:
        return factors
    return f"-{factors}" if coefficient == -1 else f"{coefficient}*{factors}"


def _factor_text(atom: Atom, power: int) -> str:
    text = atom if isinstance(atom, str) else f"({atom.text})"
    return f"{text}**{power}" if power > 1 else text


def _atom_text(atom: Atom) -> str:
    return atom if isinstance(atom, str) else atom.text


def _is_int(dim: Dim) -> bool:
    return isinstance(dim, int)


def _is_plain_product(dim: Dim) -> bool:
    """Whether a numerator needs no parentheses: one term, and not a floor division by itself."""
    if isinstance(dim, int) or len(dim.terms) != 1:
        return False
    ((monomial, coefficient),) = dim.terms
    return coefficient > 1 or len(monomial) > 1 or isinstance(monomial[0], str)
