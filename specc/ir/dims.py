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

from contextlib import suppress
from functools import lru_cache

from specc.ir.assignments import Assertion, assignments
from specc.ir.bounds import LowerBounds, lower_bounds
from specc.ir.evaluation import evaluate, substitute
from specc.ir.expr import Dim, DimTooLarge, Expr, FloorDiv, symbol, symbols_of
from specc.ir.intervals import at_least, certainly_not_zero, lower
from specc.ir.parse_dim import parse_dim
from specc.ir.residues import residue_classes

__all__ = [
    "Assertion",
    "Dim",
    "DimTooLarge",
    "Expr",
    "FloorDiv",
    "LowerBounds",
    "assignments",
    "at_least",
    "divide_exactly",
    "equal",
    "evaluate",
    "lower",
    "lower_bounds",
    "parse_dim",
    "substitute",
    "symbol",
    "symbols_of",
]


def divide_exactly(a: Dim, b: Dim) -> Dim | None:
    """The quotient, if it is certain to be exact: 2*C by 2 is C. H by 2 is None, as is 1 by 0."""
    if b == 0:
        return None
    try:
        quotient = a // b
        return quotient if quotient * b == a else None
    except DimTooLarge:
        return None


def equal(a: Dim, b: Dim) -> bool | None:
    """Whether two sizes are equal at every assignment (True), at none (False); None: undecided."""
    if a == b:
        return True
    try:
        difference = a - b
    except DimTooLarge:
        return None
    return False if isinstance(difference, int) else _is_zero(difference)


@lru_cache(maxsize=4096)
def _is_zero(difference: Expr) -> bool | None:
    """Whether a canonical difference is 0 everywhere, nowhere, or cannot be told."""
    if certainly_not_zero(difference):
        return False
    if _has_zero_and_nonzero(difference):
        return None
    # On each residue class what is left is a polynomial, which is 0 at all sizes only if it is 0.
    try:
        classes = list(residue_classes(difference) or ())
    except DimTooLarge:
        return None
    if classes and all(part == 0 for part in classes):
        return True
    return False if classes and all(certainly_not_zero(part) for part in classes) else None


def _has_zero_and_nonzero(difference: Expr) -> bool:
    """Whether a few assignments show that a difference is 0 here and not there."""
    names = sorted(difference.symbols)
    seen: set[bool] = set()
    for start in range(8):
        env = {name: 1 + start * (1 + index) for index, name in enumerate(names)}
        with suppress(ZeroDivisionError):
            seen.add(evaluate(difference, env) == 0)
    return len(seen) == 2
