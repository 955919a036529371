"""For which sizes a network works, in words."""

from __future__ import annotations

from collections.abc import Mapping

from specc.ir.assignments import Assertion, Condition
from specc.ir.dims import Dim, assignments, evaluate, lower_bounds, substitute, symbols_of
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
            text = f"{constraint.left} {constraint.relation} {constraint.right}"
            # An `assert` without words of its own gives its condition as the reason.
            spoken = constraint.reason and constraint.reason != text
            texts.append(f"{text}: {constraint.reason}" if spoken else text)
    return list(dict.fromkeys(texts))


def smallest_sizes(
    network: Network, given: Mapping[str, int] | None = None
) -> dict[str, int] | None:
    """The smallest sizes that the conditions allow beside those given; None where none were found.

    Those given are in the result. Each is a symbol of the inputs and 1 or more.
    """
    given = given or {}
    dims = [dim for port in network.inputs for dim in port.type.shape]
    wanted: list[Condition] = [substitute(dim, given) for dim in dims]
    wanted += [_condition(constraint, given) for constraint in network.constraints]
    free = [name for name in symbols(network) if name not in given]
    try:
        return {**given, **assignments(free, wanted, count=1)[0]}
    except (ValueError, ZeroDivisionError):
        return None


def _condition(constraint: Constraint, given: Mapping[str, int]) -> Condition:
    left, right = substitute(constraint.left, given), substitute(constraint.right, given)
    if constraint.relation == ">=":
        return left - right + 1
    if constraint.relation == "==":
        return (left, right)
    return Assertion(
        f"{left} != {right}", lambda sizes: evaluate(left, sizes) != evaluate(right, sizes)
    )


def _at_least_one(constraint: Constraint) -> Dim:
    """``left >= right`` as a size that has to be 1 or more."""
    return constraint.left - constraint.right + 1
