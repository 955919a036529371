"""A network as a ``torch.nn.Module``: the emitted source, executed, with keyed initial values.

What trains is what ``specc build -o model.py`` writes; tracebacks and ``inspect`` show that source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from specc.initialize.rounding import NUMPY_DTYPES
from specc.ir.devices import devices_of_parameters
from specc.ir.graph import Network, Parameter
from specc.ops.operator import Operator
from specc.targets.initial_values import initial_values
from specc.targets.python import device_arguments
from specc.targets.torch.classes import architecture
from specc.targets.torch.devices import Bound, bind, place_anchors
from specc.targets.torch.tensors import to_numpy, to_torch

Weights = Mapping[str, NDArray[Any]]


def module(
    network: Network,
    *,
    seed: int = 0,
    device: str | torch.device | None = None,
    devices: Bound | None = None,
    weights: Weights | None = None,
    operators: Mapping[str, Operator] | None = None,
) -> nn.Module:
    """The module, in train mode, filled with the initial values of ``seed`` or with ``weights``.

    ``device`` is where what stands under no ``on`` lives, ``devices`` has every logical one; both
    are taken as they are. ``weights`` holds each parameter under its own name, or under an alias.
    torch's global random state is left alone. Raises ValueError for weights that do not fit.
    """
    made = _empty(network, operators)
    names = {parameter.name for parameter in network.parameters}
    assert set(made.state_dict()) == names, set(made.state_dict()) ^ names
    bound = bind(network) if devices is None else devices
    places = {
        name: bound[logical] if logical else device
        for name, logical in devices_of_parameters(network).items()
    }
    if weights is None:
        arrays: Iterable[tuple[str, NDArray[Any]]] = initial_values(network.parameters, seed)
        tensors = {name: to_torch(array).to(places[name]) for name, array in arrays}
    else:
        fitting = _fitting(network, weights)
        tensors = {name: to_torch(array.copy()).to(places[name]) for name, array in fitting.items()}
    _fill(made, tensors)
    place_anchors(made, network, bound, device, operators)
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


def _empty(network: Network, operators: Mapping[str, Operator] | None) -> nn.Module:
    """The net's module on the meta device, where tensors have no storage."""
    cls = architecture(network, operators).root
    made: nn.Module = cls.__new__(cls)
    # Initial values come from elsewhere, so the source's own are not drawn.
    vars(made)["reset_parameters"] = lambda: None
    with torch.device("meta"):
        devices = device_arguments(network, operators).values()
        cls.__init__(made, **dict.fromkeys(devices, "meta"))
    del vars(made)["reset_parameters"]
    return made


def _fill(made: nn.Module, tensors: Mapping[str, torch.Tensor]) -> None:
    """Puts the tensors in the place of those on the meta device, so each value is in memory once.

    As ``load_state_dict(assign=True)``, which looks through all names once for every layer.
    """
    for path, part in made.named_modules():
        prefix = f"{path}." if path else ""
        for name, empty in part.named_parameters(recurse=False):
            filled = nn.Parameter(tensors[prefix + name], requires_grad=empty.requires_grad)
            assert filled.shape == empty.shape, prefix + name
            setattr(part, name, filled)
        for name, empty in part.named_buffers(recurse=False):
            if name in part._non_persistent_buffers_set:  # which says where a device is
                continue
            assert tensors[prefix + name].shape == empty.shape, prefix + name
            setattr(part, name, tensors[prefix + name])


def _fitting(network: Network, weights: Weights) -> dict[str, NDArray[Any]]:
    """The network's own parameters from ``weights``, aliases resolved."""
    owned = dict(weights)
    for alias, owner in network.aliases.items():
        if alias in owned:
            copy = owned.pop(alias)
            if not _equal(to_torch(owned.setdefault(owner, copy)), to_torch(copy)):
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
    """Before a state dict is loaded, puts what it holds under an alias under the owner's name.

    So nothing is changed where the copies of one parameter disagree, which is a ValueError.
    """

    def __init__(self, aliases: dict[str, str]) -> None:
        self._aliases = aliases

    def __call__(self, module: nn.Module, state: dict[str, Any], prefix: str, *_: object) -> None:
        for alias, owner in self._aliases.items():
            if prefix + alias not in state:
                continue
            copy = state.pop(prefix + alias)
            own = state.setdefault(prefix + owner, copy)
            if own is not copy and not _equal(own, copy.to(own.device)):
                raise ValueError(_disagreement(alias, owner))


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two copies hold the same values; a NaN is equal to a NaN."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return bool(((one == other) | (one.isnan() & other.isnan())).all())


def _disagreement(alias: str, owner: str) -> str:
    return f"{alias} and {owner} are one parameter, but their values differ"
