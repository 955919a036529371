"""What callers may hand over in Python, checked before anything is made of it.

A wrong type is the caller's mistake, not the spec's: it is a TypeError, a number out of range a
ValueError, and both name the argument.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

MOST_SEED = 2**63 - 1  # what fits the int64 that files and PyTorch's generators keep a seed in


def checked_seed(seed: object) -> int:
    """A seed as an int. Raises TypeError, or ValueError where it is not in 0 to 2**63 - 1."""
    number = _checked_int("seed is an int", seed)
    if not 0 <= number <= MOST_SEED:
        raise ValueError(f"seed is an int from 0 to 2**63 - 1, not {_shown(number)}")
    return number


def checked_processes(processes: object) -> int:
    """A number of processes. Raises TypeError, or ValueError where there is none."""
    number = _checked_int("processes is an int", processes)
    if number < 1:
        raise ValueError(f"processes is an int from 1 on, not {_shown(number)}")
    return number


def checked_opset(opset: object) -> int | None:
    """An opset as an int, or None. Raises TypeError; which opsets there are is the target's."""
    return None if opset is None else _checked_int("opset is an int or None", opset)


def _checked_int(rule: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral):  # numpy's ints are Integral
        raise TypeError(f"{rule}, not {kind(value)}")
    return int(value)


def checked_name(argument: str, name: object) -> str | None:
    """A name, or None. Raises TypeError."""
    if name is not None and not isinstance(name, str):
        raise TypeError(f"{argument} is a name or None, not {kind(name)}")
    return name


def checked_names(argument: str, values: object) -> dict[str, Any]:
    """A map from names to values; empty for None. Raises TypeError."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise TypeError(f"{argument} is a map from names to values, not {kind(values)}")
    for name in values:
        if not isinstance(name, str):
            raise TypeError(f"{argument} is a map whose keys are strings; one is {kind(name)}")
    return dict(values)


def checked_list(argument: str, names: object) -> tuple[str, ...]:
    """Several names. Raises TypeError, also for a bare string, whose letters would be names."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise TypeError(f"{argument} is a list of names, not {kind(names)}")
    found = tuple(names)
    for name in found:
        if not isinstance(name, str):
            raise TypeError(f"{argument} is a list of names; one is {kind(name)}")
    return found


def checked_devices(values: object) -> dict[str, str]:
    """A map from names to devices, each a string or a torch.device. Raises TypeError."""
    found = checked_names("devices", values)
    for value in found.values():
        if not isinstance(value, str) and type(value).__module__ != "torch":
            raise TypeError(f"a device is a name such as 'cuda:0', not {kind(value)}")
    return {name: str(value) for name, value in found.items()}


def checked_target(path: str | os.PathLike[str], weights: object) -> Path:
    """What is to be written. Raises ValueError for weights that it has no place for."""
    target = Path(path)
    if weights is not None and target.suffix in (".py", ".json"):
        raise ValueError(f"weights mean nothing for a {target.suffix} file, which holds none")
    return target


def checked_renaming(rules: object) -> dict[str, str | None]:
    """Rules that rename weights. Raises TypeError, or ValueError where one cannot be followed."""
    from specc.weights.rules import rule_problem  # which a check of a spec does without

    found = checked_names("rename", rules)
    for pattern, name in found.items():
        if name is not None and not isinstance(name, str):
            raise TypeError(f"rename maps names to names or None, not to {kind(name)}")
        problem = rule_problem(pattern, name)
        if problem is not None:
            raise ValueError(f"rename[{pattern!r}] is {name!r}: {problem}")
    return found


def checked_array(name: object, value: object) -> None:
    """An entry of a state dict: a string, and an array or a tensor. Raises TypeError."""
    if not isinstance(name, str):
        raise TypeError(f"weights are arrays by name; the key {_shown(name)} is {kind(name)}")
    if isinstance(value, type) or not (hasattr(value, "dtype") and hasattr(value, "shape")):
        raise TypeError(
            f"the weights of {_shown(name)} are an array or a tensor, not {kind(value)}"
        )
    check_has_values(f"the weights of {_shown(name)}", value)


def check_has_values(what: str, tensor: object) -> None:
    """Raises TypeError for a tensor of torch's meta device, which has a shape and nothing else."""
    if getattr(tensor, "is_meta", False):
        raise TypeError(f"{what}: a tensor on the meta device has no values")


def kind(value: object) -> str:
    """What a value is, for a message: ``None``, or ``a Python float``."""
    return "None" if value is None else f"a Python {type(value).__name__}"


def _shown(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 256:  # whose digits Python may not print
        return f"one of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
