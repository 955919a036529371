"""What several invariants ask of a network, worked out once.

A part is asked for only once the invariants hold that it rests on: the table's stages see to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from specc.ir.dims import symbols_of
from specc.ir.graph import BlockLayer, CapturedLayer, Network
from specc.ir.walk import every_node
from specc.ops.operator import Operator
from specc.ops.registry import operators

if TYPE_CHECKING:
    from specc.invariants.activations import Exploration
    from specc.invariants.rules import Rules
    from specc.invariants.state import FullState


class View:
    """A network under verification."""

    def __init__(self, network: Network, table: Mapping[str, Operator] | None = None) -> None:
        self.network = network
        self.operators = operators() if table is None else table

    @cached_property
    def symbols(self) -> frozenset[str]:
        """The symbolic sizes of the inputs."""
        return frozenset(
            name
            for port in self.network.inputs
            for dim in port.type.shape
            for name in symbols_of(dim)
        )

    def captured_names(self, template: int) -> frozenset[str]:
        """The layers that each application of a template must hand to it."""
        return self._captured[template]

    def longest_name(self, template: int) -> int:
        """The parts of that layer's name, of those that a template declares, which has most."""
        return self._longest[template]

    def node_count(self, template: int) -> int:
        """The nodes of a template, those inside its loops and branches among them."""
        return self._node_counts[template]

    @cached_property
    def _node_counts(self) -> list[int]:
        return [sum(1 for _ in every_node(t.body)) for t in self.network.templates]

    @cached_property
    def _longest(self) -> list[int]:
        return [
            1 + max((name.count(".") for name in template.layers), default=0)
            for template in self.network.templates
        ]

    @cached_property
    def _captured(self) -> list[frozenset[str]]:
        return [
            frozenset(
                name for name, layer in template.layers.items() if isinstance(layer, CapturedLayer)
            )
            for template in self.network.templates
        ]

    @cached_property
    def children_first(self) -> tuple[list[int], list[int]]:
        """Templates, each after those that its layers are made from, and those on a cycle."""
        inner = [
            [layer.template for layer in template.layers.values() if isinstance(layer, BlockLayer)]
            for template in self.network.templates
        ]
        users: list[list[int]] = [[] for _ in inner]
        for index, children in enumerate(inner):
            for child in children:
                users[child].append(index)
        waiting = [len(children) for children in inner]
        ready = [index for index, count in enumerate(waiting) if not count]
        order: list[int] = []
        while ready:
            index = ready.pop()
            order.append(index)
            for user in users[index]:
                waiting[user] -= 1
                if not waiting[user]:
                    ready.append(user)
        return order, [index for index, count in enumerate(waiting) if count]

    @cached_property
    def exploration(self) -> Exploration:
        """Every way in which a template is applied, with concrete types."""
        from specc.invariants.activations import explore

        return explore(self)

    @cached_property
    def rules(self) -> Rules:
        """The operators' rules, run again."""
        from specc.invariants.rules import run_rules

        return run_rules(self)

    @cached_property
    def state(self) -> FullState:
        """All state of the network under its full names."""
        from specc.invariants.state import full_state

        return full_state(self)
