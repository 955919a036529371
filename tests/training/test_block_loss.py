"""A block of the file as the loss: it is what its text says, and the data have to suit it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import specc
from specc.frontend.diagnostics import SpecError
from specc.invariants import verify
from specc.recipe.complete import complete
from specc.training import Result
from specc.training.fit import dataset
from specc.training.loop import batches

HUBERISH = "block huberish(y: [...], target: [...]) = mean(sqrt(1 + (y - target) ** 2) - 1)\n"
NET = "net Line(x: [N, 2]) -> [N, 1] { x |> Linear(1) }\n"


def train(loss: str, data: str = "synthetic_regression(examples=50)", more: str = "") -> str:
    return (
        f"train {{\n data = {data}\n loss = {loss}\n optimizer = sgd(lr=0.1)\n"
        f" steps = 4\n batch = 10\n{more}\n}}\n"
    )


TEXT = HUBERISH + NET + train("huberish")


def run(text: str, **settings: object) -> Result:
    return specc.train(specc.compile(text, settings=settings), device="cpu")


def errors(text: str) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as caught:
        specc.compile(text)
    return [
        (d.code, caught.value.sources.text(d.primary.span) if d.primary else "")
        for d in caught.value.diagnostics
        if d.severity == "error"
    ]


def refused(text: str) -> str:
    """What a run of a text that compiles is refused with."""
    with pytest.raises(SpecError) as caught:
        run(text)
    (found,) = caught.value.diagnostics
    assert found.code == "data-mismatch"
    return found.message


# ---- what it computes ----------------------------------------------------------------------------


def test_a_run_is_one_by_hand() -> None:
    program = specc.compile(TEXT)
    assert verify(program.network) == []
    recipe = complete(program.network.recipe, program.network.loss)
    data = dataset(program.network, recipe)
    layer = nn.Linear(2, 1)
    start = program.module(seed=recipe.seed).state_dict()
    layer.load_state_dict({name.split(".")[1]: value for name, value in start.items()})
    update = torch.optim.SGD(layer.parameters(), lr=0.1)
    order = torch.Generator().manual_seed(recipe.seed)
    for index in batches(len(data.train), 10, order):
        x, y = data.train[index]
        update.zero_grad()
        (torch.sqrt(1 + (layer(x) - y) ** 2) - 1).mean().backward()
        update.step()
    module = specc.train(program, device="cpu").module
    torch.testing.assert_close(module.linear1.state_dict(), layer.state_dict())


def test_hyperparameters_of_the_block_are_given_where_it_is_chosen() -> None:
    text = "block scaled(k = 1.0)(y: [...], target: [...]) = k * mean((y - target) ** 2)\n" + NET
    once, twice = (run(text + train(f"scaled(k={k})")) for k in (1, 2))
    built_in = run(text + train("mse"))
    assert once.final["loss"] == pytest.approx(built_in.final["loss"])
    assert twice.final["loss"] != once.final["loss"]


def test_a_block_may_use_other_blocks_and_a_size() -> None:
    text = (
        "block square(x: [...]) = x * x\n"
        "block sse(y: [N, D], target: [N, D]) = sum(square()(y - target)) / D\n"
    )
    assert run(text + NET + train("sse")).final["loss"] > 0


def test_classes_are_targets_of_ints() -> None:
    text = (
        "block margin(z: [N, K], target: i64[N]) -> [] {\n"
        " p = log_softmax(z, dim=1)\n return -mean(gather(p, reshape(target, [N, 1]), dim=1))\n}\n"
        "net D(x: [N, 64]) -> [N, 10] { x |> Linear(10) }\n"
    )
    own = run(text + train("margin", "digits", "metrics = [accuracy]"))
    built_in = run(text + train("cross_entropy", "digits", "metrics = [accuracy]"))
    assert own.final["loss"] == pytest.approx(built_in.final["loss"], rel=1e-5)
    assert own.final["accuracy"] == built_in.final["accuracy"]


def test_several_outputs_stand_before_the_target() -> None:
    text = (
        "block both(a: [...], b: [...], target: [...]) ="
        " mean((a - target) ** 2) + mean((b - target) ** 2)\n"
        "net Two(x: [N, 2]) -> (a: [N, 1], b: [N, 1]) { return x |> Linear(1), x |> Linear(1) }\n"
    )
    result = run(text + train("both"), steps=200)
    assert result.final["loss"] < 0.01
    assert errors(text + train("both", more="metrics = [mae]")) == [
        ("conflicting-settings", "[mae]")
    ]


def test_it_comes_from_another_file_and_from_outside(tmp_path: Path) -> None:
    (tmp_path / "losses.net").write_text(HUBERISH)
    path = tmp_path / "line.net"
    path.write_text('from "losses.net" import huberish\n' + NET + train("mse"))
    program = specc.compile(path, settings={"loss": "huberish"})
    assert specc.train(program, device="cpu").final == run(TEXT).final


# ---- where it travels ----------------------------------------------------------------------------


def test_json_and_weights_carry_it(tmp_path: Path) -> None:
    program = specc.compile(TEXT)
    again = specc.Program.from_json(program.to_json())
    assert again.to_json() == program.to_json()
    result = specc.train(again, tmp_path, device="cpu")
    loaded, _ = specc.load(tmp_path / "model.safetensors")
    assert specc.train(loaded, device="cpu").final == result.final


def test_a_recipe_from_python_may_choose_another_loss() -> None:
    program = specc.compile(TEXT)
    mse = specc.compile(NET + train("mse")).network.recipe
    result = specc.train(program, recipe=mse, device="cpu")
    assert result.final == run(NET + train("mse")).final


def test_targets_have_nothing_of_it(tmp_path: Path) -> None:
    built = specc.compile(TEXT).build(tmp_path / "x.onnx")
    assert built.parity is not None
    assert specc.compile(TEXT).python() == specc.compile(NET + train("mse")).python()


# ---- what is wrong -------------------------------------------------------------------------------

WRONG = {
    "many numbers": ("(y: [...], target: [...]) = y - target", "bad-loss"),
    "an int": ("(y: [...], target: [...]) = sum(int(1) * argmax(y, dim=0))", "bad-loss"),
    "parameters": ("(y: [N, D], target: [...]) = mean(y |> Linear(1))", "bad-loss"),
    "a buffer": (
        "(y: [...], target: [...]) {\n buffer m: [1] ~ zeros\n return mean(y - m)\n}",
        "bad-loss",
    ),
    "no target": ("(y: [...]) = mean(y)", "bad-loss"),
    "another input": ("(y: [...], z: [...], target: [...]) = mean(y)", "bad-loss"),
    "point-free": (" = [relu]", "bad-loss"),
    "two results": ("(y: [...], target: [...]) { return mean(y), mean(target) }", "bad-loss"),
    "another dtype": ("(y: i64[...], target: [...]) = mean(target)", "type-mismatch"),
    "another rank": ("(y: [N], target: [...]) = mean(y)", "type-mismatch"),
}


@pytest.mark.parametrize(("block", "code"), WRONG.values(), ids=WRONG)
def test_a_block_that_is_no_loss_is_refused_where_it_is_chosen(block: str, code: str) -> None:
    assert errors(f"block own{block}\n{NET}{train('own')}") == [(code, "own")]


def test_what_is_wrong_in_the_block_is_shown_there() -> None:
    text = "block own(y: [...], target: [...]) = mean(ones(2) + ones(3))\n" + NET + train("own")
    assert errors(text) == [("shape-mismatch", "ones(2) + ones(3)")]


def test_a_wrong_net_draws_no_complaint_of_its_loss() -> None:
    assert errors(TEXT.replace("Linear(1)", "Liner(1)")) == [("unknown-name", "Liner")]


def test_the_shape_of_the_target_is_checked_against_the_data(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.ones((9, 2), np.float32), y=np.ones((9, 3), np.float32))
    text = HUBERISH + NET + train("huberish", f'npz("{tmp_path.name}")')
    program = specc.compile(text, settings={"data": f'npz("{tmp_path}/d.npz", test=0.3)'})
    with pytest.raises(SpecError) as caught:
        specc.train(program, device="cpu")
    assert caught.value.diagnostics[0].message.endswith(
        "d.npz gives targets of [N, 3], and huberish takes f32[N, 1]"
    )


def test_the_dtype_of_the_target_is_checked_against_the_data() -> None:
    text = "block own(y: [N, 1], target: i64[N, 1]) = mean(y * target)\n" + NET
    assert errors(text + train("own")) == [("conflicting-settings", "own")]


def test_a_target_without_examples_is_refused() -> None:
    text = "block own(y: [N, 1], target: [3]) = mean(y) + mean(target)\n" + NET + train("own")
    assert "without a dim for the examples" in refused(text)
