"""A network whose loss is a block, and ways to break it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Tree = dict[str, Any]

LOSS = """
block huberish(y: [...], target: [...]) = mean(sqrt(1 + (y - target) ** 2) - 1)
net Line(x: [N, 2]) -> [N, 1] { x |> Linear(1) }
train { data = synthetic_regression
    loss = huberish
    optimizer = sgd(lr=0.1)
    epochs = 1
}
"""


def loss_that_is_not_chosen(tree: Tree) -> None:
    tree["recipe"]["loss"]["name"] = "mse"


def loss_with_arguments(tree: Tree) -> None:
    tree["recipe"]["loss"]["arguments"] = {"delta": 1.0}


def loss_without_a_recipe(tree: Tree) -> None:
    tree["recipe"] = None


def loss_of_a_loss(tree: Tree) -> None:
    tree["loss"]["loss"] = tree["loss"] | {"loss": None}


def loss_with_a_recipe(tree: Tree) -> None:
    tree["loss"]["recipe"] = tree["recipe"]


def loss_without_a_target(tree: Tree) -> None:
    tree["loss"]["inputs"].pop()


def loss_of_many_numbers(tree: Tree) -> None:
    tree["loss"]["outputs"][0]["type"] = "f32[2]"


def loss_with_an_unknown_operator(tree: Tree) -> None:
    tree["loss"]["templates"][0]["body"]["nodes"][0]["operator"] = "nothing"


def loss_placed_nowhere(tree: Tree) -> None:
    tree["loss"]["templates"][0]["body"]["nodes"][0]["span"] = [7, 0, 1]


def loss_with_state(tree: Tree) -> None:
    tree["loss"]["parameters"] = tree["parameters"]


BROKEN_LOSSES: list[tuple[str, str, Callable[[Tree], None]]] = [
    ("fitting-loss", LOSS, broken)
    for broken in (
        loss_that_is_not_chosen,
        loss_with_arguments,
        loss_without_a_recipe,
        loss_of_a_loss,
        loss_with_a_recipe,
        loss_without_a_target,
        loss_of_many_numbers,
        loss_with_an_unknown_operator,
        loss_placed_nowhere,
        loss_with_state,
    )
]
