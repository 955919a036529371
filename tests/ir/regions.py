"""A spec with loops and branches, and edits that each break one invariant of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Tree = dict[str, Any]

CONTROL = """
block Running(momentum = 0.1)(x: [N, C]) -> [N, C] {
    buffer average: [C] ~ zeros
    if training { average = (1 - momentum) * average + momentum * mean(x, dim=0) }
    return x - average
}

block Settle(limit: float)(x: [N, C]) -> [N, C] {
    step = Linear(C)
    while sum(abs(x)) > limit {
        if mean(x) > 0 { x = step(x) / 2 } else { x = x / 4 }
    }
    return x
}

net Control(x: [N, 6]) -> [N, 6] {
    turns = sum(x)
    x = x |> Running |> Running(0.2) |> Settle(2.0) |> Settle(1.5)
    while turns > 0 { turns = turns - 1 }
    if turns < -3 { x = x * 2 }
    return x + turns
}
"""


SCANNED = """
block Cell(x: [N, D], h: [N, H]) -> ([N, H], [N, H]) {
    step = Linear(H)
    h = tanh(step(x) + h)
    return h, h * 2
}

net Scanned(x: [N, T, 4], z: [N, T], short: [N, 3, 4]) -> ([N, T, 6], [N, 6], [N, T]) {
    ys, h = scan(Cell(), x, zeros(N, 6), dim=1)
    sums, _s = scan(add, z, zeros(N), dim=1)
    return ys, h + mean(short), sums
}
"""


def _template(tree: Tree, name: str) -> Tree:
    return next(t for t in tree["templates"] if t["name"] == name)


def _node(tree: Tree, template: str, kind: str) -> Tree:
    return next(n for n in _template(tree, template)["body"]["nodes"] if n["kind"] == kind)


def loop(tree: Tree) -> Tree:
    """That of ``Settle``."""
    return _node(tree, "Settle", "loop")


def branch(tree: Tree) -> Tree:
    """That of ``Running``, of which one side sets the buffer."""
    return _node(tree, "Running", "branch")


def write(tree: Tree) -> Tree:
    """The node that sets the buffer."""
    found: Tree = next(n for n in branch(tree)["then"]["nodes"] if n["kind"] == "write")
    return found


# ---- scopes --------------------------------------------------------------------------------------


def value_of_a_region_used_outside(tree: Tree) -> None:
    inside = loop(tree)["body"]["nodes"][0]["results"][0]["id"]
    _template(tree, "Settle")["body"]["results"] = [inside]


def value_of_one_side_used_in_the_other(tree: Tree) -> None:
    inside = next(n for n in branch(tree)["then"]["nodes"] if n["kind"] == "operation")
    branch(tree)["otherwise"]["results"] = [inside["results"][0]["id"]]


def value_of_the_body_used_in_the_condition(tree: Tree) -> None:
    carried = loop(tree)["body"]["inputs"][0]["id"]
    loop(tree)["condition"]["nodes"][0]["inputs"] = [carried]


def condition_from_nowhere(tree: Tree) -> None:
    branch(tree)["condition"] = 999


def written_value_from_nowhere(tree: Tree) -> None:
    write(tree)["value"] = 999


def carried_value_from_nowhere(tree: Tree) -> None:
    loop(tree)["inputs"] = [999]


def region_result_from_nowhere(tree: Tree) -> None:
    loop(tree)["body"]["results"] = [999]


def result_of_a_loop_inside_it(tree: Tree) -> None:
    loop(tree)["body"]["results"] = [loop(tree)["results"][0]["id"]]


def repeated_value_of_a_region(tree: Tree) -> None:
    """Ids are unique in a whole body, in regions that do not see each other too."""
    taken = loop(tree)["condition"]["inputs"][0]["id"]
    body = loop(tree)["body"]
    body["nodes"][-1]["results"][0]["id"] = taken
    body["results"] = [taken]


# ---- what is inside a region is looked at --------------------------------------------------------


def unknown_operator_in_a_region(tree: Tree) -> None:
    loop(tree)["condition"]["nodes"][0]["operator"] = "summ"


def unknown_layer_in_a_region(tree: Tree) -> None:
    inner = next(n for n in loop(tree)["body"]["nodes"] if n["kind"] == "branch")
    applied = next(n for n in inner["then"]["nodes"] if n["kind"] == "application")
    applied["layer"] = "stepp"


def undeclared_hole_in_a_region(tree: Tree) -> None:
    loop(tree)["body"]["inputs"][0]["type"] = "f32[N, $wide]"


def wrong_type_in_a_region(tree: Tree) -> None:
    condition = loop(tree)["condition"]
    condition["nodes"][0]["results"][0]["type"] = "f32[N, 7]"


def bad_name_in_a_region(tree: Tree) -> None:
    loop(tree)["body"]["inputs"][0]["name"] = "a b"


def place_of_a_region_outside(tree: Tree) -> None:
    loop(tree)["condition"]["nodes"][0]["span"][2] = 10**6


def endless_path_in_a_region(tree: Tree) -> None:
    write(tree)["name"] = "a" * 5000


# ---- types ---------------------------------------------------------------------------------------


def condition_that_is_no_bool(tree: Tree) -> None:
    condition = loop(tree)["condition"]
    condition["results"] = [condition["nodes"][0]["results"][0]["id"]]


def two_conditions(tree: Tree) -> None:
    condition = loop(tree)["condition"]
    condition["results"] = condition["results"] * 2


def branch_on_a_tensor(tree: Tree) -> None:
    _node(tree, "Control", "branch")["condition"] = 0


def body_that_forgets_a_value(tree: Tree) -> None:
    loop(tree)["body"]["results"] = []


def body_that_changes_a_shape(tree: Tree) -> None:
    root = _node(tree, "Control", "loop")
    root["body"]["results"] = [0]


def side_with_an_input(tree: Tree) -> None:
    branch(tree)["then"]["inputs"] = [{"id": 700, "type": "f32[6]", "name": ""}]


def side_that_gives_nothing(tree: Tree) -> None:
    branch(tree)["then"]["results"] = []


# ---- buffers -------------------------------------------------------------------------------------


def write_of_no_buffer(tree: Tree) -> None:
    write(tree)["name"] = "averag"


def write_of_another_type(tree: Tree) -> None:
    write(tree)["value"] = 0


def write_with_a_result(tree: Tree) -> None:
    write(tree)["results"] = [{"id": 700, "type": "f32[6]", "name": ""}]


# ---- scans ---------------------------------------------------------------------------------------


def scan(tree: Tree) -> Tree:
    """That of ``Scanned`` over ``x``, the first of its inputs; ``short`` is the third."""
    return _node(tree, "Scanned", "scan")


def scan_over_nothing(tree: Tree) -> None:
    scan(tree)["sequences"] = []


def scan_along_no_dim(tree: Tree) -> None:
    scan(tree)["dim"] = 3


def scan_along_a_negative_dim(tree: Tree) -> None:
    scan(tree)["dim"] = -2


def scan_of_two_lengths(tree: Tree) -> None:
    scan(tree)["sequences"] = [0, 2]


def scan_that_collects_a_scalar(tree: Tree) -> None:
    """Along dim 1, where only a tensor of one dim or more can be stacked."""
    body = scan(tree)["body"]
    one = {"operator": "full", "attributes": {"sizes": [], "value": 1.0, "dtype": {"dtype": "f32"}}}
    body["nodes"].append(
        {"kind": "operation", **one, "results": [{"id": 700, "type": "f32[]", "name": ""}]}
    )
    body["results"][0] = 700


def scanned_entry_of_another_type(tree: Tree) -> None:
    scan(tree)["dim"] = 2


def scan_that_forgets_a_state(tree: Tree) -> None:
    scan(tree)["body"]["results"] = []


def scan_that_collects_more_than_it_gives(tree: Tree) -> None:
    body = scan(tree)["body"]
    body["results"] = [body["results"][0], *body["results"]]


def scanned_value_from_nowhere(tree: Tree) -> None:
    scan(tree)["sequences"] = [999]


def state_of_a_scan_from_nowhere(tree: Tree) -> None:
    scan(tree)["inputs"] = [999]


def value_of_a_scan_used_outside(tree: Tree) -> None:
    inside = scan(tree)["body"]["results"][0]
    _template(tree, "Scanned")["body"]["results"][0] = inside


BROKEN_REGIONS: list[tuple[str, str, Callable[[Tree], None]]] = [
    ("defined-values", CONTROL, value_of_a_region_used_outside),
    ("defined-values", CONTROL, value_of_one_side_used_in_the_other),
    ("defined-values", CONTROL, value_of_the_body_used_in_the_condition),
    ("defined-values", CONTROL, condition_from_nowhere),
    ("defined-values", CONTROL, written_value_from_nowhere),
    ("defined-values", CONTROL, carried_value_from_nowhere),
    ("defined-values", CONTROL, region_result_from_nowhere),
    ("defined-values", CONTROL, result_of_a_loop_inside_it),
    ("unique-values", CONTROL, repeated_value_of_a_region),
    ("known-operators", CONTROL, unknown_operator_in_a_region),
    ("existing-layers", CONTROL, unknown_layer_in_a_region),
    ("declared-holes", CONTROL, undeclared_hole_in_a_region),
    ("inferred-types", CONTROL, wrong_type_in_a_region),
    ("valid-names", CONTROL, bad_name_in_a_region),
    ("places-in-sources", CONTROL, place_of_a_region_outside),
    ("bounded-paths", CONTROL, endless_path_in_a_region),
    ("fitting-regions", CONTROL, condition_that_is_no_bool),
    ("fitting-regions", CONTROL, two_conditions),
    ("fitting-regions", CONTROL, branch_on_a_tensor),
    ("fitting-regions", CONTROL, body_that_forgets_a_value),
    ("fitting-regions", CONTROL, body_that_changes_a_shape),
    ("fitting-regions", CONTROL, side_with_an_input),
    ("fitting-regions", CONTROL, side_that_gives_nothing),
    ("fitting-regions", SCANNED, scan_over_nothing),
    ("fitting-regions", SCANNED, scan_along_no_dim),
    ("fitting-regions", SCANNED, scan_along_a_negative_dim),
    ("fitting-regions", SCANNED, scan_of_two_lengths),
    ("fitting-regions", SCANNED, scan_that_collects_a_scalar),
    ("fitting-regions", SCANNED, scanned_entry_of_another_type),
    ("fitting-regions", SCANNED, scan_that_forgets_a_state),
    ("fitting-regions", SCANNED, scan_that_collects_more_than_it_gives),
    ("defined-values", SCANNED, scanned_value_from_nowhere),
    ("defined-values", SCANNED, state_of_a_scan_from_nowhere),
    ("defined-values", SCANNED, value_of_a_scan_used_outside),
    ("declared-buffers", CONTROL, write_of_no_buffer),
    ("declared-buffers", CONTROL, write_of_another_type),
    ("declared-buffers", CONTROL, write_with_a_result),
]
