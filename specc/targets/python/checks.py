"""What the net's forward checks of the sizes that it is given.

A lower bound for each symbol, the conditions that mix symbols, and that a symbol which stands in
several places has one size: PyTorch would broadcast a dim of 1 where the spec has N. Written as
``if ...: raise``, which torch.compile and torch.export turn into guards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from specc.ir.dims import Dim, Expr, FloorDiv, lower_bounds, symbol, symbols_of
from specc.ir.graph import Constraint, Network
from specc.targets.python import expressions as py
from specc.targets.python.expressions import Expression
from specc.targets.python.given import InputSizes, Repeated
from specc.targets.python.layout import SOFT, Doc, Group, IfBroken, Indented
from specc.targets.python.shapes import Shapes

_OPPOSITE = {">=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class Condition:
    """``left relation right`` has to hold, one of ``>= == !=``; ``reason`` may be empty."""

    left: Dim
    relation: str
    right: Dim
    reason: str = ""

    @property
    def is_bound(self) -> bool:
        """Whether it bounds one symbol from below by a number."""
        least = isinstance(self.right, int) and self.relation == ">="
        return least and str(self.left) in symbols_of(self.left)

    @property
    def symbols(self) -> list[str]:
        """The symbols that it reads."""
        return sorted(symbols_of(self.left) | symbols_of(self.right))


def conditions(network: Network) -> list[Condition]:
    """What must hold of the symbolic sizes: each symbol's bound, then what ties symbols together.

    >>> from specc.ir.graph import Constraint
    >>> H = symbol("H")
    >>> least = Constraint(relation=">=", left=H // 2 - 4, right=1, reason="the output height")
    >>> net = Network.model_construct(constraints=(least,))
    >>> conditions(net)
    [Condition(left=<H>, relation='>=', right=10, reason='')]
    """
    limits = lower_bounds(_at_least_one(c) for c in network.constraints if c.relation == ">=")
    found = [
        Condition(symbol(name), ">=", bound) for name, bound in limits.bounds.items() if bound > 1
    ]
    remaining = set(limits.residual)
    for constraint in network.constraints:
        if constraint.relation != ">=" or _at_least_one(constraint) in remaining:
            left, right, reason = constraint.left, constraint.right, constraint.reason
            found.append(Condition(left, constraint.relation, right, reason))
    return list(dict.fromkeys(found))


def _at_least_one(constraint: Constraint) -> Dim:
    """``left >= right`` as a size that has to be 1 or more."""
    return constraint.left - constraint.right + 1


class Checks:
    """The statements that check the sizes of a net's inputs."""

    def __init__(self, network: Network) -> None:
        self._conditions = conditions(network)
        root = network.templates[network.root]
        given = InputSizes([(str(value.id), value.type) for value in root.body.inputs])
        self.is_empty = not (self._conditions or given.repeated())

    def wanted(self, shapes: Shapes) -> set[Dim]:
        """The sizes that deserve a name, since they are checked."""
        names = {name for condition in self._conditions for name in condition.symbols}
        for repeated in shapes.given.repeated():
            names |= symbols_of(repeated.dim)
        return {symbol(name) for name in names}

    def statements(self, shapes: Shapes) -> Iterator[tuple[int, Doc]]:
        """The lines, each with how far it is indented."""
        for repeated in shapes.given.repeated():
            yield from _raise_if(*_unequal(repeated, shapes))
        for condition in self._conditions:
            yield from _raise_if(*_broken(condition, shapes))


def _raise_if(wrong: Expression, message: Expression) -> Iterator[tuple[int, Doc]]:
    condition = Group((IfBroken("("), Indented((SOFT, wrong.doc)), SOFT, IfBroken(")")))
    yield 0, ("if ", condition, ":")
    yield 4, ("raise ", py.call(py.name("ValueError"), [message]).doc)


def _unequal(repeated: Repeated, shapes: Shapes) -> tuple[Expression, Expression]:
    found, expected = shapes.pair(repeated)
    required = f"dim {repeated.axis} of {repeated.name} must be {repeated.dim} = "
    return py.infix("!=", found, expected), py.formatted([required, expected, ", not ", found])


def _broken(condition: Condition, shapes: Shapes) -> tuple[Expression, Expression]:
    def expression(dim: Dim) -> Expression:
        return shapes.size(dim, ())

    left, right, relation = condition.left, condition.right, condition.relation
    remainder = None if right != 0 else _remainder(left)
    if remainder is None:
        wrong = _comparison(_OPPOSITE[relation], expression(left), expression(right), left)
        text = f"{left} {relation} {right}"
    else:
        numerator, divisor = remainder
        rest = py.infix("%", expression(numerator), py.literal(divisor))
        wrong = py.infix(_OPPOSITE[relation], rest, py.literal(0))
        shown = numerator if str(numerator).isidentifier() else f"({numerator})"
        text = f"{shown} % {divisor} {relation} 0"
    if condition.is_bound:
        parts: list[str | Expression] = [f"{left} must be at least {right}, not ", expression(left)]
        return wrong, py.formatted(parts)
    return wrong, py.formatted(_message(condition, text, expression))


def _comparison(relation: str, left: Expression, right: Expression, first: Dim) -> Expression:
    """``left relation right``, a number behind what it is compared with: ``T > 1024``."""
    if isinstance(first, int):
        return py.infix({"<": ">"}.get(relation, relation), right, left)
    return py.infix(relation, left, right)


def _message(
    condition: Condition, text: str, expression: Callable[[Dim], Expression]
) -> list[str | Expression]:
    # An assert without a message of its own has its condition, as written, for a reason.
    is_condition = condition.relation in condition.reason
    reason = condition.reason if is_condition else f"{condition.reason}: {text}"
    parts: list[str | Expression] = [reason if condition.reason else text]
    for index, name in enumerate(condition.symbols):
        parts += [", " if index else " does not hold at ", f"{name} = ", expression(symbol(name))]
    return parts


def _remainder(dim: Dim) -> tuple[Dim, int] | None:
    """(a, b) where ``dim`` is a - b * (a // b), which is a % b."""
    for monomial, coefficient in dim.terms if isinstance(dim, Expr) else ():
        if len(monomial) == 1 and isinstance(atom := monomial[0], FloorDiv):
            numerator, divisor = atom.numerator, atom.divisor
            if divisor == -coefficient and dim == numerator - divisor * (numerator // divisor):
                return numerator, -coefficient
    return None
