"""A run as a whole: the folder that it leaves, and how it can end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

import specc
from specc.training import Epoch, Run, TrainingFailed
from specc.training.output import Folder
from specc.training.result import Outcome
from tests.training.runs import DROPOUT_NET, LINE, numbers, same, state, trained

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


class CtrlCAtTheEnd(Watch):
    """Presses Ctrl-C when the loop has ended and the files are not written yet."""

    def ended(self, outcome: Outcome | None) -> None:
        super().ended(outcome)
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("interrupt_at", "outcome", "epochs"), [(0, "finished", 3), (12, "interrupted", 2)]
)
def test_ctrl_c_waits_while_the_files_are_written(
    interrupt_at: int, outcome: str, epochs: int, tmp_path: Path
) -> None:
    watch = CtrlCAtTheEnd(interrupt_at)
    with pytest.raises(KeyboardInterrupt):
        specc.train(specc.compile(LINE), tmp_path, device="cpu", progress=watch)
    assert watch.seen[-1] == f"ended: {outcome}"
    assert {path.name for path in tmp_path.iterdir()} == {
        *("metrics.jsonl", "model.safetensors", "curves.png")
    }
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == epochs
    specc.load(tmp_path / "model.safetensors")


@pytest.mark.parametrize("written", ["", '{"epoch": 1, "st', '{"epoch": 7}\n'])
def test_numbers_are_whole_at_the_end_whatever_broke_off(written: str, tmp_path: Path) -> None:
    result = trained(LINE, tmp_path)
    metrics = tmp_path / "metrics.jsonl"
    expected = metrics.read_text()
    assert len(expected.splitlines()) == 3
    folder = Folder.create(tmp_path, specc.compile(LINE).network)
    metrics.write_text(written)
    folder.finish(result.module, result.epochs)
    assert metrics.read_text() == expected


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
    assert trained(LINE, batch=f"1{'0' * 17}").final == everything.final
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
