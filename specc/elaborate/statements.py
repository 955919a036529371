"""Bodies of nets and blocks: statements in order, headers bound, results checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from specc.elaborate.arithmetic import truth
from specc.elaborate.builtins import text_of
from specc.elaborate.calls import bind_parameters, is_tensor, tensors_in
from specc.elaborate.context import Frame, ParameterRecord
from specc.elaborate.evaluate import condition_of, evaluate, iterations
from specc.elaborate.facts import (
    AssertionFailed,
    DuplicateName,
    NoResult,
    WrongInputCount,
    WrongResultCount,
    WrongType,
)
from specc.elaborate.indexing import unpack
from specc.elaborate.initializers import collect_rules, initializer_value
from specc.elaborate.instances import Activation, DeclaredState
from specc.elaborate.layers import (
    Results,
    add_parameter,
    apply_layer,
    apply_members,
    as_layer,
    as_tensor,
    claim_state,
    report_or_raise,
)
from specc.elaborate.scope import Scope
from specc.elaborate.signature import Silent, dtype_of, match, size_of
from specc.elaborate.values import (
    POISON,
    BlockConstructor,
    Branches,
    LayerValue,
    ListValue,
    Poison,
    Sequence,
    StateReference,
    Tensor,
    TupleValue,
    Undecided,
    Value,
    describe,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.facts import NotSupported, UnknownSize
from specc.frontend.source import Span
from specc.ir.flatten import join
from specc.ir.initializer import Initializer
from specc.ir.types import TensorType

_ROLES = {"param": "parameter", "buffer": "buffer", "const": "constant"}


class _Nothing:
    """What a body has given so far, where that is nothing."""


_NOTHING = _Nothing()


class _Returned(Exception):
    def __init__(self, value: Value, span: Span) -> None:
        self.value = value
        self.span = span


# ---- a block's body ------------------------------------------------------------------------------


def run_body(frame: Frame, layer: LayerValue, tensors: tuple[Tensor, ...]) -> Results:
    """Elaborates a block's body for inputs of certain types, in the activation that ``frame`` has."""
    constructor = layer.constructor
    assert isinstance(constructor, BlockConstructor)
    definition = constructor.definition
    activation = frame.activation
    assert activation is not None and activation.application is not None
    scope = Scope(constructor.scope)
    frame = frame.within(scope)
    where = activation.application.span
    if not layer.arguments and definition.hyperparameters:
        layer.arguments = bind_parameters(
            frame, definition.name, definition.hyperparameters, [], {}, where, constructor.scope
        )
        activation.instance.arguments = layer.arguments
    for name, value in layer.arguments.items():
        scope.bind(name, value)
    if definition.inputs is None:
        activation.inputs = tuple(activation.tensor(t.type, t.origin) for t in tensors)
        return _point_free(frame, definition, activation.inputs)
    try:
        _bind_inputs(frame, definition, tensors, where)
    except Silent:
        return POISON
    results = run_definition(frame, definition)
    if isinstance(results, Poison):
        return POISON
    check_results(frame, definition, results)
    return results


def _bind_inputs(
    frame: Frame, definition: syntax.ModuleDefinition, tensors: tuple[Tensor, ...], where: Span
) -> None:
    assert definition.inputs is not None and frame.activation is not None
    inputs = definition.inputs
    for parameter in inputs:
        if parameter.default is not None:
            raise Fault(NotSupported(where=parameter.span, feature="an optional input"))
    if len(tensors) != len(inputs):
        count = len(inputs)
        raise Fault(
            WrongInputCount(
                where=where,
                because=(Label(definition.name_span, "defined here"),),
                owner=definition.name,
                expected=f"{count} tensor{'s' * (count != 1)}",
                found=len(tensors),
            )
        )
    entries = []
    for parameter, tensor in zip(inputs, tensors, strict=True):
        assert isinstance(parameter.annotation, syntax.ShapeAnnotation)
        match(
            frame,
            parameter.annotation,
            tensor.type,
            frame.scope,
            owner=definition.name,
            what=f"input {parameter.name}",
            where=where,
        )
        entry = frame.activation.tensor(tensor.type, parameter.name_span)
        frame.activation.names[entry.id] = parameter.name
        frame.scope.bind(parameter.name, entry)
        entries.append(entry)
    frame.activation.inputs = tuple(entries)


def _point_free(
    frame: Frame, definition: syntax.ModuleDefinition, tensors: tuple[Tensor, ...]
) -> Results:
    """A block that is a layer: a list's members are the block's own, under their positions."""
    assert definition.result is not None
    value = evaluate(frame, definition.result)
    if isinstance(value, Poison):
        return POISON
    if isinstance(value, ListValue):
        return apply_members(frame, Sequence(value.items), tensors)
    if isinstance(value, TupleValue):
        return apply_members(frame, Branches(value.items), tensors)
    layer = as_layer(value, definition.result.span)
    if isinstance(layer, Poison):
        return POISON
    return apply_layer(frame, layer, tensors, definition.result.span)


def run_definition(frame: Frame, definition: syntax.ModuleDefinition) -> Results:
    """Runs a body whose inputs are bound, and gives its results as tensors."""
    if definition.result is not None:
        value, span = evaluate(frame, definition.result), definition.result.span
    else:
        try:
            value, span = run_statements(frame, definition.body), definition.span
        except _Returned as returned:
            value, span = returned.value, returned.span
        if definition.body and isinstance(definition.body[-1], syntax.ExpressionStatement):
            span = definition.body[-1].span
    if isinstance(value, _Nothing):
        raise Fault(NoResult(where=definition.name_span, owner=f"{definition.kind} {definition.name}"))
    if isinstance(value, Poison):
        return POISON
    parts = tensors_in(value)
    if parts is None:
        raise Fault(
            WrongType(
                where=span,
                what=f"the result of {definition.name}",
                expected="a tensor",
                found=describe(value),
            )
        )
    tensors = [as_tensor(frame, part, span) for part in parts]
    return tuple(tensor for tensor in tensors if isinstance(tensor, Tensor))


def check_results(
    frame: Frame, definition: syntax.ModuleDefinition, results: tuple[Tensor, ...]
) -> None:
    """Checks results against the header's ``->``."""
    outputs = definition.outputs
    if not outputs:
        return
    if len(outputs) != len(results):
        raise Fault(
            WrongResultCount(
                where=outputs[0].span.to(outputs[-1].span),
                because=tuple(Label(r.origin, f"this is {r.type.shape_text}") for r in results[:4]),
                owner=definition.name,
                expected=len(outputs),
                found=len(results),
            )
        )
    dims = Scope(frame.scope)
    for position, (output, result) in enumerate(zip(outputs, results, strict=True)):
        what = f"output {output.name}" if output.name else "the result"
        if output.name is None and len(outputs) > 1:
            what = f"result {position + 1}"
        try:
            match(
                frame,
                output.shape,
                result.type,
                dims,
                owner=definition.name,
                what=what,
                where=result.origin,
            )
        except Silent:
            continue
        except Fault as fault:
            report_or_raise(frame, fault, result.origin)


# ---- statements ----------------------------------------------------------------------------------


def run_statements(frame: Frame, statements: tuple[syntax.Statement, ...]) -> Value:
    """Runs statements; gives the value of the last where that is an expression."""
    value: Value = _NOTHING
    for statement in statements:
        frame.context.spend(statement.span)
        try:
            value = _STATEMENTS[type(statement)](frame, statement)
        except Silent:
            value = _NOTHING
        except Fault as fault:
            report_or_raise(frame, fault, statement.span)
            value = POISON if isinstance(statement, syntax.ExpressionStatement) else _NOTHING
    return value


def _expression(frame: Frame, node: syntax.ExpressionStatement) -> Value:
    return evaluate(frame, node.value)


def _return(frame: Frame, node: syntax.Return) -> Value:
    raise _Returned(evaluate(frame, node.value), node.value.span)


def _assignment(frame: Frame, node: syntax.Assignment) -> Value:
    value = evaluate(frame, node.value)
    if len(node.targets) == 1:
        _assign(frame, node.targets[0], value)
        return _NOTHING
    try:
        parts = unpack(frame, value, len(node.targets), node.value.span)
    except Fault as fault:
        report_or_raise(frame, fault, node.value.span)
        parts = [POISON] * len(node.targets)
    for target, part in zip(node.targets, parts, strict=True):
        _assign(frame, target, part)
    return _NOTHING


def _assign(frame: Frame, target: syntax.Name, value: Value) -> None:
    activation = frame.activation
    if isinstance(value, LayerValue) and value.name is None and value.built is None:
        value.name = target.name
    elif isinstance(value, ListValue | TupleValue) and value.name is None and value.layer is None:
        value.name = target.name
    elif isinstance(value, Tensor) and activation is not None:
        activation.names.setdefault(value.id, target.name)
    frame.context.assigned.setdefault(target.span, target.name)
    frame.scope.bind(target.name, value, target.span)


def _if(frame: Frame, node: syntax.If) -> Value:
    condition = condition_of(frame, node.condition)
    if isinstance(condition, Poison):
        return POISON
    return run_statements(frame, node.body if condition else node.otherwise)


def _for(frame: Frame, node: syntax.For) -> Value:
    for inner in iterations(frame, node.targets, node.iterable):
        # A `for` opens no scope: what it binds is the body's.
        for name, binding in inner.scope.names.items():
            frame.scope.names[name] = binding
        run_statements(frame, node.body)
    return _NOTHING


def _while(frame: Frame, node: syntax.While) -> Value:
    raise Fault(NotSupported(where=node.condition.span, feature="`while`"))


def _on(frame: Frame, node: syntax.OnBlock) -> Value:
    frame.report(NotSupported(where=node.device.span, feature="`on` a device"))
    return run_statements(frame, node.body)


def _assert(frame: Frame, node: syntax.Assert) -> Value:
    value = evaluate(frame, node.condition)
    if isinstance(value, Poison) or value is True:
        return _NOTHING
    text = frame.context.sources.text(node.condition.span)
    if node.message is not None:
        message = evaluate(frame, node.message)
        text = text if isinstance(message, Poison) else text_of(message)
    if isinstance(value, Undecided):
        for requirement in value.requirements:
            frame.context.constrain(requirement, text, node.condition.span)
        return _NOTHING
    if is_tensor(value):
        raise Fault(NotSupported(where=node.condition.span, feature="an assert on a tensor"))
    truth(value, "assert")
    where, because, uses = node.condition.span, (), frame.uses
    if uses:  # an assert is reported at the use that broke it
        where, because, uses = uses[0].span, (Label(node.condition.span, "asserted here"),), uses[1:]
    frame.context.report.add(
        AssertionFailed(where=where, because=because, uses=uses, text=text)
    )
    return _NOTHING


def _state(frame: Frame, node: syntax.StateDeclaration) -> Value:
    if node.role == "buffer":
        raise Fault(NotSupported(where=node.name_span, feature="`buffer`"))
    activation = frame.activation
    assert activation is not None
    if node.value is not None:
        return _constant(frame, node)
    if node.shape is None:
        raise Fault(
            WrongType(where=node.name_span, what=node.name, expected="given a shape", found="without one")
        )
    type_ = _state_type(frame, node.shape, node.name)
    initializer: Initializer | None = Initializer(name="zeros")
    if node.initializer is not None:
        initializer = initializer_value(frame, node.initializer)
    claim_state(frame, activation, node.name, node.name_span)
    if not activation.replays:
        declared = DeclaredState(node.name, _ROLES[node.role], type_, node.name_span)  # type: ignore[arg-type]
        activation.instance.state[node.name] = declared
        if initializer is not None:
            _record(frame, activation, declared, initializer)
    reference = StateReference(activation.instance, node.name, type_, node.name_span)
    frame.context.assigned.setdefault(node.name_span, node.name)
    frame.scope.bind(node.name, reference, node.name_span)
    return _NOTHING


def _state_type(frame: Frame, shape: syntax.ShapeAnnotation, name: str) -> TensorType:
    sizes = []
    for node in shape.dims:
        size = size_of(frame, node, frame.scope)
        if not isinstance(size, int):
            raise Fault(
                UnknownSize(
                    operator=name, where=node.span, what=f"a dim of {name}", size=str(size)
                )
            )
        if size < 0:
            raise Fault(
                WrongType(where=node.span, what="a dim", expected="at least 0", found=str(size))
            )
        sizes.append(size)
    return TensorType(dtype_of(shape), tuple(sizes))


def _record(
    frame: Frame, activation: Activation, state: DeclaredState, initializer: Initializer
) -> None:
    layer = activation.instance
    inline = layer.inline.get(state.name)
    add_parameter(
        frame,
        ParameterRecord(
            name=join(layer.path, state.name),
            role=state.role,
            type=state.type,
            default=initializer,
            inline=(inline.initializer, inline.span) if inline else None,
            layer=layer.kind,
            slot=state.name,
            owner=layer,
            span=state.span,
        ),
    )


def _constant(frame: Frame, node: syntax.StateDeclaration) -> Value:
    """``const name: shape = value``: computed, and not saved."""
    assert node.value is not None
    if node.role != "const":
        raise Fault(
            WrongType(
                where=node.value.span,
                what=f"a {node.role}",
                expected="given an initializer",
                found="given a value",
                advice=f"write `{node.role} {node.name}: ... ~ initializer`",
            )
        )
    value = evaluate(frame, node.value)
    if is_tensor(value) and node.shape is not None:
        tensor = as_tensor(frame, value, node.value.span)
        assert isinstance(tensor, Tensor)
        match(
            frame, node.shape, tensor.type, frame.scope,
            owner="the constant", what=node.name, where=node.value.span,
        )
    frame.context.assigned.setdefault(node.name_span, node.name)
    frame.scope.bind(node.name, value, node.name_span)
    if isinstance(value, Tensor) and frame.activation is not None:
        frame.activation.names.setdefault(value.id, node.name)
    return _NOTHING


def _init(frame: Frame, node: syntax.InitBlock) -> Value:
    activation = frame.activation
    assert activation is not None
    if not activation.replays:
        collect_rules(frame, node.rules, activation.instance.path)
    return _NOTHING


def _draw(frame: Frame, node: syntax.Draw) -> Value:
    raise Fault(NotSupported(where=node.span, feature="`~` outside an initializer definition"))


_STATEMENTS: dict[type, Callable[[Frame, Any], Value]] = {
    syntax.ExpressionStatement: _expression,
    syntax.Return: _return,
    syntax.Assignment: _assignment,
    syntax.If: _if,
    syntax.For: _for,
    syntax.While: _while,
    syntax.OnBlock: _on,
    syntax.Assert: _assert,
    syntax.StateDeclaration: _state,
    syntax.InitBlock: _init,
    syntax.Draw: _draw,
}


def refuse_duplicates(frame: Frame, definition: syntax.ModuleDefinition) -> None:
    """Two entries of one header may not bear the same name."""
    seen: dict[str, Span] = {}
    for parameter in (*definition.hyperparameters, *(definition.inputs or ())):
        if parameter.name in seen:
            frame.report(
                DuplicateName(
                    where=parameter.name_span,
                    because=(Label(seen[parameter.name], "the first"),),
                    name=parameter.name,
                )
            )
        seen.setdefault(parameter.name, parameter.name_span)
