"""Elements chosen by integers: gather, take, topk, one_hot."""

from __future__ import annotations

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import SizeMismatch
from specc.ir.dims import equal
from specc.ir.types import DType, TensorType
from specc.ops.arguments import AXIS, FLAG, SIZE, Argument
from specc.ops.axes import counted, int64
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Attr, Code, Member, Method, Operand, SliceCode, Subscript, X, call
from specc.ops.operator import (
    CodeSite,
    Drawn,
    Inference,
    Input,
    Operator,
    Torch,
    reject,
    sample,
)
from specc.ops.tolerances import EXACT

_X_AND_INDEX = (Input("x"), Input("index"))


def _axis(c: Inference, x: TensorType) -> int:
    c.rank(0, "a tensor with at least one dim", least=1)
    return c.axis("dim", c["dim"], x.rank)


def _require_index(c: Inference, operand: int) -> None:
    if c.types[operand].dtype not in (DType.I64, DType.I32):
        c.wrong_dtype(operand, "i64 or i32 as an index")


def _infer_gather(c: Inference, x: TensorType, index: TensorType) -> TensorType:
    axis = _axis(c, x)
    if index.dtype is not DType.I64:
        c.wrong_dtype(1, "i64 as an index")
    c.rank(1, f"an index of as many dims as the tensor has, {x.rank}", x.rank)
    for place, (size, taken) in enumerate(zip(x.shape, index.shape, strict=True)):
        if place == axis or equal(size, taken):
            continue
        if isinstance(size, int) and isinstance(taken, int) and taken > size:
            raise Fault(
                SizeMismatch(
                    operator="gather",
                    operands=(0, 1),
                    what=f"dim {place} of the index",
                    expected=f"at most {size}",
                    found=str(taken),
                )
            )
        c.positive.append((size - taken + 1, "an index of gather is no larger than its tensor"))
    return x.with_shape(index.shape)


def _infer_take(c: Inference, x: TensorType, index: TensorType) -> TensorType:
    axis = _axis(c, x)
    _require_index(c, 1)
    return x.with_shape((*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]))


def _take_code(site: CodeSite) -> Code:
    """``x[:, index]``: full slices before, whose number is structure as the ranks are."""
    if site.types[1].rank == 1:
        return call("torch.index_select", X, "dim", Operand(1))
    axis = site.attributes["dim"]
    if isinstance(axis, int):
        return Subscript(X, (*[SliceCode()] * (axis % site.types[0].rank), Operand(1)))
    # The dim differs between uses of one block: flat, then in the shape of the index.
    flat = call("torch.index_select", X, "dim", Method(Operand(1), "flatten"))
    if site.types[1].rank == 0:
        return Method(flat, "squeeze", (Attr("dim"),))
    return Method(flat, "unflatten", (Attr("dim"), Member(Operand(1), "shape")))


def _infer_topk(c: Inference, x: TensorType) -> tuple[TensorType, TensorType]:
    axis = _axis(c, x)
    if x.dtype is DType.BOOL:
        c.wrong_dtype(0, "numbers")
    size, k = x.shape[axis], c["k"]
    if isinstance(size, int):
        c.require(k <= size, "k", f"at most {size}, the size of the dim")
    else:
        c.positive.append((size - k + 1, "topk has elements enough"))
    values = x.with_dim(axis, k)
    return values, values.with_dtype(DType.I64)


def _lower_topk(b: Builder, s: Site) -> tuple[Handle, Handle]:
    (axis,) = counted(s["dim"], s.type.rank)
    found: tuple[Handle, Handle] = b.op(
        "TopK", s.x, int64(b, [s["k"]]), axis=axis, largest=int(s["largest"]), outputs=2
    )
    return found


def _infer_one_hot(c: Inference, x: TensorType) -> TensorType:
    if x.dtype is not DType.I64:
        c.wrong_dtype(0, "i64")
    return x.with_shape((*x.shape, c["num_classes"]))


def _lower_one_hot(b: Builder, s: Site) -> Handle:
    if s.type.rank == 0:  # which OneHot does not take
        classes = int64(b, range(s["num_classes"]))
        return b.cast(b.op("Equal", s.x, classes), DType.I64)
    return b.op("OneHot", s.x, int64(b, [s["num_classes"]]), int64(b, [0, 1]), axis=-1)


OPERATORS = (
    Operator(
        name="gather",
        summary="For each element of `index`, the element of x at that place along `dim`.",
        details="As torch.gather: the other places are the element's own.",
        family="gathering",
        tolerance=EXACT,
        inputs=_X_AND_INDEX,
        arguments=(Argument("dim", AXIS),),
        infer=_infer_gather,
        torch=Torch(call("torch.gather", X, "dim", Operand(1))),
        onnx={
            17: lambda b, s: b.op(
                "GatherElements", *s.inputs, axis=counted(s["dim"], s.type.rank)[0]
            )
        },
        samples=(
            sample("f32[N, 5]", Drawn("i64[N, 2]", 0, 5), dim=1),
            sample("f32[4, T]", Drawn("i64[7, T]", 0, 4), dim=0),
            sample("i64[3, 4, 5]", Drawn("i64[2, 4, 3]", 0, 4), dim=-2),
            sample("bool[5]", Drawn("i64[S]", 0, 5), dim=0),
        ),
        rejects=(
            reject("dtype-mismatch", "f32[3, 4]", "f32[3, 4]", dim=0),
            reject("dtype-mismatch", "f32[3, 4]", "i32[3, 4]", dim=0),
            reject("rank-mismatch", "f32[3, 4]", "i64[3]", dim=0),
            reject("rank-mismatch", "f32[]", "i64[]", dim=0),
            reject("size-mismatch", "f32[3, 4]", "i64[3, 5]", dim=0),
            reject("bad-argument", "f32[3, 4]", "i64[3, 4]", dim=2),
        ),
    ),
    Operator(
        name="take",
        summary="The slices of x along `dim` that `index` names, in the shape of `index`.",
        details="The dims of `index` come in the place of `dim`: `x[:, index]` for `dim=1`.",
        family="gathering",
        tolerance=EXACT,
        inputs=_X_AND_INDEX,
        arguments=(Argument("dim", AXIS, 0),),
        infer=_infer_take,
        torch=Torch(_take_code),
        onnx={17: lambda b, s: b.op("Gather", *s.inputs, axis=counted(s["dim"], s.type.rank)[0])},
        samples=(
            sample("f32[5, T]", Drawn("i64[S]", 0, 5)),
            sample("f32[5, T]", Drawn("i64[N, S]", 0, 5)),
            sample("f32[N, 5, 3]", Drawn("i64[2, S]", 0, 5), dim=1),
            sample("i64[N, 5]", Drawn("i32[3]", 0, 5), dim=-1),
            sample("f32[N, 5]", Drawn("i32[3, 2]", 0, 5), dim=-1),
            sample("bool[5, 2]", Drawn("i64[]", 0, 5)),
        ),
        rejects=(
            reject("dtype-mismatch", "f32[3, 4]", "f32[3]"),
            reject("dtype-mismatch", "f32[3, 4]", "bool[3]"),
            reject("rank-mismatch", "f32[]", "i64[2]"),
            reject("bad-argument", "f32[3, 4]", "i64[3]", dim=2),
        ),
    ),
    Operator(
        name="topk",
        summary="The `k` greatest elements along `dim`, in order, and where they are.",
        details=(
            "Two results, values and i64 places; with `largest=false` the least. Which of several "
            "equal elements is taken is open, as it is in PyTorch."
        ),
        family="gathering",
        tolerance=EXACT,
        inputs=(Input("x"),),
        arguments=(
            Argument("k", SIZE),
            Argument("dim", AXIS, -1),
            Argument("largest", FLAG, True),
        ),
        infer=_infer_topk,
        torch=Torch(call("torch.topk", X, "k", dim="dim", largest="largest")),
        onnx={17: _lower_topk},
        onnx_note="Where there is a NaN, PyTorch counts it as the greatest; in ONNX that is open.",
        samples=(
            sample("f32[N, 7]", k=3),
            sample("f32[N, T, 4]", k=2, dim=1),
            sample("f32[N, T]", k=1, largest=False),
            sample("f64[9]", k=9),
        ),
        rejects=(
            reject("bad-argument", "f32[2, 3]", k=4),
            reject("bad-argument", "f32[2, 3]", k=0),
            reject("bad-argument", "f32[2, 3]", k=1, dim=2),
            reject("dtype-mismatch", "bool[2, 3]", k=1),
            reject("rank-mismatch", "f32[]", k=1),
        ),
    ),
    Operator(
        name="one_hot",
        summary="1 at the place that each integer names among `num_classes`, 0 elsewhere; i64.",
        details="Integers are from 0 to num_classes - 1; the classes are a last dim.",
        family="gathering",
        tolerance=EXACT,
        inputs=(Input("x"),),
        arguments=(Argument("num_classes", SIZE),),
        infer=_infer_one_hot,
        torch=Torch(call("F.one_hot", X, "num_classes")),
        onnx={17: _lower_one_hot},
        samples=(
            sample(Drawn("i64[N, T]", 0, 5), num_classes=5),
            sample(Drawn("i64[4]", 0, 3), num_classes=7),
            sample(Drawn("i64[]", 0, 2), num_classes=2),
        ),
        rejects=(
            reject("dtype-mismatch", "f32[2]", num_classes=3),
            reject("dtype-mismatch", "i32[2]", num_classes=3),
            reject("bad-argument", "i64[2]", num_classes=0),
        ),
    ),
)
