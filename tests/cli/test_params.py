"""``specc params``: what it takes for a net, and what it prints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from specc.cli.main import main
from specc.weights.safetensors import write_weights

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a spec of two layers and a normalization."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.net"
    path.write_text("net Small(x: [N, 3]) -> [N, 4] { x |> first: Linear(4) |> norm: BatchNorm }\n")
    return path


def printed(capsys: Captured, *arguments: str, code: int = 0) -> str:
    assert main(["params", *arguments]) == code
    captured = capsys.readouterr()
    return captured.out if code == 0 else captured.err


def test_the_table_of_a_spec(spec: Path, capsys: Captured) -> None:
    assert (
        printed(capsys, "small.net")
        == """\
Small: 7 tensors, 33 elements
name                      shape   dtype  initializer                     role
first.weight              [4, 3]  f32    kaiming_uniform(a=2.23607)
first.bias                [4]     f32    uniform(a=-0.57735, b=0.57735)
norm.weight               [4]     f32    ones
norm.bias                 [4]     f32    zeros
norm.running_mean         [4]     f32    zeros                           buffer
norm.running_var          [4]     f32    ones                            buffer
norm.num_batches_tracked  []      i64    zeros                           buffer
"""
    )


def test_options_may_stand_between_the_file_and_the_pattern(spec: Path, capsys: Captured) -> None:
    expected = printed(capsys, "small.net", "first.*", "--stats")
    assert printed(capsys, "small.net", "--stats", "first.*") == expected
    assert printed(capsys, "--stats", "small.net", "first.*") == expected


def test_a_pattern_and_a_name_to_explain_are_not_both_taken(spec: Path, capsys: Captured) -> None:
    found = printed(capsys, "small.net", "first.*", "--why", "first.bias", code=2)
    assert found == "specc params: it takes a PATTERN or --why NAME, not both\n"


def test_a_column_in_which_nothing_stands_is_left_out(spec: Path, capsys: Captured) -> None:
    assert printed(capsys, "small.net", "first.*").splitlines()[1].split() == [
        "name",
        "shape",
        "dtype",
        "initializer",
    ]


@pytest.mark.parametrize("name", ["small.json", "small.safetensors"])
def test_what_was_built_is_listed_as_the_spec_is(spec: Path, capsys: Captured, name: str) -> None:
    main(["build", "small.net", "-o", name])
    capsys.readouterr()
    assert printed(capsys, name) == printed(capsys, "small.net")


def test_lines_of_json(spec: Path, capsys: Captured) -> None:
    lines = printed(capsys, "small.net", "norm.*", "--format", "json").splitlines()
    assert [json.loads(line)["name"] for line in lines][:2] == ["norm.weight", "norm.bias"]
    assert json.loads(lines[0]) == {
        "name": "norm.weight",
        "shape": [4],
        "dtype": "f32",
        "role": "parameter",
        "initializer": "ones",
        "layer": "BatchNorm",
        "slot": "weight",
        "aliases": [],
        "frozen": False,
        "device": None,
        "held": None,
    }


def test_a_pattern_that_matches_nothing_is_a_mistake_of_the_command(
    spec: Path, capsys: Captured
) -> None:
    assert printed(capsys, "small.net", "frist.*", code=2) == (
        "specc params: no parameter matches 'frist.*'; the nearest is 'first.weight'\n"
    )


def test_a_pickled_file_is_refused(spec: Path, capsys: Captured) -> None:
    Path("small.pt").write_bytes(b"PK\x03\x04")
    assert "unsafe-weights" in printed(capsys, "small.pt", code=3)


def test_settings_mean_nothing_for_what_is_compiled(spec: Path, capsys: Captured) -> None:
    main(["build", "small.net", "-o", "small.json"])
    capsys.readouterr()
    assert "--set" in printed(capsys, "small.json", "--set", "width=3", code=2)


def test_statistics_stand_beside_the_types(spec: Path, capsys: Captured) -> None:
    lines = printed(capsys, "small.net", "norm.*", "--stats").splitlines()
    head = ["name", "shape", "dtype", "mean", "std", "min", "max", "norm", "zeros"]
    assert lines[1].split() == [*head, "initializer", "role"]
    assert lines[2].split() == ["norm.weight", "[4]", "f32", *"10112", "ones"]
    assert lines[3].split() == ["norm.bias", "[4]", "f32", *"00000", "100.0%", "zeros"]


def test_histograms_of_a_few_stand_below_the_table(spec: Path, capsys: Captured) -> None:
    lines = printed(capsys, "small.net", "norm.bias", "--hist").splitlines()
    assert lines[4] == "norm.bias"
    assert [line.strip() for line in lines[5:11]] == ["█"] * 6
    assert lines[11].split() == ["0", "0"]


def test_histograms_of_many_stand_in_a_line_each(spec: Path, capsys: Captured) -> None:
    lines = printed(capsys, "small.net", "--hist").splitlines()
    assert len(lines) == 9
    assert lines[1].split()[3:6] == ["from", "histogram", "to"]
    assert lines[5].split()[3:6] == ["0", "█", "0"]


def test_json_has_the_numbers_that_are_asked_for(spec: Path, capsys: Captured) -> None:
    line = printed(capsys, "small.net", "norm.weight", "--stats", "--hist", "--format", "json")
    found = json.loads(line)
    assert found["statistics"] == {
        "mean": 1,
        "std": 0,
        "min": 1,
        "max": 1,
        "norm": 2,
        "zeros": 0,
        "nan": 0,
    }
    assert found["histogram"]["low"] == 1
    assert sum(found["histogram"]["counts"]) == 4


def test_the_seed_decides_the_values(spec: Path, capsys: Captured) -> None:
    one, again, other = (
        printed(capsys, "small.net", "first.*", "--stats", "--seed", seed) for seed in "112"
    )
    assert one == again != other


def test_a_picture_is_written_whole(spec: Path, capsys: Captured) -> None:
    printed(capsys, "small.net", "--plot", "params.png")
    assert Path("params.png").read_bytes().startswith(b"\x89PNG")
    assert "cannot-write" in printed(capsys, "small.net", "--plot", "no/params.png", code=3)


# ---- a checkpoint under the names of a spec ------------------------------------------------------


@pytest.fixture
def checkpoint(spec: Path) -> str:
    """Weights of the spec's, in half precision and under longer names."""
    write_weights(
        "half.safetensors",
        {
            "m.first.weight": np.full((4, 3), 0.5, np.float16),
            "m.first.bias": np.zeros(4, np.float16),
            **{f"m.norm.{name}": np.ones(4, np.float16) for name in ("weight", "bias")},
            **{f"m.norm.running_{name}": np.ones(4, np.float32) for name in ("mean", "var")},
        },
    )
    return "half.safetensors"


def test_weights_stand_under_the_names_of_the_spec(checkpoint: str, capsys: Captured) -> None:
    options = ("--weights", checkpoint, "--rename", "m.**=**", "--cast")
    assert (
        printed(capsys, "small.net", *options)
        == """\
Small with half.safetensors: 7 tensors, 33 elements
name                      shape   dtype  initializer                     role    in the file
first.weight              [4, 3]  f32    kaiming_uniform(a=2.23607)              m.first.weight f16
first.bias                [4]     f32    uniform(a=-0.57735, b=0.57735)          m.first.bias f16
norm.weight               [4]     f32    ones                                    m.norm.weight f16
norm.bias                 [4]     f32    zeros                                   m.norm.bias f16
norm.running_mean         [4]     f32    zeros                           buffer  m.norm.running_mean
norm.running_var          [4]     f32    ones                            buffer  m.norm.running_var
norm.num_batches_tracked  []      i64    zeros                           buffer
"""
    )
    lines = printed(capsys, "small.net", "first.*", *options, "--stats").splitlines()
    assert lines[2].split()[3:8] == ["f32", "0.5", "0", "0.5", "0.5"]
    (found,) = printed(capsys, "small.net", "first.bias", *options, "--format", "json").splitlines()
    assert json.loads(found)["held"] == {"name": "m.first.bias", "dtype": "f16"}


def test_weights_that_do_not_fit_are_told_as_when_building(
    checkpoint: str, capsys: Captured
) -> None:
    assert "--rename 'm.**=**' makes the names fit" in printed(
        capsys, "small.net", "--weights", checkpoint, code=3
    )
    assert "--cast" in printed(
        capsys, "small.net", "--weights", checkpoint, "--rename", "m.**=**", code=3
    )


def test_the_ir_takes_weights_as_its_spec_does(checkpoint: str, capsys: Captured) -> None:
    main(["build", "small.net", "-o", "small.json"])
    capsys.readouterr()
    options = ("--weights", checkpoint, "--rename", "m.**=**", "--cast", "--hist")
    assert printed(capsys, "small.json", *options) == printed(capsys, "small.net", *options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("small.net", "--cast"), "--cast means nothing without --weights"),
        (("small.net", "--rename", "a=b"), "--rename means nothing without --weights"),
        (("half.safetensors", "--weights", "half.safetensors"), "--weights needs a net"),
        (("small.net", "--weights", "half.safetensors", "--seed", "1"), "--seed is about initial"),
        (
            ("small.net", "--weights", "half.safetensors", "--why", "first.bias"),
            "--why is about initial",
        ),
        (
            ("small.net", "--weights", "w", "--rename", "a=b", "--rename", "a=c"),
            "--rename says twice what a is",
        ),
        (("small.net", "--weights", "w", "--rename", "a"), "'a' is not FROM=TO"),
        (("small.net", "--weights", "w", "--rename", "a=b.*"), "has the stars of the old one"),
        (
            ("small.net", "--weights", "half.safetensors", "--rename", "new.**=**"),
            "the nearest is 'm.",
        ),
    ],
)
def test_options_for_weights_that_mean_nothing_are_refused(
    arguments: tuple[str, ...], message: str, checkpoint: str, capsys: Captured
) -> None:
    assert message in printed(capsys, *arguments, code=2)


def test_torch_is_not_imported(spec: Path) -> None:
    program = (
        "import sys; from specc.cli.main import main; main(['params', 'small.net']);"
        "sys.exit('torch' in sys.modules or 'onnx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr
