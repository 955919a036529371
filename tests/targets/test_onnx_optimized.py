"""Shared parameters stay one initializer when onnxruntime has optimized the graph."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx.reference import ReferenceEvaluator

import specc
from specc.ir.types import DType
from specc.targets.onnx import save

TEXTS = {
    "tied": """
        net Tied(vocab = 200, width = 16)(x: i64[N, T]) -> [N, T, vocab] {
            embed = Embedding(vocab, width)
            h = embed(x) |> Linear(width) |> gelu
            return h |> Linear(vocab, bias=false, weight=embed.weight)
        }
    """,
    "applied twice": """
        net Twice(x: [N, 64]) -> [N, 64] {
            shared = Linear(64)
            x |> shared |> relu |> shared
        }
    """,
    "handed to two blocks": """
        block Residual(inner: layer)(x: [..., D]) = x + inner(x)
        net Handed(x: [N, T, 64]) -> [N, T, 64] {
            hidden = Linear(64)
            x |> Residual(hidden) |> Residual(hidden)
        }
    """,
}

TRANSPOSED = {
    "after an embedding": """
        net A(x: i64[N, T]) -> [N, T, 200] {
            embed = Embedding(200, 16)
            h = embed(x) |> Linear(16)
            return h @ transpose(embed.weight, 0, 1)
        }
    """,
    "of a matrix, on the right": """
        net A(x: [N, 64]) -> [N, 64] {
            param w: [64, 32] ~ normal(std=0.1)
            return relu(x @ w) @ transpose(w, 0, 1)
        }
    """,
    "of a matrix, on the left": """
        net A(x: [64, N]) -> [64, N] {
            param w: [64, 32] ~ normal(std=0.1)
            return w @ (transpose(w, 0, 1) @ x)
        }
    """,
    "as a pattern, for a vector": """
        net A(x: [64]) -> [64] {
            param w: [64, 32] ~ normal(std=0.1)
            return (x @ w) @ rearrange(w, "a b -> b a")
        }
    """,
    "of a layer's weight": """
        net A(x: [N, T, 64]) -> [N, T, 64] {
            hidden = Linear(32)
            y = x |> hidden |> relu
            return y @ hidden.weight
        }
    """,
    "a weight as a table": """
        net A(x: [N, 16], i: i64[N]) -> [N, 16] {
            out = Linear(200, bias=false)
            y = x |> out |> softmax(dim=-1)
            return y @ out.weight + (i |> Embedding(200, 16, weight=out.weight))
        }
    """,
    "across blocks": """
        block Encoder(x: [N, 64]) -> [N, 32] { x |> fc: Linear(32) |> relu }
        block Decoder(w)(x: [N, 32]) -> [N, 64] { x @ w }
        net A(x: [N, 64]) -> [N, 64] {
            e = Encoder()
            y = e(x)
            return y |> Decoder(w=e.fc.weight)
        }
    """,
    "in a loop": """
        net A(x: [N, 64]) -> [N, 64] {
            h = Linear(64)
            x = h(x)
            tied = Linear(64, bias=false, weight=h.weight)
            x = tied(x)
            while sum(abs(x)) > 10 { x = tied(x) @ transpose(h.weight, 0, 1) / 8 }
            return x @ h.weight
        }
    """,
    "in a branch": """
        net A(x: [N, 64]) -> [N, 64] {
            h = Linear(64)
            if mean(x) > 0 { x = h(x) } else { x = x @ h.weight }
            return h(x)
        }
    """,
}


@pytest.mark.parametrize("opset", [17, 24])
@pytest.mark.parametrize("text", TRANSPOSED.values(), ids=TRANSPOSED)
def test_a_transposed_use_makes_no_copy_and_changes_no_answer(
    text: str, opset: int, tmp_path: Path
) -> None:
    program = specc.compile(text)
    built = program.build(tmp_path / "x.onnx", opset=opset)
    assert built.parity is not None
    optimized = optimize(onnx.load(built.paths[0]), "ORT_ENABLE_EXTENDED", tmp_path)
    assert large_tensors(optimized.graph) == sorted(
        parameter.name for parameter in program.network.parameters if parameter.type.elements > 100
    )


def large_tensors(graph: onnx.GraphProto) -> list[str]:
    """The names of what a graph holds, those inside loops and branches and in nodes included."""
    found = [tensor.name for tensor in graph.initializer if math.prod(tensor.dims) > 100]
    for node in graph.node:
        for attribute in node.attribute:
            if math.prod(attribute.t.dims) > 100:
                found.append(node.output[0])
            if attribute.HasField("g"):
                found += large_tensors(attribute.g)
    return sorted(found)


def large_sizes(graph: onnx.GraphProto) -> list[int]:
    """The numbers of elements of an outer graph's initializers that are large."""
    sizes = [math.prod(tensor.dims) for tensor in graph.initializer]
    return [size for size in sizes if size > 100]


def optimize(model: onnx.ModelProto, level: str, folder: Path) -> onnx.ModelProto:
    """The graph that onnxruntime runs at an optimization level."""
    options = ort.SessionOptions()
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    options.log_severity_level = 3
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.load(options.optimized_model_filepath)


@pytest.mark.parametrize("level", ["ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_second_copy_of_a_parameter_is_made(text: str, level: str, tmp_path: Path) -> None:
    program = specc.compile(text)
    optimized = optimize(program.onnx(), level, tmp_path)
    sizes = sorted(math.prod(t.dims) for t in optimized.graph.initializer)
    large = [size for size in sizes if size > 100]
    assert large == sorted(
        p.type.elements for p in program.network.parameters if p.type.elements > 100
    )


BLOCK = """
    block Stage(x: [N, C, H, W]) { x |> Conv(16, 3, padding=1, bias=false) |> BatchNorm |> relu }
"""

CONVOLUTIONS = {
    "applied twice": """
        net A(x: [N, 16, 9, 9]) {
            c = Conv(16, 3, padding=1)
            x |> c |> relu |> c
        }
    """,
    "with its norm, applied twice": BLOCK
    + """
        net A(left: [N, 16, 9, 9], right: [N, 16, 9, 9]) {
            s = Stage()
            return s(left) - s(right)
        }
    """,
    "with a bias and its norm, of signals": """
        net A(x: [N, 16, 99]) {
            c = Conv(16, 5, padding=2)
            n = BatchNorm()
            x |> c |> n |> relu |> c |> n
        }
    """,
    "in groups, with a norm without parameters": """
        net A(x: [N, 16, 9, 9]) {
            c = Conv(16, 3, padding=1, groups=4)
            n = BatchNorm(affine=false)
            x |> c |> n |> relu |> c |> n
        }
    """,
    "with norms of their own": """
        net A(x: [N, 16, 9, 9]) {
            c = Conv(16, 3, padding=1)
            x |> c |> BatchNorm |> relu |> c |> BatchNorm
        }
    """,
    "with a norm behind one use": """
        net A(x: [N, 16, 9, 9]) {
            c = Conv(16, 3, padding=1)
            x |> c |> BatchNorm |> relu |> c
        }
    """,
    "with a norm behind a sum": """
        net A(x: [N, 16, 9, 9]) {
            c = Conv(16, 3, padding=1)
            param shift: [16, 1, 1] ~ normal
            return c(relu(c(x) + shift |> BatchNorm)) + shift |> BatchNorm
        }
    """,
    "with a factor": """
        net A(x: [N, 16, 9, 9]) {
            c = Conv(16, 3, padding=1)
            param scale: [16, 1, 1] ~ normal
            return c(relu(c(x) * scale)) * scale
        }
    """,
    "with a number as factor": """
        net A(x: [N, 16, 9, 9]) {
            c = Conv(16, 3, padding=1)
            return c(relu(c(x) * 0.5)) * 0.25
        }
    """,
    "transposed, with its norm": """
        net A(x: [N, 16, 9, 9]) {
            c = ConvTranspose(16, 3, padding=1)
            n = BatchNorm()
            x |> c |> n |> relu |> c |> n
        }
    """,
    "outside a branch and in it": BLOCK
    + """
        net A(x: [N, 16, 9, 9]) {
            s = Stage()
            x = s(x)
            if mean(x) > 0 { x = s(x) } else { x = x + 1 }
            return x
        }
    """,
    "in both branches": BLOCK
    + """
        net A(x: [N, 16, 9, 9]) {
            s = Stage()
            if mean(x) > 0 { x = s(x) } else { x = s(x + 1) }
            return x
        }
    """,
    "twice in a branch": BLOCK
    + """
        net A(x: [N, 16, 9, 9]) {
            s = Stage()
            if mean(x) > 0 { x = x |> s |> s } else { x = x + 1 }
            return x
        }
    """,
    "before a loop and in it": """
        net A(x: [N, 16, 9, 9]) {
            c = Conv(16, 3, padding=1)
            x = c(x)
            while mean(abs(x)) > 0.5 { x = c(x) / 40 }
            return x
        }
    """,
    "and as a matrix": """
        net A(x: [N, 16, 9, 9]) {
            c = Conv(32, 1, bias=false)
            return (x |> c |> mean(dim=[2, 3])) @ reshape(c.weight, 32, 16)
        }
    """,
}

COMPUTED = {
    "and a part of it": """
        net A(x: [N, 64]) {
            param w: [64, 64] ~ normal(std=0.1)
            return relu(x @ w) @ w[:, 0:40]
        }
    """,
    "and a multiple": """
        net A(x: i64[N, T]) {
            e = Embedding(200, 16)
            return e(x) @ transpose(4 * e.weight, 0, 1)
        }
    """,
    "two multiples": """
        net A(x: [N, 64]) {
            param w: [64, 64] ~ normal(std=0.1)
            return relu(x @ (w * 2)) @ (w * 3)
        }
    """,
    "the same multiple, twice": """
        block Scaled(x: [N, 64]) {
            param w: [64, 64] ~ normal(std=0.1)
            return x @ (w * 2)
        }
        net A(x: [N, 64]) {
            s = Scaled()
            return x |> s |> relu |> s
        }
    """,
    "its halves": """
        net A(x: [N, 64]) {
            param w: [64, 128] ~ normal(std=0.1)
            return silu(x @ w[:, 0:64]) * (x @ w[:, 64:128])
        }
    """,
    "in a product with another": """
        net A(x: [N, 64]) {
            param w: [64, 64] ~ normal(std=0.1)
            param a: [64, 4] ~ normal(std=0.1)
            param b: [4, 64] ~ normal(std=0.1)
            return x @ (w + a @ b)
        }
    """,
}


@pytest.mark.parametrize("level", ["ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL"])
@pytest.mark.parametrize("opset", [17, 24])
@pytest.mark.parametrize("text", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_a_shared_convolution_has_one_weight(
    text: str, opset: int, level: str, tmp_path: Path
) -> None:
    program = specc.compile(text)
    optimized = optimize(program.onnx(opset=opset), level, tmp_path)
    assert len(large_tensors(optimized.graph)) == 1


@pytest.mark.parametrize("text", COMPUTED.values(), ids=COMPUTED)
def test_what_is_computed_from_a_parameter_is_no_copy(text: str, tmp_path: Path) -> None:
    program = specc.compile(text)
    (largest, *_) = sorted((p.type.elements for p in program.network.parameters), reverse=True)
    optimized = optimize(program.onnx(), "ORT_ENABLE_ALL", tmp_path)
    assert sum(large_sizes(optimized.graph)) == largest


@pytest.mark.parametrize("opset", [17, 24])
@pytest.mark.parametrize("text", [*CONVOLUTIONS.values(), *COMPUTED.values()])
def test_the_answers_are_those_of_trained_statistics(text: str, opset: int, tmp_path: Path) -> None:
    program = specc.compile(text)
    drawn = np.random.default_rng(0)
    weights = {
        p.name: drawn.uniform(0.5, 1.5, p.type.shape).astype(np.float32) / (1 + p.type.rank) ** 2
        for p in program.network.parameters
        if p.type.dtype is DType.F32
    } | {p.name: np.array(7) for p in program.network.parameters if p.type.dtype is not DType.F32}
    built = program.build(tmp_path / "x.onnx", weights=weights, opset=opset)
    assert built.parity is not None
    session = ort.InferenceSession(built.paths[0], providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == [port.name for port in program.inputs]
    onnx.checker.check_model(str(built.paths[0]), full_check=True)


def test_a_default_may_stand_beside_the_model(tmp_path: Path) -> None:
    program = specc.compile(CONVOLUTIONS["with norms of their own"])
    x = np.random.default_rng(0).normal(size=(2, 16, 9, 9)).astype(np.float32)
    answers = []
    for limit in (10**9, 0):
        path, *data = save(program.network, tmp_path / f"{limit}.onnx", limit=limit)
        assert bool(data) == (limit == 0)
        session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [one.name for one in session.get_overridable_initializers()]
        assert names == ["batch_norm1.running_var", "batch_norm2.running_var"]
        answers += [
            session.run(None, {"x": x})[0],
            *ReferenceEvaluator(str(path)).run(None, {"x": x}),
        ]
    for answer in answers:
        np.testing.assert_allclose(answer, answers[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["f16", "f64"])
def test_a_norm_is_folded_in_a_type_that_is_wide_enough(dtype: str) -> None:
    text = CONVOLUTIONS["with a bias and its norm, of signals"].replace("x: [", f"x: {dtype}[")
    kinds = [node.op_type for node in specc.compile(text).onnx().graph.node]
    assert kinds.count("BatchNormalization") == (0 if dtype == "f64" else 2)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("std.lenet", {}),
        ("std.resnet", {"depth": 18}),
        ("std.gpt2", {"vocab": 99, "positions": 16, "width": 24, "layers": 2, "heads": 3}),
        ("std.llama", {"vocab": 99, "width": 32, "layers": 2, "heads": 4, "hidden": 40}),
        ("std.rnn_scratch", {}),
        ("std.fixed_hidden", {}),
    ],
)
def test_only_what_would_be_copied_can_be_overridden(name: str, sizes: dict[str, int]) -> None:
    program = specc.compile(name, **sizes)
    graph = program.onnx().graph
    assert [one.name for one in graph.input] == [port.name for port in program.inputs]
    norms = [node for node in graph.node if node.op_type == "BatchNormalization"]
    assert bool(norms) == (name == "std.resnet")
