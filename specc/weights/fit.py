"""Whether weights are a network's: every name, shape and dtype, before anything is changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

import numpy as np

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import nearest
from specc.initialize.rounding import NUMPY_DTYPES
from specc.ir.types import DType, TensorType
from specc.weights.facts import Disagreeing, Misshapen, Unmatched, WeightsDoNotFit
from specc.weights.likely import likely_renaming
from specc.weights.safetensors import StoredTensor, Weights, in_memory

_COUNT = TensorType(DType.I64, ())
_COMPARED = 50
"""Names of a kind for which the nearest is looked for, which takes time for each."""


class Parameter(Protocol):
    """What ``fit`` asks of a parameter or buffer; its type is static."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> TensorType: ...  # noqa: D102


def fit(
    weights: Weights,
    parameters: Iterable[Parameter],
    aliases: Mapping[str, str],
) -> dict[str, StoredTensor]:
    """The tensor for each parameter's name, in the parameters' order, unread.

    ``aliases`` gives the owner of each further name of a shared parameter. The file may hold any of
    the names; where it holds several, the copies must be equal to the bit, and are read for it. A
    count of batches, ``num_batches_tracked``, which older files lack, is 0 then.

    Raises:
        Fault: with ``WeightsDoNotFit``, which names all that is wrong.
    """
    wanted = {parameter.name: parameter.type for parameter in parameters}
    names_of = {name: [name] for name in wanted}
    for alias, owner in aliases.items():
        names_of[owner].append(alias)
    known = {name for names in names_of.values() for name in names}
    unexpected = [name for name in weights if name not in known]
    present = {owner: [name for name in names_of[owner] if name in weights] for owner in wanted}
    missing = [
        owner
        for owner, names in present.items()
        if not names and not _is_count(owner, wanted[owner])
    ]
    misshapen = [
        wrong
        for owner, names in present.items()
        for name in names
        if (wrong := _misshapen(name, wanted[owner], weights[name])) is not None
    ]
    # Values are compared only where all else fits, since that reads them.
    disagreeing = []
    if not (unexpected or missing or misshapen):
        disagreeing = [
            Disagreeing(other, names[0])
            for names in present.values()
            for other in names[1:]
            if not _equal(weights[names[0]], weights[other])
        ]
    if unexpected or missing or misshapen or disagreeing:
        raise Fault(
            WeightsDoNotFit(
                path=weights.source,
                missing=_with_nearest(missing, unexpected),
                unexpected=_with_nearest(unexpected, missing or known),
                misshapen=tuple(misshapen),
                disagreeing=tuple(disagreeing),
                renaming=likely_renaming(list(weights), names_of, missing) if unexpected else None,
                convertible=not (unexpected or missing or disagreeing)
                and all(_shape(one.expected) == _shape(one.found) for one in misshapen),
            )
        )
    return {
        owner: weights[names[0]] if names else in_memory(np.zeros((), np.int64))
        for owner, names in present.items()
    }


def _is_count(name: str, type_: TensorType) -> bool:
    return name.rpartition(".")[2] == "num_batches_tracked" and type_ == _COUNT


def _misshapen(name: str, wanted: TensorType, found: StoredTensor) -> Misshapen | None:
    if found.shape == wanted.shape and found.dtype == NUMPY_DTYPES[wanted.dtype]:
        return None
    return Misshapen(name, str(wanted), f"{_dtype_text(found)}{list(found.shape)}")


def _dtype_text(found: StoredTensor) -> str:
    for dtype, numpy_dtype in NUMPY_DTYPES.items():
        if numpy_dtype == found.dtype:
            return dtype.value
    return found.dtype.name


def _shape(type_text: str) -> str:
    return type_text.partition("[")[2]


def _equal(one: StoredTensor, other: StoredTensor) -> bool:
    """To the bit, so that NaN equals itself."""
    if one.dtype != other.dtype:
        return False
    return one.read().tobytes() == other.read().tobytes()


def _with_nearest(names: list[str], candidates: Collection[str]) -> tuple[Unmatched, ...]:
    return tuple(
        Unmatched(name, nearest(name, candidates) if i < _COMPARED else None)
        for i, name in enumerate(names)
    )
