"""The training loop: what it computes, what it writes, how it ends."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from sklearn.metrics import accuracy_score
from torch import nn
from torch.nn import functional as F

import specc
from specc.recipe.complete import complete
from specc.training import Epoch, Result, Run, TrainingFailed
from specc.training.fit import dataset
from specc.training.loop import batches
from specc.training.result import Outcome

DROPOUT_NET = """
net Digits(x: [N, 64]) -> [N, 10] {
    x |> Linear(16) |> BatchNorm |> relu |> Dropout(0.3) |> Linear(10)
}
train {
    data = digits
    loss = cross_entropy
    optimizer = adam(lr=5e-3)
    epochs = 2
    batch = 64
    metrics = [accuracy]
}
"""

LINE = """
net Line(x: [N, 2]) -> [N, 1] { x |> Linear(1) }
train {
    data = synthetic_regression(examples=100)
    loss = mse
    optimizer = sgd(lr=0.05)
    epochs = 3
    batch = 16
    metrics = [mae, mse]
}
"""


def trained(text: str, out: Path | None = None, seed: int | None = None, **settings: str) -> Result:
    program = specc.compile(text, settings=settings)
    return specc.train(program, out, seed=seed, device="cpu")


def state(result: Result) -> dict[str, torch.Tensor]:
    return result.module.state_dict()


def same(one: Result, other: Result) -> bool:
    return all(torch.equal(a, state(other)[name]) for name, a in state(one).items())


def numbers(result: Result) -> list[dict[str, float]]:
    return [{k: v for k, v in e.flat().items() if k != "seconds"} for e in result.epochs]


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


# ---- what it writes


def test_the_folder_of_a_run(tmp_path: Path) -> None:
    result = trained(DROPOUT_NET, tmp_path / "runs" / "digits")
    folder = tmp_path / "runs" / "digits"
    assert sorted(path.name for path in folder.iterdir()) == [
        "curves.png",
        "metrics.jsonl",
        "model.safetensors",
    ]
    assert set(result.paths.values()) == set(folder.iterdir())
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [list(line) for line in lines] == 2 * [
        [
            *("epoch", "step", "train_loss", "train_accuracy", "test_loss", "test_accuracy"),
            *("learning_rate", "seconds"),
        ]
    ]
    assert [{k: v for k, v in line.items() if k != "seconds"} for line in lines] == numbers(result)


def test_the_weights_carry_text_hash_and_architecture(tmp_path: Path) -> None:
    import hashlib

    result = trained(DROPOUT_NET, tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        metadata = file.metadata()
        assert set(file.keys()) == set(state(result))
    assert metadata["specc.text"] == DROPOUT_NET
    assert metadata["specc.sha256"] == hashlib.sha256(DROPOUT_NET.encode()).hexdigest()
    program, module = specc.load(tmp_path / "model.safetensors")
    x = torch.randn(5, 64)
    assert torch.equal(module.eval()(x), result.module(x))
    assert program.network.recipe is not None
    assert specc.train(program, device="cpu").final == result.final


def test_the_recipe_in_the_weights_has_the_seed_of_the_run(tmp_path: Path) -> None:
    result = trained(LINE, tmp_path, seed=5)
    program, _ = specc.load(tmp_path / "model.safetensors")
    assert specc.train(program, device="cpu").final == result.final


def test_the_same_run_writes_the_same_weights(tmp_path: Path) -> None:
    for name in ("a", "b"):
        trained(LINE, tmp_path / name)
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("a", "b")]
    assert files[0] == files[1]


@pytest.mark.parametrize("epochs", [1, 50])
def test_curves_are_a_picture_with_something_on_it(epochs: int, tmp_path: Path) -> None:
    import matplotlib.image

    trained(LINE, tmp_path, epochs=str(epochs))
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    picture = matplotlib.image.imread(tmp_path / "curves.png")
    height, width, _ = picture.shape
    assert width > 3 * height / 1.2  # three panels: loss, mae, mse
    test_curve = (abs(picture[:, :, :3] - [0x1F / 255, 0x5F / 255, 0xA8 / 255]) < 0.02).all(axis=2)
    columns = test_curve.any(axis=0)
    thirds = [columns[i * width // 3 : (i + 1) * width // 3].any() for i in range(3)]
    assert thirds == [True, True, True]


def test_without_a_folder_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert trained(LINE).paths == {}
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_refused_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(specc.SpecError) as caught:
        trained(LINE, tmp_path / "file")
    assert [d.code for d in caught.value.diagnostics] == ["cannot-write"]


# ---- how it ends


class Watch:
    """Notes what it is told, and can interrupt."""

    def __init__(self, interrupt_at: int = 0) -> None:
        self.interrupt_at = interrupt_at
        self.steps = 0
        self.seen: list[str] = []
        self.outcome: Outcome | None = None

    def started(self, run: Run) -> None:
        self.run = run
        self.seen.append("started")

    def stepped(self, epoch: int, examples: int, loss: float) -> None:
        self.steps += 1
        if self.steps == self.interrupt_at:
            raise KeyboardInterrupt

    def epoch_ended(self, epoch: Epoch) -> None:
        self.seen.append(f"epoch {epoch.epoch}")

    def ended(self, outcome: Outcome | None) -> None:
        self.seen.append(f"ended: {outcome}")


def test_progress_is_told_in_order() -> None:
    watch = Watch()
    specc.train(specc.compile(LINE), device="cpu", progress=watch)
    assert watch.seen == ["started", "epoch 1", "epoch 2", "epoch 3", "ended: finished"]
    assert watch.steps == watch.run.steps == 15
    assert watch.run == Run("Line", "cpu", 3, 80, 20, 16, 3, 15)


def test_ctrl_c_keeps_what_was_trained(tmp_path: Path) -> None:
    watch = Watch(interrupt_at=12)
    program = specc.compile(LINE)
    result = specc.train(program, tmp_path, device="cpu", progress=watch)
    assert result.outcome == "interrupted"
    assert watch.seen[-1] == "ended: interrupted"
    assert len(result.epochs) == 2
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2
    assert same(result, trained(LINE, steps="12"))
    _, module = specc.load(tmp_path / "model.safetensors")
    assert torch.equal(module.state_dict()["linear1.weight"], state(result)["linear1.weight"])


def test_ctrl_c_in_the_first_epoch(tmp_path: Path) -> None:
    watch = Watch(interrupt_at=2)
    result = specc.train(specc.compile(LINE), tmp_path, device="cpu", progress=watch)
    assert (result.outcome, result.epochs, dict(result.final)) == ("interrupted", (), {})
    assert sorted(result.paths) == ["metrics", "weights"]


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed) as caught:
        trained(LINE, tmp_path, optimizer="sgd(lr=1e4)", epochs="50")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "non-finite-loss"
    assert diagnostic.help is not None
    assert "learning rate below 10000" in diagnostic.help
    assert not (tmp_path / "model.safetensors").exists()


def test_a_last_update_that_spoils_the_weights_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed) as caught:
        trained(LINE, tmp_path, optimizer="sgd(lr=1e38)", steps="1")
    assert caught.value.diagnostics[0].code == "non-finite-loss"
    assert (tmp_path / "metrics.jsonl").read_text() == ""


def test_a_batch_may_be_larger_than_the_data() -> None:
    everything = trained(LINE, batch="80")
    assert trained(LINE, batch=f"1{'0' * 90}").final == everything.final
    assert trained(LINE, batch="200", steps="2").epochs[-1].step == 2


def test_what_pytorch_refuses_in_an_update_stops_the_run() -> None:
    with pytest.raises(TrainingFailed) as caught:
        trained(DROPOUT_NET, batch="1")  # batch normalization of one example
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "update-failed"
    assert "Expected more than 1 value per channel" in diagnostic.message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("net A(x: [N, 2]) -> [N, 2] { x * 2 }", "missing-setting"),
        (LINE.replace("x |> Linear(1)", "sum(x, dim=1, keepdim=true)"), "nothing-to-train"),
        (LINE.replace("Linear(1)", "Linear(2)").replace("-> [N, 1]", "-> [N, 2]"), "data-mismatch"),
    ],
)
def test_a_run_that_cannot_begin_is_an_error_of_the_spec(text: str, code: str) -> None:
    with pytest.raises(specc.SpecError) as caught:
        trained(text)
    assert not isinstance(caught.value, TrainingFailed)
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == [code]


def test_a_seed_from_outside_is_checked() -> None:
    with pytest.raises(specc.SpecError) as caught:
        trained(LINE, seed=-1)
    assert caught.value.diagnostics[0].code == "bad-setting"


INTERRUPTED = """
import sys, specc
program = specc.compile(sys.argv[1], settings={"epochs": 1_000_000})
result = specc.train(program, sys.argv[2], device="cpu")
print(result.outcome, len(result.epochs))
"""


def test_a_real_ctrl_c_leaves_whole_files(tmp_path: Path) -> None:
    metrics = tmp_path / "run" / "metrics.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, LINE, str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not (metrics.exists() and metrics.stat().st_size > 0):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    assert said == f"interrupted {len(lines)}\n"
    _, module = specc.load(tmp_path / "run" / "model.safetensors")
    assert all(parameter.isfinite().all() for parameter in module.parameters())
    names = {path.name for path in metrics.parent.iterdir()}
    assert names == {"metrics.jsonl", "model.safetensors", "curves.png"}
