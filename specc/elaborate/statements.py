"""Bodies of nets and blocks: statements in order, headers bound, results checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from specc.elaborate.arithmetic import truth
from specc.elaborate.branches import branch, last_branch
from specc.elaborate.builtins import text_of
from specc.elaborate.conditions import truth_of
from specc.elaborate.context import Frame, Silent
from specc.elaborate.control import returns
from specc.elaborate.declarations import declare
from specc.elaborate.definitions import draw
from specc.elaborate.evaluate import evaluate
from specc.elaborate.facts import AssertionFailed, WrongType
from specc.elaborate.indexing import unpack
from specc.elaborate.init_rules import collect_rules
from specc.elaborate.initializer_run import InitializerRun, has_no_layers
from specc.elaborate.instances import Activation
from specc.elaborate.lists import iterations
from specc.elaborate.loops import loop, write_buffer
from specc.elaborate.nothing import NOTHING, Returned
from specc.elaborate.operands import is_tensor
from specc.elaborate.operate import as_tensor
from specc.elaborate.placement import on_device
from specc.elaborate.values import (
    POISON,
    LayerValue,
    ListValue,
    Poison,
    StateReference,
    Tensor,
    TupleValue,
    Undecided,
    Value,
    describe,
    is_poisoned,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.source import Span


def run_statements(frame: Frame, statements: tuple[syntax.Statement, ...]) -> Value:
    """Runs statements; gives the value of the last where that is an expression."""
    value: Value = NOTHING
    for statement in statements:
        value = _run(frame, statement)
    return value


def run_to_the_end(frame: Frame, statements: tuple[syntax.Statement, ...]) -> Value:
    """Runs a body's statements, behind which nothing follows; gives its last expression's value.

    So a run-time ``if`` may return on one side alone: the other one goes on with what follows.
    Where the compiler takes a way, its statements stand in the place of the ``if`` or ``for``.
    """
    value: Value = NOTHING
    pending: list[syntax.Statement | _Turns] = [*reversed(statements)]
    while pending:
        statement = pending.pop()
        unfolds = isinstance(statement, _Turns) or (
            isinstance(statement, syntax.If | syntax.For) and returns((statement,))
        )
        if not unfolds:
            assert not isinstance(statement, _Turns)
            value = _run(frame, statement)
            continue
        value = NOTHING
        whole = statement.node if isinstance(statement, _Turns) else statement
        frame.context.spend(whole.span)
        try:
            _unfold(frame, statement, pending)
        except Fault as fault:
            frame.recover(fault, whole.span)
            _poison(frame, (whole,))
            value = POISON
    return value


class _Turns(syntax.Statement):
    """The turns of a compile-time ``for`` that are left."""

    __slots__ = ("left", "node")

    def __init__(self, node: syntax.For, left: Iterator[Frame]) -> None:
        super().__init__(node.span)
        object.__setattr__(self, "node", node)
        object.__setattr__(self, "left", left)

    node: syntax.For
    left: Iterator[Frame]


def _unfold(frame: Frame, statement: syntax.Statement, pending: list[syntax.Statement]) -> None:
    """Puts what a statement with a ``return`` in it comes to before what is pending."""
    if isinstance(statement, syntax.For):
        turns = iterations(frame, statement.targets, statement.iterable)
        pending.append(_Turns(statement, turns))
    elif isinstance(statement, _Turns):
        inner = next(statement.left, None)
        if inner is not None:
            _bind_all(frame, inner)
            pending.append(statement)
            pending += reversed(statement.node.body)
    else:
        assert isinstance(statement, syntax.If)
        value = frame.evaluate(statement.condition)
        if is_tensor(value):
            last_branch(frame, statement, value, run_to_the_end, tuple(reversed(pending)))
        pending += reversed(_taken(frame, statement, value))


def _run(frame: Frame, statement: syntax.Statement) -> Value:
    """The value of one statement; POISON, with a report, where it is wrong."""
    frame.context.spend(statement.span)
    try:
        return _STATEMENTS[type(statement)](frame, statement)
    except Fault as fault:
        frame.recover(fault, statement.span)
        _poison(frame, (statement,), only_new=isinstance(statement, syntax.While))
        return POISON


def _poison(
    frame: Frame, statements: tuple[syntax.Statement, ...], *, only_new: bool = False
) -> None:
    """Binds what statements that could not be run would have bound, so that its uses are silent.

    Raises Returned where one of them would have returned. ``only_new`` leaves what is bound as
    it is.
    """
    pending = list(statements)
    returns: Span | None = None
    while pending:
        match pending.pop():
            case syntax.Assignment(targets=targets):
                for target in targets:
                    if not (only_new and frame.scope.find(target.name)):
                        frame.scope.bind(target.name, POISON, target.span)
            case syntax.StateDeclaration(name=name, name_span=span):
                frame.scope.bind(name, POISON, span)
            case syntax.Draw(target=target):
                frame.scope.bind(target.name, POISON, target.span)
            case syntax.If(body=body, otherwise=otherwise):
                pending += (*body, *otherwise)
            case syntax.For(targets=targets, body=body):
                for target in targets:
                    frame.scope.bind(target.name, POISON)
                pending += body
            case syntax.While(body=body) | syntax.OnBlock(body=body):
                pending += body
            case syntax.Return(span=span):
                returns = span
    if returns is not None:
        raise Returned(POISON, returns)


def _expression(frame: Frame, node: syntax.ExpressionStatement) -> Value:
    return evaluate(frame, node.value)


def _return(frame: Frame, node: syntax.Return) -> Value:
    raise Returned(evaluate(frame, node.value), node.value.span)


def _assignment(frame: Frame, node: syntax.Assignment) -> Value:
    value = evaluate(frame, node.value)
    if len(node.targets) == 1:
        _assign(frame, node.targets[0], value)
        return NOTHING
    try:
        parts = unpack(frame, value, len(node.targets), node.value.span)
    except Fault as fault:
        frame.recover(fault, node.value.span)
        parts = [POISON] * len(node.targets)
    for target, part in zip(node.targets, parts, strict=True):
        _assign(frame, target, part)
    return NOTHING


def _is_buffer(activation: Activation, value: Value) -> bool:
    if not isinstance(value, StateReference) or value.owner is not activation.instance:
        return False
    return value.slot in activation.buffers


def _assign(frame: Frame, target: syntax.Name, value: Value) -> None:
    activation = frame.activation
    if activation is not None and target.name in activation.buffers:
        value = write_buffer(frame, target, value)
    elif activation is not None and _is_buffer(activation, value):
        # What a buffer holds now: it may be set before the new name is used.
        value = as_tensor(frame, value, target.span)
    if (isinstance(value, LayerValue) and value.name is None and value.built is None) or (
        isinstance(value, ListValue | TupleValue) and value.name is None and value.layer is None
    ):
        value.name = target.name
    elif isinstance(value, Tensor) and activation is not None:
        activation.names.setdefault(value.id, target.name)
    frame.context.assigned.setdefault(target.span, target.name)
    frame.scope.bind(target.name, value, target.span)


def _if(frame: Frame, node: syntax.If) -> Value:
    value = frame.evaluate(node.condition)
    if is_tensor(value):
        return branch(frame, node, value, run_statements)
    return run_statements(frame, _taken(frame, node, value))


def _taken(frame: Frame, node: syntax.If, value: Value) -> tuple[syntax.Statement, ...]:
    """The side that a compile-time condition takes. Raises Silent where it is wrong."""
    condition = truth_of(frame, value, node.condition)
    if isinstance(condition, Poison):
        raise Silent(node.condition.span)
    taken, left = (node.body, node.otherwise) if condition else (node.otherwise, node.body)
    frame.context.skipped |= {statement.span: statement for statement in left}
    return taken


def _for(frame: Frame, node: syntax.For) -> Value:
    for inner in iterations(frame, node.targets, node.iterable):
        _bind_all(frame, inner)
        run_statements(frame, node.body)
    return NOTHING


def _bind_all(frame: Frame, inner: Frame) -> None:
    """A ``for`` opens no scope: what it binds is the body's."""
    for name, binding in inner.scope.names.items():
        frame.scope.names[name] = binding


def _while(frame: Frame, node: syntax.While) -> Value:
    loop(frame, node, run_statements)
    return NOTHING


def _on(frame: Frame, node: syntax.OnBlock) -> Value:
    there = on_device(frame, node.device)
    return run_statements(frame if there is None else there, node.body)


def _assert(frame: Frame, node: syntax.Assert) -> Value:
    value = evaluate(frame, node.condition)
    if isinstance(value, Poison) or value is True:
        return NOTHING
    text = frame.context.sources.text(node.condition.span)
    if node.message is not None:
        message = evaluate(frame, node.message)
        text = text if is_poisoned(message) else text_of(message)
    if isinstance(value, Undecided):
        for requirement in value.requirements:
            frame.context.constrain(requirement, text, node.condition.span)
        return NOTHING
    if is_tensor(value):
        raise Fault(
            WrongType(
                where=node.condition.span,
                what="what an `assert` says",
                expected="known when compiling",
                found=describe(value),
                advice="it speaks of sizes and hyperparameters, not of what a tensor holds",
            )
        )
    truth(value, "assert")
    where, uses = node.condition.span, frame.uses
    because: tuple[Label, ...] = ()
    if uses:  # an assert is reported at the use that broke it
        where, because, uses = (
            uses[0].span,
            (Label(node.condition.span, "asserted here"),),
            uses[1:],
        )
    frame.context.report.add(AssertionFailed(where=where, because=because, uses=uses, text=text))
    raise Returned(POISON, node.span)  # what follows relies on what was asserted


def _declaration(frame: Frame, node: syntax.StateDeclaration) -> Value:
    declare(frame, node)
    return NOTHING


def _init(frame: Frame, node: syntax.InitBlock) -> Value:
    activation = frame.activation
    assert activation is not None
    if isinstance(activation, InitializerRun):
        raise Fault(has_no_layers(node.span))
    if not activation.replays:
        collect_rules(frame, node.rules, activation.innermost)
    return NOTHING


def _draw(frame: Frame, node: syntax.Draw) -> Value:
    draw(frame, node, run_statements)
    return NOTHING


_STATEMENTS: dict[type, Callable[[Frame, Any], Value]] = {
    syntax.ExpressionStatement: _expression,
    syntax.Return: _return,
    syntax.Assignment: _assignment,
    syntax.If: _if,
    syntax.For: _for,
    syntax.While: _while,
    syntax.OnBlock: _on,
    syntax.Assert: _assert,
    syntax.StateDeclaration: _declaration,
    syntax.InitBlock: _init,
    syntax.Draw: _draw,
}
