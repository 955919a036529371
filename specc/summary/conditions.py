"""For which sizes a network works, in words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from specc.ir.assignments import Assertion, Condition
from specc.ir.dims import Dim, assignments, evaluate, lower_bounds, symbols_of
from specc.ir.graph import Constraint, Network


def symbols(network: Network) -> list[str]:
    """The symbolic sizes of the inputs, in the order in which they appear."""
    dims = (dim for port in network.inputs for dim in port.type.shape)
    return list(dict.fromkeys(name for dim in dims for name in sorted(symbols_of(dim))))


def conditions(network: Network) -> list[str]:
    """What must hold of the symbolic sizes: first each one's range, then what ties them together.

    ``["any N", "H >= 29", "H == W: the operands of add"]``
    """
    inequalities = [c for c in network.constraints if c.relation == ">="]
    limits = lower_bounds(map(_at_least_one, inequalities))
    bounds = limits.bounds
    texts = [
        f"{name} >= {bounds[name]}" if bounds.get(name, 1) > 1 else f"any {name}"
        for name in symbols(network)
    ]
    remaining = set(limits.residual)
    for constraint in network.constraints:
        if constraint.relation != ">=" or _at_least_one(constraint) in remaining:
            reason = f": {constraint.reason}" if constraint.reason else ""
            texts.append(f"{constraint.left} {constraint.relation} {constraint.right}{reason}")
    return list(dict.fromkeys(texts))


def smallest_sizes(network: Network) -> dict[str, int] | None:
    """The smallest sizes that the conditions allow; None where none were found."""
    dims = (dim for port in network.inputs for dim in port.type.shape)
    wanted: list[Condition] = [dim for dim in dims if not isinstance(dim, int)]
    wanted += [Assertion(str(c), partial(_holds, c)) for c in network.constraints]
    try:
        return assignments(symbols(network), wanted, count=1)[0]
    except ValueError:
        return None


def broken(network: Network, sizes: Mapping[str, int]) -> list[Constraint]:
    """The conditions that do not hold at ``sizes``, which name every symbol."""
    return [c for c in network.constraints if not _holds(c, sizes)]


def _holds(constraint: Constraint, sizes: Mapping[str, int]) -> bool:
    left, right = evaluate(constraint.left, sizes), evaluate(constraint.right, sizes)
    return {">=": left >= right, "==": left == right, "!=": left != right}[constraint.relation]


def _at_least_one(constraint: Constraint) -> Dim:
    """``left >= right`` as a size that has to be 1 or more."""
    return constraint.left - constraint.right + 1
