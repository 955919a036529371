"""Devices on the targets: the class that takes them, tensors that are where they should, ONNX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

import specc
from specc.ir.devices import devices_of_parameters
from specc.targets import torch as target
from tests.ir.devices import DEVICES

FAKE = {"left": torch.device("cuda:0"), "right": torch.device("cuda:1")}


@contextmanager
def on_fakes(
    program: specc.Program, devices: Mapping[str, torch.device], weights: Any = None
) -> Iterator[nn.Module]:
    """The module on devices that need not be there: tensors have a place and no values."""
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        yield target.module(program.network, devices=devices, weights=weights).eval()


def watch(module: nn.Module) -> dict[str, set[str]]:
    """Where the inputs and results of each layer were seen, by the layer's name, as it runs."""
    seen: dict[str, set[str]] = {}

    def hook(name: str) -> Any:
        def note(layer: nn.Module, given: tuple[torch.Tensor, ...], result: torch.Tensor) -> None:
            seen.setdefault(name, set()).update(str(t.device) for t in (*given, result))

        return note

    for name, layer in module.named_modules():
        if not list(layer.children()):
            layer.register_forward_hook(hook(name))
    return seen


TOWERS = """
device left  = cuda:0 | cpu
device right = cuda:1 | cpu

net Towers(x: [N, 3, 32, 32]) -> [N, 10] {
    on left  { a = x |> left_tower:  [Conv(4, 5), BatchNorm, relu, flatten] }
    on right { b = x |> right_tower: [Conv(4, 5), BatchNorm, relu, flatten] }
    return (a, b) |> concat(dim=1) |> out: Linear(10) on left
}
"""


def test_the_source_shows_devices_and_moves() -> None:
    source = specc.compile(TOWERS).python()
    assert 'def __init__(self, left="cpu", right="cpu"):' in source
    assert "with torch.device(right):" in source
    assert "b.to(self.left.device)" in source


def test_every_layer_runs_where_its_device_is() -> None:
    with on_fakes(specc.compile(TOWERS), FAKE) as module:
        seen = watch(module)
        result = module(torch.empty(2, 3, 32, 32))
    assert str(result.device) == "cuda:0"
    assert {n: s for n, s in seen.items() if n.startswith("left_tower")} == {
        f"left_tower.{i}": {"cuda:0"} for i in range(4)
    }
    assert {n: s for n, s in seen.items() if n.startswith("right_tower")} == {
        f"right_tower.{i}": {"cuda:1"} for i in range(4)
    }
    assert seen["out"] == {"cuda:0"}


def test_parameters_and_buffers_are_where_their_layers_are() -> None:
    program = specc.compile(TOWERS)
    expected = {n: FAKE[d] for n, d in devices_of_parameters(program.network).items()}
    with on_fakes(program, FAKE) as module:
        assert {n: t.device for n, t in module.state_dict().items()} == expected


def test_blocks_loops_branches_and_borrowed_weights_meet_their_operands() -> None:
    """A fake tensor refuses an operation on two devices, as a real one does."""
    text = DEVICES.replace("        while sum(h) > 1 { h = h / 2 }\n", "").replace(
        "        if sum(h) > 0 { h = h + 1 } else { h = h - seen }\n", "        h = h - seen\n"
    )  # whose conditions have no value here
    with on_fakes(specc.compile(text), FAKE) as module:
        assert str(module(torch.empty(2, 6)).device) == "cuda:0"
    assert specc.compile(DEVICES).module()(torch.ones(2, 6)).shape == (2, 4)


def test_without_the_move_the_fakes_refuse() -> None:
    """Guards the tests above: devices that differ are noticed."""
    with on_fakes(specc.compile(TOWERS), FAKE) as module:
        module.right = torch.empty(0, device="cpu")
        with pytest.raises(RuntimeError, match=r"device"):
            module(torch.empty(2, 3, 32, 32))


def test_gradients_cross() -> None:
    module = specc.compile(TOWERS).module()
    module(torch.randn(2, 3, 32, 32)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in [*module.parameters()][-2:])


def placed_nodes(model: onnx.ModelProto) -> dict[str, str]:
    """The device of each node of a graph that is on one, by the node's name."""
    names = model.configuration[0].device
    found = {}
    for node in model.graph.node:
        for entry in node.device_configurations:
            assert entry.configuration_id == model.configuration[0].name
            (index,) = {index for spec in entry.sharding_spec for index in spec.device}
            assert {s.tensor_name for s in entry.sharding_spec} <= {*node.input, *node.output}
            found[node.name] = names[index]
    return found


@pytest.mark.parametrize("opset", [23, 24])
def test_onnx_says_where_nodes_run(opset: int) -> None:
    model = specc.compile(TOWERS).onnx(opset=opset)
    read = onnx.load_from_string(model.SerializeToString())
    assert list(read.configuration[0].device) == ["left", "right"]
    found = placed_nodes(read)
    assert found["left_tower.0/Conv"] == "left"
    assert found["right_tower.0/Conv"] == "right"
    assert {device for name, device in found.items() if name.startswith("out")} == {"left"}
    assert len(found) == len(read.graph.node)


def test_onnx_before_version_11_of_its_files_has_no_devices() -> None:
    model = specc.compile(TOWERS).onnx(opset=22)
    assert model.ir_version < 11
    assert not model.configuration
    assert not any(node.device_configurations for node in model.graph.node)


def test_onnxruntime_gives_the_same_with_and_without_devices() -> None:
    plain = TOWERS.replace("on left  {", "if true {").replace("on right {", "if true {")
    texts = TOWERS, plain.replace(" on left", "")
    x = np.random.default_rng(0).standard_normal((2, 3, 32, 32)).astype("f")
    results = [
        ort.InferenceSession(specc.compile(t).onnx(opset=23).SerializeToString()).run(
            None, {"x": x}
        )
        for t in texts
    ]
    assert np.array_equal(results[0][0], results[1][0])


def test_a_graph_for_devices_that_are_elsewhere_is_built_and_compared_here(tmp_path: Path) -> None:
    text = TOWERS.replace(" | cpu", "").replace("cuda:", "xpu:4")
    program = specc.compile(text)
    with pytest.raises(specc.SpecError, match="cannot be on xpu:40"):
        program.module()
    weights = specc.compile(TOWERS).module()
    for given in (None, weights):
        built = program.build(tmp_path / "towers.onnx", weights=given)
        assert built.parity is not None
        assert built.parity.agrees


@pytest.mark.gpu
def test_a_module_runs_on_a_gpu_and_the_cpu() -> None:
    program = specc.compile(TOWERS)
    x = torch.randn(2, 3, 32, 32)
    expected = program.module().eval()(x)
    spread = program.module(devices={"left": "cuda:0", "right": "cpu"}).eval()
    assert spread.right_tower[0].weight.device.type == "cpu"
    torch.testing.assert_close(spread(x).cpu(), expected, rtol=1e-3, atol=1e-4)
