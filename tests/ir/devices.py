"""A spec with devices, and edits that each break one invariant of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Tree = dict[str, Any]

DEVICES = """
device left  = cuda:0 | cpu
device right = cuda:1 | cpu

block Cell(x: [N, C]) -> [N, C] {
    h = x |> Linear(C) |> relu
    on right {
        buffer seen: [C] ~ zeros
        if training { seen = mean(h, dim=0) }
        h = h |> Linear(C)
        while sum(h) > 1 { h = h / 2 }
        if sum(h) > 0 { h = h + 1 } else { h = h - seen }
    }
    return x + h
}

net Placed(x: [N, 6]) -> [N, 4] {
    embed = Linear(6)
    x = x |> embed on left |> Cell |> first: [Linear(5) on left, relu, Linear(6) on right]
    return x |> Cell |> Linear(6, bias=false, weight=embed.weight) |> last: Linear(4) on left
}
"""


def _template(tree: Tree, name: str) -> Tree:
    return next(t for t in tree["templates"] if t["name"] == name)


def _nodes(tree: Tree, template: str, kind: str) -> list[Tree]:
    return [n for n in _template(tree, template)["body"]["nodes"] if n["kind"] == kind]


def undeclared_device(tree: Tree) -> None:
    _nodes(tree, "Cell", "transfer")[0]["device"] = "middle"


def undeclared_device_of_a_layer(tree: Tree) -> None:
    _template(tree, "Placed")["layers"]["last"]["device"] = "middle"


def device_twice(tree: Tree) -> None:
    tree["devices"][1]["name"] = "left"


def device_of_no_name(tree: Tree) -> None:
    tree["devices"].append({"name": "x=__import__('os')", "alternatives": ["cpu"], "span": None})


def device_that_is_none(tree: Tree) -> None:
    tree["devices"][0]["alternatives"] = ["cuda:0 or so"]


def device_on_nothing(tree: Tree) -> None:
    tree["devices"][0]["alternatives"] = []


def operation_elsewhere(tree: Tree) -> None:
    _nodes(tree, "Cell", "operation")[0]["device"] = "left"


def layer_elsewhere(tree: Tree) -> None:
    _template(tree, "Placed")["layers"]["last"]["device"] = "right"


def application_elsewhere(tree: Tree) -> None:
    _nodes(tree, "Placed", "application")[-1]["device"] = "right"


def transfer_elsewhere(tree: Tree) -> None:
    _nodes(tree, "Placed", "transfer")[0]["device"] = "right"


def buffer_elsewhere(tree: Tree) -> None:
    _template(tree, "Cell")["state"][0]["device"] = "left"


def loop_that_moves(tree: Tree) -> None:
    _nodes(tree, "Cell", "loop")[0]["body"]["nodes"][-1]["device"] = "left"


def sides_apart(tree: Tree) -> None:
    _nodes(tree, "Cell", "branch")[-1]["otherwise"]["nodes"][-1]["device"] = "left"


def transfer_of_another_type(tree: Tree) -> None:
    _nodes(tree, "Placed", "transfer")[1]["results"][0]["type"] = "f64[6, 6]"


BROKEN_DEVICES: list[tuple[str, str, Callable[[Tree], None]]] = [
    ("declared-devices", DEVICES, undeclared_device),
    ("declared-devices", DEVICES, undeclared_device_of_a_layer),
    ("declared-devices", DEVICES, device_twice),
    ("declared-devices", DEVICES, device_of_no_name),
    ("declared-devices", DEVICES, device_that_is_none),
    ("declared-devices", DEVICES, device_on_nothing),
    ("met-operands", DEVICES, operation_elsewhere),
    ("met-operands", DEVICES, layer_elsewhere),
    ("met-operands", DEVICES, application_elsewhere),
    ("met-operands", DEVICES, transfer_elsewhere),
    ("met-operands", DEVICES, buffer_elsewhere),
    ("met-operands", DEVICES, loop_that_moves),
    ("met-operands", DEVICES, sides_apart),
    ("inferred-types", DEVICES, transfer_of_another_type),
]
