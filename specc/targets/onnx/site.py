"""One operation that is being lowered, as its operator's entry sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnx_ir as oir

from specc.ir.attributes import Attributes
from specc.ir.flatten import FlatOperation
from specc.ir.types import TensorType

if TYPE_CHECKING:
    from specc.targets.onnx.lower import Lowering


class Site:
    """One operation that is being lowered: the ``specc.ops.builder.Site`` of this target."""

    def __init__(self, lowering: Lowering, operation: FlatOperation) -> None:
        self._lowering = lowering
        self._operation = operation
        self.inputs = tuple(lowering.value(operand) for operand in operation.inputs)
        self.types = tuple(operand.type for operand in operation.inputs)
        self.results = tuple(result.type for result in operation.results)
        self.attributes: Attributes = operation.attributes

    def __getitem__(self, name: str) -> Any:
        """The attribute of this name."""
        return self.attributes[name]

    def state(self, slot: str) -> oir.Value | None:
        """The layer's state in this slot, None where it has none."""
        state = self._operation.state.get(slot)
        if state is None:
            return None
        if isinstance(state, str):
            return self._lowering.parameter(state)
        return self._lowering.value(state)

    @property
    def x(self) -> oir.Value:
        """The first input."""
        return self.inputs[0]

    @property
    def type(self) -> TensorType:
        """The type of the first input."""
        return self.types[0]

    @property
    def result(self) -> TensorType:
        """The type of the first result."""
        return self.results[0]
