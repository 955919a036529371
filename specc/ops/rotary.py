"""Rotary position embedding: pairs of features, turned by angles that grow with the position.

J. Su, Y. Lu, S. Pan, A. Murtadha, B. Wen and Y. Liu, "RoFormer: enhanced transformer with rotary
position embedding" (2021).
"""

from __future__ import annotations

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import ShapeMismatch, SizeMismatch
from specc.ir.types import DType, TensorType
from specc.ops.arguments import FLAG, Argument
from specc.ops.axes import int64
from specc.ops.binary import require_equal_dtypes
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import (
    Attr,
    Code,
    EllipsisCode,
    Infix,
    Lit,
    Members,
    Method,
    Operand,
    SliceCode,
    Subscript,
    X,
    call,
)
from specc.ops.operator import CodeSite, Inference, Input, Operator, Torch, reject, sample
from specc.ops.shape import reshaped
from specc.ops.tolerances import ELEMENTWISE

_COS, _SIN = 1, 2


def _infer(c: Inference, x: TensorType, cos: TensorType, sin: TensorType) -> TensorType:
    c.floating()
    require_equal_dtypes(c, 0, _COS, _SIN)
    c.rank(0, "[..., T, D] of at least 2 dims", least=2)
    for operand in (_COS, _SIN):
        if x.rank == 4:
            c.rank(operand, "[T, R], or [N, T, R] with positions of each example's own", 2, 3)
        else:
            c.rank(operand, "[T, R]", 2)
    if cos.rank != sin.rank:
        c.rank(_SIN, f"as many dims as the cosines have, {cos.rank}", cos.rank)
    pairs = c.known(_COS, cos.rank - 1, "the number of pairs that are turned")
    width = c.known(0, x.rank - 1, "the number of features")
    if 2 * pairs > width:
        raise Fault(
            SizeMismatch(
                operator="rotary_embedding",
                operands=(_COS, 0),
                what="the number of pairs that are turned",
                expected=f"at most {width // 2}, half of {width} features",
                found=str(pairs),
            )
        )
    steps = (x.shape[-2],) if cos.rank == 2 else (x.shape[0], x.shape[-2])
    for operand in (_COS, _SIN):
        _agree(c, operand, TensorType(x.dtype, (*steps, pairs)))
    c.derive("pairs", pairs)
    c.derive("turned", 2 * pairs)
    c.derive("width", width)
    c.derive("partial", 2 * pairs < width)
    return x


def _agree(c: Inference, operand: int, expected: TensorType) -> None:
    """Requires the shape of the angles that the tensor has places for."""
    found = c.types[operand]
    for axis, (left, right) in enumerate(zip(expected.shape, found.shape, strict=True)):
        mismatch = ShapeMismatch(
            operator="rotary_embedding",
            operands=(0, operand),
            left=expected.shape_text,
            right=found.shape_text,
            left_size=str(left),
            right_size=str(right),
            position=f"dim {axis} of {found.rank}",
            verb="turn the positions of",
            advice="the angles are [T, R]: one for each position and each pair of features",
        )
        c.same_size(left, right, Fault(mismatch), "there are angles for every position")


# ---- PyTorch -------------------------------------------------------------------------------------


def _last(start: Code | None = None, stop: Code | None = None, step: Code | None = None) -> Code:
    return Subscript(X, (EllipsisCode(), SliceCode(start, stop, step)))


def _code(site: CodeSite) -> Code:
    """(a, b) becomes (a cos - b sin, b cos + a sin) for each pair."""
    interleaved, partial = site.flag("interleaved"), site.flag("partial")
    turned = Attr("turned") if partial else None
    if interleaved:
        a, b = _last(None, turned, Lit(2)), _last(Lit(1), turned, Lit(2))
    else:
        a, b = _last(None, Attr("pairs")), _last(Attr("pairs"), turned)
    cos, sin = _angles(site, _COS), _angles(site, _SIN)
    first = Infix("-", Infix("*", a, cos), Infix("*", b, sin))
    second = Infix("+", Infix("*", b, cos), Infix("*", a, sin))
    rest = (_last(Attr("turned")),) if partial else ()
    if not interleaved:
        return call("torch.cat", Members((first, second, *rest)), dim=Lit(-1))
    pairs = Method(
        call("torch.stack", Members((first, second)), dim=Lit(-1)), "flatten", (Lit(-2),)
    )
    return call("torch.cat", Members((pairs, *rest)), dim=Lit(-1)) if rest else pairs


def _angles(site: CodeSite, operand: int) -> Code:
    """The heads stand before the positions, so an example's own angles need a dim for them."""
    angles = Operand(operand)
    return Method(angles, "unsqueeze", (Lit(1),)) if site.types[operand].rank == 3 else angles


# ---- ONNX ----------------------------------------------------------------------------------------


def _decomposed(b: Builder, s: Site) -> Handle:
    """(a, b) becomes (a cos - b sin, b cos + a sin) for each pair."""
    cos, sin = s.inputs[_COS], s.inputs[_SIN]
    if s.types[_COS].rank == 3:
        cos, sin = (b.op("Unsqueeze", angles, int64(b, [1])) for angles in (cos, sin))
    if s["interleaved"]:
        first, second = (_sliced(b, s, start, s["turned"], 2) for start in (0, 1))
    else:
        first = _sliced(b, s, 0, s["pairs"])
        second = _sliced(b, s, s["pairs"], s["turned"])
    one = b.op("Sub", b.op("Mul", first, cos), b.op("Mul", second, sin))
    two = b.op("Add", b.op("Mul", second, cos), b.op("Mul", first, sin))
    parts = [one, two]
    if s["interleaved"]:
        last = int64(b, [-1])
        stacked = b.op("Concat", *(b.op("Unsqueeze", part, last) for part in parts), axis=-1)
        pairs, leading = s["pairs"], s.type.shape[:-1]
        parts = [reshaped(b, stacked, (*leading, pairs, 2), (*leading, s["turned"]))]
    if s["partial"]:
        parts.append(_sliced(b, s, s["turned"], s["width"]))
    return b.op("Concat", *parts, axis=-1) if len(parts) > 1 else parts[0]


def _sliced(b: Builder, s: Site, start: int, stop: int, step: int = 1) -> Handle:
    return b.op("Slice", s.x, *(int64(b, [number]) for number in (start, stop, -1, step)))


def _fused(b: Builder, s: Site) -> Handle:
    """RotaryEmbedding takes [N, heads, T, D], or [N, T, D] of one head, and each example's angles.

    Its type constraints lack f64.
    """
    if s.type.rank not in (3, 4) or s.type.dtype is DType.F64:
        return _decomposed(b, s)
    angles = s.inputs[_COS:]
    if s.types[_COS].rank == 2:
        shape = b.sizes([s.type.shape[0], 1, 1])
        angles = tuple(b.op("Expand", value, shape) for value in angles)
    return b.op(
        "RotaryEmbedding",
        s.x,
        *angles,
        interleaved=int(s["interleaved"]),
        num_heads=1 if s.type.rank == 3 else None,
        rotary_embedding_dim=s["turned"] if s["partial"] else None,
    )


_HEADS, _ANGLES = "f32[N, 2, T, 8]", ("f32[T, 4]",) * 2

OPERATORS = (
    Operator(
        name="rotary_embedding",
        summary="Turns pairs of features by an angle for each position: `(a cos - b sin, b cos + "
        "a sin)`.",
        details=(
            "`x` is [..., T, D], most often with the heads in the dim before, and `cos` and `sin` "
            "are [T, R]: of each position and each of R pairs. For heads, [N, heads, T, D], they "
            "may be [N, T, R], where every example has positions of its own. A pair is a feature "
            "of the first R and the one R behind it, or, `interleaved`, two that stand side by "
            "side. Features behind the first 2 R stay as they are."
        ),
        family="attention",
        tolerance=ELEMENTWISE,
        inputs=(Input("x"), Input("cos"), Input("sin")),
        arguments=(Argument("interleaved", FLAG, False, keyword_only=True),),
        infer=_infer,
        torch=Torch(_code),
        onnx={17: _decomposed, 23: _fused},
        onnx_note=(
            "It is `RotaryEmbedding` from 23 on, of three and four dims, but in f64, which that "
            "one does not take."
        ),
        samples=(
            sample(_HEADS, *_ANGLES),
            sample(_HEADS, *_ANGLES, interleaved=True),
            sample(_HEADS, *("f32[N, T, 4]",) * 2),
            sample(_HEADS, *("f32[N, T, 4]",) * 2, interleaved=True),
            sample(_HEADS, *("f32[T, 2]",) * 2),
            sample(_HEADS, *("f32[T, 3]",) * 2, interleaved=True),
            sample("f32[N, 2, T, 7]", *("f32[N, T, 1]",) * 2),
            sample("f32[N, T, 8]", *_ANGLES),
            sample("f32[T, 6]", *("f32[T, 1]",) * 2, interleaved=True),
            sample("f16[N, 2, T, 8]", *("f16[T, 4]",) * 2),
            sample("f64[N, 2, T, 8]", *("f64[T, 4]",) * 2),
        ),
        rejects=(
            reject("dtype-mismatch", "i64[5, 8]", *("i64[5, 4]",) * 2),
            reject("dtype-mismatch", "f16[5, 8]", *("f32[5, 4]",) * 2),
            reject("rank-mismatch", "f32[8]", *("f32[5, 4]",) * 2),
            reject("rank-mismatch", "f32[2, 5, 8]", *("f32[2, 5, 4]",) * 2),
            reject("rank-mismatch", "f32[2, 3, 5, 8]", "f32[2, 5, 4]", "f32[5, 4]"),
            reject("unknown-size", "f32[5, D]", *("f32[5, 4]",) * 2),
            reject("size-mismatch", "f32[5, 8]", *("f32[5, 5]",) * 2),
            reject("shape-mismatch", "f32[5, 8]", *("f32[6, 4]",) * 2),
            reject("shape-mismatch", "f32[5, 8]", "f32[5, 4]", "f32[5, 3]"),
            reject("shape-mismatch", "f32[2, 3, 5, 8]", *("f32[1, 5, 4]",) * 2),
            reject("bad-argument", "f32[5, 8]", *("f32[5, 4]",) * 2, interleaved=1),
        ),
    ),
)
