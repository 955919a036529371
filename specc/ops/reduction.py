"""Reductions that add and multiply: sums, means, products, variances."""

from __future__ import annotations

from collections.abc import Callable

from specc.ir.dims import Dim
from specc.ir.types import DType, TensorType
from specc.ops.arguments import AXES, AXIS, Argument, integer
from specc.ops.axes import int64, product
from specc.ops.binary import convert
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Code, Lit, Method, X, call
from specc.ops.operator import CodeSite, Drawn, Inference, Input, Operator, Torch, reject, sample
from specc.ops.reducing import KEEPDIM, ONE_DIM, reduce_over, reduced, reduced_axes, reduction
from specc.ops.tolerances import SUMMED


def _summed(c: Inference, x: TensorType) -> TensorType:
    return reduced(c, x, _sum_dtype(x.dtype))


def _sum_dtype(dtype: DType) -> DType:
    return dtype if dtype.is_float else DType.I64


def _floats(c: Inference, x: TensorType) -> TensorType:
    c.floating(0)
    return reduced(c, x, x.dtype)


def _lower_sum(op_type: str) -> Callable[[Builder, Site], Handle]:
    def lower(b: Builder, s: Site) -> Handle:
        x = convert(b, s.x, s.type.dtype, _sum_dtype(s.type.dtype))
        return reduce_over(b, op_type, x, reduced_axes(s), s["keepdim"])

    return lower


def _prod_code(site: CodeSite) -> Code:
    """torch.prod takes no ``dim`` of None, so all dims are kept by a reshape."""
    if site.attributes["dim"] is not None:
        return call("torch.prod", X, dim="dim", keepdim="keepdim")
    product_of_all = call("torch.prod", X)
    if not site.flag("keepdim"):
        return product_of_all
    return Method(product_of_all, "reshape", (Lit((1,) * site.types[0].rank),))


def _lower_mean(b: Builder, s: Site) -> Handle:
    return reduce_over(b, "ReduceMean", s.x, reduced_axes(s), s["keepdim"])


def _lower_var(b: Builder, s: Site) -> Handle:
    """The squared deviations' sum by max(0, n - correction): NaN for one element, as in PyTorch."""
    axes = reduced_axes(s)
    deviation = b.op("Sub", s.x, reduce_over(b, "ReduceMean", s.x, axes, True))
    squares = reduce_over(b, "ReduceSum", b.op("Mul", deviation, deviation), axes, s["keepdim"])
    dims = s.type.shape if axes is None else [s.type.shape[axis] for axis in axes]
    freedom = _degrees_of_freedom(b, product(dims), s["correction"], s.type.dtype)
    return b.op("Div", squares, freedom)


def _degrees_of_freedom(b: Builder, count: Dim, correction: int, dtype: DType) -> Handle:
    if isinstance(count, int):
        return b.constant(max(0, count - correction), dtype)
    rest = b.op("Sub", b.size(count), b.constant(correction, DType.I64))
    return b.cast(b.op("Max", rest, b.constant(0, DType.I64)), dtype)


def _lower_std(b: Builder, s: Site) -> Handle:
    return b.op("Sqrt", _lower_var(b, s))


def _infer_cumsum(c: Inference, x: TensorType) -> TensorType:
    c.rank(0, "a tensor with at least one dim", least=1)
    c.axis("dim", c["dim"], x.rank)
    return x.with_dtype(_sum_dtype(x.dtype))


def _lower_cumsum(b: Builder, s: Site) -> Handle:
    x = convert(b, s.x, s.type.dtype, s.result.dtype)
    return b.op("CumSum", x, b.constant(s["dim"], DType.I64))


def _lower_logsumexp(b: Builder, s: Site) -> Handle:
    """Log(sum(exp(x - m))) + m, with the greatest element m, or 0 where that is infinite."""
    axes, dtype = reduced_axes(s), s.type.dtype
    assert axes is not None
    greatest = reduce_over(b, "ReduceMax", s.x, axes, True)
    finite = b.op("Less", b.op("Abs", greatest), b.constant(float("inf"), dtype))
    m = b.op("Where", finite, greatest, b.constant(0.0, dtype))
    total = reduce_over(b, "ReduceSum", b.op("Exp", b.op("Sub", s.x, m)), axes, s["keepdim"])
    if not s["keepdim"]:
        m = b.op("Squeeze", m, int64(b, axes))
    return b.op("Add", b.op("Log", total), m)


_NO_INTEGERS = (reject("dtype-mismatch", "i64[3]"), reject("dtype-mismatch", "bool[3]"))
_CORRECTION = Argument("correction", integer(0), 1)

OPERATORS = (
    reduction(
        "sum",
        "The sum.",
        _summed,
        _lower_sum("ReduceSum"),
        dtypes=("f32", "i64", "i32", "u8", "bool"),
        details="Of integers and bools it is i64.",
    ),
    reduction("mean", "The mean, of floats.", _floats, _lower_mean, rejects=_NO_INTEGERS),
    reduction(
        "prod",
        "The product.",
        _summed,
        _lower_sum("ReduceProd"),
        torch=_prod_code,
        dim=ONE_DIM,
        dtypes=("f32", "i64", "i32", "bool"),
        details="Of integers and bools it is i64.",
    ),
    reduction(
        "var",
        "The variance: squared deviations from the mean, by their number less `correction`.",
        _floats,
        _lower_var,
        arguments=(_CORRECTION,),
        samples=(
            sample("f32[2, 3]", correction=0),
            sample("f32[4, 5]", dim=1, correction=2, keepdim=True),
        ),
        rejects=_NO_INTEGERS,
        details="Of one element, with the default correction, it is NaN.",
    ),
    reduction(
        "std",
        "The standard deviation, the root of `var`.",
        _floats,
        _lower_std,
        arguments=(_CORRECTION,),
        samples=(sample("f32[2, 3]", correction=0),),
        rejects=_NO_INTEGERS,
    ),
    Operator(
        name="logsumexp",
        summary="`log(sum(exp(x)))`, computed without overflow.",
        family="reduction",
        inputs=(Input("x"),),
        arguments=(Argument("dim", AXES), KEEPDIM),
        infer=_floats,
        torch=Torch(call("torch.logsumexp", X, "dim", keepdim="keepdim")),
        onnx={17: _lower_logsumexp},
        onnx_note="It is formulas, not `ReduceLogSumExp`, which need not survive large values.",
        samples=(
            sample("f32[2, 3, 4]", dim=1),
            sample("f32[N, 3]", dim=-1, keepdim=True),
            sample("f32[2, 3, N]", dim=(0, -1)),
            sample(Drawn("f32[2, 9]", low=-200, high=200), dim=1),
            sample("f64[2, 3]", dim=0),
        ),
        rejects=(
            reject("bad-argument", "f32[2, 3]", dim=2),
            reject("bad-argument", "f32[2, 3]", dim=()),
            reject("bad-argument", "f32[]", dim=0),
            reject("dtype-mismatch", "i64[3]", dim=0),
        ),
        tolerance=SUMMED,
    ),
    Operator(
        name="cumsum",
        summary="The sums of the elements up to each place along `dim`.",
        details="Of integers and bools it is i64.",
        family="reduction",
        inputs=(Input("x"),),
        arguments=(Argument("dim", AXIS),),
        infer=_infer_cumsum,
        torch=Torch(call("torch.cumsum", X, dim="dim")),
        onnx={17: _lower_cumsum},
        samples=(
            sample("f32[2, 3]", dim=1),
            sample("i32[2, 3]", dim=-2),
            sample("bool[4]", dim=0),
        ),
        rejects=(
            reject("bad-argument", "f32[3]", dim=1),
            reject("rank-mismatch", "f32[]", dim=0),
        ),
        tolerance=SUMMED,
    ),
)
