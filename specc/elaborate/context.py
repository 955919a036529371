"""What one elaboration shares, and the frame that a body is evaluated in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from specc.elaborate.bounds import Bounds
from specc.elaborate.facts import BadValue, LimitExceeded
from specc.elaborate.instances import Activation, Instance
from specc.elaborate.scope import Scope
from specc.elaborate.values import (
    DefinedCall,
    DeviceValue,
    LayerValue,
    Operand,
    Poison,
    Requirement,
    Tensor,
    Value,
    extent,
)
from specc.frontend.diagnostics import Fact, Fault, Label, Report
from specc.frontend.source import Sources, Span
from specc.ir.graph import Constraint, Role
from specc.ir.initializer import Edit, Initializer
from specc.ir.types import TensorType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specc.elaborate.files import Load
    from specc.elaborate.init_rules import DirectEdit, Rule
    from specc.frontend.syntax import Expression, Node


@dataclass(eq=False)
class ParameterRecord:
    """One parameter, buffer or constant while its initializer is still open."""

    name: str
    role: Role
    type: TensorType
    default: Initializer | DefinedCall
    edits: tuple[Edit, ...]  # of the default
    inline: tuple[Initializer | DefinedCall, Span] | None
    layer: str
    slot: str
    owner: Instance
    span: Span


@dataclass
class Context:
    """One elaboration: its report, its bounds, and what accumulates."""

    sources: Sources
    report: Report
    bounds: Bounds
    # Bodies and expressions are mutually recursive with layers; these tie the knot.
    evaluate: Callable[[Frame, Expression], Value]
    run_body: Callable[[Frame, LayerValue, tuple[Operand, ...], Span], tuple[Tensor, ...] | Poison]
    load: Load | None = None
    prelude: Scope = field(default_factory=Scope)  # what every file sees
    # The scopes of imported files by number; None while a file is still being defined.
    scopes: dict[int, Scope | None] = field(default_factory=dict)
    parameters: dict[str, ParameterRecord] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    constraints: dict[tuple[str, str, str], Constraint] = field(default_factory=dict)
    devices: dict[str, DeviceValue] = field(default_factory=dict)  # those that are used
    bound: Mapping[str, str] = field(default_factory=dict)  # from outside, to physical ones
    rules: list[Rule | DirectEdit] = field(default_factory=list)
    assigned: dict[Span, str] = field(default_factory=dict)
    used: set[Span] = field(default_factory=set)
    skipped: dict[Span, Node] = field(default_factory=dict)  # what a condition left out
    steps: int = 0
    nodes: int = 0
    layers: int = 0
    uses: int = 0
    depth: int = 0
    elements: int = 0

    def spend(self, span: Span) -> None:
        """Counts one step. Raises a Fault where too many were taken."""
        self.steps += 1
        if self.steps > self.bounds.steps:
            limit = (
                self.bounds.steps
                + self.bounds.steps_of_node * self.nodes
                + self.bounds.steps_of_layer * self.layers
            )
            if self.steps > limit:
                raise OutOfBounds(
                    LimitExceeded(
                        where=span, what="steps of evaluation", limit=limit, option="steps"
                    )
                )

    def spend_on(self, value: Value, span: Span) -> None:
        """Counts the steps that making a list or map takes. Raises a Fault where it is too long."""
        count = extent(value)
        # Copying an entry is that much less than a step; a map is walked, since it keeps no count.
        self.steps += count // (2 if isinstance(value, dict) else 16)
        self.spend(span)
        if count > self.bounds.items:
            raise Fault(
                LimitExceeded(
                    where=span, what="entries in a list", limit=self.bounds.items, option="items"
                )
            )

    def count_node(self, span: Span) -> None:
        """Counts one node of a body. Raises a Fault where there are too many."""
        self.nodes += 1
        if self.nodes > self.bounds.nodes:
            raise OutOfBounds(
                LimitExceeded(
                    where=span, what="nodes in the graph", limit=self.bounds.nodes, option="nodes"
                )
            )

    def count_layer(self, span: Span) -> None:
        """Counts a layer that is made, applied or not. Raises a Fault where there are too many."""
        self.layers += 1
        if self.layers > self.bounds.nodes:
            raise OutOfBounds(
                LimitExceeded(where=span, what="layers", limit=self.bounds.nodes, option="nodes")
            )

    def count_use(self, span: Span) -> None:
        """Counts one use of a block or list. Raises a Fault where there are too many."""
        self.uses += 1
        if self.uses > self.bounds.uses:
            raise OutOfBounds(
                LimitExceeded(
                    where=span,
                    what="uses of blocks and lists",
                    limit=self.bounds.uses,
                    option="uses",
                )
            )

    @contextmanager
    def deeper(self, span: Span) -> Iterator[None]:
        """One level further down. Raises a Fault where that is too deep."""
        self.depth += 1
        try:
            if self.depth > self.bounds.depth:
                raise OutOfBounds(
                    LimitExceeded(
                        where=span,
                        what="levels of nesting",
                        limit=self.bounds.depth,
                        option="depth",
                    )
                )
            yield
        finally:
            self.depth -= 1

    def constrain(self, requirement: Requirement, reason: str, span: Span | None) -> None:
        """Records what must hold of the symbolic sizes."""
        key = (requirement.relation, str(requirement.left), str(requirement.right))
        if key not in self.constraints:
            self.constraints[key] = Constraint(
                relation=requirement.relation,  # type: ignore[arg-type]
                left=requirement.left,
                right=requirement.right,
                reason=reason,
                span=span,
            )


class Silent(Fault):
    """What is wrong has been reported already."""

    def __init__(self, span: Span) -> None:
        super().__init__(BadValue(where=span, problem=""))


class OutOfBounds(Fault):
    """A limit is exceeded: the only fault that ends an elaboration at once."""


@dataclass(frozen=True)
class Frame:
    """Where an expression is evaluated: a scope, an activation, and the uses that led here.

    ``activation`` is None at the top of a file, where there are no tensors. ``device`` is that of
    the innermost ``on`` in this body.
    """

    context: Context
    scope: Scope
    activation: Activation | None = None
    uses: tuple[Label, ...] = ()
    device: str | None = None

    def within(self, scope: Scope) -> Frame:
        """The same place with another scope."""
        return replace(self, scope=scope)

    def evaluate(self, expression: Expression) -> Value:
        """The value of an expression here; POISON, with a report, where it is wrong."""
        return self.context.evaluate(self, expression)

    def recover(self, fault: Fault, span: Span) -> None:
        """Reports a fault and goes on; an exceeded limit ends the elaboration instead."""
        if isinstance(fault, Silent):
            return
        self.report(fault.fact, span)
        if isinstance(fault, OutOfBounds):
            raise fault

    def report(self, fact: Fact, span: Span | None = None) -> None:
        """Reports a fact, with a place where it has none and the chain of uses that led here."""
        changes: dict[str, object] = {}
        if fact.where is None and span is not None:
            changes["where"] = span
        if self.uses and not fact.uses:
            changes["uses"] = self.uses
        self.context.report.add(replace(fact, **changes) if changes else fact)  # type: ignore[arg-type]
        limit = self.context.bounds.errors
        if len(self.context.report.facts) > limit:
            where = fact.where or span
            raise OutOfBounds(
                LimitExceeded(where=where, what="errors", limit=limit, option="errors")
            )
