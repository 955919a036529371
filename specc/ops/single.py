"""A network of one operator, for tests of the operator's entry and for hosts that try one out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specc.ir.graph import (
    Application,
    Constraint,
    Layer,
    Network,
    Node,
    Operation,
    OperatorLayer,
    Parameter,
    Port,
    Region,
    Template,
    Value,
)
from specc.ir.types import TensorType
from specc.ops.apply import complete, infer, state_of
from specc.ops.operator import Operator


def single(
    operator: Operator,
    types: tuple[TensorType, ...],
    arguments: Mapping[str, Any],
    *,
    as_layer: bool | None = None,
) -> Network:
    """The network that applies ``operator`` to inputs of ``types``.

    ``as_layer`` makes it a layer named ``layer``; by default, where it has state. Raises a Fault
    where the operator refuses the arguments or the types.
    """
    applied = infer(operator, types, complete(operator, arguments))
    state = state_of(operator, applied.attributes, types)
    names = [f"x{i}" if i else "x" for i in range(len(types))]
    inputs = tuple(
        Value(id=i, type=type_, name=name)
        for i, (name, type_) in enumerate(zip(names, types, strict=True))
    )
    results = tuple(Value(id=len(types) + i, type=type_) for i, type_ in enumerate(applied.results))
    ids = tuple(value.id for value in inputs)
    node: Node
    layers: dict[str, Layer] = {}
    if as_layer or (as_layer is None and state):
        layers["layer"] = OperatorLayer(operator=operator.name, attributes=applied.attributes)
        node = Application(layer="layer", inputs=ids, results=results)
    else:
        node = Operation(
            operator=operator.name, attributes=applied.attributes, inputs=ids, results=results
        )
    outputs = ["y"] if len(results) == 1 else [f"y{i}" for i in range(len(results))]
    return Network(
        compiler="specc",
        name="Single",
        inputs=tuple(Port(name=v.name, type=v.type) for v in inputs),
        outputs=tuple(Port(name=n, type=v.type) for n, v in zip(outputs, results, strict=True)),
        templates=(
            Template(
                name="Single",
                kind="net",
                layers=layers,
                body=Region(inputs=inputs, nodes=(node,), results=tuple(v.id for v in results)),
            ),
        ),
        root=0,
        constraints=(
            *(
                Constraint(relation=">=", left=dim, right=1, reason=reason)
                for dim, reason in applied.positive
            ),
            *(
                Constraint(relation="==", left=left, right=right, reason=reason)
                for left, right, reason in applied.equalities
            ),
        ),
        parameters=tuple(
            Parameter(
                name=f"layer.{slot.slot.name}",
                role=slot.slot.role,
                type=slot.type,
                initializer=slot.initializer,
                edits=slot.edits,
                layer=operator.name,
                slot=slot.slot.name,
            )
            for slot in state
        ),
    )
