"""An ONNX file that is written piece by piece has the bytes that protobuf makes of the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as oir
import pytest

import specc
from specc.targets.onnx.lower import to_ir_model
from specc.targets.onnx.stream import write

NETWORKS = {
    "layers": "std.lenet",
    "shared parameters": "std.rnn_scratch",
    "a loop": "std.fixed_hidden",
    "devices": """device gpu = cuda:0 | cpu
    net A(x: [N, 4]) { x |> Linear(3) on gpu |> relu }""",
    "a default that can be overridden": """net A(x: [N, 8, 9]) {
        c = Conv(8, 3, padding=1)
        x |> c |> BatchNorm |> c |> BatchNorm
    }""",
    "no parameters": "net A(x: [N, 4]) { x - mean(x) }",
    "a scalar, and a parameter without elements": """net A(x: [N, 4]) {
        param scale: [] ~ constant(2.5)
        param empty: [0, 4] ~ zeros
        return concat(x * scale, empty)
    }""",
    "every size of element": """net A(x: [N, 4]) {
        const a: i64[4] ~ constant(300)
        const b: bool[4] ~ ones
        const c: f16[4] ~ normal
        const d: bf16[4] ~ normal
        const e: f64[4] ~ normal
        const f: u8[4] ~ ones
        return where(b, x, x + a + c + d + e + f)
    }""",
}


def written(model: oir.Model, folder: Path) -> bytes:
    path = folder / "model.onnx"
    with path.open("wb") as file:
        write(model, file)
    return path.read_bytes()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_pieces_are_the_whole(name: str, tmp_path: Path) -> None:
    model = to_ir_model(specc.compile(NETWORKS[name]).network)
    assert written(model, tmp_path) == oir.to_proto(model).SerializeToString()


def test_the_model_keeps_its_weights(tmp_path: Path) -> None:
    model = to_ir_model(specc.compile("std.mlp").network)
    before = {name: v.const_value for name, v in model.graph.initializers.items()}
    written(model, tmp_path)
    assert {name: v.const_value for name, v in model.graph.initializers.items()} == before


def test_metadata_of_tensors_stays(tmp_path: Path) -> None:
    value = oir.Value(name="w", type=oir.TensorType(oir.DataType.FLOAT), shape=oir.Shape([2]))
    value.const_value = oir.Tensor(
        np.ones(2, np.float32), name="w", doc_string="twice", metadata_props={"from": "here"}
    )
    graph = oir.Graph([], [], nodes=[], initializers=[value], name="g", doc_string="after them")
    model = oir.Model(graph, ir_version=10, doc_string="all", metadata_props={"a": "b"})
    assert written(model, tmp_path) == oir.to_proto(model).SerializeToString()
