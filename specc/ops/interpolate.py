"""Interpolation: a grid of values read at another density."""

from __future__ import annotations

from typing import Any

from specc.ir.types import DType, TensorType
from specc.ops.arguments import FLAG, KERNEL, Argument, choice, optional
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import X, call
from specc.ops.operator import Inference, Input, Operator, Torch, reject, sample
from specc.ops.tolerances import SUMMED
from specc.ops.windows import spatial_rank, spread, with_spatial

_SMOOTH = {3: "linear", 4: "bilinear", 5: "trilinear"}


def _infer(c: Inference, x: TensorType) -> TensorType:
    count = spatial_rank(c)
    c.floating(0)
    mode, size, scale = c["mode"], c["size"], c["scale_factor"]
    if mode != "nearest":
        c.require(_SMOOTH[x.rank] == mode, "mode", f'"nearest" or "{_SMOOTH[x.rank]}" here')
    c.require(mode != "nearest" or not c["align_corners"], "align_corners", 'false for "nearest"')
    c.require((size is None) != (scale is None), "size", "given where scale_factor is not")
    if size is not None:
        return with_spatial(x, c.per_dim("size", count))
    factors = c.per_dim("scale_factor", count)
    return with_spatial(x, tuple(d * f for d, f in zip(x.shape[2:], factors, strict=True)))


def _to_onnx(b: Builder, s: Site) -> Handle:
    how: dict[str, Any]
    if s["mode"] == "nearest":
        how = {"mode": "nearest", "nearest_mode": "floor"}
        coordinates = "asymmetric"
    else:
        how = {"mode": "linear"}
        coordinates = "align_corners" if s["align_corners"] else "half_pixel"
    how["coordinate_transformation_mode"] = coordinates
    if s["size"] is None:
        factors = [1.0, 1.0, *map(float, spread(s["scale_factor"], s.type.rank - 2))]
        return b.op("Resize", s.x, None, b.constant(factors, DType.F32), **how)
    sizes = b.sizes([*s.type.shape[:2], *s.result.shape[2:]])
    return b.op("Resize", s.x, None, None, sizes, **how)


OPERATORS = (
    Operator(
        name="interpolate",
        summary="Resizes the spatial dims to `size`, or by the factor `scale_factor`.",
        details=(
            "`[N, C, L]`, `[N, C, H, W]` or `[N, C, D, H, W]`; `size` and `scale_factor` are an "
            'int, or a list with one for each spatial dim. `mode` is "nearest", or "linear", '
            '"bilinear" and "trilinear" by the number of spatial dims.'
        ),
        family="interpolate",
        tolerance=SUMMED,
        inputs=(Input("x"),),
        arguments=(
            Argument("size", optional(KERNEL), None),
            Argument("scale_factor", optional(KERNEL), None),
            Argument("mode", choice("nearest", "linear", "bilinear", "trilinear"), "nearest"),
            Argument("align_corners", FLAG, False),
        ),
        infer=_infer,
        torch=Torch(
            call(
                "F.interpolate",
                X,
                size="size",
                scale_factor="scale_factor",
                mode="mode",
                align_corners="align_corners",
            )
        ),
        onnx={17: _to_onnx},
        onnx_note=(
            "It is `Resize`. Next to an infinity or a NaN, onnxruntime multiplies it by a weight "
            "of 0 in other places than PyTorch does, and is NaN there."
        ),
        samples=(
            sample("f32[N, 3, H, W]", scale_factor=2),
            sample("f32[N, 3, H, W]", scale_factor=[2, 3], mode="bilinear"),
            sample("f32[N, 3, H, W]", size=[5, 7]),
            sample("f32[N, 3, 10, 7]", size=[4, 9]),
            sample("f32[N, 3, H, W]", size=[5, 7], mode="bilinear"),
            sample("f32[N, 3, 9, 8]", size=[1, 3], mode="bilinear"),
            sample("f32[N, 3, H, W]", size=6, mode="bilinear", align_corners=True),
            sample("f32[N, 3, 5, 6]", size=1, mode="bilinear", align_corners=True),
            sample("f32[N, 3, L]", scale_factor=3, mode="linear"),
            sample("f32[N, 3, L]", size=5),
            sample("f32[N, 2, D, 3, 4]", scale_factor=2, mode="trilinear"),
            sample("f32[N, 2, D, 3, 4]", size=[2, 5, 7]),
        ),
        rejects=(
            reject("rank-mismatch", "f32[3, 4]", scale_factor=2),
            reject("dtype-mismatch", "i64[1, 3, 4]", scale_factor=2),
            reject("bad-argument", "f32[1, 3, 4]"),
            reject("bad-argument", "f32[1, 3, 4]", size=2, scale_factor=2),
            reject("bad-argument", "f32[1, 3, 4]", size=2, mode="bilinear"),
            reject("bad-argument", "f32[1, 3, 4]", size=2, mode="cubic"),
            reject("bad-argument", "f32[1, 3, 4]", size=2, align_corners=True),
            reject("bad-argument", "f32[1, 3, 4]", size=[2, 2]),
            reject("bad-argument", "f32[1, 3, 4]", scale_factor=0),
        ),
    ),
)
