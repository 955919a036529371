"""``--ops MODULE:ATTRIBUTE`` on every command that compiles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from specc.cli.main import main

OWN = "tests.extension.own_ops:EVERY"
SWISH = "tests.extension.own_ops:swish2"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "a.net"
    path.write_text("""
net A(x: [N, 1]) -> [N, 1] { x |> LowRank(1, 1) |> swish2(beta=2) }
train {
    data = synthetic_regression(w=[3], b=-1)
    loss = mse
    optimizer = sgd(lr=0.1)
    epochs = 1
}
""")
    return path


def test_check_show_build_train_and_params_take_it(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(spec), "--ops", OWN]) == 0
    assert main(["show", str(spec), "--all", "--ops", OWN]) == 0
    assert "LowRank" in capsys.readouterr().out
    assert main(["build", str(spec), "-o", str(tmp_path / "a.onnx"), "--ops", OWN]) == 0
    assert "parity: largest difference" in capsys.readouterr().out
    folder = tmp_path / "run"
    assert main(["train", str(spec), "-o", str(folder), "--device", "cpu", "--ops", OWN]) == 0
    weights = folder / "model.safetensors"
    capsys.readouterr()
    assert main(["params", str(weights), "--format", "json", "--ops", OWN]) == 0
    listed = [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()]
    assert listed == [f"low_rank1.{name}" for name in ("down", "up", "bias")]


def test_it_is_repeated_and_each_operator_counts_once(spec: Path) -> None:
    lists = ["--ops", "tests.extension.own_ops:LowRank", "--ops", SWISH, "--ops", OWN]
    assert main(["check", str(spec), *lists]) == 0


def test_a_file_alone_gets_no_operator(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(spec)]) == 1
    assert "unknown name 'LowRank'" in capsys.readouterr().err


def test_ops_describes_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ops", "LowRank", "--ops", OWN]) == 0
    page = capsys.readouterr().out
    assert page.startswith("LowRank(features, rank, bias=true)(x)")
    assert "A linear layer" not in page
    assert "a linear layer of low rank" in page
    assert "xavier_uniform" in page
    assert "ONNX from opset 17" in page
    assert main(["ops", "--ops", SWISH]) == 0
    assert "x * sigmoid(beta * x), elementwise." in capsys.readouterr().out
    assert main(["ops", "swish3", "--ops", SWISH]) == 2
    assert "did you mean 'swish2'" in capsys.readouterr().err


def test_a_graph_that_no_library_runs_is_said_to_be_unverified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "d.net"
    path.write_text("net D(x: [N, 3], y: [M, 3]) -> [N, M] { distances(x, y) }")
    assert main(["build", str(path), "-o", str(tmp_path / "d.onnx"), "--ops", OWN]) == 0
    says = "not verified: onnxruntime has no library for the operators of com.example"
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no_such_module:A", "'no_such_module' cannot be imported: ModuleNotFoundError"),
        ("tests.extension.own_ops:swish3", "has no 'swish3'; did you mean 'swish2'?"),
        ("tests.extension.own_ops:swish", "this is a function, no operator"),
        ("json:__all__", "this is a str, no operator"),
        ("tests.extension.own_ops", "is not MODULE:ATTRIBUTE"),
        ("../own_ops:EVERY", "is not MODULE:ATTRIBUTE"),
        ("os:system('id')", "is not MODULE:ATTRIBUTE"),
    ],
)
def test_what_gives_no_operator_is_a_wrong_command(
    name: str, says: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(spec), "--ops", name]) == 2
    assert says in capsys.readouterr().err


def test_a_module_that_fails_is_a_wrong_command_that_says_how(
    spec: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "failing_ops.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    assert main(["check", str(spec), "--ops", "failing_ops:A"]) == 2
    assert "'failing_ops' cannot be imported: ZeroDivisionError" in capsys.readouterr().err


def test_a_name_that_is_taken_is_a_wrong_command(
    spec: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "taken_ops.py").write_text(
        "import specc\n"
        "relu = specc.op('relu(x: [N]) -> [N]', torch='F.relu', summary='Once more.')\n"
        "size = specc.op('len(x: [N]) -> [N]', torch='F.relu', summary='Once more.')\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["check", str(spec), "--ops", "taken_ops:relu"]) == 2
    assert "two operators are called 'relu'" in capsys.readouterr().err
    assert main(["check", str(spec), "--ops", "taken_ops:size"]) == 2
    assert "'len' is a name of the language" in capsys.readouterr().err


def test_what_an_operator_raises_is_not_put_down_to_specc_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken_op.py").write_text(
        'import specc\n\n\ndef lower(b, s):\n    raise LookupError("no such node")\n\n\n'
        'Broken = specc.op("Broken()(x: [...]) -> [...]", torch="F.silu", onnx=lower,'
        ' summary="Fails in ONNX.")\n'
    )
    (tmp_path / "a.net").write_text("net A(x: [N, 1]) -> [N, 1] { x |> Broken }")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["build", "a.net", "-o", "a.onnx", "--ops", "broken_op:Broken"]) == 3
    complaint = capsys.readouterr().err
    assert "LookupError: no such node" in complaint
    assert "specc, or of an operator of --ops" in complaint
