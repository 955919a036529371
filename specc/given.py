"""Weights that callers hand over, of any kind, as arrays that fit a network."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from specc import arguments
from specc.built import BuildOptions
from specc.ir.graph import Network, Parameter
from specc.weights.metadata import weight_metadata

if TYPE_CHECKING:  # numpy stands behind it, which a check does without
    from specc.targets.initial_values import Draw
    from specc.weights.safetensors import StoredTensor, Weights


def weights_of(given: Any) -> Weights:
    """The weights in a path, a state dict, a module, or arrays by name; a file's stay unread.

    Raises Fault for a file that cannot be read, and TypeError for what is none of these.
    """
    from specc.weights.safetensors import Weights, read_weights

    if isinstance(given, Weights):
        return given
    if isinstance(given, str | os.PathLike):
        return read_weights(given)
    if hasattr(given, "state_dict"):
        given = given.state_dict()
    if not isinstance(given, Mapping):
        raise TypeError(
            f"weights are a path, a state dict, a module or arrays, not {arguments.kind(given)}"
        )
    arrays = {}
    for name, value in given.items():
        arguments.checked_array(name, value)
        arrays[name] = _as_array(value)
    return Weights.of(arrays)


def given_weights(
    given: Any, network: Network, *, cast: bool, rename: object = None
) -> Weights | None:
    """Weights for a network, None where none are given; renamed, and with ``cast`` of its dtypes.

    Raises as ``weights_of`` and ``renamed``, and TypeError or ValueError for rules that are none.
    """
    rules = arguments.checked_renaming(rename)
    if given is None:
        return None
    weights = weights_of(given)
    if rules:
        from specc.weights.rename import renamed

        weights = renamed(weights, rules)
    if not cast:
        return weights
    from specc.weights.cast import cast as converted

    return converted(weights, network.parameters, network.aliases)


def fitted_arrays(weights: Weights, network: Network) -> dict[str, Any]:
    """The array of each parameter. Raises Fault with WeightsDoNotFit, before any array is read."""
    from specc.weights.fit import fit

    fitting = fit(weights, network.parameters, network.aliases)
    return {name: stored.read() for name, stored in fitting.items()}


def _undrawn(parameters: Iterable[Parameter], draw: Draw) -> dict[str, StoredTensor]:
    """The initial value of each parameter, not drawn yet."""
    from specc.initialize.rounding import NUMPY_DTYPES
    from specc.targets.initial_values import static_shape
    from specc.weights.safetensors import StoredTensor

    def stored(parameter: Parameter) -> StoredTensor:
        dtype = NUMPY_DTYPES[parameter.type.dtype]
        return StoredTensor(dtype, static_shape(parameter), lambda: draw(parameter))

    return {parameter.name: stored(parameter) for parameter in parameters}


def _as_array(value: Any) -> Any:
    if not hasattr(value, "detach"):
        return value
    from specc.targets.torch import to_numpy

    return to_numpy(value)


def write_values(target: os.PathLike[str], network: Network, options: BuildOptions) -> None:
    """Writes a weight file: the given weights, or initial values.

    Each tensor is read, or drawn, when it is written. Raises Fault with WeightsDoNotFit or
    CannotWrite.
    """
    from specc.initialize.rounding import NUMPY_DTYPES
    from specc.targets.ahead import drawing
    from specc.weights.fit import fit
    from specc.weights.safetensors import in_file_order, write_weights

    metadata = weight_metadata(network)
    if options.weights is not None:
        stored = fit(options.weights, network.parameters, network.aliases)
        write_weights(target, stored, metadata)
        return
    parameters = {parameter.name: parameter for parameter in network.parameters}
    order = in_file_order({one.name: NUMPY_DTYPES[one.type.dtype] for one in network.parameters})
    with drawing([parameters[name] for name in order], options.seed, options.processes) as draw:
        write_weights(target, _undrawn(network.parameters, draw), metadata)


def has_torch() -> bool:
    """Whether PyTorch is installed, without importing it."""
    from importlib.util import find_spec

    return find_spec("torch") is not None
