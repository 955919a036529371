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


@pytest.mark.parametrize("level", ["ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_second_copy_of_a_parameter_is_made(text: str, level: str, tmp_path: Path) -> None:
    program = specc.compile(text)
    options = ort.SessionOptions()
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    model = program.onnx().SerializeToString()
    ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    optimized = onnx.load(options.optimized_model_filepath)
    sizes = sorted(math.prod(t.dims) for t in optimized.graph.initializer)
    large = [size for size in sizes if size > 100]
    assert large == sorted(
        p.type.elements for p in program.network.parameters if p.type.elements > 100
    )
