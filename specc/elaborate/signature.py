"""Headers: binding dim names to sizes, and checking types against annotations."""

from __future__ import annotations

from collections.abc import Callable

from specc.elaborate import arithmetic
from specc.elaborate.context import Frame, Silent
from specc.elaborate.facts import BadValue, TypeMismatch, WrongType
from specc.elaborate.scope import Scope
from specc.elaborate.values import Poison, Requirement, describe, is_size
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.facts import UnknownName
from specc.frontend.source import Span
from specc.ir.dims import Dim, divide_exactly, equal, symbol
from specc.ir.types import DType, TensorType

_DTYPES = {dtype.value: dtype for dtype in DType}


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
        if isinstance(size, int):
            if size < 0:
                raise Fault(BadValue(where=node.span, problem=f"a size of {size}"))
            arithmetic.bounded(size, frame.context.bounds.digits)
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
    """Names of a dim expression that nothing in the header bears, in order."""
    if isinstance(node, syntax.Name):
        return [] if _is_bound(dims, node.name) else [node.name]
    if isinstance(node, syntax.Binary):
        left = _free_names(node.left, dims)
        return left + [name for name in _free_names(node.right, dims) if name not in left]
    if isinstance(node, syntax.Unary):
        return _free_names(node.operand, dims)
    return []


def _is_bound(dims: Scope, name: str) -> bool:
    """Whether a hyperparameter, an input or an earlier dim bears a name; a file's do not count."""
    return dims.local(name) is not None


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
                found=str(found)
                if annotation.dtype or found.dtype is not DType.F32
                else found.shape_text,
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
    """The value of a dim expression, one unbound name in it solved for so that it is ``size``.

    None where no size that the name could have makes it so.
    """
    free = _free_names(node, dims)
    if not free:
        return size_of(frame, node, dims)
    if len(free) > 1:
        raise Fault(
            BadValue(
                where=node.span, problem=f"{' and '.join(free)} cannot both be solved for here"
            )
        )
    solution = _inverted(frame, node, size, dims)
    if solution is None or (isinstance(solution, int) and solution < 0):
        return None
    dims.bind(free[0], solution)
    return size


def _inverted(frame: Frame, node: syntax.Expression, size: Dim, dims: Scope) -> Dim | None:
    """What the one unbound name in ``node`` has to be for ``node`` to be ``size``."""
    if isinstance(node, syntax.Name):
        return size
    if isinstance(node, syntax.Binary):
        on_left, on_right = bool(_free_names(node.left, dims)), bool(_free_names(node.right, dims))
        if on_left and not on_right:
            known = size_of(frame, node.right, dims)
            inner = _undo_left(frame, node, size, known)
            return None if inner is None else _inverted(frame, node.left, inner, dims)
        if on_right and not on_left and node.operator in ("+", "-", "*"):
            known = size_of(frame, node.left, dims)
            inner = known - size if node.operator == "-" else _undo_left(frame, node, size, known)
            return None if inner is None else _inverted(frame, node.right, inner, dims)
    raise Fault(
        BadValue(
            where=node.span,
            problem="the size cannot be solved for here",
            advice="name it alone in an earlier dim",
        )
    )


def _undo_left(frame: Frame, node: syntax.Binary, size: Dim, known: Dim) -> Dim | None:
    """``left`` of ``left operator known == size``; of products and sums, also the right side."""
    match node.operator:
        case "+":
            return size - known
        case "-":
            return size + known
        case "/":
            return size * known
        case "*":
            if known == 0:
                return None
            rest = size % known
            if isinstance(rest, int) and rest != 0:
                return None
            return _exact(frame, node, size, known)
    raise Fault(
        BadValue(
            where=node.span,
            problem=f"a size behind `{node.operator}` cannot be solved for",
            advice="name it alone in an earlier dim",
        )
    )
