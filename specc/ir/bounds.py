"""The least sizes at which a network works, from the constraints that its operators state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from specc.ir.evaluation import evaluate, substitute
from specc.ir.expr import Dim, DimTooLarge, Expr, symbol
from specc.ir.intervals import at_least

MAX_SIZE = 2**40
"""A symbol that would have to be greater than this counts as unsatisfiable."""


@dataclass(frozen=True)
class LowerBounds:
    """What constraints ask of each symbol, and what they ask beyond that.

    Attributes:
        bounds: for each symbol of the constraints, the least value (1 or more) from which on those
            hold that this symbol alone decides.
        residual: the constraints that remain at these bounds, each to be 1 or more: those that mix
            symbols, do not grow with their symbol, or (an int of 0 or less) can never hold.
    """

    bounds: dict[str, int]
    residual: tuple[Dim, ...]


def lower_bounds(constraints: Iterable[Dim]) -> LowerBounds:
    """The least sizes at which every constraint is 1 or more.

    >>> from specc.ir.dims import symbol
    >>> H, W = symbol("H"), symbol("W")
    >>> limits = lower_bounds([((H - 5) // 2 + 1 - 5) // 2 + 1, H - W, H * W])
    >>> limits.bounds, limits.residual
    ({'H': 13, 'W': 1}, (<H - W>,))
    """
    bounds: dict[str, int] = {}
    undecided: list[Dim] = []
    for constraint in dict.fromkeys(constraints):
        if isinstance(constraint, int):
            undecided.append(constraint)
            continue
        for name in sorted(constraint.symbols):
            bounds.setdefault(name, 1)
        least = _least_size(constraint)
        if least is None:
            undecided.append(constraint)
        else:
            (name,) = constraint.symbols
            bounds[name] = max(bounds[name], least)
    return LowerBounds(bounds, tuple(c for c in undecided if at_least(c, 1, bounds) is not True))


def _least_size(constraint: Expr) -> int | None:
    """The least size of its only symbol from which on a constraint holds; None if not monotone."""
    if len(constraint.symbols) != 1 or not _grows(constraint):
        return None
    (name,) = constraint.symbols
    low, high = 0, 1  # fails at low (or low is no size), holds at high
    while evaluate(constraint, {name: high}) < 1:
        low, high = high, 2 * high
        if high > MAX_SIZE:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if evaluate(constraint, {name: middle}) < 1:
            low = middle
        else:
            high = middle
    return high


def _grows(constraint: Expr) -> bool:
    """Whether the constraint is certain not to fall as its symbol grows by one."""
    (name,) = constraint.symbols
    try:
        return at_least(substitute(constraint, {name: symbol(name) + 1}) - constraint, 0) is True
    except DimTooLarge:
        return False
