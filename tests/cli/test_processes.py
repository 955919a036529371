"""The command line as processes: builds, training, pipes and signals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
Specc = Callable[..., subprocess.CompletedProcess[str]]


def start(*arguments: str | Path, cwd: Path, session: bool = False) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "specc", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=session,
    )


def test_build_onnx_is_compared_and_says_so(specc: Specc, tmp_path: Path) -> None:
    done = specc("build", "std.lenet", "-o", "lenet.onnx", "--opset", "20", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    written, parity = done.stdout.splitlines()
    assert re.fullmatch(r"wrote lenet\.onnx \([\d.]+ kB\)", written)
    pattern = r"parity: largest difference ([\d.]+e-\d+) of 1e-04 allowed, at N=1 and N=2"
    found = re.fullmatch(pattern, parity)
    assert found
    assert 0 < float(found[1]) < 1e-4
    model = onnx.load(tmp_path / "lenet.onnx")
    assert model.opset_import[0].version == 20
    assert [path.name for path in tmp_path.iterdir()] == ["lenet.onnx"]


@pytest.mark.parametrize("suffix", ["onnx", "py", "json", "safetensors"])
def test_build_gives_the_same_bytes_each_time(suffix: str, specc: Specc, tmp_path: Path) -> None:
    extra = ["--no-verify"] if suffix == "onnx" else []
    for name in ("a", "b"):
        done = specc("build", "std.mlp", "-o", f"{name}.{suffix}", *extra, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_no_verify_is_said(specc: Specc, tmp_path: Path) -> None:
    done = specc("build", "std.mlp", "-o", "mlp.onnx", "--no-verify", cwd=tmp_path)
    assert done.stdout.splitlines()[1] == "not verified: --no-verify was given"


def test_the_seed_decides_the_values(specc: Specc, tmp_path: Path) -> None:
    for name, seed in (("a", "0"), ("b", "1")):
        specc("build", "std.mlp", "-o", f"{name}.safetensors", "--seed", seed, cwd=tmp_path)
    first, second = (load_file(tmp_path / f"{name}.safetensors") for name in "ab")
    assert not np.array_equal(first["hidden.weight"], second["hidden.weight"])


def test_weights_reach_the_graph(specc: Specc, tmp_path: Path) -> None:
    specc("build", "std.mlp", "-o", "w.safetensors", "--seed", "5", cwd=tmp_path)
    done = specc("build", "std.mlp", "-o", "m.onnx", "--weights", "w.safetensors", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    graph = onnx.load(tmp_path / "m.onnx").graph
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for name, array in load_file(tmp_path / "w.safetensors").items():
        np.testing.assert_array_equal(values[name], array)


@pytest.mark.parametrize("kind", ["other net", "garbage", "missing", "pickle"])
def test_weights_that_do_not_fit_are_3_without_a_file(
    kind: str, specc: Specc, tmp_path: Path
) -> None:
    weights = tmp_path / ("w.pt" if kind == "pickle" else "w.safetensors")
    if kind == "other net":
        save_file({"hidden.weight": np.zeros((2, 2), np.float32)}, weights)
    elif kind != "missing":
        weights.write_bytes(b"\x80\x02garbage" * 9)
    done = specc("build", "std.mlp", "-o", "m.onnx", "--weights", weights, cwd=tmp_path)
    assert done.returncode == 3
    assert re.match(
        r"error\[(unreadable|unsafe)-weights\]|error\[weights-do-not-fit\]", done.stderr
    )
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.parametrize("target", ["missing/m.json", "folder.json"])
def test_what_cannot_be_written_is_3(target: str, specc: Specc, tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    done = specc("build", "std.mlp", "-o", target, cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.startswith("error[cannot-write]")


def test_train_writes_its_folder(specc: Specc, tmp_path: Path) -> None:
    arguments = ["--set", "train.epochs=2", "--seed", "3", "--device", "cpu"]
    done = specc("train", "std.linear_regression", "-o", "run", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary, *written = done.stdout.splitlines()
    assert re.fullmatch(r"held out: loss [\d.]+, mae [\d.]+; 2 epochs in [\d.]+ s", summary)
    assert [line.split()[1] for line in written] == [
        str(Path("run") / name) for name in ("model.safetensors", "metrics.jsonl", "curves.png")
    ]
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        *("model.safetensors", "metrics.jsonl", "curves.png")
    }
    # Plain lines where there is no terminal.
    assert done.stderr.count("\nepoch ") == 2
    assert "\x1b" not in done.stderr


def test_a_run_that_diverges_is_3(specc: Specc, tmp_path: Path) -> None:
    setting = "train.optimizer=sgd(lr=1e20)"
    done = specc("train", "std.linear_regression", "-o", "run", "--set", setting, cwd=tmp_path)
    assert done.returncode == 3
    assert "error[non-finite-loss]" in done.stderr


@pytest.mark.parametrize("device", ["tpu", "cuda:99", "cpu:x", "{"])
def test_an_unknown_device_is_2(device: str, specc: Specc, tmp_path: Path) -> None:
    done = specc("train", "std.mlp", "-o", "run", "--device", device, cwd=tmp_path)
    assert done.returncode == 2
    assert device in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_a_recipe_that_lacks_something_is_1(specc: Specc, tmp_path: Path) -> None:
    (tmp_path / "bare.net").write_text("net Bare(x: [N, 4]) -> [N, 2] { x |> Linear(2) }\n")
    done = specc("train", "bare.net", "-o", "run", cwd=tmp_path)
    assert done.returncode == 1
    assert "error[" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_an_interrupted_run_is_3_and_keeps_its_weights(tmp_path: Path) -> None:
    setting = "train.epochs=100000"
    process = start("train", "std.linear_regression", "-o", "run", "--set", setting, cwd=tmp_path)
    assert process.stderr is not None
    while "epoch" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 3, errors
    assert "interrupted" in errors
    assert "wrote" in output
    assert (tmp_path / "run" / "model.safetensors").exists()


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_an_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    process = start("build", "std.lenet", "-o", "lenet.onnx", cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not list(tmp_path.iterdir()):  # the folder in which the file is being made
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 3, errors
    assert errors == "interrupted\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2,
    reason="processes are forked under Linux, on more than one processor",
)
def test_ctrl_c_ends_a_build_and_the_processes_that_draw_for_it(tmp_path: Path) -> None:
    (tmp_path / "wide.net").write_text(
        "net Wide(x: [N, 8192]) { x |> Linear(8192) |> Linear(8192) }\n", encoding="utf-8"
    )
    process = start("build", "wide.net", "-o", "wide.onnx", cwd=tmp_path, session=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 60
    while not (others := children.read_text().split()):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 3, errors
    assert errors == "interrupted\n"
    assert not any(Path("/proc", other).exists() for other in others)
    assert [path.name for path in tmp_path.iterdir()] == ["wide.net"]


@pytest.mark.skipif(os.name != "posix", reason="pipes of a POSIX shell")
@pytest.mark.parametrize("arguments", ["show std.lenet", "ops", "--help", "check std.lenet"])
def test_a_reader_that_goes_away_is_no_error(arguments: str, tmp_path: Path) -> None:
    command = f"{sys.executable} -m specc {arguments}"
    done = subprocess.run(
        ["bash", "-c", f"({command}; echo $? >code) | true"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert (tmp_path / "code").read_text() == "0\n"


def test_an_encoding_without_the_characters_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "greek.net").write_text(
        'net G(x: [N]) -> [N] { x |> "α": Lin }\n', encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "specc", "check", "greek.net"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii:strict"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert rb"\u03b1" in done.stderr
    assert b"Traceback" not in done.stderr


def test_json_of_a_failure(specc: Specc, tmp_path: Path) -> None:
    done = specc("build", "std.mlp", "-o", "no/m.json", "--format", "json", cwd=tmp_path)
    assert done.returncode == 3
    assert json.loads(done.stderr)["code"] == "cannot-write"


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (
            ["check", "std.lenet"],
            {"torch", "onnx", "onnx_ir", "onnxruntime", "sklearn", "matplotlib"},
        ),
        (["show", "std.lenet"], {"torch", "onnx", "onnx_ir", "onnxruntime", "sklearn"}),
        (["ops", "Conv"], {"torch", "onnx", "onnx_ir", "onnxruntime", "sklearn"}),
        (["build", "std.lenet", "-o", "x.json"], {"torch", "onnx", "onnx_ir", "onnxruntime"}),
        (["build", "std.lenet", "-o", "x.py"], {"torch", "onnx", "onnx_ir", "onnxruntime"}),
        (["build", "std.lenet", "-o", "x.onnx", "--no-verify"], {"torch", "onnxruntime"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_imports_only_what_it_needs(
    arguments: list[str], unwanted: set[str], tmp_path: Path
) -> None:
    program = (
        "import sys; from specc.cli import main; code = main(sys.argv[1:]); "
        "print(*sys.modules, file=open('modules', 'w')); sys.exit(code)"
    )
    subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    imported = set((tmp_path / "modules").read_text().split())
    assert "specc.compiler" in imported or arguments[0] == "ops"
    assert not imported & unwanted
