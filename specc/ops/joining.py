"""Operators that join tensors into one, or cut one into several."""

from __future__ import annotations

from collections.abc import Sequence

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import ShapeMismatch, SizeMismatch
from specc.ir.dims import Dim
from specc.ir.types import TensorType
from specc.ops.arguments import AXIS, DIM, Argument, integer, several
from specc.ops.axes import counted, int64
from specc.ops.binary import require_equal_dtypes
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Operands, X, call
from specc.ops.operator import Inference, Input, Operator, Torch, reject, sample
from specc.ops.tolerances import EXACT

_TENSORS = (Input("tensors", variadic=True),)


def _require_agreement(c: Inference, verb: str, free_axis: int | None) -> None:
    """Requires that all inputs have one dtype and one shape, but for ``free_axis``."""
    require_equal_dtypes(c, *range(len(c.types)))
    first = c.types[0]
    for operand, other in enumerate(c.types[1:], start=1):
        c.rank(operand, f"tensors with {first.rank} dims, as the first has", first.rank)
        for axis, (left, right) in enumerate(zip(first.shape, other.shape, strict=True)):
            if axis == free_axis:
                continue
            mismatch = ShapeMismatch(
                operator=c.operator.name,
                operands=(0, operand),
                left=first.shape_text,
                right=other.shape_text,
                left_size=str(left),
                right_size=str(right),
                position=f"dim {axis} of {first.rank}",
                verb=verb,
                advice=None if free_axis is None else f"only dim {free_axis} may differ here",
            )
            c.same_size(left, right, Fault(mismatch), f"tensors that {c.operator.name} joins agree")


MOST_PARTS = 10_000
"""Results that one operator gives."""


def _infer_concat(c: Inference, *types: TensorType) -> TensorType:
    c.rank(0, "tensors with at least one dim", least=1)
    axis = c.axis("dim", c["dim"], types[0].rank)
    _require_agreement(c, "concatenate", axis)
    total: Dim = 0
    for type_ in types:
        total = total + type_.shape[axis]
    return types[0].with_dim(axis, total)


def _infer_stack(c: Inference, *types: TensorType) -> TensorType:
    axis = c.axis("dim", c["dim"], types[0].rank + 1)
    _require_agreement(c, "stack", None)
    shape = types[0].shape
    return types[0].with_shape((*shape[:axis], len(types), *shape[axis:]))


def _lower_stack(b: Builder, s: Site) -> Handle:
    (axis,) = counted(s["dim"], s.result.rank)
    parts = [b.op("Unsqueeze", x, int64(b, [axis])) for x in s.inputs]
    return b.op("Concat", *parts, axis=axis)


def _infer_chunk(c: Inference, x: TensorType) -> tuple[TensorType, ...]:
    c.rank(0, "a tensor with at least one dim", least=1)
    axis, count = c.axis("dim", c["dim"], x.rank), c["chunks"]
    size = x.shape[axis]
    c.require(count <= MOST_PARTS, "chunks", f"at most {MOST_PARTS:,}")
    if isinstance(size, int):
        width = -(-size // count)
        c.require(-(-size // width) == count, "chunks", f"a count into which {size} can be cut")
        widths: list[Dim] = [width] * (count - 1) + [size - width * (count - 1)]
    else:
        each = size // count
        uneven = SizeMismatch(
            operator="chunk",
            what=f"dim {axis}",
            expected=f"a multiple of {count}",
            found=str(size),
            advice="a symbolic size is cut into equal chunks",
        )
        c.same_size(size, count * each, Fault(uneven), f"a dim is cut into {count} equal chunks")
        widths = [c.size(each, "the size of a chunk")] * count
    return tuple(x.with_dim(axis, width) for width in widths)


def _infer_split(c: Inference, x: TensorType) -> tuple[TensorType, ...]:
    c.rank(0, "a tensor with at least one dim", least=1)
    axis, sizes = c.axis("dim", c["dim"], x.rank), c["sizes"]
    c.require(2 <= len(sizes) <= MOST_PARTS, "sizes", f"a list of two to {MOST_PARTS:,} sizes")
    total: Dim = 0
    for size in sizes:
        total = total + c.size(size, "the size of a part")
    mismatch = SizeMismatch(
        operator="split",
        what="the sum of the sizes",
        expected=str(x.shape[axis]),
        found=str(total),
    )
    c.same_size(x.shape[axis], total, Fault(mismatch), "a dim is split whole")
    return tuple(x.with_dim(axis, size) for size in sizes)


def _lower_split(b: Builder, s: Site) -> Sequence[Handle]:
    (axis,) = counted(s["dim"], s.type.rank)
    widths = b.sizes([result.shape[axis] for result in s.results])
    parts: Sequence[Handle] = b.op("Split", s.x, widths, axis=axis, outputs=len(s.results))
    return parts


OPERATORS = (
    Operator(
        name="concat",
        summary="Joins tensors along the dim `dim`, in which alone they may differ.",
        family="joining",
        tolerance=EXACT,
        inputs=_TENSORS,
        promotes_from=0,
        arguments=(Argument("dim", AXIS, 0),),
        infer=_infer_concat,
        torch=Torch(call("torch.cat", Operands(), dim="dim")),
        onnx={
            17: lambda b, s: b.op("Concat", *s.inputs, axis=counted(s["dim"], s.type.rank)[0]),
        },
        samples=(
            sample("f32[2, 3]", "f32[4, 3]"),
            sample("f32[2, 3]", "f32[2, 1]", "f32[2, 5]", dim=1),
            sample("i64[2, 3]", "i64[2, 3]", dim=-1),
            sample("bool[2]", "bool[1]"),
            sample("f32[2]"),
        ),
        rejects=(
            reject("shape-mismatch", "f32[2, 3]", "f32[2, 4]"),
            reject("rank-mismatch", "f32[2, 3]", "f32[3]"),
            reject("rank-mismatch", "f32[]", "f32[]"),
            reject("dtype-mismatch", "f32[2]", "i64[2]"),
            reject("bad-argument", "f32[2]", "f32[2]", dim=1),
        ),
    ),
    Operator(
        name="stack",
        summary="Joins tensors of one shape along a new dim, `dim` of the result.",
        family="joining",
        tolerance=EXACT,
        inputs=_TENSORS,
        promotes_from=0,
        arguments=(Argument("dim", AXIS, 0),),
        infer=_infer_stack,
        torch=Torch(call("torch.stack", Operands(), dim="dim")),
        onnx={17: _lower_stack},
        samples=(
            sample("f32[2, 3]", "f32[2, 3]"),
            sample("f32[2, 3]", "f32[2, 3]", "f32[2, 3]", dim=-1),
            sample("i64[]", "i64[]"),
        ),
        rejects=(
            reject("shape-mismatch", "f32[2]", "f32[3]"),
            reject("rank-mismatch", "f32[2, 3]", "f32[3]"),
            reject("dtype-mismatch", "f32[2]", "i64[2]"),
            reject("bad-argument", "f32[2]", "f32[2]", dim=2),
        ),
    ),
    Operator(
        name="chunk",
        summary="Cuts a tensor into `chunks` parts along `dim`, all of one size but for the last.",
        details="A count that torch.chunk would not give exactly (5 into 4) is refused.",
        family="joining",
        tolerance=EXACT,
        inputs=(Input("x"),),
        arguments=(Argument("chunks", integer(2)), Argument("dim", AXIS, 0)),
        infer=_infer_chunk,
        torch=Torch(call("torch.chunk", X, "chunks", dim="dim")),
        onnx={17: _lower_split},
        samples=(
            sample("f32[4, 3]", chunks=2),
            sample("f32[2, 8]", chunks=3, dim=-1),
            sample("i64[6]", chunks=3),
        ),
        rejects=(
            reject("bad-argument", "f32[5]", chunks=4),
            reject("bad-argument", "f32[4]", chunks=1),
            reject("rank-mismatch", "f32[]", chunks=2),
        ),
    ),
    Operator(
        name="split",
        summary="Cuts a tensor into parts of the given sizes along `dim`.",
        family="joining",
        tolerance=EXACT,
        inputs=(Input("x"),),
        arguments=(Argument("sizes", several(DIM)), Argument("dim", AXIS, 0)),
        infer=_infer_split,
        torch=Torch(call("torch.split", X, "sizes", dim="dim")),
        onnx={17: _lower_split},
        samples=(
            sample("f32[4, 3]", sizes=(1, 3)),
            sample("f32[2, 8]", sizes=(2, 2, 4), dim=-1),
            sample("bool[6]", sizes=(5, 1)),
        ),
        rejects=(
            reject("size-mismatch", "f32[5]", sizes=(2, 2)),
            reject("bad-argument", "f32[5]", sizes=(5,)),
            reject("empty-size", "f32[5]", sizes=(5, 0)),
        ),
    ),
)
