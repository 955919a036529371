"""Nodes and functions of domains that are not ONNX's own: what a host's operators lower to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import onnx
import onnx_ir as oir

from specc.frontend.diagnostics import Fault
from specc.targets.facts import TargetUnsupported
from specc.targets.onnx.attributes import schema
from specc.targets.onnx.opsets import HIGHEST_OPSET


class OwnDomains:
    """The domains that a model imports beside ONNX's own, and the functions that it holds."""

    def __init__(self, opset: int) -> None:
        self._opset = opset
        self._versions: dict[str, int] = {}
        self._functions: dict[tuple[str, str], tuple[bytes, oir.Function]] = {}

    @property
    def versions(self) -> dict[str, int]:
        """The version of each domain; one that has functions alone is in its first."""
        return {**{domain: 1 for domain, _ in self._functions}, **self._versions}

    @property
    def functions(self) -> list[oir.Function]:
        """The functions, in the order of their first use."""
        return [function for _, function in self._functions.values()]

    def import_domain(self, domain: str, version: int) -> None:
        """Imports a domain. Raises ValueError where it is imported in another version."""
        if self._versions.setdefault(domain, version) != version:
            raise ValueError(
                f"the domain {domain!r} is used in the versions {self._versions[domain]} and "
                f"{version}; a model imports one"
            )

    def hold(self, body: onnx.FunctionProto, path: str) -> None:
        """Lets the model hold a function.

        Raises a Fault with TargetUnsupported where a node of it means something else at the model's
        opset, and ValueError where another function has its name.
        """
        key, content = (body.domain, body.name), body.SerializeToString(deterministic=True)
        if key in self._functions:
            if self._functions[key][0] != content:
                raise ValueError(f"two ONNX functions are called {body.domain}.{body.name}")
            return
        function = oir.serde.deserialize_function(body)
        written = function.opset_imports.get("", self._opset)
        if not _means_the_same(body.node, written, self._opset):
            later = range(self._opset + 1, HIGHEST_OPSET + 1)
            fits = [opset for opset in later if _means_the_same(body.node, written, opset)]
            raise Fault(
                TargetUnsupported(
                    operator=body.name,
                    path=path,
                    target=f"ONNX opset {self._opset}",
                    needs_opset=min(fits, default=None),
                    advice=f"its ONNX function is written for opset {written}",
                )
            )
        function.opset_imports[""] = self._opset
        for domain, version in function.opset_imports.items():
            if domain:
                self.import_domain(domain, version)
        self._functions[key] = content, function


def foreign_domains(model: oir.Model) -> list[str]:
    """The domains of nodes that neither ONNX nor a function of the model defines."""
    defined = {(function.domain, function.name) for function in model.functions.values()}
    nodes = [*model.graph.all_nodes()]
    for function in model.functions.values():
        nodes += function.all_nodes()
    used = {(node.domain, node.op_type) for node in nodes if node.domain}
    return sorted({domain for domain, _ in used - defined})


def own_attributes(given: Mapping[str, Any]) -> list[oir.Attr]:
    """Attributes that no schema describes, each of the type of its value; None is left out."""
    return [_attribute(name, value) for name, value in given.items() if value is not None]


def _attribute(name: str, value: Any) -> oir.Attr:
    match value:
        case bool() | int():
            return oir.AttrInt64(name, int(value))
        case float():
            return oir.AttrFloat32(name, value)
        case str():
            return oir.AttrString(name, value)
        case np.ndarray():
            return oir.AttrTensor(name, oir.Tensor(value))
        case [int(), *_] | (int(), *_) if all(isinstance(one, int) for one in value):
            return oir.AttrInt64s(name, list(map(int, value)))
        case [str(), *_] | (str(), *_) if all(isinstance(one, str) for one in value):
            return oir.AttrStrings(name, list(value))
        case [*_] | (*_,) if value and all(isinstance(one, int | float) for one in value):
            return oir.AttrFloat32s(name, list(map(float, value)))
        case _:
            raise TypeError(f"{value!r:.80} cannot be the attribute {name!r} of an ONNX node")


def _means_the_same(nodes: Iterable[onnx.NodeProto], written: int, opset: int) -> bool:
    """Whether each node of ONNX's own domain has one schema at both opsets."""
    kinds = {node.op_type for node in _every_node(nodes) if not node.domain}
    try:
        return all(
            schema(kind, written).since_version == schema(kind, opset).since_version
            for kind in kinds
        )
    except onnx.defs.SchemaError:  # one of the two has no such operator
        return False


def _every_node(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    pending = list(nodes)
    while pending:
        node = pending.pop()
        yield node
        for attribute in node.attribute:
            pending += attribute.g.node
