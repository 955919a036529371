"""Changes of an initial value after it was drawn: ``self.hidden.weight[0, 0] = 42``."""

from __future__ import annotations

from collections.abc import Sequence

from specc.ir.initializer import Edit, Slice
from specc.ir.types import DType
from specc.targets.python import expressions as py
from specc.targets.python import layout
from specc.targets.python.expressions import Expression
from specc.targets.python.layout import Doc


def can_be_repeated(edits: Sequence[Edit]) -> bool:
    """Whether a tensor that was edited stays the same when it is edited again."""
    return all(edit.operator == "=" for edit in edits)


def edit_line(edit: Edit, target: Expression, dtype: DType, *, indent: int) -> str:
    """One edit of the tensor ``target``, an attribute, as a statement."""
    return " " * indent + layout.render(_edit(edit, target, dtype), indent=indent)


def _edit(edit: Edit, target: Expression, dtype: DType) -> Doc:
    value = py.literal(_in(dtype, edit.value))
    if edit.index:
        part = py.subscript(target, [_entry(entry) for entry in edit.index])
    else:
        # A name that is no identifier is reached by a call, to which nothing can be assigned.
        part = target if target.assignable else py.subscript(target, [py.ELLIPSIS])
    if edit.operator == "/=" and not dtype.is_float:
        rounding = ("rounding_mode", py.literal("trunc"))  # / would make it float
        return py.call(py.attribute(part, "div_"), [value], [rounding]).doc
    if edit.operator == "=" and not edit.index:
        return py.call(py.attribute(target, "fill_"), [value]).doc
    return (part.doc, f" {edit.operator} ", value.doc)


def _entry(entry: int | Slice) -> Expression:
    if not isinstance(entry, Slice):
        return py.literal(entry)
    parts = (entry.start, entry.stop, entry.step)
    return py.slice_of(*(None if part is None else py.literal(part) for part in parts))


def _in(dtype: DType, value: int | float) -> int | float | bool:
    """The value in the tensor's dtype, as edits are made in it."""
    if dtype is DType.BOOL:
        return bool(value)
    return value if dtype.is_float else int(value)
