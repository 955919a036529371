"""Shared parameters stay one initializer when onnxruntime has optimized the graph."""

from __future__ import annotations

import math
from pathlib import Path

import onnx
import onnxruntime as ort
import pytest

import specc

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
