"""Networks built by hand from the IR's own classes, with the operators' rules for types.

A stand-in for the elaborator, so that targets are tested without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from specc.ir.attributes import Attribute, fill
from specc.ir.graph import (
    Application,
    BlockLayer,
    CapturedLayer,
    Layer,
    Network,
    Node,
    Operation,
    OperatorLayer,
    Parameter,
    Port,
    Read,
    Region,
    SourceFile,
    State,
    Template,
    Value,
)
from specc.ir.initializer import Initializer
from specc.ir.names import join
from specc.ir.types import DType, TensorType, parse_type
from specc.ops.apply import complete, infer
from specc.ops.registry import operators


class Body:
    """One template under construction; values are referred to by id."""

    def __init__(
        self,
        name: str,
        kind: str = "net",
        *,
        parameters: tuple[str, ...] = (),
        sizes: tuple[str, ...] = (),
        documentation: str = "",
        **inputs: str,
    ) -> None:
        self.name, self.kind = name, kind
        self.parameters, self.sizes, self.documentation = parameters, sizes, documentation
        self.types: list[TensorType] = []
        self.layers: dict[str, Layer] = {}
        self.state: list[State] = []
        self.nodes: list[Node] = []
        self.inputs = tuple(
            self.value(parse_type(text), "" if name.startswith("_") else name)
            for name, text in inputs.items()
        )

    def value(self, type_: TensorType, name: str = "") -> Value:
        """A new value."""
        self.types.append(type_)
        return Value(id=len(self.types) - 1, type=type_, name=name)

    def op(self, operator: str, *inputs: int, name: str = "", **arguments: Any) -> int:
        """Applies an operator; gives its (first) result."""
        return self.ops(operator, *inputs, names=(name,), **arguments)[0]

    def ops(
        self, operator: str, *inputs: int, names: tuple[str, ...] = (), **arguments: Any
    ) -> list[int]:
        """Applies an operator of several results."""
        results, attributes = self._infer(operator, inputs, arguments, names)
        self.nodes.append(
            Operation(operator=operator, attributes=attributes, inputs=inputs, results=results)
        )
        return [result.id for result in results]

    def layer(
        self,
        path: str,
        operator: str,
        *inputs: int,
        name: str = "",
        holes: Mapping[str, Attribute] | None = None,
        borrowed: Mapping[str, int] | None = None,
        **arguments: Any,
    ) -> int:
        """Declares a layer of a built-in kind and applies it."""
        results, attributes = self._infer(operator, inputs, arguments, (name,))
        self.layers[path] = OperatorLayer(
            operator=operator,
            attributes={**attributes, **(holes or {})},
            borrows=tuple(borrowed or ()),
        )
        node = Application(
            layer=path, inputs=inputs, borrowed=dict(borrowed or {}), results=results
        )
        self.nodes.append(node)
        return results[0].id

    def _infer(
        self, operator: str, inputs: tuple[int, ...], arguments: Any, names: tuple[str, ...]
    ) -> tuple[tuple[Value, ...], dict[str, Attribute]]:
        entry = operators()[operator]
        applied = infer(entry, tuple(self.types[i] for i in inputs), complete(entry, arguments))
        padded = (*names, *[""] * len(applied.results))
        results = tuple(
            self.value(type_, name) for type_, name in zip(applied.results, padded, strict=False)
        )
        return results, applied.attributes

    def block(self, path: str, template: int, **arguments: Any) -> None:
        """Declares a layer that is made from a template."""
        self.layers[path] = BlockLayer(template=template, arguments=arguments)

    def capture(self, path: str) -> None:
        """Declares a layer that is handed over."""
        self.layers[path] = CapturedLayer()

    def apply(
        self,
        path: str,
        *inputs: int,
        results: Iterable[str],
        names: tuple[str, ...] = (),
        sizes: Mapping[str, Any] | None = None,
        captured: Mapping[str, str] | None = None,
    ) -> list[int]:
        """Applies a declared layer whose results are of the given types."""
        types = [parse_type(text) for text in results]
        padded = (*names, *[""] * len(types))
        values = tuple(self.value(t, n) for t, n in zip(types, padded, strict=False))
        self.nodes.append(
            Application(
                layer=path,
                inputs=inputs,
                results=values,
                sizes=dict(sizes or {}),
                captured=dict(captured or {}),
            )
        )
        return [value.id for value in values]

    def own(self, name: str, type_: str, role: Any = "parameter") -> int:
        """Declares state and reads it."""
        self.state.append(State(name=name, role=role, type=parse_type(type_)))
        return self.read(name, type_)

    def read(self, path: str, type_: str) -> int:
        """Reads a parameter."""
        value = self.value(parse_type(type_))
        self.nodes.append(Read(path=path, results=(value,)))
        return value.id

    def template(self, *results: int) -> Template:
        """The finished template."""
        return Template(
            name=self.name,
            kind=self.kind,  # type: ignore[arg-type]
            parameters=self.parameters,
            sizes=self.sizes,
            layers=self.layers,
            state=tuple(self.state),
            body=Region(inputs=self.inputs, nodes=tuple(self.nodes), results=results),
            documentation=self.documentation,
        )


def network(
    *templates: Template,
    rules: Mapping[str, Initializer] | None = None,
    aliases: Mapping[str, str] | None = None,
    file: str = "",
) -> Network:
    """The network whose root is the last template.

    ``rules`` gives initial values by a parameter's full name, or by its layer's kind and slot.
    """
    root = templates[-1]
    results = {v.id: v.type for v in root.body.inputs}
    for node in root.body.nodes:
        results |= {value.id: value.type for value in node.results}
    outputs = [f"y{i}" if i else "y" for i in range(len(root.body.results))]
    return Network(
        compiler="specc 0.1.0",
        name=root.name,
        sources=(SourceFile(name=file, text=""),) if file else (),
        inputs=tuple(Port(name=v.name, type=v.type) for v in root.body.inputs),
        outputs=tuple(
            Port(name=name, type=results[i])
            for name, i in zip(outputs, root.body.results, strict=True)
        ),
        templates=templates,
        root=len(templates) - 1,
        parameters=tuple(_parameters(templates, len(templates) - 1, "", {}, rules or {})),
        aliases=dict(aliases or {}),
    )


def _parameters(
    templates: tuple[Template, ...],
    index: int,
    path: str,
    holes: Mapping[str, Attribute],
    rules: Mapping[str, Initializer],
) -> Iterable[Parameter]:
    template = templates[index]

    def made(
        name: str, kind: str, slot: str, role: Any, type_: TensorType, default: Initializer
    ) -> Parameter:
        initializer = rules.get(name, rules.get(f"{kind}.{slot}", default))
        return Parameter(
            name=name, role=role, type=type_, initializer=initializer, layer=kind, slot=slot
        )

    for state in template.state:
        zeros = Initializer(name="zeros")
        shape = tuple(
            holes[str(dim)[1:]] if str(dim).startswith("$") else dim for dim in state.type.shape
        )
        type_ = state.type.with_shape(shape)  # type: ignore[arg-type]
        name = join(path, state.name)
        yield made(name, template.name, state.name, state.role, type_, zeros)
    for name, layer in template.layers.items():
        full = join(path, name)
        if isinstance(layer, BlockLayer):
            inner = {key: fill(value, holes) for key, value in layer.arguments.items()}
            yield from _parameters(templates, layer.template, full, inner, rules)
        elif isinstance(layer, OperatorLayer):
            entry = operators()[layer.operator]
            attributes = {key: fill(value, holes) for key, value in layer.attributes.items()}
            for slot in entry.state:
                if slot.name in layer.borrows or not slot.when(attributes):
                    continue
                type_ = TensorType(slot.dtype or DType.F32, slot.shape(attributes))
                default = slot.initializer(attributes)
                yield made(join(full, slot.name), entry.name, slot.name, slot.role, type_, default)


def initializer(name: str, **arguments: Any) -> Initializer:
    """``initializer("normal", std=0.01)``"""
    return Initializer(name=name, arguments=arguments)
