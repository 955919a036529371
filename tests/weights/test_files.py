"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from specc.frontend.diagnostics import Fault
from specc.weights.facts import CannotWrite
from specc.weights.files import atomic_write


def _names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_file_and_its_side_files_appear_together(tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    with atomic_write(target) as staged:
        staged.write_bytes(b"main")
        (staged.parent / "model.onnx.data").write_bytes(b"side")
        assert not target.exists()
    assert target.read_bytes() == b"main"
    assert _names(tmp_path) == ["model.onnx", "model.onnx.data"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_failure_leaves_what_stood_there(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "model.py"
    target.write_text("old")

    def write() -> None:
        with atomic_write(target) as staged:
            staged.write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert target.read_text() == "old"
    assert _names(tmp_path) == ["model.py"]


@pytest.mark.skipif(os.name != "posix", reason="signals to another process")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_killed_process_leaves_nothing(tmp_path: Path, name: str) -> None:
    number = signal.Signals[name]
    target = tmp_path / "model.onnx"
    target.write_text("old")
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # which nohup lets ignore
        "from specc.weights.files import atomic_write\n"
        "with atomic_write(sys.argv[1]) as outer, atomic_write(sys.argv[1] + '2') as inner:\n"
        "    outer.write_text('half'); inner.write_text('half')\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(target)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    with process.stdout as output:
        assert output.readline() == b"ready\n"
    assert len(_names(tmp_path)) == 3
    started = time.monotonic()
    process.send_signal(number)
    assert process.wait(20) == -number
    assert time.monotonic() - started < 20
    assert target.read_text() == "old"
    assert _names(tmp_path) == ["model.onnx"]


def test_ctrl_c_between_two_names_waits_for_the_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old main file that refers to new side files would be neither of the two models."""
    replace, published = Path.replace, []

    def interrupted(self: Path, target: Path) -> Path:
        signal.raise_signal(signal.SIGINT)
        published.append(target.name)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)

    def write() -> None:
        with atomic_write(tmp_path / "model.onnx") as staged:
            staged.write_bytes(b"main")
            (staged.parent / "model.onnx.data").write_bytes(b"side")

    with pytest.raises(KeyboardInterrupt):
        write()
    assert published == ["model.onnx.data", "model.onnx"]
    assert _names(tmp_path) == ["model.onnx", "model.onnx.data"]


def test_a_second_ctrl_c_waits_for_the_removal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = shutil.rmtree

    def interrupted(path: Path, ignore_errors: bool) -> None:
        signal.raise_signal(signal.SIGINT)
        remove(path, ignore_errors=ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", interrupted)

    def write() -> None:
        with atomic_write(tmp_path / "model.onnx") as staged:
            staged.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert _names(tmp_path) == []


def test_the_signal_handler_is_put_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with atomic_write(tmp_path / "x") as staged:
        staged.touch()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("where", ["no/such/folder/x.onnx", "folder", "x" * 300])
def test_a_place_that_cannot_be_is_a_fact(tmp_path: Path, where: str) -> None:
    (tmp_path / "folder").mkdir()

    def write() -> None:
        with atomic_write(tmp_path / where) as staged:
            staged.touch()

    with pytest.raises(Fault) as caught:
        write()
    assert isinstance(caught.value.fact, CannotWrite)
    assert _names(tmp_path) == ["folder"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device without space")
def test_a_full_disk_is_a_fact(tmp_path: Path) -> None:
    def write() -> None:
        with atomic_write(tmp_path / "x"), Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"1")

    with pytest.raises(Fault) as caught:
        write()
    assert isinstance(caught.value.fact, CannotWrite)
    assert caught.value.fact.reason == os.strerror(errno.ENOSPC)
    assert _names(tmp_path) == []


def test_an_error_about_another_file_passes(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "x"):
        Path("/no/such/input").read_bytes()
