"""Whether weights are a network's: every name, shape and dtype, before anything is changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import nearest
from specc.initialize.rounding import NUMPY_DTYPES
from specc.ir.types import TensorType
from specc.weights.facts import Disagreeing, Misshapen, Unmatched, WeightsDoNotFit
from specc.weights.safetensors import StoredTensor, Weights

_COMPARED = 50
"""Names of a kind for which the nearest is looked for, which takes time for each."""

_PREFIXES = ("module.", "_orig_mod.", "model.")
"""What wrappers put before every name: data parallelism, torch.compile, training frameworks."""


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
    ``num_batches_tracked`` that older files lack is left out of the result.

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
    missing = [owner for owner, names in present.items() if not names and not _is_optional(owner)]
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
                prefix=_common_prefix(unexpected, missing, known),
                convertible=not (unexpected or missing or disagreeing)
                and all(_shape(one.expected) == _shape(one.found) for one in misshapen),
            )
        )
    return {owner: weights[names[0]] for owner, names in present.items() if names}


def _is_optional(name: str) -> bool:
    return name.rpartition(".")[2] == "num_batches_tracked"


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


def _common_prefix(unexpected: list[str], missing: list[str], known: Collection[str]) -> str | None:
    """A wrapper's prefix that, cut from every unexpected name, gives all that is missing."""
    for prefix in _PREFIXES:
        cut = {name.removeprefix(prefix) for name in unexpected if name.startswith(prefix)}
        if missing and len(cut) == len(unexpected) and set(missing) <= cut <= set(known):
            return prefix
    return None
