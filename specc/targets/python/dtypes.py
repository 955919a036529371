"""What has a dtype of the spec in a forward, also when the module is moved to another dtype."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from specc.ir.types import DType
from specc.targets.python import expressions as py
from specc.targets.python.expressions import Expression
from specc.targets.python.structure import Structure


def dtype_sources(
    structure: Structure,
    template: int,
    names: Mapping[int, str],
    inputs: Mapping[int, str],
    layer: Callable[[str], Expression],
) -> dict[DType, Expression]:
    """For each dtype that an input, a state or a layer's first parameter has: ``x.dtype``.

    ``names`` and ``inputs`` are the variables of the values and of the inputs, ``layer`` gives the
    expression of a layer by its name. Inputs are preferred to state, and state to layers.
    """
    declared, types = structure.templates[template], structure.types_of(template)
    found: dict[DType, Expression] = {}
    dtypes: dict[str, set[DType]] = {}  # a later value may have an input's name
    for value, name in (*names.items(), *inputs.items()):
        dtypes.setdefault(name, set()).add(types[value].dtype)
    for name in inputs.values():
        if len(dtypes[name]) == 1:
            (dtype,) = dtypes[name]
            found.setdefault(dtype, _dtype_of(py.name(name)))
    for state in declared.state:
        found.setdefault(state.type.dtype, _dtype_of(py.attribute(py.SELF, state.name)))
    for name in declared.layers:
        first = structure.first_parameter((template, name))
        if first is not None:
            slot, dtype = first
            found.setdefault(dtype, _dtype_of(py.attribute(layer(name), slot)))
    return found


def _dtype_of(tensor: Expression) -> Expression:
    return py.attribute(tensor, "dtype")
