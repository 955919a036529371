"""Parameters as aligned text, and as lines of JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from specc.frontend.excerpt import printable
from specc.parameters.info import ParameterInfo
from specc.summary.columns import aligned


@dataclass(frozen=True)
class Column:
    """A heading and what stands below it; a column in which nothing stands is left out."""

    heading: str
    cell: Callable[[ParameterInfo], str]
    right: bool = False


# Bounds such as 1 / sqrt(150) are exact in the data; six digits tell them apart for a reader.
_LONG_NUMBER = re.compile(r"\d+\.\d{7,}(e-?\d+)?")


def _initializer(parameter: ParameterInfo) -> str:
    return _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.6g}", parameter.initializer or "")


def _role(parameter: ParameterInfo) -> str:
    role = "" if parameter.role in (None, "parameter") else str(parameter.role)
    return " ".join(filter(None, ("frozen" if parameter.frozen else "", role)))


COLUMNS = (
    Column("name", lambda p: p.name),
    Column("shape", lambda p: str(list(p.shape))),
    Column("dtype", lambda p: p.dtype),
    Column("initializer", _initializer),
    Column("role", _role),
    Column("also named", lambda p: ", ".join(p.aliases)),
)


def table(
    parameters: Sequence[ParameterInfo], title: str, columns: Sequence[Column] = COLUMNS
) -> str:
    """One line a parameter, below a line that counts them."""
    cells = [[printable(column.cell(p)) for column in columns] for p in parameters]
    kept = [i for i in range(len(columns)) if any(row[i] for row in cells)]
    head = [columns[i].heading for i in kept]
    rows = [[row[i] for i in kept] for row in cells]
    right = [columns[i].right for i in kept]
    return "\n".join([_counted(parameters, title), *aligned([head, *rows], right)])


def _counted(parameters: Sequence[ParameterInfo], title: str) -> str:
    tensors = f"{len(parameters):,} tensor{'s' * (len(parameters) != 1)}"
    elements = sum(p.size for p in parameters)
    return f"{printable(title)}: {tensors}, {elements:,} elements"


def record(parameter: ParameterInfo) -> dict[str, object]:
    """A parameter for programs to read."""
    return {
        "name": parameter.name,
        "shape": list(parameter.shape),
        "dtype": parameter.dtype,
        "role": parameter.role,
        "initializer": parameter.initializer,
        "layer": parameter.layer,
        "slot": parameter.slot,
        "aliases": list(parameter.aliases),
        "frozen": parameter.frozen,
    }


def json_lines(parameters: Sequence[ParameterInfo]) -> str:
    """A JSON object a line."""
    return "\n".join(json.dumps(record(parameter)) for parameter in parameters)
