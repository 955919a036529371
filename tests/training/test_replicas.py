"""Several devices that share each batch update a net as one device does."""

from __future__ import annotations

import copy

import pytest
import torch

import specc
from specc.training.replicas import Replicas, training_devices
from tests.training.runs import LINE

TWO_OUTPUTS = """
net Two(x: [N, 4]) -> (a: [N, 3], b: [N, 2]) {
    h = x |> hidden: Linear(8) |> tanh
    return h |> left: Linear(3), h |> right: Linear(2)
}
"""


def twice() -> list[torch.device]:
    # Not equal, so that the second is given copies as another card would be.
    return [torch.device("cpu"), torch.device("cpu", 0)]


@pytest.mark.parametrize("examples", [1, 2, 5, 8])
def test_outputs_and_gradients_are_those_of_one_device(examples: int) -> None:
    one = specc.compile(TWO_OUTPUTS).module()
    several = copy.deepcopy(one)
    x = torch.randn(examples, 4, generator=torch.Generator().manual_seed(0))
    expected, found = one(x), Replicas(several, twice())(x)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)
    sum(z.square().sum() for z in expected).backward()
    sum(z.square().sum() for z in found).backward()
    for a, b in zip(several.parameters(), one.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_the_statistics_of_the_first_device_are_kept() -> None:
    text = "net Norm(x: [N, 3]) -> [N, 3] { x |> norm: BatchNorm }"
    one, several = specc.compile(text).module(), specc.compile(text).module()
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    one(x[:4])
    Replicas(several, twice())(x)
    torch.testing.assert_close(several.state_dict(), one.state_dict())


def test_a_run_takes_the_devices_of_its_recipe() -> None:
    program = specc.compile(LINE, settings={"devices": "cpu", "epochs": 1})
    assert specc.train(program).outcome == "finished"
    network = program.network
    assert training_devices(network, ["cpu", "cpu"]) == [torch.device("cpu")]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there are CUDA devices")
def test_a_device_that_is_not_there_is_named() -> None:
    program = specc.compile(LINE, settings={"devices": "cuda:*"})
    with pytest.raises(specc.SpecError) as caught:
        specc.train(program)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "device-missing"
    assert "this machine has cpu" in str(diagnostic.help)
    assert specc.train(program, device="cpu").outcome == "finished"


def test_a_net_on_devices_of_its_own_is_not_copied_to_others() -> None:
    text = "device left = cpu\n" + LINE.replace("Linear(1)", "Linear(1) on left")
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(text, settings={"devices": "cuda:*"})
    assert [d.code for d in caught.value.diagnostics] == ["conflicting-settings"]
    specc.compile(text, settings={"devices": "cpu"})


@pytest.mark.gpu
def test_a_run_on_every_cuda_device_is_that_on_one() -> None:
    program = specc.compile(LINE, settings={"epochs": 2})
    one = specc.train(program, device="cuda:0").final
    every = specc.train(specc.compile(LINE, settings={"epochs": 2, "devices": "cuda:*"})).final
    assert every == pytest.approx(one, rel=1e-4)
