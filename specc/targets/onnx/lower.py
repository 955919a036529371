"""The IR as an onnx-ir model: each operation is lowered by its operator's own entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx_ir as oir

from specc.frontend.diagnostics import Fault
from specc.ir.attributes import Attributes
from specc.ir.flatten import FlatOperation, FlatValue, StateValue, flatten
from specc.ir.graph import Network
from specc.ir.types import TensorType
from specc.ops import registry
from specc.ops.operator import Operator
from specc.targets.facts import TargetUnsupported
from specc.targets.onnx.builder import GraphBuilder, Place
from specc.targets.onnx.dtypes import onnx_shape, onnx_type
from specc.targets.onnx.metadata import Locations, model_metadata
from specc.targets.onnx.names import Names, encodable, name_nodes
from specc.targets.onnx.opsets import HIGHEST_OPSET, checked_opset, ir_version
from specc.targets.onnx.weights import GivenWeights, ParameterTensors
from specc.version import __version__


def to_ir_model(
    network: Network,
    *,
    weights: GivenWeights | None = None,
    seed: int = 0,
    opset: int | None = None,
    operators: Mapping[str, Operator] | None = None,
    strip: bool = False,
) -> oir.Model:
    """``network`` as an onnx-ir model that shares its arrays with ``weights``.

    Args:
        network: The network; it has been verified.
        weights: A tensor for each parameter, buffer and constant by its name; None draws the
            initial values, each when it is first read.
        seed: What initial values are drawn from.
        opset: The version of ONNX's operators, from LOWEST_OPSET to HIGHEST_OPSET.
        operators: The table of operators; the built-in ones by default.
        strip: Leaves out what names places and conditions of the spec's text.

    Raises:
        Fault: with OpsetOutOfRange, TargetUnsupported, TargetNameClash, TargetNameInvalid,
            UnboundSize, or WeightsDoNotFit.
    """
    version = checked_opset(opset)
    tensors = ParameterTensors(network, weights, seed)
    table = registry.operators() if operators is None else operators
    lowering = _Lowering(network, version, tensors, table, strip=strip)
    return oir.Model(
        lowering.graph(),
        ir_version=ir_version(version),
        producer_name="specc",
        producer_version=__version__,
        metadata_props=model_metadata(network, None if weights is not None else seed, strip=strip),
    )


class Site:
    """One operation that is being lowered: the ``specc.ops.builder.Site`` of this target."""

    def __init__(self, lowering: _Lowering, operation: FlatOperation) -> None:
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
        return (
            self._lowering.parameter(state)
            if isinstance(state, str)
            else (self._lowering.value(state))
        )

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


class _Lowering:
    """A graph as it grows, operation by operation."""

    def __init__(
        self,
        network: Network,
        opset: int,
        tensors: ParameterTensors,
        operators: Mapping[str, Operator],
        *,
        strip: bool = False,
    ) -> None:
        self._network = network
        self._strip = strip
        self._tensors = tensors
        self._operators = operators
        self._parameters = {parameter.name: parameter for parameter in network.parameters}
        self._initializers: dict[str, oir.Value] = {}
        self._values: dict[FlatValue, oir.Value] = {}
        self._flat = flatten(network)
        self._inputs = [_typed_value(value.type, value.name) for value in self._flat.inputs]
        self._values.update(zip(self._flat.inputs, self._inputs, strict=True))
        types = (value.type for value in self._flat.inputs)
        self._builder = GraphBuilder(opset, list(zip(self._inputs, types, strict=True)))

    def graph(self) -> oir.Graph:
        """The whole graph: lowered, without what no output needs, and named."""
        locations = Locations(self._network, strip=self._strip)
        for operation in self._flat.operations:
            self._builder.place = Place(operation.path, locations.properties(operation.span))
            self._lower(operation)
        self._builder.place = Place()
        outputs = self._outputs()
        nodes, used = _live([*self._builder.sizes_nodes, *self._builder.nodes], outputs)
        parameters = [value for value in self._initializers.values() if value in used]
        constants = [value for value in self._builder.constants.values() if value in used]
        self._name(nodes, outputs, parameters, constants)
        root = self._network.templates[self._network.root]
        return oir.Graph(
            self._inputs,
            outputs,
            nodes=nodes,
            initializers=[*parameters, *constants],
            opset_imports={"": self._builder.opset},
            name=encodable(self._network.name),
            doc_string=encodable(root.documentation) or None,
        )

    def value(self, value: FlatValue) -> oir.Value:
        """The graph's value for one of the network."""
        if isinstance(value, StateValue):
            return self.parameter(value.name)
        return self._values[value]

    def parameter(self, name: str) -> oir.Value:
        """The initializer of the parameter's owner, whichever of its names is given."""
        owner = self._parameters[self._network.aliases.get(name, name)]
        if owner.name not in self._initializers:
            value = _typed_value(owner.type, owner.name)
            value.const_value = self._tensors[owner]
            self._initializers[owner.name] = value
        return self._initializers[owner.name]

    def _lower(self, operation: FlatOperation) -> None:
        operator = self._operators[operation.operator]
        lowering = operator.lowering(self._builder.opset)
        if lowering is None:
            raise Fault(
                TargetUnsupported(
                    operator=operator.name,
                    path=operation.path,
                    target=f"ONNX opset {self._builder.opset}",
                    needs_opset=min((k for k in operator.onnx if k <= HIGHEST_OPSET), default=None),
                    where=operation.span,
                )
            )
        before = len(self._builder.nodes)
        handles = lowering(self._builder, Site(self, operation))
        handles = handles if isinstance(handles, tuple) else (handles,)
        own = set(self._builder.nodes[before:])
        for result, handle in zip(operation.results, handles, strict=True):
            if handle.producer() in own:  # else it is an operand as it was: Dropout
                handle.type, handle.shape = onnx_type(result.type), onnx_shape(result.type.shape)
                if result.name:
                    scope = f"{operation.scope}/" if operation.scope else ""
                    self._builder.labels[handle] = scope + result.name
            self._values[result] = handle

    def _outputs(self) -> list[oir.Value]:
        """A value for each output; one that is an input, a weight or another output is copied."""
        outputs: list[oir.Value] = []
        for port, flat in zip(self._network.outputs, self._flat.outputs, strict=True):
            value = self.value(flat)
            if value.producer() is None or value in outputs:
                value = self._builder.op("Identity", value)
            value.name = port.name
            value.type, value.shape = onnx_type(port.type), onnx_shape(port.type.shape)
            outputs.append(value)
        return outputs

    def _name(
        self,
        nodes: list[oir.Node],
        outputs: list[oir.Value],
        parameters: list[oir.Value],
        constants: list[oir.Value],
    ) -> None:
        names = Names()
        for what, values in (
            ("an input", self._inputs),
            ("an output", outputs),
            ("a parameter", parameters),
        ):
            for value in values:
                names.claim(value.name or "", what)
        for constant in constants:
            constant.name = names.unique(self._builder.labels[constant])
        name_nodes(nodes, names, self._builder.labels)


def _typed_value(type_: TensorType, name: str) -> oir.Value:
    return oir.Value(name=name, type=onnx_type(type_), shape=onnx_shape(type_.shape))


def _live(
    nodes: list[oir.Node], outputs: list[oir.Value]
) -> tuple[list[oir.Node], set[oir.Value | None]]:
    """The nodes that the outputs need, in order, and all values that these read."""
    used: set[oir.Value | None] = set(outputs)
    kept = []
    for node in reversed(nodes):
        if used.intersection(node.outputs):
            used.update(node.inputs)
            kept.append(node)
    return kept[::-1], used
