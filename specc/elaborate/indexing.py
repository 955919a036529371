"""``value[items]`` of tensors, lists and maps, and taking a tensor apart."""

from __future__ import annotations

from specc.elaborate.builtins import items_of
from specc.elaborate.calls import result_of
from specc.elaborate.context import Frame
from specc.elaborate.facts import BadValue, WrongResultCount, WrongType
from specc.elaborate.members import member_of
from specc.elaborate.operands import is_tensor
from specc.elaborate.operate import as_tensor, operate
from specc.elaborate.values import (
    POISON,
    Branches,
    Item,
    LayerValue,
    ListValue,
    Poison,
    Sequence,
    Tensor,
    TupleValue,
    Value,
    describe,
    is_size,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault
from specc.frontend.facts import UnknownSize, nearest
from specc.frontend.source import Span
from specc.ops.registry import operators

Entry = tuple[object, ...]


def index(frame: Frame, value: Value, node: syntax.Index) -> Value:
    """The value of an index expression."""
    if is_tensor(value):
        return _index_tensor(frame, value, node)
    if len(node.items) != 1:
        raise Fault(BadValue(problem=f"{describe(value)} takes one index"))
    item = node.items[0]
    if isinstance(item, syntax.Slice):
        return _slice_list(frame, value, item)
    key = frame.evaluate(item)
    if isinstance(key, Poison):
        return POISON
    if isinstance(value, dict):
        if isinstance(key, dict | ListValue | TupleValue) or key not in value:
            shown = [str(known) for known in value]
            close = nearest(str(key), shown)
            raise Fault(
                BadValue(
                    where=item.span,
                    problem=f"the map has no key {key!r}",
                    advice=f"did you mean {close!r}?"
                    if close
                    else f"its keys are {', '.join(shown)}",
                )
            )
        return value[key]
    layer = value
    if isinstance(layer, LayerValue) and isinstance(layer.constructor, Sequence | Branches):
        value = TupleValue(layer.constructor.items, node.span)
    if not isinstance(value, ListValue | TupleValue | range):
        raise Fault(
            WrongType(
                what="what is indexed", expected="a tensor, a list or a map", found=describe(value)
            )
        )
    if isinstance(key, bool) or not isinstance(key, int):
        raise Fault(
            WrongType(where=item.span, what="an index", expected="an int", found=describe(key))
        )
    length = len(value) if isinstance(value, range) else len(value.items)
    if not -length <= key < length:
        raise Fault(BadValue(where=item.span, problem=f"index {key} is outside a list of {length}"))
    if isinstance(value, range):
        return value[key]
    found = value.items[key]
    return found.value if layer is value else _member(layer, found, key % length, node.span)


def _member(layer: Value, item: Item, position: int, span: Span) -> Value:
    """A member of a list that is a layer: a layer itself, also where a constructor was written."""
    if isinstance(item.value, ListValue | TupleValue):
        return item.value.layer or item.value
    if isinstance(item.value, LayerValue):
        return item.value
    return member_of(layer, item.label or str(position), span)


def _slice_list(frame: Frame, value: Value, node: syntax.Slice) -> Value:
    bounds = [_bound(frame, part) for part in (node.start, node.stop, node.step)]
    if any(isinstance(bound, Poison) for bound in bounds):
        return POISON
    if not isinstance(value, ListValue):
        raise Fault(WrongType(what="what is sliced", expected="a list", found=describe(value)))
    for bound in bounds:
        if bound is not None and not isinstance(bound, int):
            raise Fault(WrongType(what="a slice's bound", expected="an int", found=describe(bound)))
    if bounds[2] == 0:
        raise Fault(BadValue(problem="a slice's step is 0"))
    part = ListValue(value.items[slice(*bounds)], node.span)
    frame.context.spend_on(part, node.span)
    return part


def _bound(frame: Frame, part: syntax.Expression | None) -> Value:
    return None if part is None else frame.evaluate(part)


def _index_tensor(frame: Frame, value: Value, node: syntax.Index) -> Value:
    tensor = as_tensor(frame, value, node.value.span)
    entries: list[Entry] = []
    for item in node.items:
        entry = _entry(frame, item)
        if entry is None:
            return POISON
        entries.append(entry)
    if not isinstance(tensor, Tensor):
        return POISON
    return result_of(operate(frame, operators()["slice"], {"items": entries}, (tensor,), node.span))


def _entry(frame: Frame, item: syntax.Expression) -> Entry | None:
    if isinstance(item, syntax.Ellipsis):
        return ("ellipsis",)
    if isinstance(item, syntax.Slice):
        bounds = [_bound(frame, part) for part in (item.start, item.stop, item.step)]
        if any(isinstance(bound, Poison) for bound in bounds):
            return None
        for bound in bounds:
            if bound is not None and not is_size(bound):
                raise Fault(
                    WrongType(
                        where=item.span,
                        what="a slice's bound",
                        expected="an int",
                        found=describe(bound),
                    )
                )
        return ("slice", *bounds)
    value = frame.evaluate(item)
    if isinstance(value, Poison):
        return None
    if value is None:
        return ("new",)
    if isinstance(value, int) and not isinstance(value, bool):
        return ("index", value)
    raise Fault(
        WrongType(
            where=item.span,
            what="a tensor's index",
            expected="an int or a slice",
            found=describe(value),
        )
    )


def unpack(frame: Frame, value: Value, count: int, span: Span) -> list[Value]:
    """``count`` values: the entries of a tuple, or a tensor of static leading dim taken apart."""
    if isinstance(value, Poison):
        return [POISON] * count
    if is_tensor(value):
        tensor = as_tensor(frame, value, span)
        assert isinstance(tensor, Tensor)
        leading = tensor.type.shape[0] if tensor.type.rank else 0
        if not isinstance(leading, int):
            raise Fault(
                UnknownSize(
                    operator="=",
                    where=span,
                    what="the leading size of a tensor that is taken apart",
                    size=str(leading),
                )
            )
        if leading != count:
            raise Fault(
                WrongResultCount(
                    where=span,
                    owner=f"a tensor {tensor.type.shape_text} taken apart",
                    expected=count,
                    found=leading,
                )
            )
        part = operators()["slice"]
        return [
            operate(frame, part, {"items": [("index", i)]}, (tensor,), span)[0]
            for i in range(count)
        ]
    entries = list(items_of(value))
    if len(entries) != count:
        raise Fault(
            WrongResultCount(where=span, owner="the right side", expected=count, found=len(entries))
        )
    return entries
