"""The initial values of a network's parameters: drawn, computed where a file says how, edited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from specc.initialize.rounding import NUMPY_DTYPES, rounded
from specc.initialize.values import apply_edits, is_elementwise, values
from specc.ir.defined import computing_type, segments
from specc.ir.graph import DefinedInitializer
from specc.ir.initializer import Edit, Initializer
from specc.ir.types import TensorType


class Parameter(Protocol):
    """What ``initial_values`` asks of a parameter; its type is static."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> TensorType: ...  # noqa: D102
    @property
    def initializer(self) -> Initializer | DefinedInitializer: ...  # noqa: D102
    @property
    def edits(self) -> Sequence[Edit]: ...  # noqa: D102


Draw: TypeAlias = Callable[[Parameter], NDArray[Any]]
"""Gives a parameter's initial values in its shape."""


def initial_values(
    parameters: Iterable[Parameter], seed: int
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Each parameter's name and values in its shape, lazily, one at a time."""
    for parameter in parameters:
        yield parameter.name, drawn(parameter, seed)


def drawn(parameter: Parameter, seed: int) -> NDArray[Any]:
    """A parameter's values in its shape: they depend on nothing but itself and the seed."""
    shape = static_shape(parameter)
    if isinstance(parameter.initializer, DefinedInitializer):
        flat = _computed(parameter.initializer, parameter, shape, seed)
    else:
        flat = drawn_part(parameter, seed)
    apply_edits(flat, shape, parameter.edits)
    return flat.reshape(shape)


def is_drawn_in_parts(parameter: Parameter) -> bool:
    """Whether each element of a parameter is drawn, and no element hangs on another."""
    initializer = parameter.initializer
    return (
        isinstance(initializer, Initializer)
        and not parameter.edits
        and is_elementwise(initializer, static_shape(parameter))
    )


def drawn_part(
    parameter: Parameter, seed: int, start: int = 0, stop: int | None = None
) -> NDArray[Any]:
    """Elements ``start`` to ``stop``, flat, by an initializer that is no definition, not edited."""
    assert isinstance(parameter.initializer, Initializer)
    return values(
        parameter.initializer,
        name=parameter.name,
        shape=static_shape(parameter),
        dtype=parameter.type.dtype,
        seed=seed,
        start=start,
        stop=stop,
    )


def static_shape(parameter: Parameter) -> tuple[int, ...]:
    """A parameter's shape, whose sizes are all known."""
    shape = tuple(dim for dim in parameter.type.shape if isinstance(dim, int))
    assert len(shape) == parameter.type.rank, f"{parameter.name} has a symbolic size"
    return shape


def _computed(
    definition: DefinedInitializer,
    parameter: Parameter,
    shape: tuple[int, ...],
    seed: int,
) -> NDArray[Any]:
    """The elements that a definition gives: its draws, then its operations, in float64."""
    # The lowering reads initial values in its turn, and most networks need none of it.
    from specc.targets.onnx.reference import run

    dtype = computing_type(parameter.type).dtype
    draws = {value.id: position for position, value in enumerate(definition.body.inputs)}
    known: dict[int, NDArray[Any]] = {}

    def value(number: int) -> NDArray[Any]:
        if number not in known:
            position = draws[number]
            known[number] = values(
                definition.draws[position],
                name=parameter.name,
                shape=shape,
                dtype=dtype,
                seed=seed,
                draw=position,
            ).reshape(shape)
        return known[number]

    for segment in segments(definition):
        outputs = run(segment.network, [value(number) for number in segment.reads])
        for number in segment.drops:
            del known[number]
        known.update(zip(segment.gives, outputs, strict=True))
    result = value(definition.body.results[0])
    if dtype.is_float:
        return rounded(np.ascontiguousarray(result, np.float64).ravel(), parameter.type.dtype)
    return np.array(result, NUMPY_DTYPES[dtype]).ravel()
