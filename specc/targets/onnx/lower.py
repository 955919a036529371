"""The IR as an onnx-ir model: each operation is lowered by its operator's own entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import onnx_ir as oir

from specc.frontend.diagnostics import Fault
from specc.ir.flatten import (
    FlatBranch,
    FlatLoop,
    FlatNode,
    FlatOperation,
    FlatScan,
    FlatValue,
    StateValue,
    flatten,
)
from specc.ir.graph import HERE, Network
from specc.ir.types import TensorType
from specc.ops import registry
from specc.ops.operator import Operator
from specc.targets.facts import TargetUnsupported
from specc.targets.initial_values import Draw, drawn
from specc.targets.onnx.builder import GraphBuilder, Place
from specc.targets.onnx.control import lower_branch, lower_loop, lower_scan, refuse_write
from specc.targets.onnx.devices import configuration
from specc.targets.onnx.dtypes import onnx_shape, onnx_type
from specc.targets.onnx.inference import Known
from specc.targets.onnx.metadata import Locations, model_metadata
from specc.targets.onnx.names import Names, encodable, name_nodes
from specc.targets.onnx.opsets import HIGHEST_OPSET, checked_opset, ir_version
from specc.targets.onnx.sharing import Uses, fold, overridable
from specc.targets.onnx.site import Site
from specc.targets.onnx.subgraphs import attach, live
from specc.targets.onnx.weights import GivenWeights, ParameterTensors
from specc.version import __version__


def to_ir_model(
    network: Network,
    *,
    weights: GivenWeights | None = None,
    seed: int = 0,
    draw: Draw | None = None,
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
        draw: Gives the initial values of ``seed``; by default they are drawn one by one.
        opset: The version of ONNX's operators, from LOWEST_OPSET to HIGHEST_OPSET.
        operators: The table of operators; the built-in ones by default.
        strip: Leaves out what names places and conditions of the spec's text.

    Raises:
        Fault: with OpsetOutOfRange, TargetUnsupported, TargetNameClash, TargetNameInvalid,
            UnboundSize, or WeightsDoNotFit.
    """
    version = checked_opset(opset)
    tensors = ParameterTensors(network, weights, draw or partial(drawn, seed=seed))
    table = registry.operators() if operators is None else operators
    lowering = Lowering(network, version, tensors, table, strip=strip)
    graph = lowering.graph()
    return oir.Model(
        graph,
        functions=lowering.builder.own.functions,
        ir_version=ir_version(version),
        producer_name="specc",
        producer_version=__version__,
        metadata_props=model_metadata(network, None if weights is not None else seed, strip=strip),
        device_configurations=() if lowering.devices is None else (lowering.devices,),
    )


class Lowering:
    """A graph as it grows, operation by operation.

    ``known`` are the conditions that inference decides, ``depth`` counts the loops and branches
    that the builder stands in.
    """

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
        self._tensors = tensors
        self._operators = operators
        self._parameters = {parameter.name: parameter for parameter in network.parameters}
        self._initializers: dict[str, oir.Value] = {}
        self._values: dict[FlatValue, oir.Value] = {}
        self._locations = Locations(network, strip=strip)
        self.known = Known()
        self.depth = 0
        self._flat = flatten(network)
        self._inputs = [
            self.typed(oir.Value(name=value.name), value.type) for value in self._flat.inputs
        ]
        self._values.update(zip(self._flat.inputs, self._inputs, strict=True))
        types = (value.type for value in self._flat.inputs)
        self.devices = configuration(network, opset)
        self.builder = GraphBuilder(
            opset, list(zip(self._inputs, types, strict=True)), self.devices
        )

    def graph(self) -> oir.Graph:
        """The whole graph: lowered, without what no output needs, and named."""
        self.run(self._flat.operations)
        builder = self.builder
        builder.place = Place()
        outputs = self._outputs()
        nodes, used = live([*builder.sizes_nodes, *builder.nodes], outputs, builder.subgraphs)
        parameters = [value for value in self._initializers.values() if value in used]
        overridden: list[oir.Value] = []
        if any(len(value.uses()) > 1 for value in parameters):
            folded = fold(nodes, Uses(nodes, outputs, builder.subgraphs), builder)
            nodes, used = live(folded, outputs, builder.subgraphs)
            overridden = overridable(Uses(nodes, outputs, builder.subgraphs), parameters)
        constants = [value for value in builder.constants.values() if value in used]
        self._name(nodes, outputs, parameters, constants)
        attach(nodes, builder.subgraphs)
        root = self._network.templates[self._network.root]
        return oir.Graph(
            [*self._inputs, *overridden],
            outputs,
            nodes=nodes,
            initializers=[*parameters, *constants],
            opset_imports={"": builder.opset, **builder.own.versions},
            name=encodable(self._network.name),
            doc_string=encodable(root.documentation) or None,
        )

    # ---- values ----------------------------------------------------------------------------------

    def value(self, value: FlatValue) -> oir.Value:
        """The graph's value for one of the network."""
        if isinstance(value, StateValue):
            return self.parameter(value.name)
        return self._values[value]

    def bind(self, value: FlatValue, handle: oir.Value) -> None:
        """Lets ``handle`` stand for ``value`` from here on."""
        self._values[value] = handle

    def parameter(self, name: str) -> oir.Value:
        """The initializer of the parameter's owner, whichever of its names is given."""
        owner = self._parameters[self._network.aliases.get(name, name)]
        if owner.name not in self._initializers:
            value = self.typed(oir.Value(name=owner.name), owner.type)
            value.const_value = self._tensors[owner]
            self._initializers[owner.name] = value
        return self._initializers[owner.name]

    def typed(self, handle: oir.Value, type_: TensorType) -> oir.Value:
        """``handle``, of this type."""
        handle.type, handle.shape = onnx_type(type_), onnx_shape(type_.shape)
        return handle

    def new_value(self, type_: TensorType, name: str, scope: str = "") -> oir.Value:
        """An input of a subgraph."""
        value = self.typed(oir.Value(), type_)
        self.label(value, name, scope)
        return value

    def label(self, handle: oir.Value, name: str, scope: str) -> None:
        """Asks for what the spec calls a value, below the name of its block."""
        if name:
            self.builder.labels[handle] = f"{scope}/{name}" if scope else name

    # ---- nodes -----------------------------------------------------------------------------------

    def run(self, nodes: Iterable[FlatNode]) -> None:
        """Lowers nodes in order."""
        for node in nodes:
            self._place(node)
            if isinstance(node, FlatOperation):
                self.known.learn(node)
                self._lower(node)
            elif isinstance(node, FlatBranch):
                lower_branch(self, node)
            elif isinstance(node, FlatLoop):
                lower_loop(self, node)
            elif isinstance(node, FlatScan):
                lower_scan(self, node)
            else:
                refuse_write(node)

    def _place(self, node: FlatNode) -> None:
        path, device = node.within.path, HERE
        if isinstance(node, FlatOperation):
            path, device = node.path, node.device
        self.builder.place = Place(path, self._locations.properties(node.span), device)

    def _lower(self, operation: FlatOperation) -> None:
        operator = self._operators[operation.operator]
        lowering = operator.lowering(self.builder.opset)
        if lowering is None:
            raise Fault(
                TargetUnsupported(
                    operator=operator.name,
                    path=operation.path,
                    target=f"ONNX opset {self.builder.opset}",
                    needs_opset=min((k for k in operator.onnx if k <= HIGHEST_OPSET), default=None),
                    where=operation.span,
                )
            )
        before = len(self.builder.nodes)
        handles = lowering(self.builder, Site(self, operation))
        handles = handles if isinstance(handles, tuple) else (handles,)
        own = set(self.builder.nodes[before:])
        for result, handle in zip(operation.results, handles, strict=True):
            if handle.producer() in own:  # else it is an operand as it was: Dropout
                self.typed(handle, result.type)
                self.label(handle, result.name, operation.scope)
            self.bind(result, handle)

    def _outputs(self) -> list[oir.Value]:
        """A value for each output; one that is an input, a weight or another output is copied."""
        outputs: list[oir.Value] = []
        for port, flat in zip(self._network.outputs, self._flat.outputs, strict=True):
            value = self.value(flat)
            if value.producer() is None or value in outputs:
                value = self.builder.op("Identity", value)
            value.name = port.name
            outputs.append(self.typed(value, port.type))
        return outputs

    def _name(
        self,
        nodes: list[oir.Node],
        outputs: list[oir.Value],
        parameters: list[oir.Value],
        constants: list[oir.Value],
    ) -> None:
        names = Names(self._network.templates[self._network.root].span)
        for what, values in (
            ("an input", self._inputs),
            ("an output", outputs),
            ("a parameter", parameters),
        ):
            for value in values:
                names.claim(value.name or "", what)
        for constant in constants:
            constant.name = names.unique(self.builder.labels[constant])
        name_nodes(nodes, names, self.builder.labels, self.builder.subgraphs)
