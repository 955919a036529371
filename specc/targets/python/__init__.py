"""A network as readable Python source that needs nothing but torch."""

from __future__ import annotations

from collections.abc import Mapping

from specc.collector import resting_collector
from specc.frontend.diagnostics import Fault
from specc.ir.graph import Network
from specc.ops.operator import Operator
from specc.targets.facts import TargetUnsupported
from specc.targets.python import literals
from specc.targets.python.body import Forward
from specc.targets.python.classes import ClassWriter
from specc.targets.python.errors import EmitError
from specc.targets.python.forward import input_names
from specc.targets.python.initial import InitialValues
from specc.targets.python.layers import Layers
from specc.targets.python.lowering import import_name
from specc.targets.python.names import Scope, class_name
from specc.targets.python.structure import Structure

__all__ = [
    "EmitError",
    "anchors",
    "argument_names",
    "class_names",
    "device_arguments",
    "root_class",
    "source",
]


@resting_collector()
def source(
    network: Network, operators: Mapping[str, Operator] | None = None, *, standalone: bool = False
) -> str:
    """The Python source of ``network``: one class a block, the net's own class last.

    ``operators`` is the table of operators, by default the built-in ones. Formatted as ruff would.
    Raises EmitError for a network that no elaboration gives, and a Fault with TargetUnsupported for
    one that the source cannot have: a ``standalone`` one is run by another program than this, so
    it cannot import a function that is defined in ``__main__``.
    """
    structure = Structure(network, operators)
    order = structure.classes()
    layers = Layers(structure, class_names(structure, order))
    initial = InitialValues(structure, layers)
    classes = [
        "\n".join(ClassWriter(structure, layers, initial, template).lines()) for template in order
    ]
    functions = initial.functions.sources()
    if standalone and "import __main__" in layers.imports:
        advice = "a function that it calls is in `__main__`; move it to a module of its own"
        raise Fault(
            TargetUnsupported(
                operator=network.name, path="", target="a file of its own", advice=advice
            )
        )
    head = [_header(network), *_imports(layers.imports)]
    return "\n\n\n".join(["\n".join(head), *functions, *classes]) + "\n"


def anchors(
    network: Network, operators: Mapping[str, Operator] | None = None
) -> dict[int, dict[str, str]]:
    """For each template: by device, the attribute whose tensor says in the source where it is."""
    if not network.devices:
        return {}
    structure = Structure(network, operators)
    layers = Layers(structure, class_names(structure, structure.classes()))
    found: dict[int, dict[str, str]] = {}
    for template in range(len(network.templates)):
        if structure.is_placed(template) and structure.has_forward(template):
            forward = Forward(structure, layers, template)
            forward.lines()
            found[template] = forward.anchors
    return found


def device_arguments(
    network: Network, operators: Mapping[str, Operator] | None = None
) -> dict[str, str]:
    """What the arguments of the net's class are called, by the devices that it names."""
    if not network.devices:
        return {}
    structure = Structure(network, operators)
    return {d: structure.device_arguments[d] for d in structure.devices(network.root)}


def root_class(network: Network) -> str:
    """The name of the net's own class in the source."""
    return Scope().unique(class_name(network.name, "Net"))


def argument_names(network: Network) -> list[str]:
    """What the arguments of the net's forward are called, in order."""
    return list(input_names(network.templates[network.root].body, Scope()).values())


def class_names(structure: Structure, order: list[int]) -> dict[int, str]:
    """The class of each template; the net's is chosen first, so that it is called as the net is."""
    scope = Scope()
    root = structure.network.root
    names = {root: scope.unique(root_class(structure.network))}
    for template in order:
        if template != root:
            wanted = class_name(structure.templates[template].name, "Block")
            names[template] = scope.unique(wanted)
    return names


def _header(network: Network) -> str:
    name = network.sources[0].name if network.sources else ""
    origin = f" from {name}" if name and not name.startswith("<") else ""  # <text> is no file
    return literals.comment(f"{network.name}, compiled by {network.compiler}{origin}")


def _imports(used: set[str]) -> list[str]:
    lines = []
    if "math" in used:
        lines.append("import math")
    if "OrderedDict" in used:
        lines.append("from collections import OrderedDict")
    lines += [""] if lines else []
    if "torch" in used:
        lines.append("import torch")
    if "F" in used:
        lines.append("import torch.nn.functional as F")
    lines.append("from torch import nn")
    own = sorted(use.removeprefix("import ") for use in used if use.startswith("import "))
    names = [import_name(module) for module in own]
    if len(set(names)) < len(names):
        raise EmitError(f"modules whose names are alike: {', '.join(own)}")
    lines += [""] if own else []
    lines += [f"import {module} as {name}" for module, name in zip(own, names, strict=True)]
    return lines
