"""Sizes by residue class. Floor divisions by constants are periodic up to a polynomial.

Where P is a common multiple of the divisors that a symbol meets, replacing H by P*(H - 1) + r for
each r in 1..P turns the size into P polynomials that have no floor division left. Questions about
all sizes become questions about a few polynomials, at most `MAX_CLASSES`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import lcm, prod

from specc.ir.evaluation import substitute
from specc.ir.expr import Dim, Expr, FloorDiv, symbol

MAX_CLASSES = 256
"""More residue classes than this are not looked at."""


def residue_classes(dim: Expr) -> Iterator[Dim] | None:
    """The size on each residue class of its symbols, or None if there are too many classes.

    Together the results take the values that `dim` takes, each symbol being 1 or more in both. None
    is also the answer to a division by a symbolic size. Iterating raises DimTooLarge.
    """
    periods: dict[str, int] = {}
    if not _collect_periods(dim, periods) or prod(periods.values()) > MAX_CLASSES:
        return None
    return _classes(dim, periods)


def _classes(dim: Expr, periods: dict[str, int]) -> Iterator[Dim]:
    for residues in product(*(range(1, period + 1) for period in periods.values())):
        pairs = zip(periods.items(), residues, strict=True)
        yield substitute(dim, {n: period * (symbol(n) - 1) + r for (n, period), r in pairs})


def _collect_periods(dim: Dim, periods: dict[str, int]) -> bool:
    """Adds the period of each symbol below a floor division; false if a divisor is symbolic."""
    if isinstance(dim, int):
        return True
    for monomial, _ in dim.terms:
        for atom in monomial:
            if isinstance(atom, FloorDiv):
                within: dict[str, int] = {}
                if not isinstance(atom.divisor, int):
                    return False
                if not _collect_periods(atom.numerator, within):
                    return False
                for name in atom.symbols:
                    # A division within has to give multiples of this divisor in its turn.
                    period = atom.divisor * within.get(name, 1)
                    periods[name] = lcm(periods.get(name, 1), period)
    return True
