"""From a shape with holes to a template of the IR."""

from __future__ import annotations

from collections.abc import Iterable

from specc.elaborate.instances import Activation
from specc.elaborate.raw import (
    RawBranch,
    RawLoop,
    RawNode,
    RawRegion,
    RawScan,
    RawTransfer,
    RawWrite,
)
from specc.elaborate.shapes import Shape
from specc.elaborate.values import BlockConstructor, Branches, Sequence
from specc.ir import graph
from specc.ir.attributes import Hole
from specc.ir.dims import Dim
from specc.ir.types import TensorType


class TemplateBuilder:
    """Turns a replaced shape into a template. Places and names come from one member."""

    def __init__(self, member: Activation) -> None:
        self.member = member

    def template(
        self, shape: Shape, parameters: tuple[str, ...], sizes: tuple[str, ...]
    ) -> graph.Template:
        """The template whose holes have these names."""
        _, inputs, layers, state, nodes, results, captured = shape
        instance = self.member.instance
        constructor = instance.constructor
        kind, name, documentation = "sequence", constructor.name, ""
        if isinstance(constructor, BlockConstructor):
            definition = constructor.definition
            kind, documentation = definition.kind, definition.documentation
            if instance.owner is not None:
                kind = "block"  # a net that another uses
        elif isinstance(constructor, Branches):
            kind = "branches"
        assert isinstance(constructor, BlockConstructor | Branches | Sequence)
        if kind in ("sequence", "branches") and instance.holds_splices:
            kind = "block"  # it has nodes that are no members
        declared: dict[str, graph.Layer] = {
            layer_name: _layer(layer) for layer_name, layer in layers
        }
        declared |= {layer_name: graph.CapturedLayer() for layer_name in captured}
        return graph.Template(
            name=name,
            kind=kind,  # type: ignore[arg-type]
            parameters=parameters,
            sizes=sizes,
            layers=declared,
            state=tuple(
                graph.State(name=state_name, role=role, type=_type(type_), device=device)
                for state_name, role, type_, device in state
            ),
            body=graph.Region(
                inputs=self._values(inputs),
                nodes=self._nodes(nodes, self.member.nodes),
                results=results,
            ),
            documentation=documentation,
            span=instance.span,
        )

    def _values(self, shapes: Iterable[Shape]) -> tuple[graph.Value, ...]:
        names = self.member.names
        return tuple(
            graph.Value(id=id_, type=_type(type_), name=names.get(id_, "")) for id_, type_ in shapes
        )

    def _nodes(self, shapes: Iterable[Shape], raw: list[RawNode]) -> tuple[graph.Node, ...]:
        return tuple(self._node(shape, node) for shape, node in zip(shapes, raw, strict=True))

    def _region(self, shape: Shape, raw: RawRegion) -> graph.Region:
        inputs, nodes, results = shape
        return graph.Region(
            inputs=self._values(inputs), nodes=self._nodes(nodes, raw.nodes), results=results
        )

    def _node(self, shape: Shape, raw: RawNode) -> graph.Node:
        span = raw.span
        if shape[0] == "operation":
            _, operator, attributes, inputs, device, results = shape
            return graph.Operation(
                operator=operator,
                attributes=dict(attributes),
                inputs=inputs,
                device=device,
                results=self._values(results),
                span=span,
            )
        if shape[0] == "application":
            _, reference, _, sizes, inputs, borrowed, captured, device, results = shape
            return graph.Application(
                layer=reference,
                sizes={name: _size(value) for name, value in sizes},
                inputs=inputs,
                borrowed=dict(borrowed),
                captured=dict(captured),
                device=device,
                results=self._values(results),
                span=span,
            )
        if isinstance(raw, RawTransfer):
            _, device, inputs, (result,) = shape
            (value,) = self._values((result,))
            return graph.Transfer(device=device, inputs=inputs, results=(value,), span=span)
        if isinstance(raw, RawWrite):
            return graph.Write(name=raw.name, value=raw.value, span=span)
        if isinstance(raw, RawBranch):
            _, (condition,), then, otherwise, results = shape
            return graph.Branch(
                condition=condition,
                then=self._region(then, raw.then),
                otherwise=self._region(otherwise, raw.otherwise),
                results=self._values(results),
                span=span,
            )
        if isinstance(raw, RawLoop):
            _, inputs, condition, body, results = shape
            return graph.Loop(
                inputs=inputs,
                condition=self._region(condition, raw.condition),
                body=self._region(body, raw.body),
                results=self._values(results),
                span=span,
            )
        if isinstance(raw, RawScan):
            _, (sequences, inputs, dim, backward), body, results = shape
            return graph.Scan(
                sequences=sequences,
                inputs=inputs,
                dim=dim,
                backward=backward,
                body=self._region(body, raw.body),
                results=self._values(results),
                span=span,
            )
        _, reference, results = shape
        return graph.Read(path=reference, results=self._values(results), span=span)


def _layer(shape: Shape) -> graph.Layer:
    if shape[0] == "operator":
        _, operator, attributes, borrows, device = shape
        return graph.OperatorLayer(
            operator=operator, attributes=dict(attributes), borrows=borrows, device=device
        )
    _, template, arguments, device = shape
    return graph.BlockLayer(template=template, arguments=dict(arguments), device=device)


def _size(value: Dim | Hole) -> Dim:
    return value.size if isinstance(value, Hole) else value


def _type(shape: Shape) -> TensorType:
    dtype, dims = shape
    return TensorType(dtype, tuple(_size(dim) for dim in dims))
