"""A network as a table of aligned text.

>>> from specc import compile
>>> tiny = compile("net Tiny(x: [N, 4]) -> [N, 2] { x |> Linear(8) |> relu |> Linear(2) }")
>>> print(show(tiny.network))
Tiny
name     kind    output shape  parameters  multiply-adds
x        input   [N, 4]
linear1  Linear  [N, 8]                40             32
linear2  Linear  [N, 2]                18             16
output   output  [N, 2]
total                                  58             48
<BLANKLINE>
sizes     any N
          multiply-adds are counted at N=1
left out  1 operation that keeps the shape
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from rich.cells import cell_len

from specc.frontend.excerpt import printable
from specc.ir.conditions import conditions, smallest_sizes, symbols
from specc.ir.dims import Dim, DimTooLarge, evaluate, substitute
from specc.ir.graph import Network, Port
from specc.ir.types import DType, TensorType
from specc.ops.operator import Operator
from specc.summary.columns import GAP, padded
from specc.summary.rows import Row, fold, rows_of, spends_in, totals

DEFAULT_WIDTH = 80
_NARROWEST_SHAPE = 16


class _Line(NamedTuple):
    name: str
    kind: str
    shape: str
    parameters: str = ""
    multiply_adds: str = ""


_HEAD = _Line("name", "kind", "output shape", "parameters", "multiply-adds")


def show(
    network: Network,
    *,
    everything: bool = False,
    depth: int | None = None,
    sizes: Mapping[str, int] | None = None,
    width: int = DEFAULT_WIDTH,
    operators: Mapping[str, Operator] | None = None,
) -> str:
    """The table of a network: name, kind, output shape, parameters and multiply-adds of each layer.

    Below it stand the totals and for which sizes the network works. Each parameter is counted once.
    Multiply-adds are those of matrix products and convolutions, one multiplication and one addition
    each; they are counted at ``sizes`` and, for symbols that it leaves out, at the
    smallest sizes at which the network works, for one turn of a run-time loop and for both sides of
    a run-time ``if``.

    Args:
        network: What to show.
        everything: Show also the operations that are no layers and keep the shape of an operand.
        depth: How many levels of blocks to open; a block further in is one row with its sums.
        sizes: Sizes of symbols. Shapes are shown with these filled in.
        width: The columns of the terminal. Shapes are broken where a row would not fit.
        operators: The table of operators; the built-in ones by default.
    """
    given = dict(sizes or {})
    found = smallest_sizes(network, given)
    counted = given if found is None else found
    rows = rows_of(network, operators)
    sums = totals(network, rows)
    silent = [] if everything else [row for row in rows if not _speaks(row)]
    hidden = sum(depth is None or row.depth < depth for row in silent)
    shown = [row for row in rows if everything or _speaks(row)]
    shown = shown if depth is None else fold(shown, depth)

    opened = {id(row) for row, after in pairwise(shown) if _opens(row, after)}
    lines = [_HEAD]
    lines += [_port(port, "input", given) for port in network.inputs]
    lines += [_line(row, given, counted, opened=id(row) in opened) for row in shown]
    lines += [_port(port, "output", given) for port in network.outputs]
    total = f"{sums.parameters:,}"
    lines.append(_Line("total", "", "", total, _number(sums.multiply_adds, counted)))
    table = _aligned(lines, width)
    notes = _notes(network, given, counted, found is not None, sums.fixed, hidden, rows)
    return "\n".join([printable(network.name), *table, *notes])


def _speaks(row: Row) -> bool:
    """Whether a row is always shown: an operation has to change the shape or to cost something."""
    return row.kind != "operation" or not row.keeps_shape or row.multiply_adds != 0


def _opens(row: Row, after: Row) -> bool:
    return row.kind in ("block", "region") and after.depth > row.depth


# ---- rows ----------------------------------------------------------------------------------------


def _line(row: Row, given: Mapping[str, int], counted: Mapping[str, int], *, opened: bool) -> _Line:
    name = printable("  " * row.depth + row.name)
    shape = ", ".join(_shape(result, given) for result in row.results)
    if opened:  # the numbers stand in the rows that follow
        return _Line(name, row.what, shape)
    parameters = f"{row.parameters:,}" if row.parameters else ""
    if row.shared:
        parameters = f"{parameters} + shared" if parameters else "shared"
    spent = "" if row.multiply_adds == 0 else _number(row.multiply_adds, counted)
    return _Line(name, printable(row.what), shape, parameters, spent)


def _port(port: Port, kind: str, given: Mapping[str, int]) -> _Line:
    return _Line(printable(port.name), kind, _shape(port.type, given))


def _shape(type_: TensorType, given: Mapping[str, int]) -> str:
    """As the language writes it, so ``f32`` is left out."""
    shape = tuple(substitute(dim, given) for dim in type_.shape)
    dtype = "" if type_.dtype is DType.F32 else type_.dtype.value
    return dtype + type_.with_shape(shape).shape_text


def _number(dim: Dim, sizes: Mapping[str, int]) -> str:
    try:
        return f"{evaluate(dim, sizes):,}"
    except (KeyError, ZeroDivisionError, DimTooLarge):  # a size that no input gives
        return str(dim)


# ---- layout --------------------------------------------------------------------------------------


def _aligned(lines: Sequence[_Line], width: int) -> list[str]:
    widths = [max(cell_len(cell) for cell in column) for column in zip(*lines, strict=True)]
    others = sum(widths) - widths[2] + len(GAP) * (len(widths) - 1)
    widths[2] = min(widths[2], max(_NARROWEST_SHAPE, width - others))
    table: list[str] = []
    for line in lines:
        for number, piece in enumerate(_broken(line.shape, widths[2])):
            cells = line._replace(shape=piece) if number == 0 else _Line("", "", piece)
            filled = [
                padded(cell, size, right=column > 2)
                for column, (cell, size) in enumerate(zip(cells, widths, strict=True))
            ]
            table.append(GAP.join(filled).rstrip())
    return table


def _broken(shape: str, width: int) -> list[str]:
    """A shape over several lines, broken between dims; a dim that is wider than that stands out."""
    if cell_len(shape) <= width:
        return [shape]
    first, *rest = shape.split(", ")
    lines = [first]
    for dim in rest:
        if cell_len(lines[-1]) + cell_len(dim) + 3 > width:
            lines[-1] += ","
            lines.append(f" {dim}")
        else:
            lines[-1] += f", {dim}"
    return lines


def _notes(
    network: Network,
    given: Mapping[str, int],
    counted: Mapping[str, int],
    satisfiable: bool,
    fixed: int,
    hidden: int,
    rows: Sequence[Row],
) -> list[str]:
    notes: list[tuple[str, str]] = []
    if fixed:
        notes.append(
            ("fixed", f"{fixed:,} elements that are saved with the weights and not trained")
        )
    names = symbols(network)
    if names:
        free, *ties = _ranges(conditions(network), len(names))
        at = ", ".join(f"{name}={counted[name]}" for name in names if name in counted)
        notes.append(("sizes", free))
        notes += [("", tie) for tie in ties]
        if at:
            notes.append(("", f"multiply-adds are counted at {at}"))
        if not satisfiable:
            notes.append(("", "no sizes were found at which all of this holds"))
    if spends_in(rows, "loop"):
        notes.append(("loops", "multiply-adds inside a `while` are those of one turn"))
    if spends_in(rows, "branch"):
        notes.append(("branches", "multiply-adds of an `if` are those of both its sides"))
    if hidden:
        keeps = "operation that keeps" if hidden == 1 else "operations that keep"
        notes.append(("left out", f"{hidden} {keeps} the shape"))
    label = max((len(name) for name, _ in notes), default=0)
    return ["", *(f"{name:{label}}{GAP}{text}".rstrip() for name, text in notes)] if notes else []


def _ranges(texts: list[str], count: int) -> list[str]:
    """The range of each symbol in one line; what ties symbols together in a line each."""
    return [", ".join(texts[:count]), *texts[count:]]
