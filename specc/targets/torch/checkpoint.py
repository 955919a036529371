"""Files that ``torch.save`` wrote, read as tensors alone and in no other way."""

from __future__ import annotations

import os
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NoReturn

import torch
from numpy.typing import NDArray

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import did_you_mean
from specc.targets.torch.tensors import is_plain, to_numpy
from specc.weights.facts import UnreadableWeights
from specc.weights.header import is_name

Kind = Literal["tensor", "list", "dict"]
_SHOWN = 5

_DAMAGED = (
    *(RuntimeError, OSError, EOFError, ValueError, TypeError, LookupError, AttributeError),
    *(ImportError, AssertionError, MemoryError, RecursionError, ArithmeticError),
)
"""What torch and pickle raise for a file that is damaged, or is something else altogether."""


def read_checkpoint(
    source: str | os.PathLike[str], part: str | None = None
) -> tuple[Kind, dict[str, NDArray[Any]]]:
    """What a file holds: a tensor, a list of tensors or a dict of them; and the tensors by name.

    ``part`` picks an entry of a dict, such as ``"state_dict"``. Raises Fault with
    ``UnreadableWeights`` for anything else, and where the file cannot be read safely.
    """
    path = Path(source)
    value = _unpickled(path)
    if part is not None:
        value = _part(path, value, part)
    kind, tensors = _named(path, value)
    for name, tensor in tensors.items():
        if not isinstance(tensor, torch.Tensor):
            _refuse_entry(path, name, tensor, tensors)
        if not is_plain(tensor):
            what = f"{tensor.layout} tensor of {tensor.dtype}".replace("torch.", "")
            _refuse(path, f"{name!r} is a {what}, which safetensors files do not hold")
    return kind, {name: to_numpy(tensor) for name, tensor in tensors.items()}


def _unpickled(path: Path) -> Any:
    if not path.is_file():  # a pipe would block
        _refuse(path, "it is no file" if path.exists() else "there is no such file")
    try:
        with warnings.catch_warnings():  # of an unusual version of pickle, which then fails
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # PyTorch's own text advises to load it unsafely, which is not passed on.
        culprit = re.search(r"GLOBAL (\S+) (?:was not an allowed|whose module)", str(error))
        what = f", {culprit[1]} for one" if culprit else ""
        _refuse(path, f"it holds more than tensors{what}, and is not read, since that can run code")
    except _DAMAGED as error:
        reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        _refuse(path, f"it is damaged, or was not written by torch.save: {reason}")


def _named(path: Path, value: Any) -> tuple[Kind, dict[str, Any]]:
    if isinstance(value, torch.Tensor):
        return "tensor", {"value": value}
    if isinstance(value, list | tuple):
        return "list", {str(position): tensor for position, tensor in enumerate(value)}
    if not isinstance(value, Mapping):
        _refuse(path, f"it holds a Python {type(value).__name__}, not tensors")
    for name in value:
        if not isinstance(name, str) or not is_name(name):
            _refuse(path, f"{ascii(name)[:80]} is no name for a tensor")
    return "dict", dict(value)


def _part(path: Path, value: Any, part: str) -> Any:
    if not isinstance(value, Mapping):
        _refuse(path, f"it holds a Python {type(value).__name__}, which has no parts")
    if part not in value:
        known = [name for name in value if isinstance(name, str)]
        advice = did_you_mean(part, known) or f"it has {', '.join(known[:_SHOWN])}"
        _refuse(path, f"it has no part {part!r}", advice)
    return value[part]


def _refuse_entry(path: Path, name: str, entry: object, entries: Mapping[str, Any]) -> NoReturn:
    parts = [key for key, value in entries.items() if _is_state(value)]
    advice = None
    if parts:
        advice = f"it has parts of tensors: --part {' or --part '.join(parts[:_SHOWN])} takes one"
    _refuse(path, f"its entry {name!r} is a Python {type(entry).__name__}, not a tensor", advice)


def _is_state(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and all(isinstance(tensor, torch.Tensor) for tensor in value.values())
    )


def _refuse(path: Path, problem: str, advice: str | None = None) -> NoReturn:
    raise Fault(UnreadableWeights(path=str(path), problem=problem, advice=advice))
