"""The subscript: ``x[:, 0]``, ``x[..., 1:]``, ``x[0, ::2]``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import BadArgument
from specc.ir.attributes import Attribute
from specc.ir.dims import Dim, Expr, lower
from specc.ir.types import TensorType
from specc.ops.arguments import Argument, Kind
from specc.ops.axes import int64
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Code, EllipsisCode, Lit, Part, SliceCode, Subscript, X
from specc.ops.operator import CodeSite, Inference, Input, Operator, Torch, Values, reject, sample
from specc.ops.tolerances import EXACT

_TO_THE_END = 2**63 - 1
_SHAPES = {"index": 1, "slice": 3, "ellipsis": 0, "new": 0}
"""The kinds of items, and how many numbers follow each."""


def _accept_items(value: Any) -> Attribute:
    if not isinstance(value, list | tuple):
        raise ValueError("a list of subscript items")
    return tuple(_accept_item(item) for item in value)


def _accept_item(item: Any) -> Attribute:
    if not isinstance(item, list | tuple) or not item or item[0] not in _SHAPES:
        raise ValueError("a list of subscript items")
    kind, *numbers = item
    valid = len(numbers) == _SHAPES[kind] and all(_is_bound(n, kind) for n in numbers)
    if not valid:
        raise ValueError("ints, sizes and slices of them")
    return tuple(item)


def _is_bound(value: Any, kind: str) -> bool:
    if value is None:
        return kind == "slice"
    return isinstance(value, int | Expr) and not isinstance(value, bool)


ITEMS = Kind("subscript items: ints, slices, `...` and none", _accept_items)


@dataclass(frozen=True)
class _Step:
    """What one item does: to an axis of the input, or (``axis`` None) to the result alone."""

    kind: str
    axis: int | None = None
    numbers: tuple[Any, ...] = ()


def _steps(items: tuple[Any, ...], rank: int) -> Iterator[_Step]:
    """The items with the axes that they are about; an ellipsis becomes full slices.

    Dims beyond the last item are kept, as if an ellipsis stood at the end.
    """
    spare = rank - sum(item[0] in ("index", "slice") for item in items)
    if ("ellipsis",) not in items:
        items = (*items, ("ellipsis",))
    axis = 0
    for kind, *numbers in items:
        if kind == "new":
            yield _Step("new")
            continue
        if kind == "ellipsis":
            for _ in range(spare):
                yield _Step("slice", axis, (None, None, None))
                axis += 1
            continue
        yield _Step(kind, axis, tuple(numbers))
        axis += 1


def _infer_slice(c: Inference, x: TensorType) -> TensorType:
    items = c["items"]
    used = sum(item[0] in ("index", "slice") for item in items)
    c.rank(0, f"a tensor with at least {used} dims for this subscript", least=used)
    c.require(items.count(("ellipsis",)) <= 1, "items", "a subscript with at most one `...`")
    shape: list[Dim] = []
    for step in _steps(items, x.rank):
        if step.axis is None:
            shape.append(1)
        elif step.kind == "index":
            _check_index(c, step.numbers[0], x.shape[step.axis])
        else:
            shape.append(_sliced_size(c, x.shape[step.axis], *step.numbers))
    return x.with_shape(tuple(shape))


def _check_index(c: Inference, index: Dim, size: Dim) -> None:
    """Requires 0 <= index < size, where a negative int counts from the end."""
    place = size + index if isinstance(index, int) and index < 0 else index
    if isinstance(place, int) and isinstance(size, int) and not 0 <= place < size:
        raise Fault(
            BadArgument(
                operator="slice",
                operands=(0,),
                argument="the index",
                value=str(index),
                requirement=f"from {-size} to {size - 1} for a dim of {size}",
            )
        )
    _at_least(c, place, 0, "an index lies within its dim")
    _at_least(c, size - place, 1, "an index lies within its dim")


def _at_least(c: Inference, value: Dim, bound: int, reason: str) -> None:
    """Constrains a size that is not certainly ``bound`` or more."""
    least = lower(value)
    if least is None or least < bound:
        c.positive.append((value - bound + 1, reason))


def _sliced_size(c: Inference, size: Dim, start: Any, stop: Any, step: Any) -> Dim:
    """The number of elements that ``start:stop:step`` takes of ``size``."""
    by = 1 if step is None else step
    if not isinstance(by, int) or by < 1:
        raise Fault(
            BadArgument(
                operator="slice",
                operands=(0,),
                argument="the step",
                value=str(by),
                requirement="an int of at least 1",
            )
        )
    if start is None and stop is None and by == 1:
        return size
    first = _place(c, size, start, 0)
    last = _place(c, size, stop, size)
    if isinstance(first, int) and isinstance(last, int):
        return c.size(max(0, -((first - last) // by)), "the length")
    return c.size((last - first + by - 1) // by, "the length")


def _place(c: Inference, size: Dim, bound: Any, default: Dim) -> Dim:
    """Where a slice begins or ends: clipped to a known size as in Python, else required to fit."""
    if bound is None:
        return default
    if isinstance(size, int) and isinstance(bound, int):
        return max(0, size + bound) if bound < 0 else min(bound, size)
    place: Dim = size + bound if isinstance(bound, int) and bound < 0 else bound
    _at_least(c, place, 0, "a slice lies within its dim")
    _at_least(c, size - place, 0, "a slice lies within its dim")
    return place


def _code(site: CodeSite) -> Code:
    return Subscript(
        X,
        tuple(_item_code(i, item) for i, item in enumerate(site.flag("items")))
        or (EllipsisCode(),),
    )


def _item_code(position: int, item: tuple[Any, ...]) -> Code:
    match item[0]:
        case "index":
            return Part("items", (position, 1))
        case "slice":
            return SliceCode(
                *(
                    None if number is None else Part("items", (position, place))
                    for place, number in enumerate(item[1:], start=1)
                )
            )
        case "ellipsis":
            return EllipsisCode()
        case _:
            return Lit(None)


def _lower_slice(b: Builder, s: Site) -> Handle:
    """First all slices, then the indices, the last axis first so that axes stay, then new dims."""
    steps = list(_steps(s["items"], s.type.rank))
    cuts = [t for t in steps if t.kind == "slice" and t.numbers != (None, None, None)]
    value = s.x
    if cuts:
        value = b.op(
            "Slice",
            value,
            _bounds(b, [0 if t.numbers[0] is None else t.numbers[0] for t in cuts]),
            _bounds(b, [_TO_THE_END if t.numbers[1] is None else t.numbers[1] for t in cuts]),
            int64(b, [t.axis for t in cuts if t.axis is not None]),
            int64(b, [t.numbers[2] or 1 for t in cuts]),
        )
    for t in reversed([t for t in steps if t.kind == "index"]):
        value = b.op("Gather", value, b.size(t.numbers[0]), axis=t.axis)
    kept = [t for t in steps if t.kind != "index"]
    added = [place for place, t in enumerate(kept) if t.kind == "new"]
    if added:
        value = b.op("Unsqueeze", value, int64(b, added))
    return b.op("Identity", value) if value is s.x else value


def _bounds(b: Builder, bounds: list[Any]) -> Handle:
    return int64(b, bounds) if all(isinstance(n, int) for n in bounds) else b.sizes(bounds)


def _index(place: int) -> tuple[object, ...]:
    return ("index", place)


def _range(*bounds: int | None) -> tuple[object, ...]:
    return ("slice", *bounds, *([None] * (3 - len(bounds))))


_ALL = _range()
_DOTS = ("ellipsis",)
_NEW = ("new",)


def _notation(attributes: Values) -> str:
    """``[:, 0]``"""
    return f"[{', '.join(_item_text(*item) for item in attributes['items'])}]"


def _item_text(kind: str, *numbers: Any) -> str:
    if kind == "ellipsis":
        return "..."
    if kind == "new":
        return "none"
    parts = ["" if number is None else str(number) for number in numbers]
    return ":".join(parts if len(parts) < 3 or parts[2] else parts[:2])


OPERATORS = (
    Operator(
        name="slice",
        summary="The subscript `x[...]` of ints, slices with positive steps, `...` and none.",
        details=(
            "An index drops its dim, none adds one. Within a known size a slice is clipped as in "
            "Python, and must not be empty; within a symbolic size it must lie inside, which "
            "bounds that size from below."
        ),
        family="slicing",
        tolerance=EXACT,
        inputs=(Input("x"),),
        arguments=(Argument("items", ITEMS),),
        notation=_notation,
        infer=_infer_slice,
        torch=Torch(_code),
        onnx={17: _lower_slice},
        samples=(
            sample("f32[3, 4]", items=(_ALL, _index(0))),
            sample("f32[3, 4, 5]", items=(_DOTS, _range(1))),
            sample("f32[3, 7]", items=(_index(0), _range(None, None, 2))),
            sample("f32[5]", items=(_range(-3, -1),)),
            sample("f32[5]", items=(_range(1, 100, 3),)),
            sample("f32[2, 3, 4]", items=(_index(-1), _DOTS, _NEW, _index(2))),
            sample("i64[4, 3]", items=(_range(1, 3),)),
            sample("bool[4]", items=(_index(-4),)),
            sample("f32[3]", items=(_NEW, _DOTS)),
            sample("f32[3]", items=(_DOTS,)),
        ),
        rejects=(
            reject("bad-argument", "f32[3]", items=(_index(3),)),
            reject("bad-argument", "f32[3]", items=(_index(-4),)),
            reject("bad-argument", "f32[3]", items=(_range(None, None, -1),)),
            reject("bad-argument", "f32[3, 3]", items=(_DOTS, _DOTS)),
            reject("empty-size", "f32[3]", items=(_range(2, 2),)),
            reject("rank-mismatch", "f32[3]", items=(_index(0), _index(0))),
        ),
    ),
)
