"""Every way in which a network applies its templates: the holes filled, the types concrete.

Two applications with the same fillings and the same layers handed in are one activation, so a block
that is used a thousand times alike is looked at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from specc.invariants.bounds import MAX_NODES, MAX_RANK, MAX_SIZE
from specc.invariants.problem import Finding, node_at, quoted, template_at
from specc.invariants.view import View
from specc.ir.attributes import Attribute, fill, size_environment
from specc.ir.dims import Dim, substitute, symbols_of
from specc.ir.graph import (
    Application,
    BlockLayer,
    CapturedLayer,
    OperatorLayer,
    Template,
)
from specc.ir.names import join
from specc.ir.types import TensorType
from specc.ir.walk import every_node, regions_of

Holes = Mapping[str, Attribute]


@dataclass(frozen=True)
class Resolved:
    """What a path of a body leads to: a declaration and the numbers that its holes refer to.

    ``path`` is relative to the layer that was handed in as ``captured``, or to the body's own
    layers where that is None.
    """

    layer: OperatorLayer | BlockLayer
    holes: Holes
    path: str
    captured: str | None


@dataclass(eq=False)
class Activation:
    """One way in which a template is applied.

    ``targets`` and ``inner`` give for the positions of applications, among all nodes of the body
    and its regions, what is applied, and the activation of a block's template.
    """

    index: int
    template: Template
    holes: Holes
    captured: Mapping[str, Resolved]
    types: dict[int, TensorType] = field(default_factory=dict)
    targets: dict[int, Resolved] = field(default_factory=dict)
    handed: dict[int, dict[str, Resolved]] = field(default_factory=dict)
    inner: dict[int, Activation] = field(default_factory=dict)


@dataclass
class Exploration:
    """All activations, the root's first, and what is wrong with how they refer to one another."""

    root: Activation
    activations: list[Activation] = field(default_factory=list)
    findings: dict[str, list[Finding]] = field(default_factory=lambda: defaultdict(list))


def layers_resolve(view: View) -> Iterator[Finding]:
    """Every path of an application leads to a layer, through templates and layers handed in."""
    yield from view.exploration.findings["layers"]


def sizes_are_filled(view: View) -> Iterator[Finding]:
    """An application gives its template's ``sizes``, all of them and nothing else."""
    yield from view.exploration.findings["sizes"]


def layers_are_handed_in(view: View) -> Iterator[Finding]:
    """An application hands its template the layers that this captures, and nothing else."""
    yield from view.exploration.findings["captured"]


def sizes_are_bounded(view: View) -> Iterator[Finding]:
    """With its holes filled, a size is neither negative nor beyond what an index can count."""
    yield from view.exploration.findings["bounds"]


def sizes_are_known(view: View) -> Iterator[Finding]:
    """With its holes filled, a type depends on nothing but the symbols of the network's inputs."""
    yield from view.exploration.findings["symbols"]


def explore(view: View) -> Exploration:
    """Finds all activations; without recursion."""
    network = view.network
    root = Activation(network.root, network.templates[network.root], {}, {})
    exploration = Exploration(root, [root])
    known: dict[object, Activation] = {}
    nodes = 0
    for activation in exploration.activations:  # grows while it is walked
        nodes += view.node_count(activation.index)
        if nodes > MAX_NODES:
            where = template_at(network, activation.index)
            exploration.findings["bounds"].append(
                Finding(where, f"the network expands to more than {MAX_NODES:,} nodes")
            )
            break
        _Explorer(view, exploration, activation, known).run()
    return exploration


class _Explorer:
    """Fills in one activation and finds those inside it."""

    def __init__(
        self,
        view: View,
        exploration: Exploration,
        activation: Activation,
        known: dict[object, Activation],
    ) -> None:
        self.view = view
        self.exploration = exploration
        self.activation = activation
        self.known = known
        self.sizes = size_environment(activation.holes)
        self.checked: set[TensorType] = set()

    def run(self) -> None:
        activation = self.activation
        for value in activation.template.body.inputs:
            activation.types[value.id] = self._filled(value.type, -1)
        for position, node in enumerate(every_node(activation.template.body)):
            inputs = (value for region in regions_of(node) for value in region.inputs)
            for value in (*inputs, *node.results):
                activation.types[value.id] = self._filled(value.type, position)
            if isinstance(node, Application):
                self._application(position, node)

    def _report(self, invariant: str, position: int, text: str) -> None:
        index = self.activation.index
        network = self.view.network
        where = template_at(network, index) if position < 0 else node_at(network, index, position)
        self.exploration.findings[invariant].append(Finding(where, text))

    # ---- sizes -----------------------------------------------------------------------------------

    def _filled(self, type_: TensorType, position: int) -> TensorType:
        filled = type_
        if self.sizes and not type_.is_static:
            filled = type_.with_shape(tuple(self._substituted(d, position) for d in type_.shape))
        if filled not in self.checked:
            self.checked.add(filled)
            if filled.rank > MAX_RANK:
                self._report("bounds", position, f"a tensor has more than {MAX_RANK} dims")
            for dim in filled.shape:
                self._check(dim, position)
        return filled

    def _substituted(self, dim: Dim, position: int) -> Dim:
        try:
            return substitute(dim, self.sizes)
        except (ValueError, ZeroDivisionError) as error:
            self._report("bounds", position, f"{quoted(str(dim))} has no value: {error}")
            return 1

    def _check(self, dim: Dim, position: int) -> None:
        if isinstance(dim, int):
            if not 0 <= dim <= MAX_SIZE:
                self._report("bounds", position, f"{quoted(str(dim))} is no size")
            return
        unknown = symbols_of(dim) - self.view.symbols
        if unknown:
            self._report("symbols", position, f"no input has the size {quoted(min(unknown))}")

    # ---- applications ----------------------------------------------------------------------------

    def _application(self, position: int, node: Application) -> None:
        activation = self.activation
        network = self.view.network
        target = resolve(self.view, activation, node.layer)
        if target is None:
            self._report("layers", position, f"there is no layer {quoted(node.layer)}")
            return
        activation.targets[position] = target
        handed: dict[str, Resolved] = {}
        for name, path in node.captured.items():
            found = resolve(self.view, activation, path)
            if found is None:
                self._report("layers", position, f"there is no layer {quoted(path)}")
                return
            handed[name] = found
        activation.handed[position] = handed
        if isinstance(target.layer, OperatorLayer):
            if node.sizes:
                self._report("sizes", position, "an operator's layer takes no sizes")
            if handed:
                self._report("captured", position, "an operator's layer takes no other layers")
            return
        template = network.templates[target.layer.template]
        if set(node.sizes) != set(template.sizes):
            self._report("sizes", position, f"the sizes of {quoted(template.name)} are others")
            return
        if set(handed) != self.view.captured_names(target.layer.template):
            text = f"the layers that {quoted(template.name)} captures are others"
            self._report("captured", position, text)
            return
        holes = filled_arguments(target)
        holes |= {name: self._substituted(dim, position) for name, dim in node.sizes.items()}
        activation.inner[position] = self._activation(target.layer.template, holes, handed)

    def _activation(
        self, index: int, holes: dict[str, Attribute], handed: dict[str, Resolved]
    ) -> Activation:
        key = (index, _key(holes), tuple((n, _identity(r)) for n, r in sorted(handed.items())))
        if key not in self.known:
            template = self.view.network.templates[index]
            # Those handed in are the caller's: under the callee's names, nothing is captured twice.
            captured = {n: Resolved(r.layer, r.holes, "", n) for n, r in handed.items()}
            self.known[key] = Activation(index, template, holes, captured)
            self.exploration.activations.append(self.known[key])
        return self.known[key]


def _key(holes: Holes) -> tuple[object, ...]:
    """Fillings as a key that tells 1 from 1.0 and from true."""
    return tuple((name, type(value), value) for name, value in sorted(holes.items()))


def _identity(resolved: Resolved) -> tuple[object, ...]:
    return id(resolved.layer), _key(resolved.holes)


def filled_arguments(target: Resolved) -> dict[str, Attribute]:
    """What the layer's template has in place of its parameters."""
    assert isinstance(target.layer, BlockLayer)
    return {name: fill(value, target.holes) for name, value in target.layer.arguments.items()}


def resolve(view: View, activation: Activation, path: str) -> Resolved | None:
    """What ``path`` leads to in a body; None where it leads nowhere.

    Names may hold dots themselves, so the longest declared one is taken at each step.
    """
    index, captured = activation.index, activation.captured
    reached: Resolved | None = None
    parts = path.split(".")
    start = 0
    while start < len(parts):
        layers = view.network.templates[index].layers
        end = min(len(parts), start + view.longest_name(index))
        while end > start and ".".join(parts[start:end]) not in layers:
            end -= 1
        if end == start:
            return None
        name = ".".join(parts[start:end])
        layer = layers[name]
        if isinstance(layer, CapturedLayer):
            if name not in captured:
                return None
            reached = captured[name]
        elif reached is None:
            reached = Resolved(layer, activation.holes, name, None)
        else:
            full = join(reached.path, name)
            reached = Resolved(layer, filled_arguments(reached), full, reached.captured)
        start = end
        if start < len(parts):
            if not isinstance(reached.layer, BlockLayer):
                return None
            index, captured = reached.layer.template, {}
    return reached
