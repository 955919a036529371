"""Initial values that several processes draw are those that one draws."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

import specc
from specc.ir.graph import Parameter
from specc.targets import ahead
from specc.targets.ahead import drawing
from specc.targets.initial_values import drawn

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked under Linux")

TEXT = """
init halves(w: [...]) {
    w ~ normal
    return where(w > 0, 0.5, -0.5)
}

init { "edited"[0, 0] = 42 }

net A(x: [N, 100]) -> [N, 7] {
    param edited: [100, 300] ~ normal(std=0.02)
    param narrow: f16[70, 70] ~ uniform(-1, 1)
    param brain: bf16[3, 1000] ~ trunc_normal(std=0.02)
    param wide: f64[999] ~ normal
    param empty: [0, 9] ~ normal
    param square: [40, 40] ~ orthogonal
    param sparse: [50, 50] ~ sparse(0.5)
    param one: [] ~ normal
    param own: [40, 9] ~ halves
    param last: [300, 7] ~ normal
    return x @ edited @ last * one + sum(square) + sum(sparse) + sum(own) + sum(empty)
        + cast(sum(narrow), f32) + cast(sum(brain), f32) + cast(sum(wide), f32)
}
"""


@pytest.fixture
def parameters() -> tuple[Parameter, ...]:
    return specc.compile(TEXT).network.parameters


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes at which a small network is drawn in many parts, by several processes."""
    monkeypatch.setattr(ahead, "_SHARE", 1000)
    monkeypatch.setattr(ahead, "_PART", 512)


def until(condition: Callable[[], bool]) -> bool:
    """Whether ``condition`` comes true within ten seconds."""
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def nobody_draws() -> bool:
    return not multiprocessing.active_children()


def assert_as_drawn(found: np.ndarray, parameter: Parameter, seed: int) -> None:
    expected = drawn(parameter, seed)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape), parameter.name
    assert found.tobytes() == expected.tobytes(), parameter.name


@pytest.mark.parametrize("processes", [1, 2, 3, 50])
@pytest.mark.parametrize("turn", [1, -1], ids=["in turn", "last one first"])
def test_values_are_those_that_one_process_draws(
    parameters: tuple[Parameter, ...], processes: int, turn: int
) -> None:
    with drawing(parameters, 3, processes) as draw:
        for parameter in parameters[::turn]:
            assert_as_drawn(draw(parameter), parameter, 3)
    assert nobody_draws()


def test_the_other_processes_draw_while_the_caller_does_something_else(
    parameters: tuple[Parameter, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    last = parameters[-1]
    with drawing(parameters, 3, 2) as draw:
        assert len(multiprocessing.active_children()) == 1
        assert until(nobody_draws), "it ends when all is drawn"
        monkeypatch.setattr(ahead, "drawn", None)
        monkeypatch.setattr(ahead, "drawn_part", None)
        found = draw(last)
    assert_as_drawn(found, last, 3)


def test_a_value_may_be_asked_for_again_and_changed(parameters: tuple[Parameter, ...]) -> None:
    last = parameters[-1]
    with drawing(parameters, 0, 2) as draw:
        draw(last)[:] = 0
        assert_as_drawn(draw(last), last, 0)
        kept = draw(parameters[1])
    assert_as_drawn(kept, parameters[1], 0)


@pytest.mark.parametrize("turn", [1, -1], ids=["in turn", "last one first"])
def test_values_that_nobody_asks_for_keep_none_from_being_drawn(
    parameters: tuple[Parameter, ...], turn: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "_AHEAD", 2)
    for skipped in range(len(parameters)):
        asked = [*parameters[:skipped], *parameters[skipped + 1 :]][::turn]
        with drawing(parameters, 0, 3) as draw:
            for parameter in asked:
                assert_as_drawn(draw(parameter), parameter, 0)


def test_little_is_drawn_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_PART", 2**16)
    monkeypatch.setattr(ahead, "_AHEAD", 8)
    part, window = 4 * 2**16, 8 * 4 * 2**16
    text = "net A(x: [N, 1024]) { x |> layers: [Linear(1024, bias=false) for i in 0..16] }"
    parameters = specc.compile(text).network.parameters
    with drawing(parameters, 0, 2) as draw:
        for parameter in parameters:
            draw(parameter)
            assert shared_memory() <= window + 4 * part  # the caller draws too, while it waits
        assert until(nobody_draws)
        assert shared_memory() <= 4 * part


def shared_memory() -> int:
    """Bytes of shared memory that this process has touched."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = [line for line in lines if line.startswith("RssShmem:")]
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_ended_is_not_waited_for(
    parameters: tuple[Parameter, ...],
    number: signal.Signals,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caller, real, begun = os.getpid(), ahead.drawn_part, tmp_path / "begun"

    def never_ready_elsewhere(*given: Any) -> Any:
        if os.getpid() != caller:
            begun.touch()
            time.sleep(1000)
        return real(*given)

    monkeypatch.setattr(ahead, "drawn_part", never_ready_elsewhere)
    with drawing(parameters, 0, 2) as draw:
        (other,) = multiprocessing.active_children()
        assert other.pid is not None
        assert until(begun.exists)
        os.kill(other.pid, number)
        for parameter in parameters:
            assert_as_drawn(draw(parameter), parameter, 0)


def test_a_process_of_a_pool_draws_alone() -> None:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(_draws_first, [TEXT])


def _draws_first(text: str) -> bool:
    first = specc.compile(text).network.parameters[0]
    with drawing([first], 0, 2) as draw:
        return nobody_draws() and bool((draw(first) == drawn(first, 0)).all())


def test_what_is_raised_inside_ends_the_others(parameters: tuple[Parameter, ...]) -> None:
    with pytest.raises(KeyError), drawing(parameters, 0, 3):
        raise KeyError
    assert nobody_draws()


def test_the_others_end_with_the_caller() -> None:
    code = """
        import multiprocessing, os, signal, specc
        from specc.targets import ahead

        ahead._SHARE, ahead._PART, ahead._AHEAD = 1000, 512, 2
        parameters = specc.compile("std.lenet").network.parameters
        with ahead.drawing(parameters, 0, 3):
            print(*(other.pid for other in multiprocessing.active_children()), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run(
        [sys.executable, "-c", dedent(code)], capture_output=True, text=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    others = [Path("/proc", number) for number in killed.stdout.split()]
    assert len(others) == 2
    assert until(lambda: not any(map(runs, others)))


def runs(process: Path) -> bool:
    """Whether a process has not ended; one that nobody has asked about its end is a zombie."""
    try:
        return ") Z" not in (process / "stat").read_text(encoding="ascii")
    except OSError:
        return False


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors"])
def test_a_file_asks_in_the_order_in_which_they_are_drawn(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "net A(x: [N, 64]) { x |> layers: [Linear(64) for i in 0..12] }"
    monkeypatch.setattr(ahead, "drawn", None)  # what is out of turn would be drawn by this
    specc.compile(text).build(tmp_path / f"x{suffix}", processes=2, verify=False)


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors"])
def test_a_file_has_the_same_bytes_whoever_draws(suffix: str, tmp_path: Path) -> None:
    program = specc.compile("std.lenet")
    files = []
    for processes in (1, 3):
        path = tmp_path / f"{processes}{suffix}"
        program.build(path, processes=processes, verify=False, seed=5)
        files.append(path.read_bytes())
    assert files[0] == files[1]
