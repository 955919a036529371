"""Builds statements, definitions and the file while lark parses; see ``expression_builder.py``."""

from __future__ import annotations

from lark import Token

from specc.frontend import syntax as s
from specc.frontend.expression_builder import Children, ExpressionBuilder, Part, nodes
from specc.frontend.facts import InvalidString, InvalidTarget, MisplacedParameter, SyntaxFault
from specc.frontend.source import Span


class StatementBuilder(ExpressionBuilder):
    """The methods for statements."""

    def body(self, children: Children) -> Part:
        return self.part("body", children, nodes(children))

    def values(self, children: Children) -> Part:
        return Part("values", self.span(children[0], children[-1]), nodes(children))

    def assignment(self, children: Children) -> s.Assignment:
        targets, _, values = children
        names = tuple(self._target(target) for target in targets.items)
        return s.Assignment(self.span(targets, values), names, self._value(values))

    def draw(self, children: Children) -> s.Draw:
        targets, _, initializer = children
        if len(targets.items) > 1:
            self.report(InvalidTarget(where=targets.span, problem="one name is drawn at a time"))
        target = self._target(targets.items[0])
        return s.Draw(self.span(targets, initializer), target, initializer)

    def expression_statement(self, children: Children) -> s.ExpressionStatement:
        value = self._value(children[0])
        return s.ExpressionStatement(value.span, value)

    def return_(self, children: Children) -> s.Return:
        return s.Return(self.span(children[0], children[1]), self._value(children[1]))

    def assert_(self, children: Children) -> s.Assert:
        message = children[3] if len(children) > 2 else None
        return s.Assert(self.span(children[0], children[-1]), children[1], message)

    def state(self, children: Children) -> s.StateDeclaration:
        role, name, *rest = children
        shape = next((child for child in rest if type(child) is s.ShapeAnnotation), None)
        initializer = value = None
        if len(rest) > 1 and rest[-2].type == "TILDE":
            initializer = rest[-1]
        elif len(rest) > 1 and rest[-2].type == "EQUAL":
            value = rest[-1]
        span = self.span(role, children[-1])
        named = str(name), self.at(name)
        return s.StateDeclaration(span, str(role), *named, shape, initializer, value)  # type: ignore[arg-type]

    def if_(self, children: Children) -> s.If:
        otherwise: tuple[s.Statement, ...] = ()
        if len(children) == 5:
            branch = children[4]
            otherwise = (branch,) if type(branch) is s.If else branch.items
        span = self.span(children[0], children[-1])
        return s.If(span, children[1], children[2].items, otherwise)

    def for_(self, children: Children) -> s.For:
        word, targets, _, iterable, body = children
        return s.For(self.span(word, body), targets.items, iterable, body.items)

    def while_(self, children: Children) -> s.While:
        word, condition, body = children
        return s.While(self.span(word, body), condition, body.items)

    def on_(self, children: Children) -> s.OnBlock:
        word, device, body = children
        return s.OnBlock(self.span(word, body), device, body.items)

    def init_block(self, children: Children) -> s.InitBlock:
        return s.InitBlock(children[0].span, children[0].items)

    def init_rules(self, children: Children) -> Part:
        return self.part("init", children, nodes(children))

    def init_rule(self, children: Children) -> s.InitRule:
        target = children[0]
        if type(target) is Token:
            target = self.string([target])
        index = children[1].items if type(children[1]) is Part else ()
        operator, value = children[-2:]
        return s.InitRule(self.span(target, value), target, index, str(operator), value)  # type: ignore[arg-type]

    def dotted(self, children: Children) -> s.Expression:
        path: s.Expression = self.name(children[:1])
        for name in children[2::2]:
            path = self.attribute([path, None, name])
        return path

    def _target(self, node: s.Expression) -> s.Name:
        """What an assignment's left side names; ``_`` too, which takes what nobody wants."""
        if isinstance(node, s.Wildcard):
            return s.Name(node.span, "_")
        if isinstance(node, s.Name) and node.span.end - node.span.start == len(node.name):
            return node
        if isinstance(node, s.Attribute) and self._text(node.value.span) == "self":
            return s.Name(node.span, "_")  # `self` is reported already
        if isinstance(node, s.Pipeline) and isinstance(node.stages[-1].layer, s.Name):
            advice = f"a label is followed by a colon: `|> {node.stages[-1].layer.name}: ...`"
        elif isinstance(node, s.Attribute | s.Index):
            advice = "values are never changed in place; give the new value a name"
        else:
            advice = "only names stand on the left: `a = ...` or `a, b = ...`"
        problem = "this cannot be given a value"
        self.report(InvalidTarget(where=node.span, problem=problem, advice=advice))
        return s.Name(node.span, "_")

    def _text(self, span: Span) -> str:
        return self.text[span.start : span.end]

    def _value(self, values: Part) -> s.Expression:
        """The one value of a list of values, or a tuple of them."""
        for item in values.items:
            if isinstance(item, s.Wildcard):
                problem = "`_` has no value"
                advice = "it takes a value that nobody wants, and stands for any size in a shape"
                self.report(SyntaxFault(where=item.span, problem=problem, advice=advice))
        if values.span == values.items[-1].span:
            only: s.Expression = values.items[0]
            return only
        return s.TupleExpression(values.span, tuple(s.Member(i.span, i) for i in values.items))


class TreeBuilder(StatementBuilder):
    """The methods for definitions and the file."""

    def source_file(self, children: Children) -> s.File:
        return s.File(Span(self.file, 0, len(self.text)), nodes(children))

    # ---- headers ---------------------------------------------------------------------------------

    def parameters(self, children: Children) -> Part:
        return self.part("parameters", children, nodes(children))

    def parameter(self, children: Children) -> s.Parameter:
        name = children[0]
        annotation = default = None
        if len(children) > 2 and children[1].type == "COLON":
            annotation = children[2]
        if len(children) > 2 and type(children[-2]) is Token and children[-2].type == "EQUAL":
            default = children[-1]
        span = self.span(name, children[-1])
        return s.Parameter(span, str(name), self.at(name), annotation, default)

    def type(self, children: Children) -> s.Name:
        return self.name(children)

    def shape(self, children: Children) -> s.ShapeAnnotation:
        dtype = None if children[0].type == "LSQB" else self.name(children[:1])
        dims = nodes(children)
        ellipses = [dim for dim in dims if isinstance(dim, s.Ellipsis)]
        if len(ellipses) > 1:
            problem = "a shape holds `...` at most once"
            self.report(SyntaxFault(where=ellipses[1].span, problem=problem))
        return s.ShapeAnnotation(self.span(children[0], children[-1]), dims, dtype)

    def outputs(self, children: Children) -> Part:
        return self.part("outputs", children, nodes(children))

    def output(self, children: Children) -> s.Output:
        return s.Output(children[0].span, children[0])

    def named_output(self, children: Children) -> s.Output:
        name, _, shape = children
        return s.Output(self.span(name, shape), shape, str(name))

    # ---- definitions -----------------------------------------------------------------------------

    def module(self, children: Children) -> s.ModuleDefinition:
        kind, name = children[:2]
        parts: dict[str, list[Part]] = {"parameters": [], "outputs": [], "body": []}
        for child in children[2:]:
            if isinstance(child, Part):
                parts[child.kind].append(child)
        result = None if parts["body"] else children[-1]
        lists = parts["parameters"]
        hyperparameters, inputs = self._split(lists, point_free=result is not None)
        return s.ModuleDefinition(
            self.span(kind, children[-1]),
            kind=str(kind),  # type: ignore[arg-type]
            name=str(name),
            name_span=self.at(name),
            hyperparameters=hyperparameters,
            inputs=inputs,
            outputs=parts["outputs"][0].items if parts["outputs"] else (),
            body=parts["body"][0].items if parts["body"] else (),
            result=result,
            documentation=self._documentation(kind),
        )

    def function(self, children: Children) -> s.FunctionDefinition:
        word, name, parameters, _, value = children
        self._no_inputs(parameters, "a `def` runs in the compiler and takes no tensors")
        return s.FunctionDefinition(
            self.span(word, value),
            name=str(name),
            name_span=self.at(name),
            parameters=parameters.items,
            value=value,
            documentation=self._documentation(word),
        )

    def initializer(self, children: Children) -> s.InitializerDefinition:
        word, name, *lists, body = children
        hyperparameters, inputs = self._split(lists, point_free=False)
        return s.InitializerDefinition(
            self.span(word, body),
            name=str(name),
            name_span=self.at(name),
            hyperparameters=hyperparameters,
            inputs=inputs or (),
            body=body.items,
            documentation=self._documentation(word),
        )

    def init_definition(self, children: Children) -> s.InitDefinition:
        return s.InitDefinition(children[0].span, children[0].items)

    def train(self, children: Children) -> s.TrainDefinition:
        net = self.name(children[1:2]) if children[1].type == "NAME" else None
        return s.TrainDefinition(self.span(children[0], children[-1]), net, nodes(children))

    def setting(self, children: Children) -> s.Setting:
        name, _, value = children
        return s.Setting(self.span(name, value), str(name), self.at(name), value)

    def device(self, children: Children) -> s.DeviceDefinition:
        word, name = children[:2]
        span = self.span(word, children[-1])
        return s.DeviceDefinition(span, str(name), self.at(name), nodes(children))

    def whole_device(self, children: Children) -> s.DeviceName:
        return s.DeviceName(self.at(children[0]), str(children[0]))

    def import_path(self, children: Children) -> s.Import:
        path = self.string(children[1:2])
        if isinstance(path, s.Interpolation):
            problem = "a path is written out; it holds no `{...}`"
            self.report(InvalidString(where=path.span, problem=problem))
        span = self.span(children[0], children[-1])
        written = str(path.value) if isinstance(path, s.Literal) else ""
        return s.Import(span, written, (), self._imported(children))

    def import_module(self, children: Children) -> s.Import:
        words = [str(child) for child in children]
        module = tuple(words[1 : words.index("import") : 2])
        return s.Import(
            self.span(children[0], children[-1]), None, module, self._imported(children)
        )

    def _imported(self, children: Children) -> tuple[s.Name, ...]:
        after = next(i for i, child in enumerate(children) if child.type == "IMPORT") + 1
        return tuple(self.name([name]) for name in children[after::2])

    # ---- which parameters are inputs -------------------------------------------------------------

    def _split(
        self, lists: list[Part], *, point_free: bool
    ) -> tuple[tuple[s.Parameter, ...], tuple[s.Parameter, ...] | None]:
        """Hyperparameters and inputs of a header; inputs are None where it has no such list."""
        if len(lists) == 2:
            self._no_inputs(lists[0], "inputs stand in the second list: `Name(hyper)(x: [...])`")
            self._all_inputs(lists[1], "hyperparameters stand in the first list")
            return lists[0].items, lists[1].items
        only = lists[0] if lists else None
        if only and any(_is_input(parameter) for parameter in only.items):
            self._all_inputs(
                only, "hyperparameters stand in a list before: `Name(hyper)(x: [...])`"
            )
            return (), only.items
        return only.items if only else (), None if point_free else ()

    def _no_inputs(self, parameters: Part, advice: str) -> None:
        for parameter in parameters.items:
            if _is_input(parameter):
                problem = f"{parameter.name!r} is an input among hyperparameters"
                self._misplaced(parameter, problem, "its shape makes it an input", advice)

    def _all_inputs(self, parameters: Part, advice: str) -> None:
        for parameter in parameters.items:
            if not _is_input(parameter):
                problem = f"{parameter.name!r} is a hyperparameter among inputs"
                self._misplaced(parameter, problem, "no shape, so no input", advice)

    def _misplaced(self, parameter: s.Parameter, problem: str, detail: str, advice: str) -> None:
        self.report(
            MisplacedParameter(where=parameter.span, problem=problem, detail=detail, advice=advice)
        )

    # ---- documentation ---------------------------------------------------------------------------

    def _documentation(self, first: Token) -> str:
        """The comment lines directly above the line of ``first``, without their ``#``."""
        lines: list[str] = []
        end = self.text.rfind("\n", 0, first.start_pos) + 1
        while end:
            start = self.text.rfind("\n", 0, end - 1) + 1
            line = self.text[start:end].strip()
            if not line.startswith("#"):
                break
            lines.append(line.removeprefix("#").removeprefix(" "))
            end = start
        return "\n".join(reversed(lines))


def _is_input(parameter: s.Parameter) -> bool:
    return isinstance(parameter.annotation, s.ShapeAnnotation)
