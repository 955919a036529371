"""The ONNX lowering of a host's operator: nodes, a node of a domain of its own, or a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from specc.extension.header import Header
from specc.ops.builder import Builder, Handle, Site

Lowering: TypeAlias = Callable[[Builder, Site], Handle]

LOWEST = 17  # the first opset that specc writes, from which on a single form holds


@dataclass(frozen=True)
class OnnxNode:
    """A node of a domain that is not ONNX's own, such as ``com.example``.

    It takes the inputs and then the state of the operator, and has its hyperparameters as
    attributes, each of the type of its value. ``version`` is that of the domain.

    >>> import specc
    >>> node = OnnxNode("com.example", "Swish")
    >>> swish = specc.op("swish3(x: [...]) -> [...]", torch="F.silu", onnx=node, summary="A swish.")
    >>> program = specc.compile("net A(x: [N]) -> [N] { x |> swish3 }", ops=[swish])
    >>> [node.op_type for node in program.onnx().graph.node]
    ['Swish']
    """

    domain: str
    op_type: str
    version: int = 1


def onnx_forms(header: Header, given: Any) -> dict[int, Lowering]:
    """Lowerings by the opset from which on each holds; none where nothing is given.

    ``given`` is a function of builder and site, an OnnxNode, an ``onnx.FunctionProto`` (or what has
    a ``to_function_proto``), or a map from opsets to these. Raises TypeError for anything else.
    """
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {opset: _lowering(header, one) for opset, one in given.items()}
    return {LOWEST: _lowering(header, given)}


def _lowering(header: Header, given: Any) -> Lowering:
    if isinstance(given, OnnxNode):
        return _node(header, given)
    if hasattr(given, "to_function_proto"):  # one of onnxscript's
        given = given.to_function_proto()
    if hasattr(given, "opset_import") and hasattr(given, "node"):
        return _function(header, given)
    if callable(given):
        return given  # type: ignore[no-any-return]
    raise TypeError(f"the ONNX form of {header.name} cannot be {given!r:.80}")


def _node(header: Header, node: OnnxNode) -> Lowering:
    def lower(b: Builder, s: Site) -> Handle:
        return b.op(
            node.op_type,
            *_operands(header, s),
            outputs=len(header.results) or 1,
            domain=node.domain,
            version=node.version,
            **{argument.name: s[argument.name] for argument in header.arguments},
        )

    return lower


def _function(header: Header, body: Any) -> Lowering:
    names = {*body.attribute, *(attribute.name for attribute in body.attribute_proto)}
    wanted = names & {argument.name for argument in header.arguments}
    if lacking := set(body.attribute) - wanted:
        raise ValueError(f"{body.name} takes {min(lacking)!r}, and {header.name} has none")

    def lower(b: Builder, s: Site) -> Handle:
        return b.function(body, *_operands(header, s), **{name: s[name] for name in sorted(wanted)})

    return lower


def _operands(header: Header, s: Site) -> list[Handle | None]:
    return [*s.inputs, *(s.state(slot.name) for slot in header.slots)]
