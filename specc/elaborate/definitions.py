"""Initializers that a file defines: their bodies, run for the shape of one parameter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from specc.elaborate.context import Frame
from specc.elaborate.facts import BadInitializer, LimitExceeded, NoResult, RecursiveBlock, WrongType
from specc.elaborate.initializer_run import InitializerRun
from specc.elaborate.initializers import Start, initializer_value
from specc.elaborate.interface import as_attributes
from specc.elaborate.nothing import Nothing, Returned
from specc.elaborate.operate import as_tensor, operate
from specc.elaborate.raw import RawOperation
from specc.elaborate.scope import Scope
from specc.elaborate.signature import match
from specc.elaborate.values import (
    POISON,
    DefinedCall,
    Poison,
    Tensor,
    Undetermined,
    Value,
    describe,
    is_poisoned,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.source import Span
from specc.initialize import catalogue
from specc.ir.defined import MAX_DRAWS, MAX_OPERATIONS, most_elements, peak_elements
from specc.ir.dims import Expr
from specc.ir.graph import DefinedInitializer, Operation, Region
from specc.ir.graph import Value as GraphValue
from specc.ir.types import DType, TensorType
from specc.ops.registry import operators

RunStatements: TypeAlias = Callable[[Frame, tuple[syntax.Statement, ...]], Value]


@dataclass(frozen=True)
class Use:
    """What an initializer is run for: the parameter's name and type, and the place that asks."""

    parameter: str
    type: TensorType
    where: Span


def run_initializer(
    frame: Frame, call: DefinedCall, use: Use, run_statements: RunStatements
) -> DefinedInitializer | None:
    """The definition's draws and operations for one parameter. None where one is wrong.

    ``frame`` is one of the file's; what is wrong is reported with the use that led there.
    """
    run = InitializerRun.of(call.definition, use.type, use.where)
    uses = (Label(use.where, f"used here for {use.parameter}"),)
    inner = replace(frame, scope=call.definition.scope, activation=run, uses=uses)
    try:
        result = _run_body(inner, call, use.where, run_statements)
        if isinstance(result, Poison):
            return None
        return _sealed(inner, call, run, result)
    except Fault as fault:
        inner.recover(fault, call.span)
        return None


def draw(frame: Frame, node: syntax.Draw, run_statements: RunStatements) -> None:
    """``w ~ uniform(-1, 1)``: binds a tensor of the parameter's shape. Raises a Fault."""
    run = frame.activation
    if not isinstance(run, InitializerRun):
        raise Fault(
            BadInitializer(
                where=node.span,
                problem="`~` draws inside an initializer definition",
                detail="this body has no parameter to draw",
            )
        )
    start = initializer_value(frame, node.initializer)
    value: Value = POISON
    if start is not None:
        value = _drawn(frame, run, start, node, run_statements)
    frame.context.assigned.setdefault(node.target.span, node.target.name)
    frame.scope.bind(node.target.name, value, node.target.span)


def _drawn(
    frame: Frame,
    run: InitializerRun,
    start: Start,
    node: syntax.Draw,
    run_statements: RunStatements,
) -> Value:
    if isinstance(start, DefinedCall):
        return _run_body(frame, start, node.initializer.span, run_statements)
    shape = tuple(dim for dim in run.type.shape if isinstance(dim, int))
    dtype = run.type.dtype
    problem = catalogue.problem(start, shape, dtype)
    if problem is not None:
        raise Fault(
            BadInitializer(
                where=node.initializer.span,
                problem=f"{start.name} {problem.reason}",
                detail=f"{node.target.name} is {run.type.shape_text} here",
            )
        )
    frame.context.count_node(node.span)
    tensor = run.tensor(run.type, node.target.span)
    run.names[tensor.id] = node.target.name
    run.draws.append((start, tensor))
    return tensor


# ---- bodies --------------------------------------------------------------------------------------


def _run_body(
    frame: Frame, call: DefinedCall, where: Span, run_statements: RunStatements
) -> Tensor | Poison:
    """Runs a definition's body in the run under way; gives its checked result."""
    run = frame.activation
    assert isinstance(run, InitializerRun)
    definition = call.definition.definition
    if definition in run.running:
        defined = (Label(definition.name_span, "defined here"),)
        raise Fault(RecursiveBlock(where=where, because=defined, name=definition.name, kind="init"))
    scope = Scope(call.definition.scope)
    for name, value in call.arguments.items():
        scope.bind(name, value)
    _bind_shape(frame, call, run, scope, where)
    inner = frame.within(scope)
    run.running.append(definition)
    try:
        with frame.context.deeper(where):
            try:
                value, span = run_statements(inner, definition.body), definition.name_span
                if definition.body:
                    span = definition.body[-1].span
            except Returned as returned:
                value, span = returned.value, returned.span
    finally:
        run.running.pop()
    return _checked_result(inner, definition, run, value, span)


def _bind_shape(
    frame: Frame, call: DefinedCall, run: InitializerRun, scope: Scope, where: Span
) -> None:
    """Binds the sizes that the header names, and the parameter, which has no values yet."""
    definition = call.definition.definition
    if len(definition.inputs) != 1:
        raise Fault(
            BadInitializer(
                where=definition.name_span,
                problem="an initializer is for one tensor, as in `init name()(w: [...])`",
            )
        )
    (entry,) = definition.inputs
    assert isinstance(entry.annotation, syntax.ShapeAnnotation)
    # Where it names no dtype, it is for any; values are worked out in double precision.
    found = run.declared if entry.annotation.dtype else replace(run.declared, dtype=DType.F32)
    match(
        frame.within(scope),
        entry.annotation,
        found,
        scope,
        owner=definition.name,
        what=entry.name,
        where=where,
    )
    undrawn = Undetermined(
        "this has a shape, and no values yet",
        entry.name_span,
        f"draw it first, as in `{entry.name} ~ normal`",
    )
    scope.bind(entry.name, undrawn)


def _checked_result(
    frame: Frame,
    definition: syntax.InitializerDefinition,
    run: InitializerRun,
    value: Value,
    span: Span,
) -> Tensor | Poison:
    if isinstance(value, Nothing):
        raise Fault(NoResult(where=definition.name_span, owner=f"init {definition.name}"))
    if is_poisoned(value):
        return POISON
    if not isinstance(value, Tensor):
        raise Fault(
            WrongType(
                where=span,
                what=f"the result of {definition.name}",
                expected="a tensor",
                found=describe(value),
            )
        )
    result = as_tensor(frame, value, span)
    assert isinstance(result, Tensor)
    if result.type.shape != run.type.shape:
        raise Fault(
            BadInitializer(
                where=span,
                because=(Label(result.origin, f"this is {result.type.shape_text}"),)
                if result.origin != span
                else (),
                problem=f"{definition.name} gives {result.type.shape_text}",
                detail=f"the parameter is {run.type.shape_text}",
            )
        )
    if result.type.dtype is not run.type.dtype:
        cast = {"dtype": run.type.dtype}
        (result,) = operate(frame, operators()["cast"], cast, (result,), span)
    return result


# ---- what became of it ---------------------------------------------------------------------------


def _sealed(
    frame: Frame, call: DefinedCall, run: InitializerRun, result: Tensor
) -> DefinedInitializer | None:
    """The run as part of the network, once it holds nothing but operations of a bounded size."""
    nodes = []
    for node in run.nodes:
        if not isinstance(node, RawOperation):
            raise Fault(_not_here(node.span, "a run-time `if` or `while`"))
        if node.operator.name not in operators():
            raise Fault(_not_here(node.span, "a host program's operators"))
        if node.operator.draws(node.attributes) or node.operator.name == "training":
            raise Fault(_not_here(node.span, f"{node.operator.name}"))
        if not _is_static(node):
            raise Fault(_not_here(node.span, "sizes that only the inputs of a net know"))
        nodes.append(
            Operation(
                operator=node.operator.name,
                attributes=dict(node.attributes),
                inputs=node.inputs,
                results=tuple(_value(run, tensor) for tensor in node.results),
                span=node.span,
            )
        )
    made = DefinedInitializer(
        name=call.definition.name,
        arguments=as_attributes(call.arguments),
        draws=tuple(start for start, _ in run.draws),
        body=Region(
            inputs=tuple(_value(run, tensor) for _, tensor in run.draws),
            nodes=tuple(nodes),
            results=(result.id,),
        ),
    )
    elements = most_elements(run.type.elements)
    for what, found, limit in (
        ("draws in an initializer", len(run.draws), MAX_DRAWS),
        ("operations in an initializer", len(nodes), MAX_OPERATIONS),
        ("elements at once in an initializer", peak_elements(made), elements),
    ):
        if found > limit:
            where = call.definition.definition.name_span
            raise Fault(LimitExceeded(where=where, what=what, limit=limit))
    return made


def _is_static(node: RawOperation) -> bool:
    pending = list(node.attributes.values())
    while pending:
        value = pending.pop()
        if isinstance(value, Expr):
            return False
        if isinstance(value, tuple):
            pending += value
    return all(tensor.type.is_static for tensor in node.results)


def _value(run: InitializerRun, tensor: Tensor) -> GraphValue:
    return GraphValue(id=tensor.id, type=tensor.type, name=run.names.get(tensor.id, ""))


def _not_here(where: Span, what: str) -> BadInitializer:
    return BadInitializer(
        where=where,
        problem=f"an initializer is made of draws and operations, not of {what}",
    )
