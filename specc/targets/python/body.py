"""Prints a template's forward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from specc.ir.attributes import Attributes, Hole
from specc.ir.graph import Application, CapturedLayer, Operation, OperatorLayer, Read, Transfer
from specc.ir.types import DType, TensorType
from specc.ir.walk import every_node
from specc.ops.code import Call, Code, Lit
from specc.ops.operator import Operator
from specc.targets.python import expressions as py
from specc.targets.python import layout
from specc.targets.python.buffers import snapshots
from specc.targets.python.dtypes import dtype_sources
from specc.targets.python.errors import EmitError
from specc.targets.python.expressions import Expression
from specc.targets.python.forward import Planner, input_names
from specc.targets.python.items import Operand, Statement, Tree
from specc.targets.python.layers import Layers
from specc.targets.python.layout import Doc
from specc.targets.python.loops import container_runs
from specc.targets.python.lowering import Place, code_of, lower
from specc.targets.python.names import LIST_MEMBERS, Scope, identifier
from specc.targets.python.realisations import Holder, Instance
from specc.targets.python.shapes import Shapes
from specc.targets.python.statements import Line, Printer, parenthesized
from specc.targets.python.structure import Structure
from specc.targets.python.variables import assign_names


class Forward:
    """The forward of one template.

    ``lines`` is its text; ``holes`` are then the numbers that it reads from ``self``, by the hole,
    and ``anchors`` the tensors of ``self`` that say where a device is, by the device. ``margin`` is
    how far the text is indented.
    """

    margin = 8

    def __init__(self, structure: Structure, layers: Layers, template: int) -> None:
        self._structure = structure
        self._layers = layers
        self._index = template
        self._template = structure.templates[template]
        self._body = self._template.body
        scope = Scope()
        self._inputs = input_names(self._body, scope)
        self._captured = {
            name: scope.unique(identifier(name, "layer"))
            for name, layer in self._template.layers.items()
            if isinstance(layer, CapturedLayer)
        }
        self._argument_names = scope
        self._every_node = list(every_node(self._body))
        self._kept = snapshots(structure, template)
        self._reads = {
            node.results[0].id: node.path
            for node in self._every_node
            if isinstance(node, Read) and node.results[0].id not in self._kept
        }
        self._nodes = {id(node): index for index, node in enumerate(self._every_node)}
        self._code = self._lowerings()
        self.names: dict[int, str] = {}
        self._dtypes: dict[DType, Expression] | None = None
        self._shapes = Shapes(
            [(self._inputs[value.id], value.type) for value in self._body.inputs],
            {name: Hole(name) for name in self._template.parameters},
            self._hole,
        )
        is_root = template == structure.network.root
        self._checks = structure.checks if is_root else None
        self.holes: dict[str, str] = {}
        self.anchors: dict[str, str] = {}
        names = {name.partition(".")[0] for name in self._template.layers}
        names |= {state.name for state in self._template.state}
        self._members = Scope(LIST_MEMBERS | names)

    @property
    def arguments(self) -> list[str]:
        """The arguments of forward, ``self`` left out."""
        return [*self._inputs.values(), *self._captured.values()]

    def lines(self) -> list[str]:
        """The method's text, indented by one level."""
        runs = container_runs(self._structure, self._index)
        planner = Planner(self._body, self._code, self._random(), self._blocks(), self._kept)
        planner.own_line = {node.results[0].id for run in runs for node in run}
        if self._checks is not None:
            self._shapes.want(self._checks.wanted(self._shapes))
        while True:
            items = planner.plan()
            self.names = assign_names(self._body, items, self._inputs)
            self._dtypes = None
            self._shapes.begin({*self.names.values(), *self.arguments})
            checks = self._check_lines()
            printed = list(Printer(self, runs).lines(items, self.margin))
            if self._shapes.wants_another_pass():
                continue
            too_long = {
                value
                for line in printed
                if line.margin + len(layout.flat(line.doc)) > layout.WIDTH
                for value in self._to_split(line)
            }
            if not too_long:
                break
            planner.own_line |= too_long
        lines = [(self.margin, doc) for doc in self._shapes.statements()]
        lines += checks
        if self._structure.is_plain_sequential(self._index):  # only the checks are its own
            call = py.call(py.SUPER_FORWARD, [py.name(self.arguments[0])])
            lines.append((self.margin, ("return ", call.doc)))
        else:
            for line in printed:
                lines += self._count_lines(line)
                lines.append((line.margin, line.doc))
        body = [" " * margin + layout.render(doc, indent=margin) for margin, doc in lines]
        return [self._signature(), *body]

    def _check_lines(self) -> list[tuple[int, Doc]]:
        if self._checks is None:
            return []
        return [(self.margin + more, doc) for more, doc in self._checks.statements(self._shapes)]

    def _count_lines(self, line: Line) -> list[tuple[int, Doc]]:
        """Counts the batches of layers that are written as functions, which do not do so."""
        found: list[tuple[int, Doc]] = []
        pending = [tree for tree in line.trees if isinstance(tree, Tree)]
        while pending:
            tree = pending.pop()
            pending += tree.children()
            if not isinstance(tree.node, Application):
                continue
            made = self._structure.realise(self._structure.target(self._index, tree.node.layer))
            if not isinstance(made, Holder):
                continue
            for slot in made.slots:
                if slot.name == made.operator.torch.counter:
                    counter = py.attribute(self._layer(tree.node.layer), slot.name)
                    adds = py.call(py.attribute(counter, "add_"), [py.literal(1)])
                    found += [(line.margin, "if self.training:"), (line.margin + 4, adds.doc)]
        return found

    def _random(self) -> frozenset[int]:
        return frozenset(
            index
            for index, node in enumerate(self._every_node)
            if isinstance(node, Operation)
            and self._structure.operator(node.operator).draws(node.attributes)
        )

    def _blocks(self) -> frozenset[int]:
        return frozenset(
            id(node)
            for node in self._every_node
            if isinstance(node, Application) and self._is_block(node)
        )

    def unique(self, name: str) -> str:
        """A variable that nothing else in the forward has."""
        return self._shapes.unique(name)

    def function(
        self,
        name: str,
        positional: Sequence[Expression],
        keywords: Sequence[tuple[str, Expression]],
    ) -> Expression:
        """A call of a function of torch."""
        self._layers.imports.add(name.partition(".")[0])
        return py.call(py.dotted(name), positional, keywords)

    def container(self, path: str) -> Doc:
        """The list that holds the layers whose names begin with ``path``."""
        return self._layers.container(py.SELF, self._index, path).doc

    def _signature(self) -> str:
        arguments = layout.arguments(["self", *self.arguments])
        return "    " + layout.render(("def forward", arguments, ":"), indent=4)

    # ---- statements ------------------------------------------------------------------------------

    def statement(self, statement: Statement) -> Doc:
        """``x = value``, ``return value``, or a value that is computed for what it does."""
        values = [self.operand(tree) for tree in statement.trees]
        if statement.results is None:
            value = py.bare_tuple(values)
            return ("return ", parenthesized(value))
        (value,) = values
        if not statement.results:
            return value.doc
        targets = ", ".join(self.names[result.id] for result in statement.results)
        return (targets, " = ", parenthesized(value))

    def _to_split(self, line: Line) -> list[int]:
        """The value whose computation, on a line of its own, shortens the line most."""
        trees = [tree for tree in line.trees if isinstance(tree, Tree)]
        if len(trees) == 1 and len(line.trees) == 1:
            trees = trees[0].children()
        if not trees:
            return []
        longest = max(trees, key=lambda tree: len(self.operand(tree).text))
        return [longest.node.results[0].id]

    def operand(self, operand: Operand) -> Expression:
        """An expression computed in place, what a state is called, or a variable."""
        if isinstance(operand, Tree):
            return self._tree(operand)
        if operand in self._reads:
            return self.read(self._reads[operand])
        return py.name(self.names[operand])

    def _tree(self, tree: Tree) -> Expression:
        node = tree.node
        operands = [self.operand(operand) for operand in tree.operands]
        if isinstance(node, Transfer):
            (moved,) = operands
            there = py.attribute(self._anchor(node.device), "device")
            return py.call(py.attribute(moved, "to"), [there])
        if isinstance(node, Operation):
            return self._function(tree, node.operator, node.attributes, operands, {})
        key = self._structure.target(self._index, node.layer)
        made = self._structure.realise(key)
        if isinstance(made, Holder):
            layer = self._structure.layer(key)
            assert isinstance(layer, OperatorLayer)
            state = {slot: self.operand(value) for slot, value in tree.borrowed.items()}
            if made.slots:
                owner = self._layer(node.layer)
                state |= {slot.name: py.attribute(owner, slot.name) for slot in made.slots}
            return self._function(tree, layer.operator, layer.attributes, operands, state)
        return py.call(self._layer(node.layer), [*operands, *self.handed(node)])

    def _is_block(self, node: Application) -> bool:
        made = self._structure.realise(self._structure.target(self._index, node.layer))
        return isinstance(made, Instance)

    def type_of(self, value: int) -> TensorType:
        """The type of a value of the body."""
        return self._structure.types_of(self._index)[value]

    def handed(self, node: Application) -> list[Expression]:
        """The layers that the applied template takes, in its order."""
        key = self._structure.target(self._index, node.layer)
        layer = self._structure.layer(key)
        if not node.captured or isinstance(layer, OperatorLayer | CapturedLayer):
            return []
        template = self._structure.templates[layer.template]
        return [
            self._layer(node.captured[name])
            for name, inner in template.layers.items()
            if isinstance(inner, CapturedLayer)
        ]

    def _layer(self, path: str) -> Expression:
        chain = self._structure.chain(self._index, path)
        first = self._structure.layer(chain[0])
        if isinstance(first, CapturedLayer):
            return self._layers.reach(py.name(self._captured[chain[0][1]]), chain[1:])
        return self._layers.reach(py.SELF, chain)

    def read(self, path: str) -> Expression:
        """A state by its path: ``self.weight``, ``self.embed.weight``."""
        if any(state.name == path for state in self._template.state):
            return py.attribute(py.SELF, path)
        owner, _, slot = path.rpartition(".")
        return py.attribute(self._layer(owner), slot)

    # ---- functions -------------------------------------------------------------------------------

    def _lowerings(self) -> dict[int, Code]:
        found: dict[int, Code] = {}
        for index, node in enumerate(self._every_node):
            if isinstance(node, Operation):
                operator, attributes = self._structure.operator(node.operator), node.attributes
            elif isinstance(node, Application):
                made = self._structure.realise(self._structure.target(self._index, node.layer))
                if not isinstance(made, Holder):
                    continue
                operator, attributes = made.operator, made.attributes
            else:
                continue
            site = self._structure.node_site(self._index, node, attributes)
            found[index] = code_of(operator, site)
        return found

    def _function(
        self,
        tree: Tree,
        operator: str,
        attributes: Attributes,
        operands: Sequence[Expression],
        state: Mapping[str, Expression],
    ) -> Expression:
        node = tree.node
        assert not isinstance(node, Transfer)
        types = tuple(self._structure.type_of(self._index, i) for i in node.inputs)
        variables = [
            (expression, type_)
            for expression, type_, operand in zip(operands, types, tree.operands, strict=True)
            if not isinstance(operand, Tree)
        ]
        place = Place(
            operator=self._structure.operator(operator),
            attributes=attributes,
            types=types,
            size=lambda dim: self._shapes.size(dim, variables),
            hole=self._hole,
            operands=operands,
            state=state,
            device=lambda: self._device(node.device),
            float_dtype=self._float_dtype,
            use=self._layers.imports.add,
        )
        code = self._code[self._nodes[id(tree.node)]]
        if isinstance(code, Call) and self._overwrites(tree, place.operator):
            code = replace(code, keywords=(*code.keywords, ("inplace", Lit(True))))
        return lower(code, place)

    def _overwrites(self, tree: Tree, operator: Operator) -> bool:
        """Whether a function puts its result where its first operand stands, which no name does.

        Not where that adds a number or a parameter: there it saves least, and a formula is read.
        """
        first = tree.operands[0] if tree.operands else None
        if not isinstance(first, Tree):
            return False
        maker = self._made_by(first.node)
        if maker not in operator.torch.overwrites:
            return False
        states = [one for one in first.operands if isinstance(one, int) and one in self._reads]
        return len(first.operands) == len(self._structure.operator(maker).inputs) and not states

    def _made_by(self, node: Operation | Application | Transfer) -> str | None:
        """The operator that gives a node's result; None for blocks and moves."""
        if isinstance(node, Application):
            layer = self._structure.layer(self._structure.target(self._index, node.layer))
            return layer.operator if isinstance(layer, OperatorLayer) else None
        return node.operator if isinstance(node, Operation) else None

    def _anchor(self, device: str) -> Expression:
        """The tensor that says where a device is."""
        if device not in self.anchors:
            self.anchors[device] = self._members.unique(identifier(device or "here", "device"))
        return py.attribute(py.SELF, self.anchors[device])

    def _device(self, device: str) -> Expression | None:
        """A tensor on the device that a node runs on: where all run on one, an argument does."""
        if self._structure.is_placed(self._index):
            return self._anchor(device)
        if self._inputs:
            return py.name(next(iter(self._inputs.values())))
        if self._template.state:
            return py.attribute(py.SELF, self._template.state[0].name)
        return None

    def _float_dtype(self, dtype: DType) -> Expression | None:
        """The dtype of an input or a parameter that has this one in the spec."""
        if self._dtypes is None:
            self._dtypes = dtype_sources(
                self._structure, self._index, self.names, self._inputs, self._layer
            )
        return self._dtypes.get(dtype)

    # ---- sizes -----------------------------------------------------------------------------------

    def _hole(self, hole: Hole) -> Expression:
        if hole.name not in self._template.parameters:
            raise EmitError(f"nothing fills the hole {hole.name[:80]!r}")
        if hole.name not in self.holes:
            self.holes[hole.name] = self._members.unique(identifier(hole.name, "number"))
        return py.attribute(py.SELF, self.holes[hole.name])
