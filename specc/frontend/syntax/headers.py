"""Headers of definitions: shapes, parameters, outputs."""

from __future__ import annotations

from dataclasses import dataclass

from specc.frontend.source import Span
from specc.frontend.syntax.expressions import Expression, Name, Node


@dataclass(frozen=True, slots=True)
class Wildcard(Expression):
    """``_`` as a dim: any size."""


@dataclass(frozen=True, slots=True)
class ShapeAnnotation(Node):
    """``f32[N, 2*C, _]``; an Ellipsis among ``dims`` stands for any number of dims."""

    dims: tuple[Expression, ...]
    dtype: Name | None = None


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    """One hyperparameter or input of a header.

    ``annotation`` is a ShapeAnnotation for an input, a Name (``int``, ``layer``) for a
    hyperparameter, or None.
    """

    name: str
    name_span: Span
    annotation: ShapeAnnotation | Name | None = None
    default: Expression | None = None


@dataclass(frozen=True, slots=True)
class Output(Node):
    """One output of a header: ``logits: [N, 10]`` or a bare shape."""

    shape: ShapeAnnotation
    name: str | None = None
