"""Operators that change a tensor's shape and keep its elements."""

from __future__ import annotations

from collections.abc import Sequence

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import SizeMismatch
from specc.ir.dims import Dim
from specc.ir.types import TensorType
from specc.ops.arguments import AXIS, DIM, Argument, several
from specc.ops.axes import int64, product, spread
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Method, X, call
from specc.ops.operator import Inference, Input, Operator, Torch, reject, sample
from specc.ops.parts import sized
from specc.ops.tolerances import EXACT

_X = (Input("x"),)


def reshaped(b: Builder, value: Handle, old: Sequence[Dim], new: Sequence[Dim]) -> Handle:
    """``value`` of the shape ``old`` in the shape ``new``.

    Reshape copies a size (0) and infers one (-1), so most symbolic shapes need no computation. It
    cannot infer one beside a size that it copies, since that may be 0.
    """
    target = [
        dim if isinstance(dim, int) else 0 if old[axis : axis + 1] == (dim,) else -1
        for axis, dim in enumerate(new)
    ]
    if 0 in new or target.count(-1) > (0 if 0 in target else 1):
        return sized(b, value, new)
    return b.op("Reshape", value, int64(b, target))


def _lower_reshape(b: Builder, s: Site) -> Handle:
    return reshaped(b, s.x, s.type.shape, s.result.shape)


# ---- flatten, reshape, expand --------------------------------------------------------------------


def _infer_flatten(c: Inference, x: TensorType) -> TensorType:
    c.rank(0, "a tensor with at least one dim", least=1)
    start = c.axis("start_dim", c["start_dim"], x.rank)
    end = c.axis("end_dim", c["end_dim"], x.rank)
    c.require(start <= end, "start_dim", "no later than end_dim")
    merged = product(x.shape[start : end + 1])
    return x.with_shape((*x.shape[:start], merged, *x.shape[end + 1 :]))


def _infer_reshape(c: Inference, x: TensorType) -> TensorType:
    sizes: tuple[Dim, ...] = c["sizes"]
    _require_sizes(c, sizes)
    c.require(sizes.count(-1) <= 1, "sizes", "a shape with at most one -1")
    total = product(x.shape)
    known = product([size for size in sizes if size != -1])
    fits = known if -1 not in sizes else known * (total // known)
    mismatch = SizeMismatch(
        operator="reshape",
        what="the number of elements",
        expected=str(total) if -1 not in sizes else f"a multiple of {known}",
        found=str(known) if -1 not in sizes else str(total),
        advice=f"{x.shape_text} has {total} elements",
    )
    c.same_size(total, fits, Fault(mismatch), "a reshaped tensor keeps its elements")
    shape = tuple(total // known if size == -1 else size for size in sizes)
    for size in shape:
        c.size(size, "a size")
    return x.with_shape(shape)


def _require_sizes(c: Inference, sizes: Sequence[Dim]) -> None:
    for size in sizes:
        valid = not isinstance(size, int) or size == -1 or size > 0
        c.require(valid, "sizes", "positive sizes or -1")


def _infer_expand(c: Inference, x: TensorType) -> TensorType:
    sizes: tuple[Dim, ...] = c["sizes"]
    _require_sizes(c, sizes)
    added = len(sizes) - x.rank
    c.require(added >= 0, "sizes", f"at least {x.rank} sizes, one for each dim of the tensor")
    c.require(-1 not in sizes[:added], "sizes", "-1 only where the tensor has a dim to keep")
    shape = list(sizes)
    for axis, old in enumerate(x.shape, start=added):
        new = sizes[axis]
        if new == -1:
            shape[axis] = old
        elif old != 1:
            mismatch = SizeMismatch(
                operator="expand",
                what=f"dim {axis} of the expanded shape",
                expected=str(old),
                found=str(new),
                advice="only a dim of size 1 is stretched",
            )
            c.same_size(old, new, Fault(mismatch), "expand stretches dims of size 1 alone")
    return x.with_shape(tuple(shape))


def _lower_expand(b: Builder, s: Site) -> Handle:
    added = s.result.rank - s.type.rank
    # Expand broadcasts both ways, so a dim that is kept may be written as 1.
    kept = (*([None] * added), *s.type.shape)
    target = [1 if new == old else new for new, old in zip(s.result.shape, kept, strict=True)]
    return b.op("Expand", s.x, b.sizes(target))


OPERATORS = (
    Operator(
        name="flatten",
        summary="Merges the dims from `start_dim` to `end_dim` into one.",
        details="By default all but the first, as nn.Flatten does (torch.flatten merges that too).",
        family="shape",
        tolerance=EXACT,
        inputs=_X,
        arguments=(Argument("start_dim", AXIS, 1), Argument("end_dim", AXIS, -1)),
        infer=_infer_flatten,
        torch=Torch(
            call("torch.flatten", X, "start_dim", end_dim="end_dim"),
            call("nn.Flatten", start_dim="start_dim", end_dim="end_dim"),
        ),
        onnx={17: _lower_reshape},
        samples=(
            sample("f32[2, 3, 4]"),
            sample("f32[2, 3, 4, 5]", start_dim=0, end_dim=-2),
            sample("i64[2, 3, 4]", start_dim=-2, end_dim=2),
            sample("bool[4]", start_dim=0),
        ),
        rejects=(
            reject("bad-argument", "f32[3]"),
            reject("bad-argument", "f32[2, 3]", start_dim=1, end_dim=0),
            reject("rank-mismatch", "f32[]", start_dim=0),
        ),
    ),
    Operator(
        name="reshape",
        summary="The same elements in another shape; one size may be -1, and is then computed.",
        family="shape",
        tolerance=EXACT,
        inputs=_X,
        arguments=(Argument("sizes", several(DIM), variadic=True),),
        infer=_infer_reshape,
        torch=Torch(lambda site: Method(X, "reshape", (spread(site, "sizes"),))),
        onnx={17: _lower_reshape},
        samples=(
            sample("f32[2, 12]", sizes=(2, 3, 4)),
            sample("f32[2, 3, 4]", sizes=(-1, 4)),
            sample("f32[1, 1]", sizes=()),
            sample("i64[6]", sizes=(3, 2)),
            sample("bool[6]", sizes=(1, -1)),
        ),
        rejects=(
            reject("size-mismatch", "f32[2, 3]", sizes=(4, 2)),
            reject("size-mismatch", "f32[2, 3]", sizes=(4, -1)),
            reject("bad-argument", "f32[2, 3]", sizes=(-1, -1)),
            reject("bad-argument", "f32[2, 3]", sizes=(0, 6)),
        ),
    ),
    Operator(
        name="expand",
        summary="Repeats dims of size 1 and adds dims in front; -1 keeps a size.",
        family="shape",
        tolerance=EXACT,
        inputs=_X,
        arguments=(Argument("sizes", several(DIM), variadic=True),),
        infer=_infer_expand,
        torch=Torch(lambda site: Method(X, "expand", (spread(site, "sizes"),))),
        onnx={17: _lower_expand},
        samples=(
            sample("f32[2, 1]", sizes=(2, 3)),
            sample("f32[1, 3]", sizes=(4, 2, -1)),
            sample("i64[]", sizes=(2,)),
            sample("f32[]", sizes=()),
        ),
        rejects=(
            reject("size-mismatch", "f32[2, 3]", sizes=(2, 4)),
            reject("bad-argument", "f32[2, 3]", sizes=(2,)),
            reject("bad-argument", "f32[2]", sizes=(-1, 2)),
        ),
    ),
    Operator(
        name="identity",
        summary="The tensor itself.",
        family="shape",
        tolerance=EXACT,
        inputs=_X,
        infer=lambda c, x: x,
        torch=Torch(X, call("nn.Identity")),
        onnx={17: lambda b, s: b.op("Identity", s.x)},
        samples=(sample("f32[2, 3]"), sample("i64[]")),
    ),
)
