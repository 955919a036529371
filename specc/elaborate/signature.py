"""Headers: binding dim names to sizes, and checking types against annotations."""

from __future__ import annotations

from collections.abc import Callable

from specc.elaborate.context import Frame, Silent
from specc.elaborate.facts import BadValue, TypeMismatch, WrongType
from specc.elaborate.scope import Scope
from specc.elaborate.values import Poison, Requirement, describe, is_size
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.facts import UnknownName
from specc.frontend.source import Span
from specc.ir.dims import Dim, Expr, divide_exactly, equal, substitute, symbol
from specc.ir.types import DType, TensorType

_DTYPES = {dtype.value: dtype for dtype in DType}
_UNKNOWN = "$unknown"  # stands for the one name that a dim is solved for


def dtype_of(annotation: syntax.ShapeAnnotation) -> DType:
    """The dtype that an annotation names; f32 where it names none."""
    if annotation.dtype is None:
        return DType.F32
    name = annotation.dtype.name
    if name not in _DTYPES:
        raise Fault(UnknownName(where=annotation.dtype.span, name=name, known=tuple(_DTYPES)))
    return _DTYPES[name]


def declared_type(frame: Frame, annotation: syntax.ShapeAnnotation, dims: Scope) -> TensorType:
    """The type of a net's input: names that nothing bears become symbolic sizes."""
    shape: list[Dim] = []
    for node in annotation.dims:
        if isinstance(node, syntax.Ellipsis | syntax.Wildcard):
            raise Fault(
                WrongType(
                    where=node.span,
                    what="a dim of a net's input",
                    expected="a size or a name",
                    found="`...`" if isinstance(node, syntax.Ellipsis) else "`_`",
                    advice="a net is built for one rank; a name makes a size symbolic",
                )
            )
        for name in _free_names(node, dims):
            dims.bind(name, symbol(name))
        size = size_of(frame, node, dims)
        if isinstance(size, int) and size < 0:
            raise Fault(BadValue(where=node.span, problem=f"a size of {size}"))
        shape.append(size)
    return TensorType(dtype_of(annotation), tuple(shape))


def size_of(frame: Frame, node: syntax.Expression, dims: Scope) -> Dim:
    """The value of a dim expression; ``/`` is exact division."""
    if isinstance(node, syntax.Binary) and node.operator == "/":
        left, right = size_of(frame, node.left, dims), size_of(frame, node.right, dims)
        return _exact(frame, node, left, right)
    if isinstance(node, syntax.Binary) and node.operator in ("+", "-", "*", "//", "%"):
        left, right = size_of(frame, node.left, dims), size_of(frame, node.right, dims)
        operations: dict[str, Callable[[Dim, Dim], Dim]] = {
            "+": lambda a, b: a + b,
            "-": lambda a, b: a - b,
            "*": lambda a, b: a * b,
            "//": lambda a, b: a // b,
            "%": lambda a, b: a % b,
        }
        try:
            return operations[node.operator](left, right)
        except (ZeroDivisionError, ValueError) as error:
            raise Fault(BadValue(where=node.span, problem=f"no size: {error}")) from None
    value = frame.within(dims).evaluate(node)
    if isinstance(value, Poison):
        raise Silent(node.span)
    if not is_size(value):
        raise Fault(
            WrongType(where=node.span, what="a dim", expected="a size", found=describe(value))
        )
    return value  # type: ignore[no-any-return]


def _exact(frame: Frame, node: syntax.Binary, left: Dim, right: Dim) -> Dim:
    if right == 0:
        raise Fault(BadValue(where=node.span, problem="division by zero"))
    quotient = divide_exactly(left, right)
    if quotient is not None:
        return quotient
    rest = left % right
    if isinstance(rest, int) and rest != 0:
        raise Fault(BadValue(where=node.span, problem=f"{left} is not divisible by {right}"))
    frame.context.constrain(
        Requirement("==", rest, 0), f"{left} must be divisible by {right}", node.span
    )
    return left // right


def _free_names(node: syntax.Expression, dims: Scope) -> list[str]:
    """Names of a dim expression that nothing local bears, in order."""
    if isinstance(node, syntax.Name):
        return [] if _is_bound(dims, node.name) else [node.name]
    if isinstance(node, syntax.Binary):
        left = _free_names(node.left, dims)
        return left + [name for name in _free_names(node.right, dims) if name not in left]
    if isinstance(node, syntax.Unary):
        return _free_names(node.operand, dims)
    return []


def _is_bound(dims: Scope, name: str) -> bool:
    binding = dims.find(name)
    return binding is not None and (is_size(binding.value) or isinstance(binding.value, Poison))


def match(
    frame: Frame,
    annotation: syntax.ShapeAnnotation,
    found: TensorType,
    dims: Scope,
    *,
    owner: str,
    what: str,
    where: Span,
) -> None:
    """Checks a tensor's type against an annotation, binding the names that it is the first to use.

    Raises a Fault with TypeMismatch at ``where`` for a certain contradiction; what depends on
    symbolic sizes becomes a constraint.
    """

    def mismatch(problem: str, place: Span) -> Fault:
        expected = frame.context.sources.text(annotation.span)
        because = (Label(place, "declared here"),) if place != where else ()
        return Fault(
            TypeMismatch(
                where=where,
                because=because,
                owner=owner,
                what=what,
                expected=expected,
                found=str(found) if annotation.dtype is not None else found.shape_text,
                problem=problem,
            )
        )

    dtype = dtype_of(annotation)
    if found.dtype is not dtype:
        place = annotation.dtype.span if annotation.dtype else annotation.span
        raise mismatch(f"{dtype.value} wanted, {found.dtype.value} given", place)
    for node, size in _aligned(annotation, found, mismatch):
        if isinstance(node, syntax.Wildcard):
            continue
        expected = _solve(frame, node, size, dims)
        if expected is None:
            raise mismatch(
                f"no size makes `{frame.context.sources.text(node.span)}` {size}", node.span
            )
        verdict = equal(expected, size)
        if verdict is False:
            raise mismatch(f"{size} is not {expected}", node.span)
        if verdict is None:
            text = frame.context.sources.text(node.span)
            frame.context.constrain(
                Requirement("==", size, expected),
                f"{what} of {owner} is declared `{text}`",
                node.span,
            )


def _aligned(
    annotation: syntax.ShapeAnnotation,
    found: TensorType,
    mismatch: Callable[[str, Span], Fault],
) -> list[tuple[syntax.Expression, Dim]]:
    dims = annotation.dims
    stars = [i for i, node in enumerate(dims) if isinstance(node, syntax.Ellipsis)]
    if len(stars) > 1:
        raise Fault(BadValue(where=dims[stars[1]].span, problem="a shape holds `...` once"))
    if not stars:
        if len(dims) != found.rank:
            raise mismatch(f"{len(dims)} dims wanted, {found.rank} given", annotation.span)
        return list(zip(dims, found.shape, strict=True))
    front, back = stars[0], len(dims) - stars[0] - 1
    if found.rank < front + back:
        raise mismatch(f"at least {front + back} dims wanted, {found.rank} given", annotation.span)
    pairs = list(zip(dims[:front], found.shape[:front], strict=True))
    if back:
        pairs += zip(dims[-back:], found.shape[-back:], strict=True)
    return pairs


def _solve(frame: Frame, node: syntax.Expression, size: Dim, dims: Scope) -> Dim | None:
    """The value of a dim expression, one unbound name in it solved for so that it is ``size``."""
    free = _free_names(node, dims)
    if not free:
        return size_of(frame, node, dims)
    if isinstance(node, syntax.Name):
        dims.bind(node.name, size)
        return size
    if len(free) > 1:
        raise Fault(
            BadValue(
                where=node.span, problem=f"{' and '.join(free)} cannot both be solved for here"
            )
        )
    unknown = symbol(_UNKNOWN)
    trial = Scope(dims)
    trial.bind(free[0], unknown)
    expression = size_of(frame, node, trial)
    # Linear in the unknown, c * u + d: u is (size - d) / c.
    at_zero = substitute(expression, {_UNKNOWN: 0})
    slope = substitute(expression, {_UNKNOWN: 1}) - at_zero
    if isinstance(expression, Expr) and slope * unknown + at_zero == expression:
        solution = divide_exactly(size - at_zero, slope)
        if solution is not None:
            dims.bind(free[0], solution)
            return size
        return None
    raise Fault(
        BadValue(
            where=node.span,
            problem=f"{free[0]} cannot be solved for here",
            advice="name the size alone in an earlier dim",
        )
    )
