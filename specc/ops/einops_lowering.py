"""The lowerings of the operators in einops' notation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from specc.ir.dims import Dim
from specc.ir.types import DType
from specc.ops.axes import int64, product
from specc.ops.axis_patterns import Function, Recipe, literal_size, recipe
from specc.ops.binary import convert
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Attr, Code, Lit, Method, Part, Splat, X
from specc.ops.extremum import extremum
from specc.ops.operator import CodeSite
from specc.ops.reducing import reduce_over
from specc.ops.shape import reshaped


def reduced_dtype(reduction: str, dtype: DType) -> DType:
    """The dtype of what is left over of ``dtype``: sums and products of integers are i64."""
    return DType.I64 if reduction in ("sum", "prod") and not dtype.is_float else dtype


# ---- PyTorch -------------------------------------------------------------------------------------


def patterned_code(function: Function, reduction: str | None, site: CodeSite) -> Code:
    """``x.unflatten(2, (3, 8, -1)).permute(2, 0, 3, 1, 4).flatten(1, 2)``: sizes stay implicit."""
    steps = recipe(function, cast("str", site.flag("pattern")), site.types[0].rank)
    code: Code = X
    for dim, group in reversed(list(enumerate(steps.groups))):
        if not group:
            code = _method(code, "squeeze", dim)
        elif len(group) > 1:
            code = Method(code, "unflatten", (Lit(dim), Part("split", (dim,))))
    if reduction is not None and steps.reduced:
        code = _reduced_code(code, reduction, steps.reduced)
    if steps.order != tuple(range(len(steps.order))):
        code = _method(code, "permute", *steps.order)
    for place in steps.added:
        code = _method(code, "unsqueeze", place)
    if steps.added:
        code = Method(code, "expand", (Splat(Attr("expanded")),))
    start = len(steps.given)
    for group in reversed(steps.merged):
        start -= len(group)
        if not group:
            code = _method(code, "unsqueeze", start)
        elif len(group) > 1:
            code = _method(code, "flatten", start, start + len(group) - 1)
    return code


def _reduced_code(code: Code, reduction: str, axes: tuple[int, ...]) -> Code:
    if reduction == "prod":  # which takes one dim
        for axis in reversed(axes):
            code = _method(code, "prod", axis)
        return code
    name = {"max": "amax", "min": "amin"}.get(reduction, reduction)
    return Method(code, name, (Lit(axes[0] if len(axes) == 1 else axes),))


def _method(code: Code, name: str, *numbers: int) -> Code:
    return Method(code, name, tuple(Lit(number) for number in numbers))


# ---- ONNX ----------------------------------------------------------------------------------------


def patterned_onnx(b: Builder, s: Site, function: Function, reduction: str | None = None) -> Handle:
    """Reshape, reduce, Transpose, Expand, Reshape, each where the pattern has it."""
    steps = recipe(function, s["pattern"], s.type.rank)
    sizes = _axis_sizes(steps, s.type.shape, dict(s["sizes"]))
    value, shape = s.x, list(s.type.shape)
    if taken := _reshape(b, s.x, shape, [sizes[axis] for axis in steps.taken]):
        value = taken
    if reduction is not None and steps.reduced:
        value = _reduce(b, value, reduction, s.type.dtype, list(steps.reduced))
    if steps.order != tuple(range(len(steps.order))):
        value = b.op("Transpose", value, perm=list(steps.order))
    shape = [sizes[axis] for axis in steps.given]
    if steps.added:
        value = b.op("Unsqueeze", value, int64(b, steps.added))
        # Expand broadcasts both ways, so an axis that is kept may be written as 1.
        target = [dim if place in steps.added else 1 for place, dim in enumerate(shape)]
        value = b.op("Expand", value, b.sizes(target))
    merged = _reshape(b, value, shape, s.result.shape) or value
    return b.op("Identity", s.x) if merged is s.x else merged


def _axis_sizes(steps: Recipe, shape: Sequence[Dim], sizes: dict[str, Dim]) -> dict[str, Dim]:
    """As the rule found them, which has checked them."""
    for axis in (*steps.taken, *steps.given):
        if (number := literal_size(axis)) is not None:
            sizes[axis] = number
    for group, dim in zip(steps.groups, shape, strict=True):
        known = product([sizes[axis] for axis in group if axis in sizes])
        sizes |= {axis: dim // known for axis in group if axis not in sizes}
    return sizes


def _reshape(b: Builder, value: Handle, old: Sequence[Dim], new: Sequence[Dim]) -> Handle | None:
    return None if list(old) == list(new) else reshaped(b, value, old, new)


def _reduce(b: Builder, x: Handle, reduction: str, dtype: DType, axes: list[int]) -> Handle:
    if reduction in ("max", "any"):
        return extremum(b, "ReduceMax", x, dtype, axes, False)
    if reduction in ("min", "all"):
        return extremum(b, "ReduceMin", x, dtype, axes, False)
    x = convert(b, x, dtype, reduced_dtype(reduction, dtype))
    op_type = {"mean": "ReduceMean", "sum": "ReduceSum", "prod": "ReduceProd"}[reduction]
    return reduce_over(b, op_type, x, axes, False)
