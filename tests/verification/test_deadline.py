"""Loops that do not end: either runtime is stopped after the limit, and the message says where."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

import specc
from specc.frontend.diagnostics import Fault
from specc.infer.session import run, session
from specc.targets.onnx import to_onnx
from specc.verification import parity
from specc.verification.deadline import Deadline
from specc.verification.facts import NoEnd

ENDLESS = """
net Endless(x: [N, 4]) -> [N, 4] {
    while sum(abs(x)) > 1000 { x = x / 2 }
    while sum(abs(x)) < sum(abs(x)) + 1 { x = x * 0.5 }
    return x
}
"""


def test_onnxruntime_is_stopped_in_a_loop() -> None:
    running = session(specc.compile(ENDLESS).onnx().SerializeToString())
    start = time.monotonic()
    with pytest.raises(TimeoutError, match=r"0\.2 s have passed"):
        run(running, {"x": np.ones((2, 4), np.float32)}, limit=0.2)
    assert 0.2 <= time.monotonic() - start < 10


def test_onnxruntime_is_left_alone_before_the_limit_and_serves_again() -> None:
    running = session(specc.compile(ENDLESS).onnx().SerializeToString())
    with pytest.raises(TimeoutError):
        run(running, {"x": np.ones((2, 4), np.float32)}, limit=0.1)
    halving = "net H(x: [N]) -> [N] {\n while sum(abs(x)) > 1 { x = x / 2 }\n return x }"
    running = session(specc.compile(halving).onnx().SerializeToString())
    (y,) = run(running, {"x": np.array([8.0], np.float32)}, limit=60).values()
    assert y == 1


def test_an_error_of_onnxruntime_is_not_taken_for_the_limit() -> None:
    running = session(specc.compile("net R(x: [4]) -> [4] { relu(x) }").onnx().SerializeToString())
    with pytest.raises(Exception, match="Got invalid dimensions"):
        run(running, {"x": np.ones(5, np.float32)}, limit=60)


class Endless(torch.nn.Module):
    """What the network is in PyTorch."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        while x.abs().sum() < x.abs().sum() + 1:
            x = x * 0.5
        return x


class Idle(torch.nn.Module):
    """Nothing but the turning of a tensor into a bool."""

    def forward(self, flag: torch.Tensor) -> torch.Tensor:
        while flag:
            pass
        return flag


@pytest.mark.parametrize(
    ("module", "x"), [(Endless(), torch.ones(2, 4)), (Idle(), torch.tensor(True))]
)
def test_pytorch_is_stopped_in_a_loop(module: torch.nn.Module, x: torch.Tensor) -> None:
    start = time.monotonic()
    with pytest.raises(TimeoutError, match=r"0\.2 s have passed"), Deadline(0.2):
        module(x)
    assert 0.2 <= time.monotonic() - start < 10


def test_a_deadline_changes_no_answer() -> None:
    layer = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).eval()
    x = torch.randn(2, 3, 8, 8)
    with Deadline(60):
        found = layer(x)
    assert torch.equal(found, layer(x))
    assert found.requires_grad


def test_what_does_not_end_is_reported_with_its_loops() -> None:
    program = specc.compile(ENDLESS)
    with pytest.raises(Fault) as caught:
        parity.verify(program.network, to_onnx(program.network), limit=0.2)
    fact = caught.value.fact
    assert isinstance(fact, NoEnd)
    assert fact.message == "onnxruntime had not finished after 0.2 s at N=1"
    places = [fact.where, *(label.span for label in fact.because)]
    assert [program.sources.text(span).partition("{")[0].strip() for span in places if span] == [
        "while sum(abs(x)) > 1000",
        "while sum(abs(x)) < sum(abs(x)) + 1",
    ]


def test_a_network_without_loops_has_no_limit() -> None:
    network = specc.compile("net R(x: [N, 4]) -> [N, 4] { x |> Linear(4) |> relu }").network
    assert parity.verify(network, to_onnx(network), limit=1e-9).agrees
