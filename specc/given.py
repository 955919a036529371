"""Weights that callers hand over, of any kind, as arrays that fit a network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from specc import arguments
from specc.ir.graph import Network
from specc.ir.types import DType

if TYPE_CHECKING:  # numpy stands behind it, which a check does without
    from specc.weights.safetensors import Weights


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


def given_weights(given: Any, network: Network, *, cast: bool) -> Weights | None:
    """Weights for a network, None where none are given; with ``cast``, of its dtypes.

    Raises as ``weights_of``.
    """
    if given is None:
        return None
    weights = weights_of(given)
    if not cast:
        return weights
    from specc.weights.cast import cast as converted

    return converted(weights, network.parameters, network.aliases)


def fitted_arrays(weights: Weights, network: Network) -> dict[str, Any]:
    """The array of each parameter; a count of batches that is missing starts at zero.

    Raises Fault with WeightsDoNotFit, before any array is read.
    """
    import numpy as np

    from specc.weights.fit import fit

    fitting = fit(weights, network.parameters, network.aliases)
    arrays: dict[str, Any] = {name: stored.read() for name, stored in fitting.items()}
    for parameter in network.parameters:
        if parameter.name not in arrays:
            assert parameter.type.dtype is DType.I64, parameter.name
            arrays[parameter.name] = np.zeros((), np.int64)
    return arrays


def _as_array(value: Any) -> Any:
    if not hasattr(value, "detach"):
        return value
    from specc.targets.torch import to_numpy

    return to_numpy(value)


def values(network: Network, weights: Weights | None, seed: int) -> dict[str, Any]:
    """The given weights as arrays by name, or the initial values of ``seed``."""
    from specc.targets.initial_values import initial_values

    if weights is not None:
        return fitted_arrays(weights, network)
    return dict(initial_values(network.parameters, seed))


def has_torch() -> bool:
    """Whether PyTorch is installed, without importing it."""
    from importlib.util import find_spec

    return find_spec("torch") is not None
