"""Operators in einops' notation: a pattern that says what becomes of each axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import BadArgument, SizeMismatch
from specc.ir.attributes import Attribute
from specc.ir.dims import Dim, Expr
from specc.ir.types import DType, TensorType
from specc.ops.arguments import TEXT, Argument, Kind, choice
from specc.ops.axes import product
from specc.ops.axis_patterns import (
    Function,
    Group,
    PatternError,
    Recipe,
    least_rank,
    literal_size,
    named_axes,
    recipe,
)
from specc.ops.einops_lowering import patterned_code, patterned_onnx, reduced_dtype
from specc.ops.operator import (
    Drawn,
    Inference,
    Input,
    Operator,
    Torch,
    reject,
    sample,
)
from specc.ops.tolerances import EXACT, SUMMED


def _accept_sizes(value: Any) -> Attribute:
    """Sizes by the names of their axes, as pairs."""
    name = "sizes of axes by their names, each an int of at least 1"
    pairs = value.items() if isinstance(value, Mapping) else value
    if not isinstance(value, Mapping | tuple | list):
        raise ValueError(name)
    for axis, size in pairs:
        number = isinstance(size, int) and not isinstance(size, bool) and size >= 1
        if not isinstance(axis, str) or not (number or isinstance(size, Expr)):
            raise ValueError(name)
    return tuple((axis, size) for axis, size in pairs)


_PATTERN = Argument("pattern", TEXT)
_SIZES = Argument("sizes", Kind("sizes of axes, by keyword", _accept_sizes), (), collects=True)
_REDUCTION = Argument("reduction", choice("mean", "sum", "max", "min", "prod", "any", "all"))


# ---- shapes --------------------------------------------------------------------------------------


def _function(name: str) -> Function:
    return cast("Function", name)


def _plan(c: Inference, x: TensorType) -> Recipe:
    """The pattern's steps for x. Raises a Fault for a bad pattern, size or rank."""
    pattern = c["pattern"]
    try:
        known = named_axes(pattern)
        least, more = least_rank(pattern)
        steps = recipe(_function(c.operator.name), pattern, max(x.rank, least) if more else least)
    except PatternError as error:
        c.require(False, "pattern", str(error))
        raise AssertionError from None  # what does not hold is refused
    for axis, size in c["sizes"]:
        if axis not in known:
            names = ", ".join(known) or "none"
            raise _bad(c, axis, str(size), f"an axis of the pattern, which has {names}")
    dims = f"{least} dim{'s' * (least != 1)}"
    if more:
        c.rank(0, f"a tensor with at least {dims}, as the pattern says", least=least)
    else:
        c.rank(0, f"a tensor with {dims}, as the pattern says", least)
    return steps


def _bad(c: Inference, argument: str, value: str, requirement: str) -> Fault:
    return Fault(
        BadArgument(
            operator=c.operator.name,
            operands=(),
            argument=argument,
            value=value,
            requirement=requirement,
        )
    )


def _sizes(c: Inference, x: TensorType, steps: Recipe) -> dict[str, Dim]:
    """The size of every axis: given, written, or what its group leaves over."""
    given: dict[str, Dim] = dict(c["sizes"])
    sizes = dict(given)
    for axis in (*steps.taken, *steps.given):
        if (number := literal_size(axis)) is not None:
            sizes[axis] = number
    for group, dim in zip(steps.groups, x.shape, strict=True):
        unknown = [axis for axis in group if axis not in sizes]
        if len(unknown) > 1:
            names = " and ".join(f"`{axis}`" for axis in unknown)
            c.require(
                False,
                "pattern",
                f"one of which a group leaves one size open; {names} have none: give one "
                f"by keyword, {unknown[0]}=...",
            )
        known = product([sizes[axis] for axis in group if axis in sizes])
        fits = known * (dim // known) if unknown else known
        mismatch = SizeMismatch(
            operator=c.operator.name,
            what=f"the dim {_written(group)} of the pattern",
            expected=f"a multiple of {known}" if unknown else str(known),
            found=str(dim),
            argument=next((axis for axis in group if axis in given), "pattern"),
        )
        c.same_size(dim, fits, Fault(mismatch), f"the pattern takes {_written(group)} apart")
        for axis in unknown:
            sizes[axis] = c.size(dim // known, f"the axis {axis}") if known != 1 else dim
    missing = [axis for axis in steps.given if axis not in sizes]
    if missing:
        c.require(
            False,
            "pattern",
            f"one whose new axes have sizes; `{missing[0]}` has none: give it by keyword, "
            f"{missing[0]}=...",
        )
    return sizes


def _written(group: Group) -> str:
    """A group as the pattern has it, without the axes that stand for ``...``."""
    axes = [axis.partition("'")[0] for axis in group]
    return axes[0] if len(axes) == 1 else f"({' '.join(axes)})"


def _infer(c: Inference, x: TensorType) -> TensorType:
    steps = _plan(c, x)
    sizes = _sizes(c, x, steps)
    given = {axis for axis, _ in c["sizes"]}
    # What PyTorch is told: the sizes that are given, and -1 for the one of a group that is not.
    c.derive("split", tuple(_told(group, sizes, given) for group in steps.groups))
    added = {steps.given[place] for place in steps.added}
    stretched = tuple(sizes[axis] if axis in added else -1 for axis in steps.given)
    c.derive("expanded", stretched if added else ())
    return x.with_shape(tuple(product([sizes[a] for a in group]) for group in steps.merged))


def _told(group: Group, sizes: Mapping[str, Dim], given: set[str]) -> tuple[Dim, ...]:
    if len(group) < 2:
        return ()
    return tuple(
        sizes[axis] if axis in given or literal_size(axis) is not None else -1 for axis in group
    )


def _infer_reduce(c: Inference, x: TensorType) -> TensorType:
    reduction = c["reduction"]
    if reduction == "mean":
        c.floating(0)
    if reduction in ("any", "all") and x.dtype is not DType.BOOL:
        c.wrong_dtype(0, "bools")
    result = _infer(c, x)
    return result.with_dtype(reduced_dtype(reduction, x.dtype)) if _plan(c, x).reduced else result


# ---- entries ------------------------------------------------------------------------------------

_BAD_PATTERNS = ("a b", "a -> b -> c", "(a b -> a b", "a b) -> a b", "((a) b) -> a b", "a -b -> a")

OPERATORS = (
    Operator(
        name="rearrange",
        summary='Takes dims apart, reorders and merges them: `"n t (h d) -> n h t d"`.',
        details=(
            "einops' notation. Sizes of axes are given by keyword, `rearrange(\"n t (h d) -> n h t "
            'd", h=8)`, all but one of a group at most; `...` is any number of dims, `1` a dim of '
            "size 1."
        ),
        family="einops",
        tolerance=EXACT,
        inputs=(Input("x"),),
        arguments=(_PATTERN, _SIZES),
        infer=_infer,
        torch=Torch(lambda site: patterned_code("rearrange", None, site)),
        onnx={17: lambda b, s: patterned_onnx(b, s, "rearrange")},
        samples=(
            sample("f32[N, C, H, W]", pattern="n c h w -> n h w c"),
            sample("f32[N, T, 24]", pattern="n t (s h d) -> s n h t d", sizes={"s": 3, "h": 2}),
            sample("f32[N, 2, T, 4]", pattern="n h t d -> n t (h d)"),
            sample(
                "f32[N, 3, H, W]",
                pattern="n c (h p) (w q) -> n (h w) (p q c)",
                sizes={"p": 2, "q": 3},
            ),
            sample("f32[2, 12]", pattern="a (b c d) -> (d a) 1 (c b)", sizes={"c": 2, "b": 3}),
            sample("f32[N, 1, T, 1]", pattern="n 1 t () -> t n"),
            sample("i64[N, 3, T]", pattern="n ... -> (...) n"),
            sample("f32[N, 3, T]", pattern="... t -> 1 t ..."),
            sample("bool[6]", pattern="(a b) -> b a", sizes={"a": 2, "b": 3}),
            sample("f32[2, 3]", pattern="a b -> a b"),
            sample("f32[]", pattern="->"),
        ),
        rejects=(
            *(reject("bad-argument", "f32[2, 3]", pattern=text) for text in _BAD_PATTERNS),
            reject("bad-argument", "f32[2, 3]", pattern="a b -> a"),
            reject("bad-argument", "f32[2, 3]", pattern="a b -> a b c"),
            reject("bad-argument", "f32[2, 3]", pattern="a a -> a"),
            reject("bad-argument", "f32[2, 3]", pattern="a b -> a b ..."),
            reject("bad-argument", "f32[2, 3]", pattern="(a ...) -> a ..."),
            reject("bad-argument", "f32[2, 3]", pattern="a b -> a b 2"),
            reject("bad-argument", "f32[6]", pattern="(a b) -> a b"),
            reject("bad-argument", "f32[2, 3]", pattern="a b -> b a", sizes={"c": 2}),
            reject("bad-argument", "f32[2, 3]", pattern="a b -> b a", sizes={"a": 0}),
            reject("size-mismatch", "f32[2, 3]", pattern="a b -> b a", sizes={"a": 3}),
            reject("size-mismatch", "f32[7]", pattern="(a b) -> a b", sizes={"a": 2}),
            reject("size-mismatch", "f32[2]", pattern="1 -> "),
            reject("rank-mismatch", "f32[2]", pattern="a b -> b a"),
            reject("rank-mismatch", "f32[2]", pattern="a b ... -> b a ..."),
        ),
    ),
    Operator(
        name="reduce",
        summary='Reduces the axes that the right side lacks: `"n c (h 2) (w 2) -> n c h w"`.',
        details=(
            'einops\' notation; `reduction` is "mean" (of floats), "sum", "max", "min", "prod", or '
            '"any" and "all" (of bools). A sum or product of integers and bools is i64.'
        ),
        family="einops",
        tolerance=SUMMED,
        inputs=(Input("x"),),
        arguments=(_PATTERN, _REDUCTION, _SIZES),
        infer=_infer_reduce,
        torch=Torch(
            lambda site: patterned_code("reduce", cast("str", site.flag("reduction")), site)
        ),
        onnx={17: lambda b, s: patterned_onnx(b, s, "reduce", s["reduction"])},
        samples=(
            sample("f32[N, C, H, W]", pattern="n c h w -> n c", reduction="mean"),
            sample("f32[N, 3, H, W]", pattern="n c (h 2) (w 3) -> n h w c", reduction="max"),
            sample("f32[N, T, 6]", pattern="... (k d) -> k ...", reduction="sum", sizes={"k": 2}),
            sample("f32[N, C, T]", pattern="n c t -> t 1", reduction="prod"),
            sample("f32[N, C, T]", pattern="... -> 1 1", reduction="min"),
            sample("f32[N, C]", pattern="n c -> c n", reduction="mean"),
            sample("i32[N, C, 2]", pattern="n c k -> n k", reduction="sum"),
            sample("i32[N, C]", pattern="n c -> c n", reduction="sum"),
            sample(Drawn("u8[N, C]", 0, 3), pattern="n c -> n", reduction="prod"),
            sample("i64[N, C]", pattern="n c -> c", reduction="max"),
            sample("bool[N, C, T]", pattern="n c t -> n", reduction="any"),
            sample("bool[N, C, T]", pattern="n c t -> c", reduction="all"),
            sample("bool[N, T]", pattern="n t -> n", reduction="sum"),
        ),
        rejects=(
            reject("bad-argument", "f32[2, 3]", pattern="a b -> a", reduction="median"),
            reject("bad-argument", "f32[2, 3]", pattern="a b -> a c", reduction="sum"),
            reject("bad-argument", "f32[2, 3]", pattern="a b -> a 2", reduction="sum"),
            reject("size-mismatch", "f32[3, 2]", pattern="(a 2) b -> a", reduction="sum"),
            reject("dtype-mismatch", "i64[2, 3]", pattern="a b -> a", reduction="mean"),
            reject("dtype-mismatch", "f32[2, 3]", pattern="a b -> a", reduction="any"),
        ),
    ),
    Operator(
        name="repeat",
        summary='Adds axes and repeats along them: `"h w -> h (w k)"`, with `k=2`.',
        details="einops' notation; every new axis has a size, by keyword or as a number.",
        family="einops",
        tolerance=EXACT,
        inputs=(Input("x"),),
        arguments=(_PATTERN, _SIZES),
        infer=_infer,
        torch=Torch(lambda site: patterned_code("repeat", None, site)),
        onnx={17: lambda b, s: patterned_onnx(b, s, "repeat")},
        samples=(
            sample("f32[N, T]", pattern="n t -> n k t", sizes={"k": 3}),
            sample("f32[N, H, W]", pattern="n h w -> n (h 2) (w k)", sizes={"k": 3}),
            sample("f32[N, T, 2, 4]", pattern="n t h d -> n (r h) t d", sizes={"r": 2}),
            sample("i64[N, 6]", pattern="n (a b) -> b n k a", sizes={"b": 2, "k": 2}),
            sample("bool[T]", pattern="... -> 2 ... 1"),
            sample("f32[]", pattern="-> 3"),
            sample("f32[2, 3]", pattern="a b -> b a"),
        ),
        rejects=(
            reject("bad-argument", "f32[2, 3]", pattern="a b -> a b c"),
            reject("bad-argument", "f32[2, 3]", pattern="a b -> a"),
            reject("bad-argument", "f32[2, 3]", pattern="a b -> a b c", sizes={"c": 2, "d": 2}),
            reject("rank-mismatch", "f32[2]", pattern="a b -> a b 2"),
        ),
    ),
)
