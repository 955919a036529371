"""Operators that move elements along dims: flip, roll."""

from __future__ import annotations

from specc.ir.types import TensorType
from specc.ops.arguments import AXES, INT, Argument, several
from specc.ops.axes import axes_of, counted, int64
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Attr, Method, X, call
from specc.ops.operator import Inference, Input, Operator, Torch, reject, sample
from specc.ops.tolerances import EXACT

_LEAST = -(2**63)  # as an end it is before the first element


def _infer_flip(c: Inference, x: TensorType) -> TensorType:
    axes_of(c, "dims", x.rank)
    return x


def _lower_flip(b: Builder, s: Site) -> Handle:
    axes = counted(s["dims"], s.type.rank)
    starts, ends, steps = ([value] * len(axes) for value in (-1, _LEAST, -1))
    return b.op("Slice", s.x, *(int64(b, values) for values in (starts, ends, axes, steps)))


def _as_tuple(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,)


def _infer_roll(c: Inference, x: TensorType) -> TensorType:
    axes, shifts = axes_of(c, "dims", x.rank), _as_tuple(c["shifts"])
    c.require(len(shifts) == len(axes), "shifts", "as many as there are dims")
    for axis, shift in zip(axes, shifts, strict=True):
        size = x.shape[axis]
        if not isinstance(size, int):
            c.positive.append((size - abs(shift) + 1, f"dim {axis} holds what roll moves around"))
    return x


def _lower_roll(b: Builder, s: Site) -> Handle:
    """The last ``shift`` elements, then the others; a negative shift moves the first to the end."""
    x = s.x
    for axis, shift in zip(counted(s["dims"], s.type.rank), _as_tuple(s["shifts"]), strict=True):
        size = s.type.shape[axis]
        place = -shift if not isinstance(size, int) else -(shift % size)
        if place == 0:
            continue
        cut, along = int64(b, [place]), int64(b, [axis])
        behind = b.op("Slice", x, cut, int64(b, [2**63 - 1]), along)
        before = b.op("Slice", x, int64(b, [0]), cut, along)
        x = b.op("Concat", behind, before, axis=axis)
    return b.op("Identity", x) if x is s.x else x


OPERATORS = (
    Operator(
        name="flip",
        summary="Reverses the order of the elements along one dim or several.",
        family="moving",
        tolerance=EXACT,
        inputs=(Input("x"),),
        arguments=(Argument("dims", AXES),),
        infer=_infer_flip,
        torch=Torch(Method(X, "flip", (Attr("dims"),))),
        onnx={17: _lower_flip},
        samples=(
            sample("f32[N, T]", dims=1),
            sample("f32[2, 3, T]", dims=(0, -1)),
            sample("i64[4]", dims=-1),
            sample("bool[2, 3]", dims=(0, 1)),
        ),
        rejects=(
            reject("bad-argument", "f32[2, 3]", dims=2),
            reject("bad-argument", "f32[2, 3]", dims=(0, -2)),
            reject("bad-argument", "f32[2, 3]", dims=()),
        ),
    ),
    Operator(
        name="roll",
        summary="Moves the elements along `dims` by `shifts`, and from one end to the other.",
        details=(
            "As torch.roll: element i goes to i + shift. Along a symbolic dim the shift may be at "
            "most its size, which bounds that from below."
        ),
        family="moving",
        tolerance=EXACT,
        inputs=(Input("x"),),
        arguments=(Argument("shifts", several(INT, or_one=True)), Argument("dims", AXES)),
        infer=_infer_roll,
        torch=Torch(call("torch.roll", X, "shifts", dims="dims")),
        onnx={17: _lower_roll},
        samples=(
            sample("f32[N, T]", shifts=1, dims=1),
            sample("f32[N, 6, 7, 2]", shifts=(-3, -2), dims=(1, 2)),
            sample("f32[N, H, W, 2]", shifts=(3, -2), dims=(1, -2)),
            sample("i64[5]", shifts=12, dims=0),
            sample("i64[5]", shifts=-7, dims=0),
            sample("bool[4]", shifts=4, dims=0),
        ),
        rejects=(
            reject("bad-argument", "f32[2, 3]", shifts=1, dims=2),
            reject("bad-argument", "f32[2, 3]", shifts=1, dims=(0, 1)),
            reject("bad-argument", "f32[2, 3]", shifts=1.5, dims=0),
        ),
    ),
)
