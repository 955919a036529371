"""A network as a ``torch.nn.Module``: the emitted source, executed, with keyed initial values.

What trains is what ``specc build -o model.py`` writes; tracebacks and ``inspect`` show that source.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

import ml_dtypes
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from specc.initialize.rounding import NUMPY_DTYPES
from specc.initialize.values import initial_values
from specc.ir.graph import Network, Parameter
from specc.ir.types import DType
from specc.ops.operator import Operator
from specc.targets.python import root_class, source

TORCH_DTYPES: Mapping[DType, torch.dtype] = {
    DType.F16: torch.float16,
    DType.BF16: torch.bfloat16,
    DType.F32: torch.float32,
    DType.F64: torch.float64,
    DType.I8: torch.int8,
    DType.I32: torch.int32,
    DType.I64: torch.int64,
    DType.U8: torch.uint8,
    DType.BOOL: torch.bool,
}
"""How torch calls each element type."""

Weights = Mapping[str, NDArray[Any]]


def module(
    network: Network,
    *,
    seed: int = 0,
    device: str | torch.device | None = None,
    weights: Weights | None = None,
    operators: Mapping[str, Operator] | None = None,
) -> nn.Module:
    """The module, in train mode, filled with the initial values of ``seed`` or with ``weights``.

    ``weights`` holds each parameter under its own name, or under an alias.
    torch's global random state is left alone. Raises ValueError for weights that do not fit.
    """
    made = _empty(root_class(network), source(network, operators))
    names = {parameter.name for parameter in network.parameters}
    assert set(made.state_dict()) == names, set(made.state_dict()) ^ names
    if weights is None:
        arrays: Iterable[tuple[str, NDArray[Any]]] = initial_values(network.parameters, seed)
        tensors = {name: to_torch(array).to(device) for name, array in arrays}
    else:
        fitting = _fitting(network, weights)
        tensors = {name: to_torch(array.copy()).to(device) for name, array in fitting.items()}
    # The tensors take the place of those on the meta device, so each value is in memory once.
    made.load_state_dict(tensors, strict=True, assign=True)
    if network.aliases:
        hook = _AcceptAliases(dict(network.aliases))
        made.register_load_state_dict_pre_hook(hook)  # type: ignore[no-untyped-call]
    return made


def state_arrays(module: nn.Module, network: Network) -> dict[str, NDArray[Any]]:
    """The module's parameters, buffers and constants as numpy arrays, in the network's order.

    Raises ValueError where the module lacks one.
    """
    state = module.state_dict()
    missing = [p.name for p in network.parameters if p.name not in state]
    if missing:
        raise ValueError(f"the module has no {', '.join(missing[:5])}")
    return {p.name: to_numpy(state[p.name]) for p in network.parameters}


def to_torch(array: NDArray[Any]) -> torch.Tensor:
    """A tensor that shares the array's memory where that is writable; bfloat16 is ml_dtypes'."""
    array = np.ascontiguousarray(array).reshape(np.shape(array))
    if not array.flags.writeable:
        array = array.copy()
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.uint16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def to_numpy(tensor: torch.Tensor) -> NDArray[Any]:
    """An array of its own with the tensor's values."""
    tensor = tensor.detach().cpu().contiguous()
    if tensor.dtype is torch.bfloat16:
        bits: NDArray[Any] = tensor.view(torch.uint16).numpy()
        bfloats: NDArray[Any] = bits.view(ml_dtypes.bfloat16)
        return bfloats.copy()
    array: NDArray[Any] = tensor.numpy()
    return array.copy()


def _empty(root: str, text: str) -> nn.Module:
    """The net's module on the meta device, where tensors have no storage."""
    cls = getattr(_execute(root, text), root)
    made: nn.Module = cls.__new__(cls)
    # Initial values come from elsewhere, so the source's own are not drawn.
    vars(made)["reset_parameters"] = lambda: None
    with torch.device("meta"):
        cls.__init__(made)
    del vars(made)["reset_parameters"]
    return made


def _execute(root: str, text: str) -> ModuleType:
    """The Python module that ``text`` defines, made once for each text.

    It is known to ``sys.modules``, since torch.compile and inspect look classes up there, and its
    text to linecache.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    name = f"_specc_{root}_{digest}"
    if name not in sys.modules:
        file = f"<specc {root} {digest}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        made = ModuleType(name)
        made.__file__ = file
        exec(compile(text, file, "exec", dont_inherit=True), vars(made))
        sys.modules.setdefault(name, made)
    return sys.modules[name]


def _fitting(network: Network, weights: Weights) -> dict[str, NDArray[Any]]:
    """The network's own parameters from ``weights``, aliases resolved."""
    owned = dict(weights)
    for alias, owner in network.aliases.items():
        if alias in owned:
            copy = owned.pop(alias)
            if not np.array_equal(owned.setdefault(owner, copy), copy):
                raise ValueError(_disagreement(alias, owner))
    expected = {parameter.name: parameter for parameter in network.parameters}
    problems = [f"{name} is missing" for name in expected if name not in owned]
    problems += [f"{name} is unexpected" for name in owned if name not in expected]
    for name, parameter in expected.items():
        if name in owned:
            problems += _misfit(parameter, owned[name])
    if problems:
        raise ValueError("weights do not fit: " + "; ".join(problems[:10]))
    return {name: owned[name] for name in expected}


def _misfit(parameter: Parameter, array: NDArray[Any]) -> list[str]:
    found, dtype = tuple(array.shape), NUMPY_DTYPES[parameter.type.dtype]
    if found != parameter.type.shape:
        return [f"{parameter.name} is {list(found)}, not {parameter.type.shape_text}"]
    if array.dtype != dtype:
        return [f"{parameter.name} is of {array.dtype}, not {dtype}"]
    return []


class _AcceptAliases:
    """Before a state dict is loaded, puts what it holds under an alias under the owner's name."""

    def __init__(self, aliases: dict[str, str]) -> None:
        self._aliases = aliases

    def __call__(self, module: nn.Module, state: dict[str, Any], prefix: str, *_: object) -> None:
        for alias, owner in self._aliases.items():
            if prefix + alias not in state:
                continue
            copy = state.pop(prefix + alias)
            own = state.setdefault(prefix + owner, copy)
            if own is not copy and not torch.equal(own, copy.to(own.device)):
                raise ValueError(_disagreement(alias, owner))


def _disagreement(alias: str, owner: str) -> str:
    return f"{alias} and {owner} are one parameter, but their values differ"
