"""The PyTorch lowering of a host's operator: a function or class that the source can import."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

from specc.extension.header import Header
from specc.ops.code import Applied, Attr, Call, Code, Operand, Part, StateRef, Training
from specc.ops.operator import Torch

TorchFunction = Callable[..., Any] | str | Code

_TORCH = re.compile(r"(torch|F|nn)(\.[A-Za-z_]\w*)+")


@dataclass(frozen=True)
class TorchForm:
    """The lowering, and the sizes of the inputs that it takes as arguments.

    ``any_dtype`` is false where a class makes its state as f32 and takes no ``dtype``.
    """

    torch: Torch
    sizes: frozenset[str]
    any_dtype: bool = True


def torch_form(header: Header, function: TorchFunction | None, module: type | None) -> TorchForm:
    """The lowering to a function, a ``torch.nn.Module`` class, or both.

    Raises ValueError for what the source could not import by name, and for arguments that the
    function does not take.
    """
    if function is None and module is None:
        raise ValueError(f"{header.name} needs `torch`, a function, or `module`, a class")
    made = None if module is None else _class(header, module)
    sizes: set[str] = set() if made is None else _attributes(made) & header.sizes
    if function is not None:
        code = _function(header, function)
        sizes |= _attributes(code) & header.sizes
        lowering: Code | None = code
    elif header.slots:
        lowering = None
    else:
        assert made is not None
        lowering = Applied(made, tuple(map(Operand, range(len(header.inputs)))))
    any_dtype = module is None or "dtype" in inspect.signature(module).parameters
    return TorchForm(Torch(lowering, made), frozenset(sizes), any_dtype or not header.slots)


def _function(header: Header, function: TorchFunction) -> Code:
    if isinstance(function, Code):
        return function
    operands = tuple(map(Operand, range(len(header.inputs))))
    known = {**_hyperparameters(header), **{s.name: StateRef(s.name) for s in header.slots}}
    if isinstance(function, str):
        if not _TORCH.fullmatch(function):
            raise ValueError(f"{function!r} is no function of torch, as 'F.silu' is one")
        return Call(function, operands, tuple(known.items()))
    module, name = _importable(function)
    taken = _after_operands(header, function)
    optional: dict[str, Code] = {"training": Training()}
    optional |= {size: Attr(size) for size in header.sizes}
    return Call(name, operands, _keywords(header, function, taken, known, optional), module)


def _after_operands(header: Header, function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a function that are none of the tensors, which go first."""
    parameters = _parameters(function)
    kinds = [parameter.kind for parameter in parameters]
    count = len(header.inputs)
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        count = min(count, kinds.index(inspect.Parameter.VAR_POSITIONAL))
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if sum(kind in positional for kind in kinds) < count:
        name = getattr(function, "__name__", "the function")
        raise ValueError(f"{name} does not take {count} tensors, and {header.name} has")
    return parameters[count:]


def _class(header: Header, module: type) -> Call:
    home, name = _importable(module)
    taken = [one for one in _parameters(module) if one.name != "dtype"]
    sizes: dict[str, Code] = {size: Attr(size) for size in header.sizes}
    keywords = _keywords(header, module, taken, _hyperparameters(header), sizes)
    if home.startswith("torch.nn.modules."):
        return Call(f"nn.{name}", (), keywords)
    return Call(name, (), keywords, home)


def _hyperparameters(header: Header) -> dict[str, Code]:
    # Also at the operator's own default, since the function may have another.
    return {argument.name: Attr(argument.name, always=True) for argument in header.arguments}


def _keywords(
    header: Header,
    function: Callable[..., Any],
    taken: Iterable[inspect.Parameter],
    known: dict[str, Code],
    optional: dict[str, Code],
) -> tuple[tuple[str, Code], ...]:
    """What each parameter is given, by name."""
    name = getattr(function, "__name__", "the function")
    given: dict[str, Code] = {}
    for parameter in taken:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        value = known.get(parameter.name) or optional.get(parameter.name)
        if value is not None:
            given[parameter.name] = value
        elif parameter.default is parameter.empty:
            raise ValueError(f"{name} takes {parameter.name!r}, and {header.name} has none")
    rest = {key: value for key, value in known.items() if key not in given}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken):
        return tuple({**given, **rest}.items())
    for wanted in rest:
        if wanted not in header.shaping:  # else it has had its effect
            raise ValueError(f"{name} takes no {wanted!r}, and {header.name} has one")
    return tuple(given.items())


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except ValueError:
        text = "its signature is unknown to Python; give its name, as 'torch.sigmoid'"
        raise ValueError(f"{function!r}: {text}") from None


def _importable(value: Any) -> tuple[str, str]:
    """The module and the name by which the source imports a function or class."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    found: Any = sys.modules.get(module or "")
    for part in name.split("."):
        found = getattr(found, part, None)
    if module is None or found is not value:
        raise ValueError(
            f"{name or value!r} cannot be imported by name; define it at the top of a module, "
            "since the PyTorch source that specc writes imports it"
        )
    return module, name


def _attributes(code: Any) -> set[str]:
    """The attributes that an expression names, anywhere in it."""
    if isinstance(code, Attr | Part):
        return {code.name}
    if isinstance(code, tuple):
        return set().union(*map(_attributes, code))
    if isinstance(code, Code):
        return _attributes(tuple(getattr(code, field.name) for field in fields(code)))
    return set()
