"""Embedding: rows of a table, by number."""

from __future__ import annotations

from specc.ir.initializer import Edit, Initializer
from specc.ir.types import DType, TensorType
from specc.ops.arguments import INT, SIZE, Argument, optional
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import StateRef, X, call
from specc.ops.operator import (
    Drawn,
    Inference,
    Input,
    Operator,
    StateSlot,
    Torch,
    Values,
    reject,
    sample,
)


def _infer(c: Inference, x: TensorType) -> TensorType:
    if x.dtype not in (DType.I32, DType.I64):
        c.wrong_dtype(0, "i32 or i64")
    rows, padding = c["num_embeddings"], c["padding_idx"]
    if padding is not None:
        c.require(-rows <= padding < rows, "padding_idx", f"from {-rows} to {rows - 1}")
    # The layer's state floats although its input does not.
    return TensorType(DType.F32, (*x.shape, c["embedding_dim"]))


def _zero_padding(a: Values) -> tuple[Edit, ...]:
    padding = a["padding_idx"]
    return () if padding is None else (Edit(index=(padding % a["num_embeddings"],), value=0),)


def _to_onnx(b: Builder, s: Site) -> Handle:
    return b.op("Gather", s.state("weight"), s.x, axis=0)


Embedding = Operator(
    name="Embedding",
    summary="A table of num_embeddings vectors, looked up by integers.",
    details=(
        "Integers of any shape, each from 0 to num_embeddings - 1. The row at `padding_idx` starts "
        "at zero and gets no gradient."
    ),
    layer=True,
    inputs=(Input("x"),),
    arguments=(
        Argument("num_embeddings", SIZE),
        Argument("embedding_dim", SIZE),
        Argument("padding_idx", optional(INT), None, training_only=True),
    ),
    state=(
        StateSlot(
            "weight",
            lambda a: (a["num_embeddings"], a["embedding_dim"]),
            lambda a: Initializer(name="normal"),
            edits=_zero_padding,
        ),
    ),
    infer=_infer,
    torch=Torch(
        function=call("F.embedding", X, StateRef("weight"), padding_idx="padding_idx"),
        module=call("nn.Embedding", "num_embeddings", "embedding_dim", padding_idx="padding_idx"),
    ),
    onnx={17: _to_onnx},
    tolerance={"f32": 0.0},
    samples=(
        sample(Drawn("i64[N, T]", 0, 9), num_embeddings=9, embedding_dim=4),
        sample(Drawn("i32[5]", 0, 9), num_embeddings=9, embedding_dim=4),
        sample(Drawn("i64[]", 0, 3), num_embeddings=3, embedding_dim=1),
        sample(Drawn("i64[N, 40]", 0, 4), num_embeddings=4, embedding_dim=4, padding_idx=1),
        sample(Drawn("i64[N, 40]", 0, 4), num_embeddings=4, embedding_dim=4, padding_idx=-1),
    ),
    rejects=(
        reject("dtype-mismatch", "f32[2, 4]", num_embeddings=9, embedding_dim=4),
        reject("dtype-mismatch", "u8[2, 4]", num_embeddings=9, embedding_dim=4),
        reject("bad-argument", "i64[2, 4]", num_embeddings=0, embedding_dim=4),
        reject("bad-argument", "i64[2, 4]", num_embeddings=9, embedding_dim=4, padding_idx=9),
    ),
)

OPERATORS = (Embedding,)
