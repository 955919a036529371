"""The ONNX target: what stands in a graph, under which names, and that it computes the network."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from specc.frontend.diagnostics import Fault
from specc.frontend.source import Span
from specc.infer.session import run, session
from specc.ir.dims import symbol
from specc.ir.graph import Network, Port, SourceFile
from specc.ir.initializer import Initializer
from specc.ir.types import parse_type
from specc.ops.registry import operators
from specc.ops.single import single
from specc.targets.facts import OpsetOutOfRange, TargetNameClash, TargetUnsupported, UnboundSize
from specc.targets.initial_values import initial_values
from specc.targets.onnx import DEFAULT_OPSET, HIGHEST_OPSET, LOWEST_OPSET, to_ir_model, to_onnx
from specc.version import __version__
from specc.weights.facts import WeightsDoNotFit
from tests.targets.networks import Body, network

OPSETS = range(LOWEST_OPSET, HIGHEST_OPSET + 1)


def mlp() -> Network:
    b = Body("MLP", x="f32[N, 20]")
    hidden = b.op("relu", b.layer("hidden", "Linear", 0, features=16), name="h")
    return network(b.template(b.layer("out", "Linear", hidden, features=4)), file="mlp.net")


def convolutional() -> Network:
    features = Body("features", "sequence", x="f32[N, 3, H, W]")
    x = features.layer("0", "Conv", 0, channels=4, kernel=3, padding=1)
    x = features.layer("1", "BatchNorm", x)
    x = features.layer("2", "relu", x)
    x = features.layer("3", "MaxPool", x, kernel=2)
    b = Body("Net", x="f32[N, 3, H, W]")
    b.block("features", 0)
    (y,) = b.apply("features", 0, results=[str(features.types[x])])
    return network(features.template(x), b.template(y))


def shared() -> Network:
    """One layer applied twice, and a head that borrows its weight."""
    b = Body("Shared", x="f32[N, 8]")
    x = b.layer("linear", "Linear", 0, features=8)
    (x,) = b.apply("linear", b.op("relu", x), results=["f32[N, 8]"])
    weight = b.read("linear.weight", "f32[8, 8]")
    x = b.layer("head", "Linear", x, features=8, borrowed={"weight": weight})
    return network(b.template(x), aliases={"head.weight": "linear.weight"})


def values(net: Network, seed: int = 0) -> dict[str, Any]:
    return dict(initial_values(net.parameters, seed))


def answers(model: onnx.ModelProto, **inputs: Any) -> dict[str, Any]:
    return run(session(model.SerializeToString()), inputs)


def initializer_names(model: onnx.ModelProto) -> list[str]:
    names = [tensor.name for tensor in model.graph.initializer]
    return [name for name in names if not name.startswith("const/")]


# ---- names ---------------------------------------------------------------------------------------


def test_parameters_keep_their_names() -> None:
    net = mlp()
    assert initializer_names(to_onnx(net)) == [p.name for p in net.parameters]


def test_nodes_are_named_after_their_layers() -> None:
    nodes = to_onnx(convolutional()).graph.node
    assert [node.name for node in nodes] == [
        "features.0/Conv",
        "features.1/BatchNormalization",
        "features.2/Relu",
        "features.3/MaxPool",
    ]


def test_repeated_nodes_are_numbered() -> None:
    names = [node.name for node in to_onnx(shared()).graph.node]
    assert [n for n in names if n.startswith("linear/Gemm")] == ["linear/Gemm", "linear/Gemm_1"]
    assert len(set(names)) == len(names)


def test_values_are_called_what_the_spec_calls_them() -> None:
    model = to_onnx(mlp())
    assert [info.name for info in model.graph.value_info if "/" not in info.name] == [
        *("hidden.weight", "hidden.bias", "out.weight", "out.bias"),
        "h",
    ]


def test_inputs_and_outputs_bear_the_networks_names_and_symbols() -> None:
    graph = to_onnx(convolutional()).graph
    (x,), (y,) = graph.input, graph.output
    dims = [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim]
    assert (x.name, dims) == ("x", ["N", 3, "H", "W"])
    dims = [d.dim_param or d.dim_value for d in y.type.tensor_type.shape.dim]
    assert (y.name, dims) == ("y", ["N", 4, "H // 2", "W // 2"])


def test_batches_are_not_counted_in_onnx() -> None:
    net = convolutional()
    assert "features.1.num_batches_tracked" in values(net)
    assert set(initializer_names(to_onnx(net))) == set(values(net)) - {
        "features.1.num_batches_tracked"
    }


def renamed(net: Network, **names: str) -> Network:
    """The network with other names for its ports: ``x="weight"``."""
    inputs = tuple(Port(name=names.get(p.name, p.name), type=p.type) for p in net.inputs)
    outputs = tuple(Port(name=names.get(p.name, p.name), type=p.type) for p in net.outputs)
    return net.model_copy(update={"inputs": inputs, "outputs": outputs})


def test_a_port_may_not_bear_a_parameters_name() -> None:
    for port in ("x", "y"):
        with pytest.raises(Fault) as caught:
            to_onnx(renamed(mlp(), **{port: "out.bias"}))
        fact = caught.value.fact
        assert isinstance(fact, TargetNameClash)
        assert "'out.bias'" in fact.message


@pytest.mark.parametrize(
    "name", ["hidden/Gemm:0", "const/f32/2.0", "x\n]} \" '", "名", "sizes/N", "Relu"]
)
def test_a_hostile_name_is_kept_and_nothing_collides_with_it(name: str) -> None:
    """Names that the target gives, or that a text format would trip over."""
    net = renamed(mlp(), x=name)
    x = np.ones([3, 20], np.float32)
    model = to_onnx(net)
    onnx.checker.check_model(model, full_check=True)
    assert np.array_equal(
        answers(model, **{name: x})["y"], answers(to_onnx(mlp()), x=x)["y"], equal_nan=False
    )


@pytest.mark.parametrize("name", ["", "\ud800"])
def test_a_name_that_no_file_can_hold_is_refused(name: str) -> None:
    with pytest.raises(Fault) as caught:
        to_onnx(renamed(mlp(), y=name))
    assert caught.value.fact.code == "target-name-invalid"


# ---- what is in the graph ------------------------------------------------------------------------


@pytest.mark.parametrize("opset", OPSETS)
def test_the_checker_and_the_runtime_take_every_opset(opset: int) -> None:
    model = to_onnx(convolutional(), opset=opset)
    assert model.opset_import[0].version == opset
    onnx.checker.check_model(model, full_check=True)
    x = np.ones([1, 3, 6, 5], np.float32)
    assert answers(model, x=x)["y"].shape == (1, 4, 3, 2)


def test_old_opsets_get_old_file_formats() -> None:
    assert [to_onnx(mlp(), opset=n).ir_version for n in (17, 19, 21)] == [8, 9, 10]


@pytest.mark.parametrize("opset", [LOWEST_OPSET - 1, HIGHEST_OPSET + 1])
def test_other_opsets_are_refused(opset: int) -> None:
    with pytest.raises(Fault) as caught:
        to_onnx(mlp(), opset=opset)
    assert isinstance(caught.value.fact, OpsetOutOfRange)


def test_an_operator_that_needs_a_later_opset_names_it() -> None:
    table = {**operators(), "relu": replace(operators()["relu"], onnx={23: lambda b, s: s.x})}
    with pytest.raises(Fault) as caught:
        to_onnx(convolutional(), operators=table)
    fact = caught.value.fact
    assert isinstance(fact, TargetUnsupported)
    assert (fact.operator, fact.path, fact.needs_opset) == ("relu", "features.2", 23)
    assert fact.message == f"relu at 'features.2' cannot be written in ONNX opset {DEFAULT_OPSET}"
    assert fact.help == "opset 23 or later has it"
    to_onnx(convolutional(), operators=table, opset=23)


def test_a_shared_parameter_is_stored_once() -> None:
    model = to_onnx(shared())
    assert initializer_names(model) == ["linear.weight", "linear.bias", "head.bias"]


def test_equal_constants_are_stored_once() -> None:
    b = Body("Net", x="f32[N]")
    x = b.op("add", b.op("mul", 0, right=2.0), right=2.0)
    model = to_onnx(network(b.template(x)))
    assert [tensor.name for tensor in model.graph.initializer] == ["const/f32/2.0"]


def test_what_no_output_needs_is_left_out() -> None:
    b = Body("Net", x="f32[N, 4]")
    b.op("exp", b.layer("unused", "Linear", 0, features=3))
    b.op("add", 0, right=5.0)
    model = to_onnx(network(b.template(b.layer("used", "Linear", 0, features=2))))
    assert [node.op_type for node in model.graph.node] == ["Gemm"]
    assert [t.name for t in model.graph.initializer] == ["used.weight", "used.bias"]


def test_inputs_and_repeated_values_can_be_outputs() -> None:
    b = Body("Net", x="f32[N]")
    y = b.op("relu", 0)
    model = to_onnx(network(b.template(y, 0, y)))
    onnx.checker.check_model(model, full_check=True)
    x = np.array([-1.0, 2.0], np.float32)
    found = answers(model, x=x)
    assert [found[name].tolist() for name in ("y", "y1", "y2")] == [[0, 2], [-1, 2], [0, 2]]


def test_intermediate_values_have_the_types_of_the_ir() -> None:
    types = {info.name: info.type.tensor_type for info in to_onnx(mlp()).graph.value_info}
    hidden = types["hidden/Gemm:0"]
    assert hidden.elem_type == onnx.TensorProto.FLOAT
    assert [d.dim_param or d.dim_value for d in hidden.shape.dim] == ["N", 16]


def test_metadata_says_where_a_model_comes_from() -> None:
    text = "net MLP(x: [N, 20]) {\n    x |> relu\n}\n"
    net = mlp().model_copy(
        update={
            "sources": (SourceFile(name="mlp.net", text=text),),
            "hyperparameters": {"widths": (16, 8), "rate": 0.5},
        }
    )
    model = to_onnx(net, seed=7)
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        "specc.version": __version__,
        "specc.net": "MLP",
        "specc.seed": "7",
        "specc.hyperparameters": '{"widths":[16,8],"rate":0.5}',
        "specc.sizes": "any N",
        "specc.sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    assert (model.producer_name, model.producer_version) == ("specc", __version__)
    given = to_onnx(net, weights=values(net))
    assert "specc.seed" not in {entry.key for entry in given.metadata_props}


FILES = {
    "mlp.net": "mlp.net:2:10",
    "parts/mlp.net": "parts/mlp.net:2:10",
    "/srv/models/mlp.net": "mlp.net:2:10",
    "C:\\models\\mlp.net": "mlp.net:2:10",
    "../mlp.net": "mlp.net:2:10",
    "\ud800.net": "\\ud800.net:2:10",
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("opset", [LOWEST_OPSET, DEFAULT_OPSET])
def test_nodes_tell_their_place_in_the_spec_and_no_folder(file: str, opset: int) -> None:
    net = single(operators()["relu"], (parse_type("f32[N]"),), {})
    (template,) = net.templates
    text = "net A(x: [N]) {\n    x |> relu\n}\n"
    (node,) = template.body.nodes
    node = node.model_copy(update={"span": Span(0, text.index("relu"), text.index("relu") + 4)})
    body = template.body.model_copy(update={"nodes": (node,)})
    net = net.model_copy(
        update={
            "templates": (template.model_copy(update={"body": body}),),
            "sources": (SourceFile(name=file, text=text),),
        }
    )
    model = to_onnx(net, opset=opset)
    onnx.checker.check_model(model, full_check=True)
    (relu,) = model.graph.node
    assert {e.key: e.value for e in relu.metadata_props} == {"specc.span": FILES[file]}
    assert answers(model, x=np.ones([2], np.float32))["y"].tolist() == [1, 1]


# ---- what it computes ----------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_mlp_is_what_pytorch_computes(batch: int) -> None:
    net = mlp()
    reference = nn.Sequential()
    reference.add_module("hidden", nn.Linear(20, 16))
    reference.add_module("relu", nn.ReLU())
    reference.add_module("out", nn.Linear(16, 4))
    weights = values(net, seed=3)
    reference.load_state_dict({name: torch.from_numpy(a) for name, a in weights.items()})
    x = np.random.default_rng(0).standard_normal([batch, 20]).astype(np.float32)
    found = answers(to_onnx(net, seed=3), x=x)["y"]
    expected = reference(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert not np.allclose(found, answers(to_onnx(net, seed=4), x=x)["y"])


def test_borrowed_and_repeated_layers_are_what_pytorch_computes() -> None:
    net = shared()
    weights = {name: torch.from_numpy(a) for name, a in values(net).items()}
    w, b = weights["linear.weight"], weights["linear.bias"]
    x = torch.linspace(-1, 1, 24).reshape(3, 8)
    y = nn.functional.linear(nn.functional.linear(x, w, b).relu(), w, b)
    y = nn.functional.linear(y, w, weights["head.bias"])
    found = answers(to_onnx(net), x=x.numpy())["y"]
    np.testing.assert_allclose(found, y.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 2, 2), (2, 5, 9), (3, 8, 4)])
def test_one_model_runs_at_every_size(size: tuple[int, int, int]) -> None:
    net = convolutional()
    batch, height, width = size
    reference = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)
    )
    state = {n.removeprefix("features."): torch.from_numpy(a) for n, a in values(net).items()}
    reference.load_state_dict(state)
    x = np.random.default_rng(0).standard_normal([batch, 3, height, width]).astype(np.float32)
    expected = reference.eval()(torch.from_numpy(x)).detach().numpy()
    found = answers(to_onnx(net), x=x)["y"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


# ---- weights -------------------------------------------------------------------------------------


def test_given_weights_are_used_as_they_are() -> None:
    net = mlp()
    weights = values(net, seed=5)
    model = to_ir_model(net, weights=weights)
    for name, array in weights.items():
        tensor = model.graph.initializers[name].const_value
        assert tensor is not None
        assert np.shares_memory(tensor.numpy(), array)


def test_weights_that_do_not_fit_are_refused() -> None:
    net = mlp()
    weights = values(net)
    del weights["out.bias"]
    with pytest.raises(Fault) as caught:
        to_onnx(net, weights=weights)
    assert isinstance(caught.value.fact, WeightsDoNotFit)


@pytest.mark.parametrize(("dtype", "onnx_dtype"), [("f16", 10), ("bf16", 16), ("f64", 11)])
def test_parameters_of_other_dtypes(dtype: str, onnx_dtype: int) -> None:
    net = single(operators()["Linear"], (parse_type(f"{dtype}[N, 4]"),), {"features": 3})
    model = to_onnx(net)
    onnx.checker.check_model(model, full_check=True)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    assert tensors["layer.weight"].data_type == onnx_dtype
    stored = onnx.numpy_helper.to_array(tensors["layer.weight"])
    assert np.array_equal(stored, values(net)["layer.weight"])


# ---- the same bytes ------------------------------------------------------------------------------

BUILD = """
import sys
from specc.targets.onnx import to_onnx
from tests.targets.zoo import lenet
sys.stdout.buffer.write(to_onnx(lenet()).SerializeToString())
"""


def test_another_process_writes_the_same_bytes(root: Path) -> None:
    """Hashes of strings differ from one process to the next."""

    def build(hash_seed: str) -> bytes:
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)}
        command = [sys.executable, "-c", BUILD]
        return subprocess.run(
            command, env=environment, cwd=root, capture_output=True, check=True, timeout=120
        ).stdout

    first = build("1")
    assert len(first) > 500
    assert first == build("2")


def test_unbound_sizes_are_reported() -> None:
    b = Body("Net", x="f32[M*N]")
    y = b.op("reshape", 0, sizes=(symbol("M"), symbol("N")))
    with pytest.raises(Fault) as caught:
        to_onnx(network(b.template(y)))
    assert isinstance(caught.value.fact, UnboundSize)


def test_a_parameter_may_be_called_like_a_constant() -> None:
    hostile = "const/f32/2.0"
    b = Body("Net", x="f32[N, 3]")
    scale = b.own(hostile, "f32[3]")
    y = b.op("mul", b.op("add", 0, right=2.0), scale)
    rules = {hostile: Initializer(name="constant", arguments={"val": 3.0})}
    model = to_onnx(network(b.template(y), rules=rules))
    assert [t.name for t in model.graph.initializer] == [hostile, f"{hostile}_1"]
    assert answers(model, x=np.ones([1, 3], np.float32))["y"].tolist() == [[9.0, 9.0, 9.0]]
