"""Signals wait where something must not be broken off, and act afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

import pytest

from specc.signals import Deferral, deferred

ROOT = Path(__file__).resolve().parents[1]


def test_ctrl_c_acts_when_the_block_is_done() -> None:
    done = []

    def work() -> None:
        with deferred():
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_nothing_waits_before_it_begins() -> None:
    done = []

    def work() -> None:
        with Deferral() as signals:
            signal.raise_signal(signal.SIGINT)
            signals.begin()
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert not done


def test_blocks_within_one_another_wait_for_the_outermost() -> None:
    done = []

    def work() -> None:
        with deferred():
            with deferred():
                signal.raise_signal(signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_handler_of_the_programs_own_is_called_once_and_kept(name: str) -> None:
    number = signal.Signals[name]
    seen = []

    def handler(number: int, frame: FrameType | None) -> None:
        seen.append(number)

    before = signal.signal(number, handler)
    try:
        with deferred():
            signal.raise_signal(number)
            signal.raise_signal(number)
            assert not seen
        assert seen == [number]
        assert signal.getsignal(number) is handler
    finally:
        signal.signal(number, before)


def test_a_failure_of_the_block_is_the_context_of_the_interruption() -> None:
    def fail() -> None:
        with deferred():
            signal.raise_signal(signal.SIGINT)
            raise ValueError

    with pytest.raises(KeyboardInterrupt) as caught:
        fail()
    assert isinstance(caught.value.__context__, ValueError)


def test_another_thread_changes_no_handler() -> None:
    seen = []

    def work() -> None:
        with deferred():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


_INTERRUPTED_IMPORT = """
import os, signal, sys
from pathlib import Path
import specc

class CtrlC:
    def find_spec(self, name, *rest):
        if name == "torch._C":
            signal.raise_signal(signal.SIGINT)

program = specc.compile("std.mlp")
sys.meta_path.insert(0, CtrlC())
try:
    program.build("mlp.onnx")
except KeyboardInterrupt:
    print(hasattr(sys.modules.get("torch"), "Tensor"), os.listdir())
"""


def test_ctrl_c_while_pytorch_starts_waits_for_it(tmp_path: Path) -> None:
    """PyTorch aborts the process where an exception breaks into its start."""
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_IMPORT],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True []\n"
