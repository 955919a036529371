"""Initializers that a file defines, as functions of the emitted source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from specc.initialize.catalogue import torch_call
from specc.ir.graph import DefinedInitializer, Region, Template, Value
from specc.ir.initializer import Initializer
from specc.targets.python import expressions as py
from specc.targets.python import layout
from specc.targets.python.body import Forward
from specc.targets.python.expressions import Expression
from specc.targets.python.items import Statement
from specc.targets.python.layers import Layers
from specc.targets.python.layout import Doc
from specc.targets.python.names import RESERVED, Scope, identifier
from specc.targets.python.structure import Structure

PARAMETER = "parameter"


@dataclass(frozen=True)
class InitFunction:
    """A function of the emitted source that fills a parameter, as those of nn.init do."""

    name: str


class InitFunctions:
    """The functions of one source. Definitions that read alike for their shapes are one."""

    def __init__(self, structure: Structure, layers: Layers) -> None:
        self._structure = structure
        self._layers = layers
        # `module` and `parameter` are variables of the method that calls the functions.
        taken = {*layers.class_names.values(), "module", PARAMETER}
        self._scope = Scope(RESERVED | taken)
        self._known: dict[int, InitFunction] = {}
        self._by_text: dict[tuple[str, ...], InitFunction] = {}

    def function(self, definition: DefinedInitializer) -> InitFunction:
        """The function that fills a parameter so."""
        if id(definition) not in self._known:
            body = _Body(self._structure, self._layers, definition).text()
            key = (definition.name, *body)
            if key not in self._by_text:
                name = f"{identifier(definition.name, 'initializer')}_"
                self._by_text[key] = InitFunction(self._scope.unique(name))
            self._known[id(definition)] = self._by_text[key]
        return self._known[id(definition)]

    def sources(self) -> list[str]:
        """The text of each function."""
        texts = []
        for (_, *body), function in self._by_text.items():
            self._layers.imports.add("torch")
            head = ["@torch.no_grad()", f"def {function.name}({PARAMETER}):"]
            texts.append("\n".join([*head, *body]))
        return texts


def init_call(start: Initializer | InitFunction, target: Expression) -> Expression:
    """The call that fills a tensor: ``nn.init.zeros_(self.weight)``."""
    if isinstance(start, InitFunction):
        return py.call(py.name(start.name), [target])
    made = torch_call(start)
    positional = [target, *(py.literal(value) for value in made.positional)]
    keywords = [(name, py.literal(value)) for name, value in (made.keywords or {}).items()]
    return py.call(py.dotted(made.function), positional, keywords)


class _Body(Forward):
    """The body of such a function: the draws, the operations, and the parameter that they fill."""

    margin = 4

    def __init__(
        self, structure: Structure, layers: Layers, definition: DefinedInitializer
    ) -> None:
        self._definition = definition
        super().__init__(structure, layers, structure.add(_template(definition)))

    def text(self) -> list[str]:
        """The lines of the function, its head left out."""
        _, *body = self.lines()
        parameter, *drawn = self._inputs.values()
        like = py.call(py.dotted("torch.empty_like"), [py.name(parameter)])
        lines = []
        for name, initializer in zip(drawn, self._definition.draws, strict=True):
            self._layers.imports.update(("nn", "torch"))
            doc = (name, " = ", init_call(initializer, like).doc)
            lines.append(" " * self.margin + layout.render(doc, indent=self.margin))
        return [*lines, *body]

    def statement(self, statement: Statement) -> Doc:
        if statement.results is not None:
            return super().statement(statement)
        value, _ = (self.operand(tree) for tree in statement.trees)
        return ("return ", py.call(py.attribute(py.name(PARAMETER), "copy_"), [value]).doc)


def _template(definition: DefinedInitializer) -> Template:
    """A body that takes the parameter besides the draws, and gives it besides the values.

    So its name stays its own to the end, and what is made in its dtype follows it.
    """
    body = definition.body
    values = [*body.inputs, *(value for node in body.nodes for value in node.results)]
    (result,) = body.results
    type_ = next(value.type for value in values if value.id == result)
    parameter = Value(id=1 + _greatest(values), type=type_, name=PARAMETER)
    return Template(
        name=definition.name,
        kind="block",
        body=Region(
            inputs=(parameter, *body.inputs),
            nodes=body.nodes,
            results=(result, parameter.id),
        ),
    )


def _greatest(values: Iterable[Value]) -> int:
    return max((value.id for value in values), default=0)
