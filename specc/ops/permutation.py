"""Operators that reorder, drop and add dims."""

from __future__ import annotations

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import SizeMismatch
from specc.ir.types import TensorType
from specc.ops.arguments import AXES, AXIS, INT, Argument, several
from specc.ops.axes import axes_of, counted, int64, spread
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Attr, Method, X
from specc.ops.operator import Inference, Input, Operator, Torch, reject, sample
from specc.ops.tolerances import EXACT

_X = (Input("x"),)


def _infer_transpose(c: Inference, x: TensorType) -> TensorType:
    c.rank(0, "a tensor with at least one dim", least=1)
    order = _swapped(x.rank, c.axis("dim0", c["dim0"], x.rank), c.axis("dim1", c["dim1"], x.rank))
    return x.with_shape(tuple(x.shape[axis] for axis in order))


def _swapped(rank: int, first: int, second: int) -> list[int]:
    order = list(range(rank))
    order[first], order[second] = order[second], order[first]
    return order


def _lower_transpose(b: Builder, s: Site) -> Handle:
    first, second = counted([s["dim0"], s["dim1"]], s.type.rank)
    return b.op("Transpose", s.x, perm=_swapped(s.type.rank, first, second))


def _infer_permute(c: Inference, x: TensorType) -> TensorType:
    order = [c.axis("dims", axis, x.rank) for axis in c["dims"]]
    c.require(sorted(order) == list(range(x.rank)), "dims", f"each of the {x.rank} dims once")
    return x.with_shape(tuple(x.shape[axis] for axis in order))


def _lower_permute(b: Builder, s: Site) -> Handle:
    return b.op("Transpose", s.x, perm=counted(s["dims"], s.type.rank))


# ---- squeeze, unsqueeze --------------------------------------------------------------------------


def _infer_squeeze(c: Inference, x: TensorType) -> TensorType:
    axes = axes_of(c, "dim", x.rank)
    for axis in axes:
        if c.known(0, axis, "the size of a dim that is squeezed") != 1:
            raise Fault(
                SizeMismatch(
                    operator="squeeze",
                    what=f"dim {axis}",
                    expected="1",
                    found=str(x.shape[axis]),
                    advice="only a dim of size 1 can be dropped",
                )
            )
    return x.with_shape(tuple(dim for axis, dim in enumerate(x.shape) if axis not in axes))


def _lower_squeeze(b: Builder, s: Site) -> Handle:
    return b.op("Squeeze", s.x, int64(b, counted(s["dim"], s.type.rank)))


def _infer_unsqueeze(c: Inference, x: TensorType) -> TensorType:
    axis = c.axis("dim", c["dim"], x.rank + 1)
    return x.with_shape((*x.shape[:axis], 1, *x.shape[axis:]))


def _lower_unsqueeze(b: Builder, s: Site) -> Handle:
    return b.op("Unsqueeze", s.x, int64(b, counted(s["dim"], s.result.rank)))


OPERATORS = (
    Operator(
        name="transpose",
        summary="Swaps two dims.",
        family="permutation",
        tolerance=EXACT,
        inputs=_X,
        arguments=(Argument("dim0", INT), Argument("dim1", INT)),
        infer=_infer_transpose,
        torch=Torch(Method(X, "transpose", (Attr("dim0"), Attr("dim1")))),
        onnx={17: _lower_transpose},
        samples=(
            sample("f32[2, 3, 4]", dim0=1, dim1=2),
            sample("i64[2, 3, 4]", dim0=-1, dim1=0),
            sample("bool[2, 3]", dim0=0, dim1=1),
        ),
        rejects=(
            reject("bad-argument", "f32[2, 3]", dim0=0, dim1=2),
            reject("rank-mismatch", "f32[]", dim0=0, dim1=0),
        ),
    ),
    Operator(
        name="permute",
        summary="Puts the dims into another order, which names each of them once.",
        family="permutation",
        tolerance=EXACT,
        inputs=_X,
        arguments=(Argument("dims", several(INT), variadic=True),),
        infer=_infer_permute,
        torch=Torch(lambda site: Method(X, "permute", (spread(site, "dims"),))),
        onnx={17: _lower_permute},
        samples=(
            sample("f32[2, 3, 4]", dims=(2, 0, 1)),
            sample("i64[2, 3, 4]", dims=(0, -1, 1)),
            sample("f32[]", dims=()),
        ),
        rejects=(
            reject("bad-argument", "f32[2, 3]", dims=(0, 0)),
            reject("bad-argument", "f32[2, 3]", dims=(1,)),
        ),
    ),
    Operator(
        name="squeeze",
        summary="Drops dims of size 1.",
        details="The dims must be named and be 1 when compiling; others are refused, not kept.",
        family="permutation",
        tolerance=EXACT,
        inputs=_X,
        arguments=(Argument("dim", AXES),),
        infer=_infer_squeeze,
        torch=Torch(Method(X, "squeeze", (Attr("dim"),))),
        onnx={17: _lower_squeeze},
        samples=(
            sample("f32[2, 1, 3]", dim=1),
            sample("i64[1, 2, 1]", dim=(0, -1)),
        ),
        rejects=(
            reject("size-mismatch", "f32[2, 3]", dim=0),
            reject("unknown-size", "f32[N, 3]", dim=0),
            reject("bad-argument", "f32[1, 1]", dim=(0, -2)),
        ),
    ),
    Operator(
        name="unsqueeze",
        summary="Adds a dim of size 1 at the place `dim` of the result.",
        family="permutation",
        tolerance=EXACT,
        inputs=_X,
        arguments=(Argument("dim", AXIS),),
        infer=_infer_unsqueeze,
        torch=Torch(Method(X, "unsqueeze", (Attr("dim"),))),
        onnx={17: _lower_unsqueeze},
        samples=(
            sample("f32[2, 3]", dim=1),
            sample("f32[2, 3]", dim=-1),
            sample("bool[]", dim=0),
        ),
        rejects=(reject("bad-argument", "f32[2, 3]", dim=3),),
    ),
)
