"""Normalization by neighbouring channels: LocalResponseNorm."""

from __future__ import annotations

from specc.ir.types import TensorType
from specc.ops.arguments import FLOAT, SIZE, Argument
from specc.ops.axes import int64, product
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import X, call
from specc.ops.operator import Drawn, Inference, Input, Operator, Torch, reject, sample
from specc.ops.parts import pad, sized
from specc.ops.shape import reshaped
from specc.ops.tolerances import SUMMED


def _infer(c: Inference, x: TensorType) -> TensorType:
    c.rank(0, "[N, C, ...] of at least 3 dims", least=3)
    c.floating(0)
    return x


def _to_onnx(b: Builder, s: Site) -> Handle:
    """Means over windows along the channels, as in PyTorch.

    ONNX has LRN, but onnxruntime's takes odd sizes of images in f32 alone and keeps a running sum:
    it loses digits where values are large, and what follows a NaN is NaN.
    """
    size, dtype, shape = s["size"], s.type.dtype, s.type.shape
    squares = b.op("Mul", s.x, s.x)
    if s.type.rank > 4:  # no pooling is of more than three dims
        squares = reshaped(b, squares, shape, (*shape[:3], product(shape[3:])))
    places = min(s.type.rank, 4) - 2
    rows = b.op("Unsqueeze", squares, int64(b, [1]))
    # Of an even number of channels more are before than behind.
    before, after = [0, 0, size // 2, *[0] * places], [0, 0, (size - 1) // 2, *[0] * places]
    padded = pad(b, rows, before, after, "constant")
    means = b.op("AveragePool", padded, kernel_shape=[size, *[1] * places])
    means = b.op("Squeeze", means, int64(b, [1]))
    if s.type.rank > 4:
        means = sized(b, means, shape)
    scaled = b.op("Mul", means, b.constant(s["alpha"], dtype))
    divisor = b.op("Add", scaled, b.constant(s["k"], dtype))
    return b.op("Div", s.x, b.op("Pow", divisor, b.constant(s["beta"], dtype)))


LocalResponseNorm = Operator(
    name="LocalResponseNorm",
    summary="Divides by the activity of `size` neighbouring channels at the same place.",
    details=(
        "`[N, C, ...]`: x / (k + alpha * m)^beta, where m is the mean of the squares over the "
        "channels around (zeros beyond the first and last). AlexNet's paper has the sum in its "
        "place, so its alpha times `size` is `alpha` here."
    ),
    layer=True,
    inputs=(Input("x"),),
    arguments=(
        Argument("size", SIZE),
        Argument("alpha", FLOAT, 1e-4),
        Argument("beta", FLOAT, 0.75),
        Argument("k", FLOAT, 1.0),
    ),
    infer=_infer,
    torch=Torch(
        function=call("F.local_response_norm", X, "size", alpha="alpha", beta="beta", k="k"),
        module=call("nn.LocalResponseNorm", "size", alpha="alpha", beta="beta", k="k"),
    ),
    onnx={17: _to_onnx},
    onnx_note=(
        "It is formulas, not `LRN`, which in onnxruntime takes odd sizes of images in f32 alone, "
        "loses digits where values are large, and is NaN in the channels behind a NaN."
    ),
    tolerance=SUMMED,
    samples=(
        sample(Drawn("f32[N, 7, H, W]", -20, 20), size=5),
        sample("f32[N, 7, H, W]", size=3, alpha=0.5),
        sample("f32[N, 7, H, W]", size=4, alpha=0.7, beta=0.5),
        sample("f32[N, C, H, W]", size=5, alpha=0.5, k=2),
        sample("f32[N, 6, L]", size=3, alpha=1),
        sample("f32[N, 6, D, 3, 2]", size=2, alpha=1),
        sample("f32[N, 2, H, W]", size=7, alpha=1),
        sample("f64[N, 6, H, W]", size=3, alpha=0.5),
    ),
    rejects=(
        reject("rank-mismatch", "f32[2, 3]", size=3),
        reject("dtype-mismatch", "i64[2, 3, 4]", size=3),
        reject("bad-argument", "f32[2, 3, 4]", size=0),
        reject("bad-argument", "f32[2, 3, 4]", size=3, k="2"),
    ),
)

OPERATORS = (LocalResponseNorm,)
