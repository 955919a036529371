"""Weights of other dtypes than a network's, converted where someone asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from specc.frontend.diagnostics import Fault
from specc.initialize.rounding import NUMPY_DTYPES, rounded
from specc.ir.types import DType
from specc.weights.facts import UnreadableWeights
from specc.weights.fit import Parameter
from specc.weights.safetensors import Array, StoredTensor, Weights


def cast(weights: Weights, parameters: Iterable[Parameter], aliases: Mapping[str, str]) -> Weights:
    """The same weights, each tensor in the dtype of the parameter whose name it bears, unread.

    Floats become floats, rounded once to the nearest, ints become floats or ints. A float does not
    become an int, nor anything a bool: such a tensor stays, and does not fit.

    Raises:
        Fault: when a tensor is read, with ``UnreadableWeights``, where a finite value has no finite
            one in the other dtype.
    """
    dtypes = {parameter.name: parameter.type.dtype for parameter in parameters}
    dtypes |= {alias: dtypes[owner] for alias, owner in aliases.items()}
    return Weights(
        {
            name: _cast(name, stored, dtypes[name], weights.source) if name in dtypes else stored
            for name, stored in weights.items()
        },
        weights.metadata,
        weights.source,
    )


def _cast(name: str, stored: StoredTensor, dtype: DType, source: str) -> StoredTensor:
    wanted = NUMPY_DTYPES[dtype]
    if stored.dtype == wanted or not _is_convertible(stored.dtype, dtype):
        return stored

    def read() -> Array:
        array = stored.read()
        converted = _converted(array, dtype)
        if not _is_kept(array, converted):
            problem = f"{name!r} holds a value that {dtype.value} cannot hold"
            raise Fault(UnreadableWeights(path=source, problem=problem))
        return converted

    return StoredTensor(wanted, stored.shape, read, stored.held)


def _is_convertible(found: np.dtype[Any], wanted: DType) -> bool:
    if wanted is DType.BOOL or found == np.bool_:
        return False
    return wanted.is_float or found.kind in "iu"


def _converted(array: Array, dtype: DType) -> Array:
    if not dtype.is_float:
        return array.astype(NUMPY_DTYPES[dtype])
    # By way of float64, which holds all that the other dtypes do, but for ints of over 53 bits.
    return rounded(array.astype(np.float64), dtype)


def _is_kept(array: Array, converted: Array) -> bool:
    if converted.dtype.kind in "iu":
        return bool(
            (converted.astype(array.dtype) == array).all() and _same_signs(array, converted)
        )
    before, after = array.astype(np.float64), converted.astype(np.float64)
    return bool((np.isfinite(before) == np.isfinite(after)).all())


def _same_signs(array: Array, converted: Array) -> bool:
    """Whether no int went round: -1 as a u8 is 255, which as an i8 is -1 again."""
    return bool(((array < 0) == (converted < 0)).all())
