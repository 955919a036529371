"""The matrix product: the operator ``@``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import ShapeMismatch
from specc.ir.dims import Dim
from specc.ir.types import DType, TensorType
from specc.ops.binary import (
    broadcast_or_refuse,
    require_equal_dtypes,
)
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Infix, X, Y
from specc.ops.operator import (
    Inference,
    Input,
    Operator,
    Torch,
    reject,
    sample,
)
from specc.ops.parts import reshape
from specc.ops.tolerances import SUMMED


def _infer_matmul(c: Inference, x: TensorType, y: TensorType) -> TensorType:
    for operand in (0, 1):
        c.rank(operand, "tensors with at least one dim", least=1)
        dtype = c.types[operand].dtype
        if not dtype.is_float and dtype not in (DType.I32, DType.I64):
            c.wrong_dtype(operand, "floats, i32 or i64")
    require_equal_dtypes(c, 0, 1)
    inner = x.shape[-1], y.shape[-2] if y.rank > 1 else y.shape[0]
    mismatch = ShapeMismatch(
        operator="matmul",
        operands=(0, 1),
        left=x.shape_text,
        right=y.shape_text,
        left_size=str(inner[0]),
        right_size=str(inner[1]),
        position="the dim that they share",
        verb="matrix-multiply",
        advice="the last dim of the left must be the first of the right's last two",
    )
    c.same_size(*inner, Fault(mismatch), "matrices that are multiplied share their inner dim")
    batch = broadcast_or_refuse(c, x.shape[:-2], y.shape[:-2], (0, 1), "matrix-multiply")
    rows = x.shape[-2:-1]
    columns = y.shape[-1:] if y.rank > 1 else ()
    return TensorType(x.dtype, (*batch, *rows, *columns))


def _matmul_multiply_adds(
    attributes: Mapping[str, Any], types: tuple[TensorType, ...], result: TensorType
) -> Dim:
    count = types[0].shape[-1]
    for dim in result.shape:
        count = count * dim
    return count


def _to_onnx(b: Builder, s: Site) -> Handle:
    """MatMul, or Gemm where an operand is a transposed matrix, which it reads as it is stored.

    onnxruntime would fold the transpose of a parameter into a second copy of it.
    """
    (left, right), (x, y) = s.inputs, s.types
    if not x.dtype.is_float or y.rank != 2:
        return b.op("MatMul", left, right)
    stored_left = b.untransposed(left) if x.rank == 2 else None
    stored_right = b.untransposed(right)
    if stored_left is None and stored_right is None:
        return b.op("MatMul", left, right)
    rows = left if x.rank == 2 else reshape(b, left, (-1, x.shape[-1]))
    product = b.op(
        "Gemm",
        rows if stored_left is None else stored_left,
        right if stored_right is None else stored_right,
        transA=None if stored_left is None else 1,
        transB=None if stored_right is None else 1,
    )
    return product if x.rank == 2 else reshape(b, product, s.result.shape)


OPERATORS = (
    Operator(
        name="matmul",
        summary="The matrix product `x @ y`.",
        details=(
            "Matrices are the last two dims, the dims before broadcast; a tensor with one dim is a "
            "row on the left and a column on the right, and that dim vanishes: `torch.matmul`."
        ),
        family="matmul",
        tolerance=SUMMED,
        inputs=(Input("left"), Input("right")),
        infer=_infer_matmul,
        torch=Torch(Infix("@", X, Y)),
        onnx={17: _to_onnx},
        multiply_adds=_matmul_multiply_adds,
        notation=lambda attributes: "@",
        samples=(
            sample("f32[2, 3]", "f32[3, 4]"),
            sample("f32[5, 2, 3]", "f32[3, 4]"),
            sample("f32[2, 1, 2, 3]", "f32[4, 3, 5]"),
            sample("f32[3]", "f32[3, 4]"),
            sample("f32[5, 2, 3]", "f32[3]"),
            sample("f32[3]", "f32[3]"),
            sample("i64[2, 3]", "i64[3, 4]"),
            sample("i32[2, 3]", "i32[3]"),
        ),
        rejects=(
            reject("shape-mismatch", "f32[2, 64]", "f32[32, 8]"),
            reject("shape-mismatch", "f32[2, 3, 4]", "f32[3, 4, 5]"),
            reject("rank-mismatch", "f32[]", "f32[3]"),
            reject("dtype-mismatch", "f32[2, 3]", "i64[3, 4]"),
            reject("dtype-mismatch", "bool[2, 3]", "bool[3, 4]"),
        ),
    ),
)
