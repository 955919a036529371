"""Whether a data set and a network go together, said before the first update instead of in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from specc.frontend.diagnostics import Fault
from specc.ir.dims import Dim, evaluate
from specc.ir.graph import Network
from specc.ir.recipe import Recipe
from specc.ir.types import TensorType
from specc.recipe.catalogue import LOSSES, Entry
from specc.recipe.losses import own_loss
from specc.targets.torch import TORCH_DTYPES
from specc.training.data import Examples, Split, load
from specc.training.facts import BadData, DataMismatch

Array = NDArray[Any]


@dataclass(frozen=True)
class Batchable:
    """Inputs [n, ...] and targets [n, ...] of n examples, in the dtypes of the computation."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: Tensor | slice) -> tuple[Tensor, Tensor]:
        return self.x[index], self.y[index]

    def to(self, device: torch.device) -> Batchable:
        """The same examples in a device's memory."""
        return Batchable(self.x.to(device), self.y.to(device))


@dataclass(frozen=True)
class Dataset:
    """What is trained on and what is held out."""

    train: Batchable
    test: Batchable

    def to(self, device: torch.device) -> Dataset:
        """The same data in a device's memory."""
        return Dataset(self.train.to(device), self.test.to(device))


def dataset(network: Network, recipe: Recipe, base: Path | None = None) -> Dataset:
    """The data that a complete recipe names, checked against the network.

    Relative paths count from ``base``, else from the current folder. Raises Fault.
    """
    assert recipe.data is not None, "complete() lets no such recipe pass"
    assert recipe.loss is not None
    split = load(recipe.data, base or Path())
    own = own_loss(network, recipe)
    if own is not None:
        return fit_to_block(split, network, own)
    return fit(split, network, LOSSES[recipe.loss.name])


def fit_to_block(split: Split, network: Network, loss: Network) -> Dataset:
    """The data as tensors, once they are known to suit the network's input and the loss's target.

    Integers become floats where the target is of floats. Raises Fault with DataMismatch.
    """
    if len(network.inputs) != 1:
        _refuse(f"{split.name} gives one input, and {network.name} has {len(network.inputs)}")
    source, target = network.inputs[0].type, loss.inputs[-1].type
    sizes = _bind(split, network)
    if target.rank == 0 or target.shape[0] != source.shape[0]:
        _refuse(f"the target of {loss.name} is {target}, without a dim for the examples of a batch")
    sides = []
    for side in (split.train, split.test):
        y = _target(split.name, loss.name, side.y, target, sizes)
        sides.append(Batchable(_input(split.name, side, source), y))
    return Dataset(*sides)


def fit(split: Split, network: Network, loss: Entry) -> Dataset:
    """The data as tensors, once they are known to suit the network's input and the loss its output.

    Images are flattened for an input of rank 2 with as many elements. Integers become floats where
    the input is of floats. Targets [n] become [n, 1] where the network gives that.

    Raises Fault with DataMismatch or BadData.
    """
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        _refuse(
            f"{split.name} gives one input and one target, and {network.name} has "
            f"{len(network.inputs)} inputs and {len(network.outputs)} outputs"
        )
    source, sink = network.inputs[0].type, network.outputs[0].type
    sizes = _bind(split, network)
    expected = _output_shape(split, source, sink, sizes)
    classes = "classes" in loss.targets
    arrange = _classes if classes else _values
    sides = []
    for side in (split.train, split.test):
        x = _input(split.name, side, source)
        y = torch.from_numpy(arrange(split.name, loss, side.y, expected))
        sides.append(Batchable(x, y if classes else y.to(TORCH_DTYPES[sink.dtype])))
    return Dataset(*sides)


# ---- the input -----------------------------------------------------------------------------------


def _flattens(shape: tuple[int, ...], source: TensorType) -> bool:
    return len(shape) > 1 and source.rank == 2


def _bind(split: Split, network: Network) -> dict[str, int]:
    """The values that the data give to the symbolic sizes of the input, the batch's left out."""
    source = network.inputs[0].type
    shape = split.train.x.shape[1:]
    if _flattens(shape, source):
        shape = (int(np.prod(shape)),)
    given = f"{split.name} gives inputs of [N, {', '.join(map(str, split.train.x.shape[1:]))}]"
    if source.rank == 0 or isinstance(source.shape[0], int):
        advice = "let its first dim be a name, such as N"
        _refuse(f"{given}, and the input {source} has no dim for the examples of a batch", advice)
    if source.rank != len(shape) + 1:
        _refuse(f"{given}, and the input is {source}")
    sizes: dict[str, int] = {}
    batch = source.shape[0]
    for dim, size in zip(source.shape[1:], shape, strict=True):
        name = _name(dim)
        if dim == batch:
            _refuse(f"{given}, and the input {source} has the batch's size twice")
        if name is not None and sizes.setdefault(name, size) != size:
            _refuse(f"{given}, and {name} of the input {source} cannot be {sizes[name]} and {size}")
    for dim, size in zip(source.shape[1:], shape, strict=True):
        if _value(dim, sizes) not in (size, None):
            _refuse(f"{given}, and the input is {source}", _resize_advice(split.name, source))
    _require_constraints(split.name, network, sizes)
    return sizes


def _require_constraints(name: str, network: Network, sizes: dict[str, int]) -> None:
    """Whether the data's sizes are among those that the network works at."""
    for constraint in network.constraints:
        left, right = _value(constraint.left, sizes), _value(constraint.right, sizes)
        if left is None or right is None:  # about the batch's size, or an inner one
            continue
        holds = {">=": left >= right, "==": left == right, "!=": left != right}
        if not holds[constraint.relation]:
            found = ", ".join(f"{symbol} = {size}" for symbol, size in sizes.items())
            _refuse(
                f"{network.name} does not work at the sizes of {name}, {found}: "
                f"{constraint.reason} would be {left}, and has to be {constraint.relation} {right}"
            )


def _name(dim: Dim) -> str | None:
    """The symbol that a dim consists of, if it is nothing but one."""
    return None if isinstance(dim, int) or not str(dim).isidentifier() else str(dim)


def _value(dim: Dim, sizes: dict[str, int]) -> int | None:
    try:
        return evaluate(dim, sizes)
    except KeyError:
        return None


def _resize_advice(name: str, source: TensorType) -> str | None:
    if name == "digits" and source.rank == 4 and source.shape[2] == source.shape[3]:
        return f"digits(resize={source.shape[2]}) gives images of that size"
    return None


def _input(name: str, side: Examples, source: TensorType) -> Tensor:
    x = side.x
    if _flattens(x.shape[1:], source):
        x = x.reshape(len(x), -1)
    if x.dtype.kind == "f" and not source.dtype.is_float:
        _refuse(f"{name} gives real numbers, and the input is {source}")
    return torch.from_numpy(np.ascontiguousarray(x)).to(TORCH_DTYPES[source.dtype])


# ---- the output and the target -------------------------------------------------------------------


def _output_shape(
    split: Split, source: TensorType, sink: TensorType, sizes: dict[str, int]
) -> tuple[int, ...]:
    """The sizes of the network's output behind the batch's."""
    if sink.rank == 0 or sink.shape[0] != source.shape[0]:
        _refuse(f"a loss over examples needs an output for each of them, and the output is {sink}")
    if not sink.dtype.is_float:
        _refuse(f"a loss needs real numbers, and the output is {sink}")
    shape = []
    for dim in sink.shape[1:]:
        size = _value(dim, sizes)
        if size is None:
            _refuse(f"{dim} of the output {sink} does not follow from {split.name}")
        shape.append(size)
    return tuple(shape)


def _target(name: str, loss: str, y: Array, target: TensorType, sizes: dict[str, int]) -> Tensor:
    """Targets for a block: of the shape and the dtype that it declares."""
    if y.ndim == 1 and target.rank == 2 and _value(target.shape[1], sizes) == 1:
        y = y[:, None]
    given = f"{name} gives targets of [N, {', '.join(map(str, y.shape[1:]))}]".replace(", ]", "]")
    if y.ndim != target.rank:
        _refuse(f"{given}, and {loss} takes {target}")
    found = dict(sizes)
    for dim, size in zip(target.shape[1:], y.shape[1:], strict=True):
        symbol = _name(dim)
        if symbol is not None:
            found.setdefault(symbol, size)
        if _value(dim, found) not in (size, None):
            _refuse(f"{given}, and {loss} takes {target}")
    if y.dtype.kind == "f" and not target.dtype.is_float:
        _refuse(f"{name} gives real numbers as targets, and {loss} takes {target}")
    return torch.from_numpy(np.ascontiguousarray(y)).to(TORCH_DTYPES[target.dtype])


def _classes(name: str, loss: Entry, y: Array, expected: tuple[int, ...]) -> Array:
    """Targets of cross-entropy: the number of a class for each position of the output."""
    output = f"[N, {', '.join(map(str, expected))}]"
    if y.dtype.kind not in "iub":
        _refuse(f"{loss.name} takes the numbers of classes, and the targets of {name} are real")
    if not expected or y.shape[1:] != expected[1:]:
        _refuse(f"{loss.name} compares outputs {output} with targets of {list(y.shape)} in {name}")
    least, greatest = int(y.min()), int(y.max())
    if least < 0:
        raise Fault(BadData(data=name, problem=f"{least} is no number of a class"))
    if greatest >= expected[0]:
        _refuse(
            f"{name} has classes up to {greatest}, and the output {output} has room for "
            f"{expected[0]}",
            f"the classes count from 0, so the output needs {greatest + 1}",
        )
    return y.astype(np.int64)


def _values(name: str, loss: Entry, y: Array, expected: tuple[int, ...]) -> Array:
    """Targets that are compared with the output element by element."""
    if y.ndim == 1 and expected == (1,):
        y = y[:, None]
    if y.shape[1:] != expected:
        ours = ", ".join(("N", *map(str, expected)))
        theirs = ", ".join(("N", *map(str, y.shape[1:])))
        _refuse(f"{loss.name} compares outputs [{ours}] with targets [{theirs}] of {name}")
    if loss.threshold is not None and (y.min() < 0 or y.max() > 1):
        raise Fault(BadData(data=name, problem=f"{loss.name} takes targets from 0 to 1"))
    return y.astype(np.float32)


def _refuse(problem: str, advice: str | None = None) -> NoReturn:
    raise Fault(DataMismatch(problem=problem, advice=advice))
