"""``specc devices``, and ``--device`` where a spec is compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from specc.cli.main import main

TEXT = """
device left  = cuda:99 | cpu
device right = cuda:99
net Halves(x: [N, 4]) -> [N, 2] { x |> Linear(4) on left |> Linear(2) on right }
"""


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "halves.net"
    path.write_text(TEXT)
    return str(path)


def test_it_lists_what_the_machine_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices"]) == 0
    assert "  cpu" in capsys.readouterr().out.splitlines()


def test_it_lists_what_each_device_would_be(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", spec, "--device", "right=cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  left   cuda:99 | cpu  ->  cpu" in lines
    assert "  right  cpu            ->  cpu" in lines


def test_it_fails_where_none_is_there(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", spec]) != 0
    assert "none of these is there" in capsys.readouterr().out


def test_a_build_takes_devices(spec: str, tmp_path: Path) -> None:
    out = tmp_path / "halves.py"
    assert main(["build", spec, "-o", str(out), "--device", "right=cuda:3"]) == 0
    assert 'def __init__(self, left="cpu", right="cuda:3"):' in out.read_text()


def test_a_misspelt_device_is_answered(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", spec, "--device", "lefd=cpu"]) == 1
    assert "did you mean 'left'?" in capsys.readouterr().err


def test_what_is_no_binding_is_refused(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", spec, "--device", "left"]) == 2
    assert "NAME=DEVICE" in capsys.readouterr().err
