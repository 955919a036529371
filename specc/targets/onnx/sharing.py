"""Keeps a shared parameter one tensor in onnxruntime as well.

When that loads a file, it computes what depends on constants alone, and multiplies the weight of a
convolution by the scale behind it. Where one node reads a parameter, the result takes its place;
where several do, each may get a tensor of its own. Two things are done about that:

- A convolution and a BatchNorm that are applied several times become a convolution whose weight the
  graph computes from theirs. onnxruntime computes that once, and all of them share it.
- Elsewhere the parameter is an input of the graph too, with its value as the default: ONNX lets
  such an initializer be overridden. So it is no constant, and nothing is made of it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

import onnx_ir as oir

from specc.ir.types import DType
from specc.targets.onnx.builder import GraphBuilder, Place
from specc.targets.onnx.dtypes import ONNX_DTYPES
from specc.targets.onnx.subgraphs import Subgraphs, owners

_SMALL = 256
"""Elements up to which another tensor does not matter."""

_COPIES = 1.5
"""How much larger than a parameter the tensors in its place are, from where on some are copies."""


class Uses:
    """Who reads what in a graph and in the graphs inside it; ``nodes`` are the outer graph's."""

    def __init__(
        self, nodes: Sequence[oir.Node], outputs: Iterable[oir.Value], subgraphs: Subgraphs
    ) -> None:
        holders = dict.fromkeys(owners(nodes, subgraphs))
        bodies = [inner for node in holders for inner in subgraphs[node].values()]
        self.nodes = [*nodes, *(node for body in bodies for node in body.nodes)]
        self.readers: dict[oir.Value, list[oir.Node]] = defaultdict(list)
        for node in self.nodes:
            for value in dict.fromkeys(node.inputs):
                if value is not None:
                    self.readers[value].append(node)
        self.results = {*outputs, *(value for body in bodies for value in body.outputs)}
        self._inside = {node: i for i, body in enumerate(bodies) for node in body.nodes}
        self._constant: dict[oir.Node, bool] = {}
        self._numbers: dict[Hashable, int] = {}
        self._same: dict[oir.Value, int] = {}
        for node in self.nodes:  # what a node reads comes before it
            self._constant[node] = node not in holders and all(
                value is None or self.is_constant(value) for value in node.inputs
            )
            if self._constant[node]:
                self._learn(node)

    def graph(self, node: oir.Node) -> int | None:
        """The number of the inner graph that a node is in, None for the outer one."""
        return self._inside.get(node)

    def is_constant(self, value: oir.Value) -> bool:
        """Whether onnxruntime knows a value when it loads the file."""
        node = value.producer()
        return value.const_value is not None if node is None else self._constant[node]

    def only_reader(self, value: oir.Value) -> oir.Node | None:
        """The node that alone needs a value, None where there is none or are several."""
        readers = self.readers[value]
        return readers[0] if len(readers) == 1 and value not in self.results else None

    def convolutions(self) -> Iterator[tuple[oir.Value, list[oir.Node]]]:
        """The weights that several convolutions share, each with these."""
        for value, readers in list(self.readers.items()):
            convolutions = [
                node
                for node in readers
                if _kind(node) in ("Conv", "ConvTranspose") and node.inputs[1] is value
            ]
            if len(convolutions) > 1 and value.producer() is None:
                yield value, convolutions

    def made_of(self, parameter: oir.Value) -> list[oir.Value]:
        """The tensors that are there in a parameter's place once constants are computed."""
        found: dict[Hashable, oir.Value] = {}
        pending, seen = [parameter], {parameter}
        while pending:
            value = pending.pop()
            readers = self.readers[value]
            if value in self.results or not all(self._constant[node] for node in readers):
                found.setdefault(self._same.get(value, value), value)
            for node in readers:
                if self._constant[node]:
                    pending += [result for result in node.outputs if result not in seen]
                    seen.update(node.outputs)
        return list(found.values())

    def _learn(self, node: oir.Node) -> None:
        """Notes which results onnxruntime finds to be the same: those of equal nodes of a graph."""
        inputs = tuple(value and self._same.get(value, value) for value in node.inputs)
        attributes = tuple((one.name, repr(one.value)) for one in node.attributes.values())
        what = (self.graph(node), node.domain, node.op_type, inputs, attributes)
        for index, result in enumerate(node.outputs):
            self._same[result] = self._numbers.setdefault((what, index), len(self._numbers))


def overridable(uses: Uses, parameters: Sequence[oir.Value]) -> list[oir.Value]:
    """The parameters that must be inputs of the graph, so that no shared one has a copy."""
    found = set()
    for weight, convolutions in uses.convolutions():
        if len({uses.graph(node) for node in convolutions}) > 1:
            # Convolutions of the outer graph alone get their weight laid out anew.
            found.add(weight)
            continue
        for node in convolutions:
            scale = _scale_behind(node, uses)
            if scale is not None:
                found.add(scale if scale in parameters else weight)
    for parameter in parameters:
        tensors = [_elements(value) for value in uses.made_of(parameter)]
        size = _elements(parameter)
        if size > _SMALL and len(tensors) > 1 and sum(tensors) >= _COPIES * size:
            found.add(parameter)
    return [parameter for parameter in parameters if parameter in found]


def _scale_behind(convolution: oir.Node, uses: Uses) -> oir.Value | None:
    """What onnxruntime would multiply a convolution's weight by, None where there is nothing.

    Of a BatchNorm it is one tensor of four, all of which must be constants.
    """
    value = convolution.outputs[0]
    while (node := uses.only_reader(value)) is not None:
        if uses.graph(node) != uses.graph(convolution):
            return None
        others = [one for one in node.inputs if one is not None and one is not value]
        if not others or not all(uses.is_constant(one) for one in others):
            return None
        if _kind(node) in ("BatchNormalization", "Mul"):
            return others[-1]
        if _kind(node) != "Add":  # which goes into the bias
            return None
        value = node.outputs[0]
    return None


def _kind(node: oir.Node) -> str | None:
    """The operator of ONNX's own that a node is, None for another's."""
    return None if node.domain else node.op_type


def _elements(value: oir.Value) -> int:
    """A tensor's elements; 0 where its shape is not known."""
    if value.shape is None:
        return 0
    return math.prod(dim if isinstance(dim, int) else 0 for dim in value.shape)


# ---- a convolution with the BatchNorm behind it --------------------------------------------------


class _Norm(NamedTuple):
    """What a convolution's channels are normalized by, and the convolution's own bias."""

    scale: oir.Value
    shift: oir.Value
    mean: oir.Value
    variance: oir.Value
    epsilon: float
    bias: oir.Value | None


def fold(nodes: Sequence[oir.Node], uses: Uses, builder: GraphBuilder) -> list[oir.Node]:
    """The nodes of the outer graph, with one for a convolution and a BatchNorm that recur.

    The node of the BatchNorm becomes it; what the convolution's gives, nothing reads any more.
    """
    before: dict[oir.Node, list[oir.Node]] = {}
    for weight, convolutions in uses.convolutions():
        pairs = [(node, uses.only_reader(node.outputs[0])) for node in convolutions]
        norms = {_norm(node, behind, uses) for node, behind in pairs}
        norm = norms.pop()
        if norm is None or norms or weight.dtype not in _EXACT:
            continue
        first = convolutions[0]
        start = len(builder.nodes)
        path = (first.name or "").rpartition("/")[0]
        builder.place = Place(path, dict(first.metadata_props))
        folded = _folded(weight, norm, builder)
        before[first] = builder.nodes[start:]
        for node, behind in pairs:
            assert behind is not None
            _become(behind, node, folded)
    builder.place = Place()
    return [one for node in nodes for one in (*before.get(node, ()), node)]


_EXACT = (ONNX_DTYPES[DType.F32], ONNX_DTYPES[DType.F64])
"""A product in a narrower type would be rounded once more than PyTorch rounds."""


def _norm(convolution: oir.Node, behind: oir.Node | None, uses: Uses) -> _Norm | None:
    """The BatchNorm that is all that reads a convolution, in the outer graph."""
    if (
        behind is None
        or (_kind(convolution), _kind(behind)) != ("Conv", "BatchNormalization")
        or behind.inputs[0] is not convolution.outputs[0]
        or uses.graph(convolution) is not None
        or uses.graph(behind) is not None
        or convolution.device_configurations
        or behind.device_configurations
    ):
        return None
    bias = convolution.inputs[2] if len(convolution.inputs) > 2 else None
    parts = [value for value in behind.inputs[1:] if value is not None]
    if not all(map(uses.is_constant, parts if bias is None else [*parts, bias])):
        return None
    scale, shift, mean, variance = parts
    return _Norm(scale, shift, mean, variance, behind.attributes["epsilon"].as_float(), bias)


def _folded(weight: oir.Value, norm: _Norm, b: GraphBuilder) -> tuple[oir.Value, oir.Value]:
    """The weight and the bias of a convolution that also normalizes."""
    assert weight.shape is not None
    dtype = next(dtype for dtype, known in ONNX_DTYPES.items() if known == weight.dtype)
    deviation = b.op("Sqrt", b.op("Add", norm.variance, b.constant(norm.epsilon, dtype)))
    scale = b.op("Div", norm.scale, deviation)
    columns = b.constant([-1] + [1] * (len(weight.shape) - 1), DType.I64)
    scaled = b.op("Mul", weight, b.op("Reshape", scale, columns))
    offset = norm.mean if norm.bias is None else b.op("Sub", norm.mean, norm.bias)
    shift = b.op("Sub", norm.shift, b.op("Mul", offset, scale))
    return scaled, shift


def _become(norm: oir.Node, convolution: oir.Node, folded: tuple[oir.Value, oir.Value]) -> None:
    """Makes a BatchNorm's node the convolution with its result; so its value stays what it was."""
    norm.op_type, norm.name = convolution.op_type, convolution.name
    norm.resize_inputs(3)
    for index, value in enumerate((convolution.inputs[0], *folded)):
        norm.replace_input_with(index, value)
    norm.attributes.clear()
    for attribute in convolution.attributes.values():
        norm.attributes.add(attribute)
    norm.metadata_props.clear()
    norm.metadata_props.update(convolution.metadata_props)
