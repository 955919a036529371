"""Tensors in files: one, a list or a dict of them, saved and read with one pair of functions."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from specc import arguments
from specc.compiler import faults_as_errors
from specc.frontend.diagnostics import Fault

Framework = Literal["torch", "numpy"]

_KEY = "specc.value"
"""Metadata: ``{"kind": "list", "names": [...], "framework": "torch"}``."""
_ONE = "value"


def save(path: str | os.PathLike[str], value: Any) -> None:
    """Saves a tensor, a list of tensors or a dict of tensors by name, as a safetensors file.

    Tensors are numpy arrays, or torch tensors on any device; what they share or require a gradient
    for is not kept. The file appears whole or not at all, and holds no code.

    Raises:
        SpecError: where the file cannot be written.
        TypeError: for anything else, for arrays and tensors in one file, and for a dtype that
            safetensors files do not have.
        ValueError: for a name that they cannot have: an empty one, or one with control characters.

    >>> import tempfile, numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/x.safetensors", [np.arange(3), np.ones((2, 2))])
    ...     read(f"{folder}/x.safetensors")
    [array([0, 1, 2]), array([[1., 1.],
           [1., 1.]])]
    """
    from specc.weights.safetensors import write_weights

    kind, named = _named(value)
    frameworks = {_framework(name, tensor) for name, tensor in named.items()}
    if len(frameworks) > 1:
        raise TypeError("a file holds numpy arrays or torch tensors, not both")
    arrays = {name: _array(name, tensor) for name, tensor in named.items()}
    structure = {"kind": kind, "names": list(named), "framework": next(iter(frameworks), "numpy")}
    with faults_as_errors(None):
        write_weights(path, arrays, {_KEY: json.dumps(structure)})


def read(path: str | os.PathLike[str], *, framework: Framework | None = None) -> Any:
    """What ``save`` saved: a tensor, a list or a dict, of the kind of tensors that went in.

    Any other safetensors file, or a folder of shards with their index, gives a dict of numpy arrays
    by name. Torch tensors are on the CPU and require no gradient; numpy's bfloat16 is that of
    ml_dtypes.

    Args:
        path: A ``.safetensors`` file.
        framework: ``"torch"`` or ``"numpy"``, in place of the kind that went in.

    Raises:
        SpecError: where the file cannot be read, or is in a format that can hold code.
        ValueError: for another framework.

    >>> import tempfile, numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/x.safetensors", {"a": np.arange(3)})
    ...     read(f"{folder}/x.safetensors", framework="torch")
    {'a': tensor([0, 1, 2])}
    """
    from specc.weights.safetensors import read_weights

    if framework not in ("torch", "numpy", None):
        raise ValueError(f"framework is 'torch', 'numpy' or None, not {framework!r}")
    with faults_as_errors(None):
        weights = read_weights(path)
        kind, names, saved = _structure(weights)
        tensors: dict[str, Any] = {name: weights[name].read() for name in names}
    if (framework or saved) == "torch":
        from specc.targets.torch import to_torch

        tensors = {name: to_torch(array) for name, array in tensors.items()}
    if kind == "dict":
        return tensors
    return list(tensors.values()) if kind == "list" else tensors[_ONE]


def convert(
    source: str | os.PathLike[str], target: str | os.PathLike[str], *, part: str | None = None
) -> dict[str, tuple[int, ...]]:
    """Writes the tensors of a file that ``torch.save`` wrote to a safetensors file, which is safe.

    The file is unpickled with ``weights_only=True`` and in no other way: one that holds more than
    tensors and plain values is refused. It may hold a tensor, a list of them, or a dict of them by
    name, such as a state dict.

    Args:
        source: A ``.pt``, ``.pth``, ``.bin`` or ``.ckpt`` file.
        target: The ``.safetensors`` file to write.
        part: The key of the part to take, where the file is a dict of several: ``"state_dict"``.

    Returns:
        The shape of each tensor that was written, by name.

    Raises:
        SpecError: where the file cannot be read safely, or holds something else.

    >>> import tempfile, torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torch.save({"model": {"w": torch.ones(2, 3)}}, f"{folder}/x.pt")
    ...     convert(f"{folder}/x.pt", f"{folder}/x.safetensors", part="model")
    {'w': (2, 3)}
    """
    from specc.targets.torch.checkpoint import read_checkpoint
    from specc.weights.safetensors import write_weights

    with faults_as_errors(None):
        kind, arrays = read_checkpoint(source, part)
        structure = {"kind": kind, "names": list(arrays), "framework": "torch"}
        write_weights(target, arrays, {_KEY: json.dumps(structure)})
    return {name: tuple(array.shape) for name, array in arrays.items()}


# ---- values as named tensors ---------------------------------------------------------------------


def _named(value: Any) -> tuple[str, dict[str, Any]]:
    """The kind of a value and its tensors by name; whether they are tensors is not looked at."""
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                raise TypeError(f"the names of tensors are strings; one is {arguments.kind(name)}")
            _require_name(name)
        return "dict", dict(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return "list", {str(position): tensor for position, tensor in enumerate(value)}
    return "tensor", {_ONE: value}


def _require_name(name: str) -> None:
    from specc.weights.header import is_name

    if not is_name(name):
        raise ValueError(f"{ascii(name)[:80]} is no name for a tensor in a safetensors file")


def _framework(name: str, tensor: Any) -> Framework:
    import numpy as np

    if isinstance(tensor, np.ndarray | np.generic):
        return "numpy"
    what = "the value" if name == _ONE else f"{name!r}"
    if not isinstance(tensor, type) and hasattr(tensor, "detach") and hasattr(tensor, "layout"):
        arguments.check_has_values(what, tensor)
        return "torch"
    raise TypeError(
        f"{what} is an array or a tensor, or a list or dict of them, not {arguments.kind(tensor)}"
    )


def _array(name: str, tensor: Any) -> Any:
    import numpy as np

    from specc.weights.safetensors import is_storable

    if isinstance(tensor, np.ndarray | np.generic):
        array, dtype = np.asarray(tensor), tensor.dtype
        if is_storable(dtype):
            return array
    else:
        from specc.targets.torch import is_plain, to_numpy

        dtype = f"{tensor.dtype}, {tensor.layout}".replace("torch.", "")
        if is_plain(tensor):
            return to_numpy(tensor)
    raise TypeError(f"{name!r} is of {dtype}, which safetensors files do not hold")


def _structure(weights: Any) -> tuple[str, list[str], str]:
    """Kind, names in order and framework; a dict of arrays where the file does not say."""
    text = weights.metadata.get(_KEY)
    if text is None:
        return "dict", list(weights), "numpy"
    from specc.weights.facts import UnreadableWeights

    try:
        structure = json.loads(text)
        kind, names, framework = structure["kind"], structure["names"], structure["framework"]
        fits = kind in ("tensor", "list", "dict") and framework in ("torch", "numpy")
        fits = fits and sorted(names) == sorted(weights)
        numbered = [str(position) for position in range(len(names))]
        fits = fits and {"tensor": [_ONE], "list": numbered}.get(kind, names) == names
    except (ValueError, TypeError, KeyError, RecursionError):
        fits = False
    if not fits:
        problem = "what it says of its tensors is not what it holds"
        raise Fault(UnreadableWeights(path=weights.source, problem=problem))
    return kind, names, framework
