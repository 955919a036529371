"""Interpolation: a grid of values read at another density."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from specc.ir.dims import Dim
from specc.ir.types import DType, TensorType
from specc.ops.arguments import FLAG, KERNEL, Argument, Kind, choice, optional
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import X, call
from specc.ops.operator import Inference, Input, Operator, Torch, reject, sample
from specc.ops.tolerances import SUMMED
from specc.ops.windows import SPATIAL, spatial_rank, spread, with_spatial

_SMOOTH = {3: ("linear",), 4: ("bilinear", "bicubic"), 5: ("trilinear",)}
_NEAREST = ("nearest", "nearest-exact")
_MODES = (*_NEAREST, "linear", "bilinear", "bicubic", "trilinear")
_FINEST, _GREATEST = 64, 4096


def _accept_factor(value: Any) -> int | float | tuple[int | float, ...]:
    """An int, or a float that is a fraction of two small numbers, so that sizes are exact."""
    name = (
        f"an int, or a multiple of 1/{_FINEST} such as 0.5 or 1.25, up to {_GREATEST}, "
        "or a list of them, one for each spatial dim"
    )
    items = value if isinstance(value, list | tuple) else [value]
    for item in items:
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise ValueError(name)
        if not 0 < item <= _GREATEST or float(item) * _FINEST % 1:
            raise ValueError(name)
    factors = tuple(int(item) if float(item).is_integer() else float(item) for item in items)
    if not factors:
        raise ValueError(name)
    return factors if isinstance(value, list | tuple) else factors[0]


_FACTOR = Kind(
    f"a number above 0, a multiple of 1/{_FINEST}, or a list of them, one for each spatial dim",
    _accept_factor,
)


def _infer(c: Inference, x: TensorType) -> TensorType:
    count = spatial_rank(c)
    c.floating(0)
    mode, size, scale = c["mode"], c["size"], c["scale_factor"]
    smooth = _SMOOTH[x.rank]
    if mode not in _NEAREST:
        names = " or ".join(f'"{name}"' for name in (*_NEAREST, *smooth))
        c.require(mode in smooth, "mode", f"{names} here")
    c.require(
        mode not in _NEAREST or not c["align_corners"], "align_corners", f'false for "{mode}"'
    )
    c.require((size is None) != (scale is None), "size", "given where scale_factor is not")
    if size is not None:
        return with_spatial(x, c.per_dim("size", count))
    sizes: list[Dim] = []
    for name, dim, factor in zip(
        SPATIAL[count], x.shape[2:], c.per_dim("scale_factor", count), strict=True
    ):
        times = Fraction(factor)
        scaled = dim * times.numerator // times.denominator  # what leaves a fraction is dropped
        sizes.append(c.size(scaled, f"the output {name}"))
    return with_spatial(x, tuple(sizes))


# ---- ONNX ----------------------------------------------------------------------------------------


def _to_onnx(b: Builder, s: Site) -> Handle:
    factors = [float(f) for f in spread(s["scale_factor"] or 1, s.type.rank - 2)]
    if s["mode"] in _NEAREST:
        if s["size"] is not None or not all(factor.is_integer() for factor in factors):
            return _picked(b, s, factors)
        how: dict[str, Any] = {"mode": "nearest", "nearest_mode": "floor"}
        coordinates = "asymmetric"
        if s["mode"] == "nearest-exact":
            how["nearest_mode"], coordinates = "round_prefer_ceil", "half_pixel"
    else:
        how = {"mode": "linear"}
        if s["mode"] == "bicubic":
            how = {"mode": "cubic", "cubic_coeff_a": -0.75}
        coordinates = "align_corners" if s["align_corners"] else "half_pixel"
    how["coordinate_transformation_mode"] = coordinates
    if s["size"] is None:
        return b.op("Resize", s.x, None, b.constant([1.0, 1.0, *factors], DType.F32), **how)
    sizes = b.sizes([*s.type.shape[:2], *s.result.shape[2:]])
    return b.op("Resize", s.x, None, None, sizes, **how)


def _picked(b: Builder, s: Site, factors: list[float]) -> Handle:
    """Dim after dim the elements that PyTorch takes: floor(i * scale), or floor((i + 0.5) * scale).

    Resize divides by the inverse of the scale, and so takes a neighbour where that rounds down.
    """
    x = s.x
    for axis, factor in enumerate(factors, start=2):
        old, new = s.type.shape[axis], s.result.shape[axis]
        if old == new and factor == 1:
            continue
        zero, one = b.constant(0, DType.I64), b.constant(1, DType.I64)
        place = b.cast(b.op("Range", zero, b.size(new), one), DType.F32)
        if s["mode"] == "nearest-exact":
            place = b.op("Add", place, b.constant(0.5, DType.F32))
        if s["size"] is None:
            scale = b.constant(1 / factor, DType.F32)
        else:
            sizes = (b.cast(b.size(size), DType.F32) for size in (old, new))
            scale = b.op("Div", *sizes)
        index = b.cast(b.op("Floor", b.op("Mul", place, scale)), DType.I64)
        last = b.op("Sub", b.size(old), one)
        x = b.op("Gather", x, b.op("Min", index, last), axis=axis)
    return b.op("Identity", x) if x is s.x else x


OPERATORS = (
    Operator(
        name="interpolate",
        summary="Resizes the spatial dims to `size`, or by the factor `scale_factor`.",
        details=(
            "`[N, C, L]`, `[N, C, H, W]` or `[N, C, D, H, W]`; `size` and `scale_factor` are a "
            "number, or a list with one for each spatial dim. A factor is a multiple of 1/64, and "
            'what it leaves of a fraction is dropped. `mode` is "nearest" or "nearest-exact" '
            '(which takes the middle of a pixel), or by the number of spatial dims "linear", '
            '"bilinear" or "bicubic", and "trilinear".'
        ),
        family="interpolate",
        tolerance=SUMMED,
        inputs=(Input("x"),),
        arguments=(
            Argument("size", optional(KERNEL), None),
            Argument("scale_factor", optional(_FACTOR), None),
            Argument("mode", choice(*_MODES), "nearest"),
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
            "It is `Resize`, but for the nearest element to a size or by a fraction, where that "
            "rounds the place otherwise than PyTorch does. Next to an infinity or a NaN, "
            "onnxruntime multiplies it by a weight of 0 in other places than PyTorch, and is NaN "
            "there."
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
            sample("f32[N, 3, 14, 21]", size=[2, 6]),  # where 1 / 7 is rounded
            sample("f32[N, 3, H, W]", size=[4, 12], mode="nearest-exact"),
            sample("f32[N, 3, H, W]", scale_factor=3, mode="nearest-exact"),
            sample("f32[N, 3, H, W]", scale_factor=0.5),
            sample("f32[N, 3, H, 8]", scale_factor=[1.25, 0.75], mode="nearest-exact"),
            sample("f32[N, 3, H, W]", scale_factor=[0.5, 1.5], mode="bilinear"),
            sample("f32[N, 3, H, W]", scale_factor=2, mode="bicubic"),
            sample("f32[N, 3, 9, 8]", size=[5, 13], mode="bicubic"),
            sample("f32[N, 3, 6, 5]", size=8, mode="bicubic", align_corners=True),
            sample("f64[N, 3, 14]", size=8),
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
            reject("bad-argument", "f32[1, 3, 4]", scale_factor=0.1),
            reject("bad-argument", "f32[1, 3, 4]", size=2, mode="bicubic"),
            reject("empty-size", "f32[1, 3, 1]", scale_factor=0.5),
        ),
    ),
)
