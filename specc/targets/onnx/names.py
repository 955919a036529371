"""Names in an ONNX graph: unique, the same on every run, the spec's where it gives any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import onnx_ir as oir

from specc.frontend.diagnostics import Fault
from specc.frontend.source import Span
from specc.targets.facts import TargetNameClash, TargetNameInvalid
from specc.targets.onnx.subgraphs import Subgraphs, owners


class Names:
    """One namespace. A name that is taken gets a number: ``Relu``, ``Relu_1``, ``Relu_2``.

    ``where`` is the place of the net, which faults point at.
    """

    def __init__(self, where: Span | None = None) -> None:
        self._where = where
        self._owners: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def claim(self, name: str, what: str) -> None:
        """Takes exactly this name for ``what``.

        Raises a Fault with TargetNameClash where it is taken, and with TargetNameInvalid where no
        ONNX file can hold it.
        """
        if not name or name != encodable(name):
            raise Fault(TargetNameInvalid(where=self._where, name=name, what=what))
        if name in self._owners:
            first = self._owners[name]
            raise Fault(TargetNameClash(where=self._where, name=name, first=first, second=what))
        self._owners[name] = what

    def unique(self, wanted: str) -> str:
        """``wanted``, or ``wanted`` with the first free number."""
        wanted = encodable(wanted)
        name, count = wanted, self._counts.get(wanted, 0)
        while name in self._owners:
            count += 1
            name = f"{wanted}_{count}"
        self._counts[wanted] = count
        self._owners[name] = "a value"
        return name


def encodable(text: str) -> str:
    """``text`` as a protobuf string can hold it: a lone surrogate is written as its escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def name_nodes(
    nodes: Iterable[oir.Node],
    values: Names,
    labels: Mapping[oir.Value, str],
    subgraphs: Subgraphs,
) -> None:
    """Makes the names of nodes unique and gives each result a name that is not taken in ``values``.

    A value is called as ``labels`` says, and else after its node: ``features.0/Conv:0``. One that
    already has a name keeps it. Names are unique in all graphs together, those inside nodes too.
    """
    node_names = Names()

    def name(node: oir.Node) -> None:
        node.name = node_names.unique(node.name or node.op_type)
        for index, result in enumerate(node.outputs):
            if result.name is None:
                result.name = values.unique(labels.get(result, f"{node.name}:{index}"))

    nodes = list(nodes)
    for node in nodes:
        name(node)
    for owner in owners(nodes, subgraphs):
        for graph in subgraphs[owner].values():
            for index, value in enumerate(graph.inputs):
                value.name = values.unique(labels.get(value, f"{owner.name}:in{index}"))
            for node in graph.nodes:
                name(node)
