"""What an ONNX lowering is written against. ``targets/onnx`` hands in the builder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from specc.ir.attributes import Attributes
from specc.ir.dims import Dim
from specc.ir.types import DType, TensorType

Handle = Any  # a value of the graph under construction; opaque to a lowering


class Builder(Protocol):
    """Adds nodes and constants to an ONNX graph."""

    opset: int

    def op(
        self,
        op_type: str,
        *inputs: Handle | None,
        outputs: int = 1,
        domain: str = "",
        version: int = 1,
        **attributes: Any,
    ) -> Any:
        """Adds a node; gives its result, or a tuple where ``outputs`` > 1.

        ``None`` is an absent optional input. An attribute of value None is left out. Attributes are
        int, float, str, lists of these, or numpy arrays (tensors). A node of ONNX's own domain is
        held to the schema of the builder's opset; for one of another ``domain`` the model imports
        ``version`` of that.
        """

    def function(self, body: Any, *inputs: Handle | None, **attributes: Any) -> Any:
        """Calls a function of ONNX nodes, an ``onnx.FunctionProto`` that the model then holds.

        Gives its result, or a tuple where it has several.
        """

    def constant(self, value: Any, dtype: DType) -> Handle:
        """A constant tensor: a number gives a scalar, a sequence or numpy array its shape."""

    def size(self, dim: Dim) -> Handle:
        """A size as an int64 scalar: folded where known, computed from the inputs' shapes else."""

    def sizes(self, dims: Sequence[Dim]) -> Handle:
        """Sizes as one int64 tensor of rank 1."""

    def cast(self, value: Handle, dtype: DType) -> Handle:
        """``value`` in another dtype."""

    def untransposed(self, value: Handle) -> Handle | None:
        """The matrix whose transpose ``value`` is, None where it is not known to be one."""


class Site(Protocol):
    """The node that is being lowered, all of it concrete (no holes)."""

    inputs: tuple[Handle, ...]
    types: tuple[TensorType, ...]
    results: tuple[TensorType, ...]
    attributes: Attributes

    def __getitem__(self, name: str) -> Any:
        """The attribute of this name."""

    def state(self, slot: str) -> Handle | None:
        """The layer's state in this slot, None where it has none."""

    @property
    def x(self) -> Handle:
        """The first input."""

    @property
    def type(self) -> TensorType:
        """The type of the first input."""

    @property
    def result(self) -> TensorType:
        """The type of the first result."""
