"""The initial values of a network's parameters: drawn, computed where a file says how, edited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from specc.initialize.rounding import NUMPY_DTYPES, rounded
from specc.initialize.values import apply_edits, values
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


def initial_values(
    parameters: Iterable[Parameter], seed: int
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Each parameter's name and values in its shape, lazily, one at a time."""
    for parameter in parameters:
        yield parameter.name, drawn(parameter, seed)


def drawn(parameter: Parameter, seed: int) -> NDArray[Any]:
    """A parameter's values in its shape: they depend on nothing but itself and the seed."""
    shape = tuple(dim for dim in parameter.type.shape if isinstance(dim, int))
    assert len(shape) == parameter.type.rank, f"{parameter.name} has a symbolic size"
    if isinstance(parameter.initializer, DefinedInitializer):
        flat = _computed(parameter.initializer, parameter, shape, seed)
    else:
        flat = values(
            parameter.initializer,
            name=parameter.name,
            shape=shape,
            dtype=parameter.type.dtype,
            seed=seed,
        )
    apply_edits(flat, shape, parameter.edits)
    return flat.reshape(shape)


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
