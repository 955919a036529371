"""What a picture shows, before anything has a place: boxes, what is in them, what they exchange.

A chain of layers is one box of rows. A block is a box with a figure of its own; the first use of a
block is drawn whole, later ones as a line, and equal ones in a row as one with a count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from specc.ir.flatten import (
    Activation,
    FlatBranch,
    FlatLoop,
    FlatNetwork,
    FlatNode,
    FlatOperation,
    FlatRegion,
    FlatScan,
    FlatValue,
    FlatWrite,
    StateValue,
    flatten,
)
from specc.ir.graph import Network
from specc.ops.operator import Operator
from specc.picture.boxes import Box, Figure, Row
from specc.picture.folding import folded, merged
from specc.picture.text import call_text, relative, type_text


def figure_of(network: Network, operators: Mapping[str, Operator]) -> Figure:
    """The figure of a whole network."""
    flat = flatten(network)
    builder = _Builder(operators, _readers(flat))
    inputs = [(port.name, value) for port, value in zip(network.inputs, flat.inputs, strict=True)]
    outputs = [
        (port.name, value) for port, value in zip(network.outputs, flat.outputs, strict=True)
    ]
    return builder.figure(None, flat.operations, inputs, outputs)


class _Builder:
    def __init__(
        self, operators: Mapping[str, Operator], readers: Mapping[FlatValue, set[Activation | None]]
    ) -> None:
        self._operators = operators
        self._readers = readers
        self._drawn: dict[object, str] = {}  # what was drawn whole: the name of the first use
        self._applied: dict[str, FlatOperation] = {}  # layers with state, by full name

    def figure(
        self,
        scope: Activation | None,
        nodes: Sequence[FlatNode],
        inputs: Sequence[tuple[str, FlatValue]],
        outputs: Sequence[tuple[str, FlatValue]],
    ) -> Figure:
        """The figure of what one activation, or a region in it, runs."""
        boxes = [
            Box("input", name, type_text(value.type), outputs=[value]) for name, value in inputs
        ]
        boxes += self._boxes(scope, nodes)
        boxes += [
            Box("output", name, type_text(value.type), inputs=[value]) for name, value in outputs
        ]
        return Figure(merged(folded(boxes)))

    def _boxes(self, scope: Activation | None, nodes: Sequence[FlatNode]) -> Iterator[Box]:
        for inner, group in _grouped(scope, nodes):
            if inner is not None:
                yield self._block(inner, group)
                continue
            for node in group:
                if isinstance(node, FlatOperation):
                    yield self._operation(node)
                elif isinstance(node, FlatWrite):
                    row = Row("", f"set {relative(node.name, node.within)}", "state", "")
                    yield Box("rows", rows=[row], inputs=_tensors([node.value]))
                else:
                    yield self._region(scope, node)

    def _operation(self, node: FlatOperation) -> Box:
        operator = self._operators[node.operator]
        name = relative(node.path, node.within) if node.is_layer else ""
        row = Row(
            name=name,
            text=call_text(operator, node.attributes),
            family=_family(operator),
            shape=", ".join(type_text(value.type) for value in node.results),
            note=self._note(node),
            tip=node.path if node.is_layer else "",
        )
        signature = ("row", row.text, row.shape, row.note, bool(node.is_layer))
        return Box(
            "rows",
            rows=[row],
            inputs=_tensors(node.inputs),
            outputs=list(node.results),
            signature=signature,
        )

    def _note(self, node: FlatOperation) -> str:
        """The parameters that it reads from elsewhere: shared ones, and those of the block."""
        read = [value for value in node.inputs if isinstance(value, StateValue)]
        borrowed = [value for value in node.state.values() if isinstance(value, StateValue)]
        notes = [relative(value.name, node.within) for value in read]
        notes += [f"shares {value.name}" for value in borrowed]
        if node.is_layer and node.state:
            first = self._applied.setdefault(node.path, node)
            if first is not node:
                notes.append("the same layer again")
        if node.device != node.within.device:
            notes.append(f"on {node.device}")
        return ", ".join(notes)

    def _block(self, inner: Activation, nodes: Sequence[FlatNode]) -> Box:
        template = inner.template
        inputs, made = _exchanged(nodes)
        outputs = [
            value
            for value in made
            if any(not _is_in(reader, inner) for reader in self._readers.get(value, ()))
        ]
        name = relative(inner.path, inner.parent) if inner.parent else inner.path
        kind = {"sequence": "", "branches": ""}.get(template.kind, template.name)
        holes = tuple(sorted((key, str(value)) for key, value in inner.holes.items()))
        # A list has no heading that would tell its numbers, so it is drawn anew for others.
        seen = (id(template), () if kind else holes)
        first = self._drawn.setdefault(seen, inner.path)
        numbers = {key: value for key, value in inner.holes.items() if key in template.parameters}
        detail = call_text(None, numbers, kind) if kind else ""
        if inner.parent is not None and inner.device != inner.parent.device:
            detail = f"{detail} on {inner.device}".lstrip()
        box = Box(
            "block",
            title=name,
            detail=detail,
            inputs=inputs,
            outputs=outputs,
            signature=(id(template), holes),
        )
        if first != inner.path:
            shape = ", ".join(type_text(value.type) for value in outputs)
            box.rows = [Row(name, detail or f"as {first}", "block", shape, "", inner.path)]
        else:
            names = [v.name for v in inputs] if len(inputs) > 1 else [""] * len(inputs)
            box.figures = [
                (
                    "",
                    self.figure(
                        inner, nodes, list(zip(names, inputs, strict=True)), _unnamed(outputs)
                    ),
                )
            ]
        return box

    def _region(self, scope: Activation | None, node: FlatBranch | FlatLoop | FlatScan) -> Box:
        results = list(node.results)
        if isinstance(node, FlatLoop):
            figures = [
                ("while", self._side(scope, node.condition)),
                ("repeat", self._side(scope, node.body)),
            ]
            inside = [node.condition, node.body]
            inputs, kind = list(node.inputs), "while"
        elif isinstance(node, FlatScan):
            figures = [("at each step", self._side(scope, node.body))]
            inside = [node.body]
            order = ", last entry first" if node.backward else ""
            inputs, kind = [*node.sequences, *node.inputs], f"scan over {node.length}{order}"
        else:
            figures = [("then", self._side(scope, node.then))]
            if node.otherwise.operations:
                figures.append(("else", self._side(scope, node.otherwise)))
            inside = [node.then, node.otherwise]
            inputs, kind = [node.condition], "if"
        for region in inside:
            seen, _ = _exchanged(region.operations)
            inputs += [value for value in seen if value not in region.inputs]
        return Box(
            "region",
            detail=kind,
            figures=figures,
            inputs=list(dict.fromkeys(_tensors(inputs))),
            outputs=results,
        )

    def _side(self, scope: Activation | None, region: FlatRegion) -> Figure:
        inputs = [(value.name, value) for value in region.inputs]
        return self.figure(scope, region.operations, inputs, _unnamed(region.outputs))


def _family(operator: Operator) -> str:
    """What a row's colour stands for."""
    if operator.family == "attention":
        return "attention"
    return "parameters" if operator.state else "layer" if operator.layer else "function"


# ---- grouping ------------------------------------------------------------------------------------


def _grouped(
    scope: Activation | None, nodes: Sequence[FlatNode]
) -> Iterator[tuple[Activation | None, list[FlatNode]]]:
    """Runs of nodes that stand in one block of ``scope``; None for those of ``scope`` itself."""
    run: list[FlatNode] = []
    current: Activation | None = None
    for node in nodes:
        inner = _child(scope, node.within)
        if run and inner is not current:
            yield current, run
            run = []
        current = inner
        run.append(node)
    if run:
        yield current, run


def _child(scope: Activation | None, within: Activation) -> Activation | None:
    """The use of a block directly inside ``scope`` that ``within`` lies in."""
    step: Activation = within
    if scope is None:  # the network's own activation is the outermost
        while step.parent is not None and step.parent.parent is not None:
            step = step.parent
        return step if step.parent is not None else None
    inner: Activation | None = None
    while step is not scope:
        inner = step
        assert step.parent is not None, "a node stands in the block that it is drawn in"
        step = step.parent
    return inner


def _is_in(step: Activation | None, scope: Activation) -> bool:
    """Whether an activation is ``scope``, or stands in it."""
    while step is not None and step is not scope:
        step = step.parent
    return step is scope


def _readers(flat: FlatNetwork) -> dict[FlatValue, set[Activation | None]]:
    """Who uses each value: the block that a user stands in, None for the network's outputs."""
    readers: dict[FlatValue, set[Activation | None]] = {}
    for value in flat.outputs:
        readers.setdefault(value, set()).add(None)
    pending = list(flat.operations)
    while pending:
        node = pending.pop()
        read = list(_read(node))
        for region in _regions(node):
            read += region.outputs
            pending += region.operations
        for value in read:
            readers.setdefault(value, set()).add(node.within)
    return readers


def _regions(node: FlatNode) -> list[FlatRegion]:
    if isinstance(node, FlatLoop):
        return [node.condition, node.body]
    if isinstance(node, FlatScan):
        return [node.body]
    return [node.then, node.otherwise] if isinstance(node, FlatBranch) else []


def _tensors(values: Sequence[FlatValue]) -> list[FlatValue]:
    return [value for value in values if not isinstance(value, StateValue)]


def _unnamed(values: Sequence[FlatValue]) -> list[tuple[str, FlatValue]]:
    return [("", value) for value in values]


def _exchanged(nodes: Sequence[FlatNode]) -> tuple[list[FlatValue], list[FlatValue]]:
    """What nodes take from outside, and all that they make."""
    made: dict[FlatValue, None] = {}
    taken: dict[FlatValue, None] = {}
    for node in nodes:
        for value in _tensors(_read(node)):
            if value not in made:
                taken[value] = None
        made.update(dict.fromkeys(() if isinstance(node, FlatWrite) else node.results))
    return list(taken), list(made)


def _read(node: FlatNode) -> list[FlatValue]:
    if isinstance(node, FlatOperation):
        return [*node.inputs, *(v for v in node.state.values() if isinstance(v, FlatValue))]
    if isinstance(node, FlatWrite):
        return [node.value]
    if isinstance(node, FlatBranch):
        found = [node.condition]
    else:
        found = [*(node.sequences if isinstance(node, FlatScan) else ()), *node.inputs]
    for region in _regions(node):
        taken, _ = _exchanged(region.operations)
        found += [value for value in taken if value not in region.inputs]
    return found
