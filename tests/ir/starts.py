"""A network whose initial values are defined and edited, and ways to break what says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Tree = dict[str, Any]

STARTS = """
init halves(limit = 2)(w: [...]) {
    w ~ uniform(-limit, limit)
    sign ~ normal
    return where(sign > 0, w, 0.5 * w)
}
net Starts(x: [N, 6]) -> [N, 4] {
    const order: i64[3] ~ zeros
    const flags: bool[3] ~ zeros
    (x |> fc: Linear(4)) + sum(order) + sum(i64(flags))
}
init {
    "fc.weight" ~ halves
    "fc.weight"[0, 1:3] = 42
    "order"[-1] = 7
    "flags"[0] = true
}
"""


def parameter(tree: Tree, name: str) -> Tree:
    return next(p for p in tree["parameters"] if p["name"] == name)


def definition(tree: Tree) -> Tree:
    found: Tree = parameter(tree, "fc.weight")["initializer"]
    return found


def edit(tree: Tree, name: str = "fc.weight") -> Tree:
    found: Tree = parameter(tree, name)["edits"][0]
    return found


def edit_outside_the_tensor(tree: Tree) -> None:
    edit(tree)["index"] = [4]


def edit_of_too_many_dims(tree: Tree) -> None:
    edit(tree)["index"] = [0, 0, 0]


def edit_of_a_backward_slice(tree: Tree) -> None:
    edit(tree)["index"] = [{"step": -1}]


def edit_that_divides_by_zero(tree: Tree) -> None:
    edit(tree).update(operator="/=", value=0)


def edit_of_another_dtype(tree: Tree) -> None:
    edit(tree, "order")["value"] = 0.5


def edit_that_adds_truth(tree: Tree) -> None:
    edit(tree, "flags")["operator"] = "+="


def definition_with_a_bad_name(tree: Tree) -> None:
    definition(tree)["name"] = "x\nimport os"


def definition_that_lacks_a_draw(tree: Tree) -> None:
    del definition(tree)["draws"][0]


def definition_of_another_shape(tree: Tree) -> None:
    for value in definition(tree)["body"]["inputs"]:
        value["type"] = "f64[3, 6]"


def definition_that_draws_nonsense(tree: Tree) -> None:
    definition(tree)["draws"][0] = {"name": "dirac"}


def definition_with_an_unknown_operator(tree: Tree) -> None:
    definition(tree)["body"]["nodes"][0]["operator"] = "nothing"


def definition_with_a_read(tree: Tree) -> None:
    read = {"kind": "read", "path": "fc.weight", "results": [{"id": 90, "type": "f32[4, 6]"}]}
    definition(tree)["body"]["nodes"].append(read)


def definition_that_drops_out(tree: Tree) -> None:
    definition(tree)["body"]["nodes"][0]["operator"] = "Dropout"


def definition_with_a_wrong_type(tree: Tree) -> None:
    definition(tree)["body"]["nodes"][0]["results"][0]["type"] = "f64[4, 6]"


def definition_that_gives_nothing(tree: Tree) -> None:
    definition(tree)["body"]["results"] = []


def definition_that_gives_a_condition(tree: Tree) -> None:
    definition(tree)["body"]["results"] = [definition(tree)["body"]["nodes"][0]["results"][0]["id"]]


def definition_that_grows(tree: Tree) -> None:
    """A tensor of 2**33 elements for a parameter of 24."""
    body = definition(tree)["body"]
    body["nodes"].append(
        {
            "kind": "operation",
            "operator": "ones",
            "attributes": {"shape": [2**16, 2**17], "dtype": {"dtype": "f32"}},
            "inputs": [],
            "results": [{"id": 91, "type": f"f32[{2**16}, {2**17}]"}],
        }
    )


def definition_without_end(tree: Tree) -> None:
    body = definition(tree)["body"]
    first = body["nodes"][0]
    for position in range(1001):
        results = [first["results"][0] | {"id": 100 + position}]
        body["nodes"].append(first | {"results": results})


def definition_placed_nowhere(tree: Tree) -> None:
    definition(tree)["body"]["nodes"][0]["span"] = [7, 0, 1]


BROKEN_STARTS: list[tuple[str, str, Callable[[Tree], None]]] = [
    *(
        ("fitting-edits", STARTS, broken)
        for broken in (
            edit_outside_the_tensor,
            edit_of_too_many_dims,
            edit_of_a_backward_slice,
            edit_that_divides_by_zero,
            edit_of_another_dtype,
            edit_that_adds_truth,
        )
    ),
    *(
        ("fitting-definitions", STARTS, broken)
        for broken in (
            definition_with_a_bad_name,
            definition_that_lacks_a_draw,
            definition_of_another_shape,
            definition_that_draws_nonsense,
            definition_with_an_unknown_operator,
            definition_with_a_read,
            definition_that_drops_out,
            definition_with_a_wrong_type,
            definition_that_gives_nothing,
            definition_that_gives_a_condition,
            definition_that_grows,
            definition_without_end,
            definition_placed_nowhere,
        )
    ),
]
