"""Features that become pixels, and pixels that become features."""

from __future__ import annotations

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import SizeMismatch
from specc.ir.types import TensorType
from specc.ops.arguments import SIZE, Argument
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import X, call
from specc.ops.operator import Inference, Input, Operator, Torch, reject, sample
from specc.ops.parts import sized
from specc.ops.tolerances import EXACT


def _multiple(c: Inference, axis: int, of: int) -> None:
    """Requires that a dim is a multiple of ``of``."""
    size = c.types[0].shape[axis]
    mismatch = SizeMismatch(
        operator=c.operator.name,
        what=f"dim {axis}",
        expected=f"a multiple of {of}",
        found=str(size),
    )
    c.same_size(size, of * (size // of), Fault(mismatch), f"dim {axis} is a multiple of {of}")


def _infer_shuffle(c: Inference, x: TensorType) -> TensorType:
    c.rank(0, "[N, C, H, W]", 4)
    factor = c["upscale_factor"]
    channels = c.known(0, 1, "the number of channels")
    _multiple(c, 1, factor * factor)
    _, _, height, width = x.shape
    return x.with_shape(
        (x.shape[0], channels // (factor * factor), height * factor, width * factor)
    )


def _lower_shuffle(b: Builder, s: Site) -> Handle:
    return b.op("DepthToSpace", s.x, blocksize=s["upscale_factor"], mode="CRD")


def _infer_unshuffle(c: Inference, x: TensorType) -> TensorType:
    c.rank(0, "[N, C, H, W]", 4)
    factor = c["downscale_factor"]
    c.known(0, 1, "the number of channels")
    _multiple(c, 2, factor)
    _multiple(c, 3, factor)
    n, channels, height, width = x.shape
    return x.with_shape((n, channels * factor * factor, height // factor, width // factor))


def _lower_unshuffle(b: Builder, s: Site) -> Handle:
    """Not SpaceToDepth, which puts the places of a block before the channels."""
    factor = s["downscale_factor"]
    _, _, height, width = s.result.shape
    channels = s.type.shape[1]
    assert isinstance(channels, int)
    blocks = (s.type.shape[0], channels, height, factor, width, factor)
    taken = sized(b, s.x, blocks)
    moved = b.op("Transpose", taken, perm=[0, 1, 3, 5, 2, 4])
    return sized(b, moved, s.result.shape)


OPERATORS = (
    Operator(
        name="pixel_shuffle",
        summary="Makes r by r pixels of r * r channels, where r is `upscale_factor`.",
        details=(
            "[N, C * r * r, H, W] becomes [N, C, H * r, W * r]: channel c * r * r + i * r + j "
            "gives the pixels at row i and column j of each square, as in torch.nn.PixelShuffle. "
            'W. Shi and others, "Real-time single image and video super-resolution using an '
            'efficient sub-pixel convolutional neural network" (2016).'
        ),
        family="pixels",
        tolerance=EXACT,
        inputs=(Input("x"),),
        arguments=(Argument("upscale_factor", SIZE),),
        infer=_infer_shuffle,
        torch=Torch(
            call("F.pixel_shuffle", X, "upscale_factor"),
            call("nn.PixelShuffle", "upscale_factor"),
        ),
        onnx={17: _lower_shuffle},
        onnx_note="It is `DepthToSpace`.",
        samples=(
            sample("f32[N, 8, H, W]", upscale_factor=2),
            sample("f32[N, 9, 2, W]", upscale_factor=3),
            sample("f32[N, 3, H, W]", upscale_factor=1),
        ),
        rejects=(
            reject("rank-mismatch", "f32[4, 3, 3]", upscale_factor=2),
            reject("size-mismatch", "f32[1, 6, 3, 3]", upscale_factor=2),
            reject("unknown-size", "f32[1, C, 3, 3]", upscale_factor=2),
            reject("bad-argument", "f32[1, 4, 3, 3]", upscale_factor=0),
        ),
    ),
    Operator(
        name="pixel_unshuffle",
        summary="Makes r * r channels of r by r pixels, where r is `downscale_factor`.",
        details="[N, C, H * r, W * r] becomes [N, C * r * r, H, W]: what undoes pixel_shuffle.",
        family="pixels",
        tolerance=EXACT,
        inputs=(Input("x"),),
        arguments=(Argument("downscale_factor", SIZE),),
        infer=_infer_unshuffle,
        torch=Torch(
            call("F.pixel_unshuffle", X, "downscale_factor"),
            call("nn.PixelUnshuffle", "downscale_factor"),
        ),
        onnx={17: _lower_unshuffle},
        onnx_note=(
            "It is `Reshape` and `Transpose`: `SpaceToDepth` puts the places of a square before "
            "the channels."
        ),
        samples=(
            sample("f32[N, 2, 2*H, 2*W]", downscale_factor=2),
            sample("f32[N, 3, 6, 9]", downscale_factor=3),
            sample("f64[N, 3, H, W]", downscale_factor=1),
        ),
        rejects=(
            reject("rank-mismatch", "f32[4, 4, 4]", downscale_factor=2),
            reject("size-mismatch", "f32[1, 2, 4, 5]", downscale_factor=2),
            reject("unknown-size", "f32[1, C, 4, 4]", downscale_factor=2),
            reject("bad-argument", "f32[1, 2, 4, 4]", downscale_factor=-1),
        ),
    ),
)
