"""Nodes of a body as elaboration finds them, before bodies that are alike become one template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from specc.elaborate.values import Tensor
from specc.frontend.source import Span
from specc.ir.attributes import Attributes
from specc.ops.operator import Operator

if TYPE_CHECKING:
    from specc.elaborate.instances import Activation, Built


@dataclass(slots=True, eq=False)
class RawOperation:
    """An operator applied in place."""

    operator: Operator
    attributes: Attributes
    inputs: tuple[int, ...]
    results: tuple[Tensor, ...]
    span: Span
    device: str


@dataclass(slots=True, eq=False)
class RawApplication:
    """A layer applied. ``reference`` is its name as this body sees it."""

    target: Built
    reference: str
    inputs: tuple[int, ...]
    span: Span
    device: str
    results: tuple[Tensor, ...] = ()
    borrowed: dict[str, int] = field(default_factory=dict)
    captured: dict[str, str] = field(default_factory=dict)
    activation: Activation | None = None


@dataclass(slots=True, eq=False)
class RawRead:
    """State as a tensor."""

    reference: str
    results: tuple[Tensor, ...]
    span: Span


@dataclass(slots=True, eq=False)
class RawTransfer:
    """A tensor on another device."""

    device: str
    inputs: tuple[int]
    results: tuple[Tensor]
    span: Span


@dataclass(slots=True, eq=False)
class RawWrite:
    """A buffer of the instance set to a tensor."""

    name: str
    value: int
    span: Span
    results: tuple[Tensor, ...] = ()


@dataclass(slots=True, eq=False)
class RawRegion:
    """The nodes of a branch or loop."""

    inputs: tuple[Tensor, ...]
    nodes: list[RawNode]
    results: tuple[int, ...]


@dataclass(slots=True, eq=False)
class RawBranch:
    """A run-time ``if``."""

    condition: int
    then: RawRegion
    otherwise: RawRegion
    results: tuple[Tensor, ...]
    span: Span


@dataclass(slots=True, eq=False)
class RawLoop:
    """A run-time ``while``."""

    inputs: tuple[int, ...]
    condition: RawRegion
    body: RawRegion
    results: tuple[Tensor, ...]
    span: Span


@dataclass(slots=True, eq=False)
class RawScan:
    """A layer at each position of sequences."""

    sequences: tuple[int, ...]
    inputs: tuple[int, ...]
    dim: int
    backward: bool
    body: RawRegion
    results: tuple[Tensor, ...]
    span: Span


RawNode: TypeAlias = (
    RawOperation | RawApplication | RawRead | RawTransfer | RawWrite | RawBranch | RawLoop | RawScan
)


def all_nodes(nodes: Iterable[RawNode]) -> Iterator[RawNode]:
    """Nodes in order, those of their regions included."""
    pending = list(nodes)[::-1]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, RawBranch):
            pending += [*node.otherwise.nodes[::-1], *node.then.nodes[::-1]]
        elif isinstance(node, RawLoop):
            pending += [*node.body.nodes[::-1], *node.condition.nodes[::-1]]
        elif isinstance(node, RawScan):
            pending += node.body.nodes[::-1]
