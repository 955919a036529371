"""Initializers that a file defines, as networks of their own: what every target can run."""

from __future__ import annotations

from specc.ir.graph import DefinedInitializer, Network, Port, Template
from specc.ir.types import DType, TensorType

MAX_OPERATIONS = 1000
"""Operations of one initializer."""

_FREE = 2**24
_MOST_TIMES = 16


def most_elements(of_parameter: int) -> int:
    """Elements that a tensor inside an initializer may have: 16 times those of its parameter.

    2**24 are free, 128 MiB, so that a small parameter may come out of a larger computation.
    """
    return max(_FREE, _MOST_TIMES * of_parameter)


def computing_type(type_: TensorType) -> TensorType:
    """The type that an initializer computes in for a parameter of ``type_``: floats are f64.

    What is drawn in float64 and rounded once depends on no library's last bit, nearly always.
    """
    return TensorType(DType.F64 if type_.dtype.is_float else type_.dtype, type_.shape)


def as_network(definition: DefinedInitializer) -> Network:
    """The network whose inputs are the draws, and whose output are the parameter's values."""
    body = definition.body
    types = {value.id: value.type for value in body.inputs}
    for node in body.nodes:
        types |= {value.id: value.type for value in node.results}
    inputs = tuple(
        value.model_copy(update={"name": draw_name(position)})
        for position, value in enumerate(body.inputs)
    )
    return Network(
        compiler="specc",
        name="Initializer",
        inputs=tuple(Port(name=value.name, type=value.type) for value in inputs),
        outputs=tuple(Port(name="values", type=types[i]) for i in body.results if i in types),
        templates=(
            Template(
                name="Initializer", kind="net", body=body.model_copy(update={"inputs": inputs})
            ),
        ),
        root=0,
    )


def draw_name(position: int) -> str:
    """What the network of an initializer calls its draws."""
    return f"draw{position}"
