"""What reductions share: their arguments, shapes, lowerings and samples.

``dim`` is none (all of them), a dim, or a list of dims; ``keepdim`` leaves each as a dim of size 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from specc.ir.types import DType, TensorType
from specc.ops.arguments import AXES, FLAG, INT, Argument, optional
from specc.ops.axes import axes_of, counted, int64
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Attr, Call, Code, X
from specc.ops.operator import (
    CodeSite,
    Drawn,
    Inference,
    Input,
    Operator,
    Reject,
    Sample,
    Torch,
    TorchFunction,
    reject,
    sample,
)
from specc.ops.tolerances import SUMMED

DIMS = Argument("dim", optional(AXES), None)
ONE_DIM = Argument("dim", optional(INT), None)
KEEPDIM = Argument("keepdim", FLAG, False)


def reduced(c: Inference, x: TensorType, dtype: DType) -> TensorType:
    """The type that is left over of x, with ``dtype``. Raises a Fault for dims that x lacks."""
    if c["dim"] is None:
        axes: Sequence[int] = range(x.rank)
    else:
        axes = axes_of(c, "dim", x.rank)
    if c["keepdim"]:
        shape = tuple(1 if axis in axes else dim for axis, dim in enumerate(x.shape))
    else:
        shape = tuple(dim for axis, dim in enumerate(x.shape) if axis not in axes)
    return TensorType(dtype, shape)


def reduction_code(function: str, *names: str) -> TorchFunction:
    """``torch.sum(x, dim=1)``; PyTorch takes ``keepdim`` only where a ``dim`` is written too."""

    def code(site: CodeSite) -> Code:
        dim = Attr("dim", always=bool(site.flag("keepdim")))
        keywords = [("dim", dim), *((name, Attr(name)) for name in names)]
        return Call(function, (X,), (*keywords, ("keepdim", Attr("keepdim"))))

    return code


def reduced_axes(s: Site) -> list[int] | None:
    """The axes that are reduced, None for all of them."""
    return None if s["dim"] is None else counted(s["dim"], s.type.rank)


def reduce_over(
    b: Builder, op_type: str, x: Handle, axes: list[int] | None, keepdim: bool
) -> Handle:
    """Axes are an input since opset 18, of ReduceSum since 13; an attribute before."""
    if axes is None:
        return b.op(op_type, x, keepdims=int(keepdim))
    if b.opset >= 18 or op_type == "ReduceSum":
        return b.op(op_type, x, int64(b, axes), keepdims=int(keepdim))
    return b.op(op_type, x, axes=axes, keepdims=int(keepdim))


def _samples(dtypes: Sequence[str], *, lists: bool = True) -> list[Sample]:
    """Every argument off its default over the first dtype, and plain uses over the others."""
    first = dtypes[0]
    samples = [
        sample(f"{first}[2, 3, 4]"),
        sample(f"{first}[2, 3, 4]", dim=1),
        sample(f"{first}[2, 3]", dim=-1, keepdim=True),
        sample(f"{first}[2, 3]", keepdim=True),
    ]
    if lists:
        samples.append(sample(f"{first}[2, 3, 4]", dim=(0, -1)))
        samples.append(sample(f"{first}[2, 3, 4]", dim=(1, 2), keepdim=True))
    for dtype in dtypes[1:]:
        samples += [sample(_few(f"{dtype}[3, 4]")), sample(_few(f"{dtype}[3, 4]"), dim=0)]
    return samples


def _few(type_: str) -> str | Drawn:
    return type_ if type_.startswith("bool") else Drawn(type_, low=0, high=4)


def reduction(
    name: str,
    summary: str,
    infer: Callable[[Inference, TensorType], TensorType],
    lower: Callable[[Builder, Site], Handle],
    *,
    function: str = "",
    torch: TorchFunction | None = None,
    dtypes: Sequence[str] = ("f32",),
    dim: Argument = DIMS,
    arguments: Sequence[Argument] = (),
    samples: Sequence[Sample] = (),
    rejects: Sequence[Reject] = (),
    tolerance: Mapping[str, float] = SUMMED,
    details: str = "",
) -> Operator:
    """The entry of one reduction, whose PyTorch function takes the same keywords."""
    own = [argument.name for argument in arguments]
    drawn = dtypes[0]
    return Operator(
        name=name,
        summary=summary,
        details=details,
        family="reduction",
        inputs=(Input("x"),),
        arguments=(dim, *arguments, KEEPDIM),
        infer=infer,
        torch=Torch(torch or reduction_code(function or f"torch.{name}", *own)),
        onnx={17: lower},
        samples=(*_samples(dtypes, lists=dim is DIMS), *samples),
        rejects=(
            reject("bad-argument", f"{drawn}[2, 3]", dim=2),
            reject("bad-argument", f"{drawn}[]", dim=0),
            *((reject("bad-argument", f"{drawn}[2, 3]", dim=(0, -2)),) if dim is DIMS else ()),
            *((reject("bad-argument", f"{drawn}[2, 3]", dim=()),) if dim is DIMS else ()),
            *rejects,
        ),
        tolerance=tolerance,
    )
