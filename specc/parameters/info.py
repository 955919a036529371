"""What there is to say of a parameter, as data, with its values where they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specc.compiler import faults_as_errors
from specc.initialize.rounding import NUMPY_DTYPES
from specc.ir.devices import devices_of_parameters
from specc.ir.graph import Network, Parameter, Role
from specc.ir.types import DType
from specc.parameters.statistics import Histogram, Statistics, histogram, statistics
from specc.recipe.freeze import frozen_names
from specc.targets.initial_values import drawn
from specc.weights.fit import fit
from specc.weights.safetensors import Weights

Array = NDArray[Any]


@dataclass(frozen=True)
class ParameterInfo:
    """One tensor of a network's state, or of a weight file.

    ``dtype`` is as the language writes it (``"f32"``). ``role`` is None for a tensor of a file that
    carries no architecture; ``layer`` is the kind of the layer that owns it, ``slot`` its name
    there. ``aliases`` are the further names of a shared parameter. ``frozen`` says that the recipe
    of the network freezes it, ``device`` on which of its devices it lies, empty for none of them.
    ``held`` is the name and the dtype that it has in the weights that were given.

    >>> import specc
    >>> weight, bias = specc.compile("std.softmax_regression").parameters()
    >>> weight.name, weight.shape, weight.size, weight.values().dtype
    ('linear1.weight', (10, 64), 640, dtype('float32'))
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    role: Role | None = None
    initializer: str | None = None
    layer: str | None = None
    slot: str | None = None
    aliases: tuple[str, ...] = ()
    frozen: bool = False
    device: str = ""
    held: tuple[str, str] | None = None
    read: Callable[[], Array] = field(default=lambda: np.empty(0), repr=False, compare=False)

    @property
    def size(self) -> int:
        """How many elements it has."""
        return int(np.prod(self.shape, dtype=object))

    @property
    def names(self) -> Iterator[str]:
        """Its own name and its aliases."""
        yield self.name
        yield from self.aliases

    def values(self) -> Array:
        """Its elements, in its shape: drawn, or read from the file, afresh each time.

        ``bfloat16`` is that of ml_dtypes. Raises SpecError where a file cannot be read.
        """
        with faults_as_errors(None):
            return self.read()

    def statistics(self) -> Statistics:
        """Mean, standard deviation, least and greatest value, norm, share of zeros, count of NaN.

        Raises SpecError where a file cannot be read.
        """
        with faults_as_errors(None):
            return statistics(self.read())

    def histogram(self, bins: int = 32) -> Histogram:
        """How many finite elements lie in each of ``bins`` equally wide ones.

        Raises SpecError where a file cannot be read.
        """
        with faults_as_errors(None):
            return histogram(self.read(), bins)


def of_network(
    network: Network, *, seed: int = 0, weights: Weights | None = None
) -> tuple[ParameterInfo, ...]:
    """A network's parameters, with the initial values of ``seed`` or those of ``weights``.

    Raises Fault with WeightsDoNotFit, or UnusedPattern where the recipe freezes what is not there.
    """
    aliases: dict[str, list[str]] = {}
    for alias, owner in network.aliases.items():
        aliases.setdefault(owner, []).append(alias)
    fitting = None if weights is None else fit(weights, network.parameters, network.aliases)

    frozen = frozen_names(network)
    devices = devices_of_parameters(network)

    def reader(parameter: Parameter) -> Callable[[], Array]:
        if fitting is None:
            return lambda: drawn(parameter, seed)
        return fitting[parameter.name].read

    def held(parameter: Parameter) -> tuple[str, str] | None:
        found = None if fitting is None else fitting[parameter.name].held
        return None if found is None else (found.name, dtype_text(found.dtype))

    return tuple(
        ParameterInfo(
            name=parameter.name,
            shape=tuple(dim for dim in parameter.type.shape if isinstance(dim, int)),
            dtype=parameter.type.dtype.value,
            role=parameter.role,
            initializer=initial_value(parameter),
            layer=parameter.layer,
            slot=parameter.slot,
            aliases=tuple(aliases.get(parameter.name, ())),
            frozen=parameter.name in frozen,
            device=devices[parameter.name],
            held=held(parameter),
            read=reader(parameter),
        )
        for parameter in network.parameters
    )


def of_weights(weights: Weights) -> tuple[ParameterInfo, ...]:
    """The tensors of a weight file that carries no architecture, in the order of their names."""
    return tuple(
        ParameterInfo(
            name=name, shape=stored.shape, dtype=dtype_text(stored.dtype), read=stored.read
        )
        for name, stored in sorted(weights.items(), key=lambda item: _natural(item[0]))
    )


def _natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    """Orders ``h.9.weight`` before ``h.10.weight``."""
    return tuple(
        (part.isdecimal(), int(part) if part.isdecimal() and len(part) < 18 else 0, part)
        for part in name.split(".")
    )


def initial_value(parameter: Parameter) -> str:
    """How a parameter starts, as the language writes it, with the edits that follow."""
    return "; ".join([str(parameter.initializer), *(str(edit) for edit in parameter.edits)])


def dtype_text(dtype: np.dtype[Any]) -> str:
    """A dtype as the language writes it, or by numpy's name where the language has none."""
    found: DType | None = next((ours for ours, its in NUMPY_DTYPES.items() if its == dtype), None)
    return dtype.name if found is None else found.value
