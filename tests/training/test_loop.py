"""The training loop: what it computes, for how long, at which rate."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from sklearn.metrics import accuracy_score
from torch import nn
from torch.nn import functional as F

import specc
from specc.recipe.complete import complete
from specc.training.fit import dataset
from specc.training.loop import batches
from tests.training.runs import DROPOUT_NET, LINE, numbers, same, state, trained

# ---- what it computes


def test_the_same_seed_gives_the_same_run_to_the_bit() -> None:
    one = trained(DROPOUT_NET)
    torch.manual_seed(99)  # whatever the program around it has drawn
    other = trained(DROPOUT_NET)
    assert same(one, other)
    assert numbers(one) == numbers(other)


def test_another_seed_gives_another_run() -> None:
    one, other = trained(DROPOUT_NET, seed=0), trained(DROPOUT_NET, seed=1)
    assert not same(one, other)


def test_a_seed_in_the_recipe_is_as_good_as_one_from_the_caller() -> None:
    program = specc.compile(LINE, settings={"seed": 1})
    assert specc.train(program, device="cpu").final == trained(LINE, seed=1).final


def test_the_order_and_dropout_depend_on_the_seed_too() -> None:
    fixed = DROPOUT_NET.replace("train {", "init { Linear.weight ~ constant(0.01) }\ntrain {")
    one, other = trained(fixed, seed=0, epochs="1"), trained(fixed, seed=1, epochs="1")
    assert one.epochs[0].train != other.epochs[0].train


def test_torchs_global_random_state_is_left_alone() -> None:
    before = torch.get_rng_state()
    trained(DROPOUT_NET, epochs="1")
    assert torch.equal(torch.get_rng_state(), before)


def test_the_loss_falls() -> None:
    losses = [epoch.train["loss"] for epoch in trained(DROPOUT_NET, epochs="4").epochs]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] / 2


OPTIMIZERS = {
    "sgd(lr=0.1, momentum=0.9, nesterov=true, weight_decay=1e-3)": lambda p: torch.optim.SGD(
        p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3
    ),
    "adam(lr=0.01, betas=[0.8, 0.99], eps=1e-7, weight_decay=1e-3)": lambda p: torch.optim.Adam(
        p, lr=0.01, betas=(0.8, 0.99), eps=1e-7, weight_decay=1e-3
    ),
    "adamw(lr=0.01, weight_decay=0.1)": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_loop_written_by_hand_gives_identical_parameters(optimizer: str) -> None:
    program = specc.compile(DROPOUT_NET, settings={"optimizer": optimizer})
    ours = specc.train(program, device="cpu").module.state_dict()

    torch.manual_seed(0)
    order = torch.Generator().manual_seed(0)
    net = nn.Sequential(
        nn.Linear(64, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 10)
    )
    start = program.module(seed=0).state_dict()
    net.load_state_dict(dict(zip(net.state_dict(), start.values(), strict=True)))
    torch.manual_seed(0)
    recipe = program.network.recipe
    assert recipe is not None
    data = dataset(program.network, complete(recipe))
    update = OPTIMIZERS[optimizer](net.parameters())
    for _ in range(2):
        shuffled = torch.randperm(1437, generator=order)
        for start_of_batch in range(0, 1437, 64):
            chosen = shuffled[start_of_batch : start_of_batch + 64]
            loss = F.cross_entropy(net(data.train.x[chosen]), data.train.y[chosen])
            update.zero_grad()
            loss.backward()
            update.step()
    for (name, theirs), mine in zip(net.state_dict().items(), ours.values(), strict=True):
        assert torch.equal(theirs, mine), name


def test_every_example_is_in_one_batch_of_an_epoch() -> None:
    order = torch.Generator().manual_seed(0)
    for _ in range(2):
        drawn = list(batches(103, 10, order))
        assert [len(batch) for batch in drawn] == [10] * 10 + [3]
        assert sorted(torch.cat(drawn).tolist()) == list(range(103))


def test_the_metrics_are_those_of_the_held_out_examples() -> None:
    program = specc.compile(DROPOUT_NET, settings={"epochs": 1})
    result = specc.train(program, device="cpu")
    assert program.network.recipe is not None
    x, y = dataset(program.network, program.network.recipe).test[:]
    assert not result.module.training
    with torch.no_grad():
        logits = result.module(x)
    assert result.final["accuracy"] == pytest.approx(accuracy_score(y, logits.argmax(1)))
    assert result.final["loss"] == pytest.approx(F.cross_entropy(logits, y).item(), rel=1e-6)


def test_regression_metrics() -> None:
    program = specc.compile(LINE)
    result = specc.train(program, device="cpu")
    assert program.network.recipe is not None
    x, y = dataset(program.network, program.network.recipe).test[:]
    error = (result.module(x) - y).detach()
    assert result.final["mse"] == pytest.approx(error.square().mean().item(), rel=1e-5)
    assert result.final["mse"] == pytest.approx(result.final["loss"], rel=1e-6)
    assert result.final["mae"] == pytest.approx(error.abs().mean().item(), rel=1e-5)


@pytest.mark.parametrize(("loss", "last"), [("bce", "|> sigmoid"), ("bce_with_logits", "")])
def test_binary_accuracy_has_the_threshold_of_its_loss(
    loss: str, last: str, tmp_path: Path
) -> None:
    import numpy as np

    x = np.random.default_rng(0).standard_normal((200, 2))
    np.savez(tmp_path / "d.npz", x=x, y=(x[:, 0] > x[:, 1]).astype(np.int64))
    spec = tmp_path / "binary.net"
    spec.write_text(
        f"net Binary(x: [N, 2]) -> [N, 1] {{ x |> Linear(1) {last} }}\n"
        f'train {{\ndata = npz("d.npz")\nloss = {loss}\noptimizer = adam(lr=0.1)\n'
        "epochs = 10\nmetrics = [accuracy]\n}\n"
    )
    assert specc.train(specc.compile(spec), device="cpu").final["accuracy"] > 0.95


@pytest.mark.parametrize("loss", ["l1", "mse"])
def test_other_losses_learn_the_line(loss: str) -> None:
    result = trained(LINE, loss=loss, optimizer="adam(lr=0.1)", epochs="40")
    weight, bias = state(result).values()
    assert weight.flatten().tolist() == pytest.approx([2, -3.4], abs=0.05)
    assert bias.item() == pytest.approx(4.2, abs=0.05)


def test_label_smoothing_raises_the_least_loss() -> None:
    plain = trained(DROPOUT_NET)
    smooth = trained(DROPOUT_NET, loss="cross_entropy(label_smoothing=0.2)")
    assert smooth.final["loss"] > plain.final["loss"]


# ---- how long it lasts, and at which rate


def test_steps_end_a_run_within_an_epoch() -> None:
    result = trained(LINE, steps="7")  # 80 examples in batches of 16: 5 updates an epoch
    assert [epoch.step for epoch in result.epochs] == [5, 7]
    assert trained(LINE, steps="5").final == trained(LINE, epochs="1").final


def test_schedules() -> None:
    def rates(schedule: str) -> list[float]:
        result = trained(LINE, schedule=schedule, epochs="4", optimizer="sgd(lr=1e-3)")
        return [epoch.learning_rate for epoch in result.epochs]

    assert rates("constant") == [1e-3] * 4
    assert rates("step(2, gamma=0.5)") == [1e-3, 1e-3, 5e-4, 5e-4]
    # The last update of epoch e is number 5 e - 1 of 20.
    cosine = [5e-4 * (1 + math.cos(math.pi * (5 * e - 1) / 20)) for e in (1, 2, 3, 4)]
    assert rates("cosine") == pytest.approx(cosine)
    assert rates("cosine(eta_min=1e-3)") == pytest.approx([1e-3] * 4)


def test_the_schedule_reaches_the_optimizer() -> None:
    assert not same(trained(LINE), trained(LINE, schedule="cosine"))
