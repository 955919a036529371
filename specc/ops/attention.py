"""Attention: a mean of values, weighted by how well their keys match a query."""

from __future__ import annotations

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import ShapeMismatch
from specc.ir.attributes import Attributes
from specc.ir.dims import Dim
from specc.ir.types import DType, TensorType
from specc.ops.arguments import FLAG, PROBABILITY, Argument, number, optional
from specc.ops.axes import int64, product
from specc.ops.binary import require_equal_dtypes
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import (
    Attr,
    Code,
    Infix,
    Lit,
    Member,
    Method,
    Operand,
    Subscript,
    Training,
    X,
    call,
)
from specc.ops.operator import (
    CodeSite,
    Inference,
    Input,
    Operator,
    Torch,
    reject,
    sample,
)
from specc.ops.parts import sized
from specc.ops.reducing import reduce_over
from specc.ops.tolerances import SUMMED

_QUERY, _KEY, _VALUE, _MASK = range(4)


def _infer(
    c: Inference, q: TensorType, k: TensorType, v: TensorType, *mask: TensorType
) -> TensorType:
    c.floating(_QUERY, _KEY, _VALUE)
    require_equal_dtypes(c, _QUERY, _KEY, _VALUE)
    c.rank(_QUERY, "queries [..., T, D] of at least 2 dims", least=2)
    for operand in (_KEY, _VALUE):
        c.rank(operand, f"as many dims as the queries have, {q.rank}", q.rank)
    for axis in range(q.rank - 3):
        _agree(c, _QUERY, _KEY, axis)
    for axis in range(q.rank - 2):
        _agree(c, _KEY, _VALUE, axis)
    if q.rank > 2:
        c.derive("grouped", _are_grouped(c, q, k))
    _agree(c, _QUERY, _KEY, q.rank - 1)
    _agree(c, _KEY, _VALUE, q.rank - 2)
    scale = c["scale"]
    c.require(scale is None or scale > 0, "scale", "a number above 0, or none")
    if c["dropout"] > 0:
        c.derive("dropping", True)  # so that only such uses write it
    for type_ in mask:
        _check_mask(c, type_, (*q.shape[:-1], k.shape[-2]))
    return q.with_dim(q.rank - 1, v.shape[-1])


def _agree(c: Inference, left: int, right: int, axis: int) -> None:
    """Requires that two operands have one size at ``axis``."""
    one, two = c.types[left], c.types[right]
    sizes = one.shape[axis], two.shape[axis]
    mismatch = ShapeMismatch(
        operator="attention",
        operands=(left, right),
        left=one.shape_text,
        right=two.shape_text,
        left_size=str(sizes[0]),
        right_size=str(sizes[1]),
        position=f"dim {axis} of {one.rank}",
        verb="attend over",
    )
    c.same_size(*sizes, Fault(mismatch), "queries, keys and values agree")


def _are_grouped(c: Inference, q: TensorType, k: TensorType) -> bool:
    """Whether several heads of the queries share one of the keys; equal numbers else."""
    heads, shared = q.shape[-3], k.shape[-3]
    fits = isinstance(heads, int) and isinstance(shared, int) and heads % shared == 0
    if q.rank < 4 or heads == shared or not fits:
        _agree(c, _QUERY, _KEY, q.rank - 3)
        return False
    return True


def _check_mask(c: Inference, mask: TensorType, scores: tuple[Dim, ...]) -> None:
    if mask.dtype not in (DType.BOOL, c.types[_QUERY].dtype):
        c.wrong_dtype(_MASK, f"a mask of bools or of {c.types[_QUERY].dtype.value}")
    ranks = range(2, len(scores) + 1)
    c.rank(_MASK, f"a mask of 2 to {len(scores)} dims", *ranks)
    of_scores = TensorType(c.types[_QUERY].dtype, scores).shape_text
    first = len(scores) - mask.rank
    for axis, size in enumerate(mask.shape):
        if size == 1:
            continue
        mismatch = ShapeMismatch(
            operator="attention",
            operands=(_MASK,),
            left=of_scores,
            right=mask.shape_text,
            left_size=str(scores[first + axis]),
            right_size=str(size),
            position=f"dim {axis} of the mask",
            verb="mask",
            advice="a mask is as large as the scores [..., queries, keys], or 1, in each dim",
        )
        c.same_size(scores[first + axis], size, Fault(mismatch), "a mask is as large as the scores")


# ---- PyTorch -------------------------------------------------------------------------------------


def _code(site: CodeSite) -> Code:
    keywords: dict[str, Code | str] = {}
    if len(site.types) > _MASK:
        keywords["attn_mask"] = _mask_code(site)
    else:
        keywords["is_causal"] = "causal"
    if site.attributes.get("dropping"):
        keywords["dropout_p"] = Infix("*", Attr("dropout"), Training())
    keywords["scale"] = "scale"
    if site.attributes.get("grouped"):
        keywords["enable_gqa"] = Lit(True)
    return call("F.scaled_dot_product_attention", X, Operand(_KEY), Operand(_VALUE), **keywords)


def _mask_code(site: CodeSite) -> Code:
    """PyTorch takes a mask or ``is_causal``, so both are made one mask."""
    mask = Operand(_MASK)
    if not site.flag("causal"):
        return mask
    ones = call(
        "torch.ones",
        *(Subscript(Member(Operand(i), "shape"), (Lit(-2),)) for i in (_QUERY, _KEY)),
        dtype=Lit(DType.BOOL),
        device=Member(X, "device"),
    )
    earlier = Method(ones, "tril")
    if site.types[_MASK].dtype is DType.BOOL:
        return Infix("&", mask, earlier)
    return call("torch.where", earlier, mask, Lit(float("-inf")))


# ---- ONNX ----------------------------------------------------------------------------------------


def _mask_of(s: Site) -> tuple[Handle, TensorType] | None:
    return (s.inputs[_MASK], s.types[_MASK]) if len(s.inputs) > _MASK else None


def _decomposed(b: Builder, s: Site) -> Handle:
    """softmax(scale * q @ k^T + mask) @ v, and 0 where a mask leaves a query nothing."""
    dtype, rank = s.type.dtype, s.type.rank
    key, value = (_every_head(b, s, operand) for operand in (_KEY, _VALUE))
    swapped = b.op("Transpose", key, perm=[*range(rank - 2), rank - 1, rank - 2])
    scores = b.op("MatMul", b.op("Mul", s.x, _scale(b, s)), swapped)
    infinity = b.constant(float("-inf"), dtype)
    allowed = _earlier(b, s) if s["causal"] else None
    seen = allowed
    if (given := _mask_of(s)) is not None:
        mask, type_ = given
        if type_.dtype is DType.BOOL:
            allowed = seen = mask if allowed is None else b.op("And", mask, allowed)
        else:
            scores = b.op("Add", scores, mask)
            seen = b.op("Not", b.op("Equal", b.cast(mask, DType.F32), _minus_infinity(b)))
            seen = seen if allowed is None else b.op("And", seen, allowed)
    if allowed is not None:
        scores = b.op("Where", allowed, scores, infinity)
    result = b.op("MatMul", b.op("Softmax", scores, axis=-1), value)
    if given is None:
        return result
    any_seen = reduce_over(b, "ReduceMax", b.cast(seen, DType.I32), [given[1].rank - 1], True)
    return b.op("Where", b.cast(any_seen, DType.BOOL), result, b.constant(0.0, dtype))


def _minus_infinity(b: Builder) -> Handle:
    return b.constant(float("-inf"), DType.F32)


def _scale(b: Builder, s: Site) -> Handle:
    dtype, size = s.type.dtype, s.type.shape[-1]
    scale = s["scale"]
    if scale is None:
        if not isinstance(size, int):
            return b.op("Reciprocal", b.op("Sqrt", b.cast(b.size(size), dtype)))
        scale = size**-0.5
    if dtype is DType.F64:
        # onnxruntime moves a constant factor into its MatMul, where it is an f32; not a vector.
        return b.op("Expand", b.constant(scale, dtype), b.sizes([size]))
    return b.constant(scale, dtype)


def _every_head(b: Builder, s: Site, operand: int) -> Handle:
    """Keys or values, those of a group of heads repeated for each of them."""
    value, type_ = s.inputs[operand], s.types[operand]
    if not s.attributes.get("grouped"):
        return value
    heads, shared = s.type.shape[-3], type_.shape[-3]
    assert isinstance(heads, int)
    assert isinstance(shared, int)
    value = b.op("Unsqueeze", value, int64(b, [type_.rank - 2]))
    value = b.op("Expand", value, int64(b, [*[1] * (type_.rank - 2), heads // shared, 1, 1]))
    return sized(b, value, [*type_.shape[:-3], heads, *type_.shape[-2:]])


def _earlier(b: Builder, s: Site) -> Handle:
    """Which keys [T, S] are no later than the query."""
    zero, one = b.constant(0, DType.I64), b.constant(1, DType.I64)
    queries, keys = (
        b.op("Range", zero, b.size(s.types[operand].shape[-2]), one) for operand in (_QUERY, _KEY)
    )
    return b.op("LessOrEqual", keys, b.op("Unsqueeze", queries, int64(b, [1])))


def _fused(b: Builder, s: Site) -> Handle:
    """Attention takes four dims, or three where it is told the number of heads, here 1.

    Its scale is an attribute, so an f32, too coarse for f64.
    """
    if s.type.rank not in (3, 4) or s.type.dtype is DType.F64:
        return _decomposed(b, s)
    mask = None
    if (given := _mask_of(s)) is not None:
        mask, type_ = given
        scores = (s.type.shape[-2], s.types[_KEY].shape[-2])
        if type_.shape[-2:] != scores:
            # A mask of fewer keys hides the others, and onnxruntime wants one of all queries.
            mask = b.op("Expand", mask, b.sizes([*[1] * (type_.rank - 2), *scores]))
        if s.type.rank == type_.rank == 3:
            mask = b.op("Unsqueeze", mask, int64(b, [1]))  # the one head
    heads = 1 if s.type.rank == 3 else None
    return b.op(
        "Attention",
        *s.inputs[:_MASK],
        mask,
        is_causal=int(s["causal"]),
        scale=s["scale"],
        q_num_heads=heads,
        kv_num_heads=heads,
    )


def _multiply_adds(
    attributes: Attributes, types: tuple[TensorType, ...], result: TensorType
) -> Dim:
    """Scores, and the means."""
    keys, size = types[_KEY].shape[-2:]
    return product(result.shape[:-1]) * keys * (size + result.shape[-1])


_QKV = ("f32[N, 4, T, 8]",) * 3

OPERATORS = (
    Operator(
        name="attention",
        summary="Scaled dot-product attention: `softmax(scale * q @ k^T) @ v`.",
        details=(
            "Queries [..., T, D], keys [..., S, D] and values [..., S, E], most often with the "
            "heads in the dim before. Where keys and values have fewer heads, each serves a group "
            "of the queries' heads. `mask` is broadcast to [..., T, S]: bools that say which keys "
            "a query sees, or floats that are added to the scores; a query that sees nothing gets "
            "0. `causal` hides the keys behind the query's own place. `scale` is 1 / sqrt(D) where "
            "it is none. `dropout` is the probability with which a weight is zeroed while "
            "training, and the others are scaled by 1 / (1 - dropout)."
        ),
        family="attention",
        tolerance=SUMMED,
        inputs=(Input("q"), Input("k"), Input("v"), Input("mask", optional=True)),
        arguments=(
            Argument("causal", FLAG, False, keyword_only=True),
            Argument("dropout", PROBABILITY, 0.0, keyword_only=True, training_only=True),
            Argument("scale", optional(number()), None, keyword_only=True),
        ),
        infer=_infer,
        random=lambda attributes: bool(attributes.get("dropping")),
        torch=Torch(_code),
        onnx={17: _decomposed, 23: _fused},
        onnx_note=(
            "It is `Attention` from 23 on, of three and four dims, but in f64: its scale is an "
            "f32. Where queries, keys or masks hold a NaN or an infinity, which results become NaN "
            "differs between PyTorch's own kernels, and so between PyTorch and onnxruntime."
        ),
        multiply_adds=_multiply_adds,
        samples=(
            sample(*_QKV),
            sample(*_QKV, causal=True),
            sample(*_QKV, scale=0.5),
            sample(*_QKV, dropout=0.4),
            sample(*_QKV, "bool[N, 1, 1, T]", causal=True, dropout=0.1),
            sample("f32[N, 2, T, D]", "f32[N, 2, S, D]", "f32[N, 2, S, 3]", causal=True),
            sample("f32[N, 4, T, 8]", "f32[N, 2, S, 8]", "f32[N, 2, S, 8]"),
            sample("f32[N, 6, T, 8]", "f32[N, 2, T, 8]", "f32[N, 2, T, 5]", causal=True, scale=1),
            sample(*_QKV, "bool[N, 1, 1, T]"),
            sample(*_QKV, "bool[N, 1, 1, T]", causal=True),
            sample(*_QKV, "f32[T, T]"),
            sample(*_QKV, "f32[4, 1, T]", causal=True),
            sample(*_QKV, "bool[N, 4, T, 1]"),
            sample("f32[N, 4, T, 8]", *["f32[N, 1, S, 8]"] * 2, "f32[T, 1]"),
            sample("f32[N, 4, T, 8]", *["f32[N, 2, S, 8]"] * 2, "bool[N, 1, T, S]"),
            sample(*["f32[N, T, 8]"] * 3, causal=True),
            sample(*["f32[N, T, 8]"] * 3, "bool[N, 1, T]"),
            sample(*["f32[N, T, 8]"] * 3, "f32[T, T]", scale=0.3),
            sample(*["f32[T, 8]"] * 3, "bool[T, T]"),
            sample(*["f32[2, N, 4, T, 8]"] * 3, "bool[N, 1, T, T]"),
            sample(*["f16[N, 2, T, 8]"] * 3, causal=True),
            sample(*["f64[N, 2, T, 8]"] * 3, "f64[T, T]"),
        ),
        rejects=(
            reject("dtype-mismatch", *["i64[2, 4, 5, 8]"] * 3),
            reject("dtype-mismatch", "f32[5, 8]", "f32[5, 8]", "f64[5, 8]"),
            reject("dtype-mismatch", *["f32[5, 8]"] * 3, "i64[5, 5]"),
            reject("dtype-mismatch", *["f32[5, 8]"] * 3, "f64[5, 5]"),
            reject("rank-mismatch", *["f32[8]"] * 3),
            reject("rank-mismatch", "f32[2, 5, 8]", "f32[5, 8]", "f32[5, 8]"),
            reject("rank-mismatch", *["f32[5, 8]"] * 3, "bool[5]"),
            reject("shape-mismatch", "f32[5, 8]", "f32[5, 7]", "f32[5, 8]"),
            reject("shape-mismatch", "f32[5, 8]", "f32[6, 8]", "f32[5, 8]"),
            reject("shape-mismatch", "f32[2, 4, 5, 8]", *["f32[2, 3, 5, 8]"] * 2),
            reject("shape-mismatch", "f32[4, 5, 8]", *["f32[2, 5, 8]"] * 2),
            reject("shape-mismatch", *["f32[5, 8]"] * 3, "bool[4, 5]"),
            reject("bad-argument", *["f32[5, 8]"] * 3, scale=0),
            reject("bad-argument", *["f32[5, 8]"] * 3, causal=1),
            reject("bad-argument", *["f32[5, 8]"] * 3, dropout=1.5),
        ),
    ),
)
