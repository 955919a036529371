"""Adds nodes and constants to an ONNX graph: the ``specc.ops.builder.Builder`` of this target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnx_ir as oir

from specc.initialize.rounding import NUMPY_DTYPES
from specc.ir.dims import Dim
from specc.ir.graph import HERE
from specc.ir.types import DType, TensorType
from specc.targets.onnx.attributes import onnx_attributes, schema
from specc.targets.onnx.devices import put
from specc.targets.onnx.dtypes import ONNX_DTYPES, onnx_shape, onnx_type
from specc.targets.onnx.own import OwnDomains, own_attributes
from specc.targets.onnx.sizes import Sizes
from specc.targets.onnx.subgraphs import Subgraph

_READABLE = 6  # a constant of at most so many elements is named after them


@dataclass
class Place:
    """What the nodes of one operation share: the layer, its place in the text, its device."""

    path: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    device: str = HERE

    def node_name(self, op_type: str) -> str:
        """``features.0/Conv``; not yet unique."""
        return f"{self.path}/{op_type}" if self.path else op_type


class GraphBuilder:
    """A graph under construction.

    Every handle is an ``onnx_ir.Value``. ``sizes_nodes`` compute sizes from the inputs' shapes and
    come first in the main graph, so that whatever needs a size may use it, wherever it stands.
    ``nodes`` are those of the graph that grows at the moment: the main one, or one of
    ``subgraphs`` before it is there.
    """

    def __init__(
        self,
        opset: int,
        inputs: Sequence[tuple[oir.Value, TensorType]],
        devices: oir.ModelConfiguration | None = None,
    ) -> None:
        self.opset = opset
        self.devices = devices
        self.place = Place()
        self.nodes: list[oir.Node] = []
        self.sizes_nodes: list[oir.Node] = []
        self.subgraphs: dict[oir.Node, dict[str, Subgraph]] = {}
        self.labels: dict[oir.Value, str] = {}
        self.constants: dict[tuple[DType, tuple[int, ...], bytes], oir.Value] = {}
        self.own = OwnDomains(opset)
        self._sizes = Sizes(self, inputs)

    def op(
        self,
        op_type: str,
        *inputs: oir.Value | None,
        outputs: int = 1,
        domain: str = "",
        version: int = 1,
        **attributes: Any,
    ) -> Any:
        """Adds a node; gives its result, or a tuple where ``outputs`` > 1."""
        if domain:
            self.own.import_domain(domain, version)
            return self._own_node(domain, op_type, inputs, outputs, attributes)
        node = self._node(op_type, inputs, outputs, attributes, self.place)
        return self._added(node)

    def function(
        self, body: onnx.FunctionProto, *inputs: oir.Value | None, **attributes: Any
    ) -> Any:
        """Calls a function, which the model then holds; gives its result, or a tuple of several."""
        self.own.hold(body, self.place.path)
        return self._own_node(body.domain, body.name, inputs, len(body.output), attributes)

    def _own_node(
        self,
        domain: str,
        op_type: str,
        inputs: Sequence[oir.Value | None],
        outputs: int,
        attributes: dict[str, Any],
    ) -> Any:
        return self._added(
            oir.Node(
                domain,
                op_type,
                _without_absent(inputs),
                own_attributes(attributes),
                num_outputs=outputs,
                name=self.place.node_name(op_type),
                metadata_props=dict(self.place.metadata),
            )
        )

    def _added(self, node: oir.Node) -> Any:
        if self.place.device != HERE and self.devices is not None:
            put(node, self.place.device, self.devices)
        self.nodes.append(node)
        return node.outputs[0] if len(node.outputs) == 1 else tuple(node.outputs)

    def size_op(self, op_type: str, *inputs: oir.Value, **attributes: Any) -> oir.Value:
        """Adds a node that computes a size from sizes, constants or the graph's inputs."""
        node = self._node(op_type, inputs, 1, attributes, Place("sizes"))
        self.sizes_nodes.append(node)
        return node.outputs[0]

    def _node(
        self,
        op_type: str,
        inputs: Sequence[oir.Value | None],
        outputs: int,
        attributes: dict[str, Any],
        place: Place,
    ) -> oir.Node:
        operands = _without_absent(inputs)
        definition = schema(op_type, self.opset)
        assert definition.min_input <= len(operands) <= definition.max_input, op_type
        assert definition.min_output <= outputs <= definition.max_output, op_type
        return oir.Node(
            "",
            op_type,
            operands,
            onnx_attributes(op_type, self.opset, attributes),
            num_outputs=outputs,
            name=place.node_name(op_type),
            metadata_props=dict(place.metadata),
        )

    def constant(self, value: Any, dtype: DType) -> oir.Value:
        """A constant tensor, one for all equal ones of a graph."""
        array = np.ascontiguousarray(np.asarray(value, dtype=NUMPY_DTYPES[dtype]))
        array = array.reshape(np.shape(value))  # ascontiguousarray gives a scalar a dim
        key = (dtype, array.shape, array.tobytes())
        if key not in self.constants:
            type_ = TensorType(dtype, array.shape)
            constant = oir.Value(
                type=onnx_type(type_),
                shape=onnx_shape(type_.shape),
                const_value=oir.Tensor(array, ONNX_DTYPES[dtype]),
            )
            # A slash keeps it apart from parameters: their names are dotted identifiers.
            content = _text(array) if array.size <= _READABLE else type_.shape_text
            self.labels[constant] = f"const/{dtype.value}/{content}".replace(" ", "")
            self.constants[key] = constant
        return self.constants[key]

    def size(self, dim: Dim) -> oir.Value:
        """A size as an int64 scalar."""
        return self._sizes.scalar(dim)

    def sizes(self, dims: Sequence[Dim]) -> oir.Value:
        """Sizes as one int64 tensor of rank 1."""
        return self._sizes.vector(dims)

    def cast(self, value: oir.Value, dtype: DType) -> oir.Value:
        """``value`` in another dtype; ``value`` itself where it is known to have it."""
        if value.dtype == ONNX_DTYPES[dtype]:
            return value
        result = self.op("Cast", value, to=dtype)
        assert isinstance(result, oir.Value)
        result.type = oir.TensorType(ONNX_DTYPES[dtype])
        return result

    def untransposed(self, value: oir.Value) -> oir.Value | None:
        """The matrix whose transpose ``value`` is, None where it is not known to be one."""
        node = value.producer()
        if node is None or node.op_type != "Transpose":
            return None
        order = node.attributes["perm"].as_ints()
        return node.inputs[0] if list(order) == [1, 0] else None


def _without_absent(inputs: Sequence[oir.Value | None]) -> list[oir.Value | None]:
    """Inputs without those at the end that are absent."""
    operands = list(inputs)
    while operands and operands[-1] is None:
        operands.pop()
    return operands


def _text(array: np.ndarray[Any, Any]) -> str:
    return str(array.tolist())
