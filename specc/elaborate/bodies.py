"""Bodies of nets and blocks: headers bound, statements run, results checked."""

from __future__ import annotations

from collections.abc import Mapping

from specc.elaborate.binding import admits_none, bind_parameters
from specc.elaborate.context import Frame, Silent
from specc.elaborate.evaluate import evaluate
from specc.elaborate.facts import (
    DuplicateName,
    NoResult,
    WrongInputCount,
    WrongResultCount,
    WrongType,
)
from specc.elaborate.layers import Results, apply_layer, apply_members, as_layer
from specc.elaborate.nothing import Nothing, Returned
from specc.elaborate.operands import tensors_in
from specc.elaborate.operate import as_tensor
from specc.elaborate.scope import Binding, Scope
from specc.elaborate.signature import match
from specc.elaborate.statements import run_to_the_end
from specc.elaborate.values import (
    POISON,
    BlockConstructor,
    Branches,
    LayerValue,
    ListValue,
    Operand,
    Poison,
    Sequence,
    Tensor,
    TupleValue,
    describe,
    is_poisoned,
    is_size,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.source import Span


def run_body(frame: Frame, layer: LayerValue, flow: tuple[Operand, ...], where: Span) -> Results:
    """Elaborates a block's body for what flows in at ``where``, in the frame's activation."""
    constructor = layer.constructor
    assert isinstance(constructor, BlockConstructor)
    definition = constructor.definition
    activation = frame.activation
    assert activation is not None
    scope = Scope(constructor.scope)
    frame = frame.within(scope)
    if not layer.arguments and definition.hyperparameters:
        layer.arguments = bind_parameters(
            frame, definition.name, definition.hyperparameters, [], {}, where, constructor.scope
        )
        activation.innermost.arguments = layer.arguments
    for name, value in layer.arguments.items():
        scope.bind(name, value)
    if definition.inputs is None:
        return _point_free(frame, definition, activation.take(flow))
    try:
        _bind_inputs(frame, definition, flow, where)
    except Silent:
        return POISON
    try:
        return run_definition(frame, definition)
    except Fault as fault:
        frame.recover(fault, definition.name_span)
        return POISON


def _bind_inputs(
    frame: Frame, definition: syntax.ModuleDefinition, flow: tuple[Operand, ...], where: Span
) -> None:
    assert definition.inputs is not None
    assert frame.activation is not None
    inputs = definition.inputs
    given = (*flow, *(None for _ in inputs[len(flow) :]))
    if len(given) > len(inputs) or any(
        tensor is None and parameter.default is None
        for parameter, tensor in zip(inputs, given, strict=True)
    ):
        raise Fault(
            WrongInputCount(
                where=where,
                because=(Label(definition.name_span, "defined here"),),
                owner=definition.name,
                expected=_input_count(inputs),
                found=sum(tensor is not None for tensor in flow),
            )
        )
    entries = frame.activation.take(given, tuple(parameter.name_span for parameter in inputs))
    for parameter, tensor, entry in zip(inputs, given, entries, strict=True):
        if tensor is not None and entry is not None:
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
            frame.activation.names.setdefault(entry.id, parameter.name)
        frame.scope.bind(parameter.name, entry, parameter.name_span)


def _input_count(inputs: tuple[syntax.Parameter, ...]) -> str:
    most, least = len(inputs), sum(parameter.default is None for parameter in inputs)
    return f"{f'{least} to ' * (least < most)}{most} tensor{'s' * (most != 1)}"


def _point_free(
    frame: Frame, definition: syntax.ModuleDefinition, flow: tuple[Operand, ...]
) -> Results:
    """A block that is a layer: a list's members are the block's own, under their positions."""
    assert definition.result is not None
    value = evaluate(frame, definition.result)
    if isinstance(value, Poison):
        return POISON
    if isinstance(value, ListValue):
        return apply_members(frame, Sequence(value.items), flow)
    if isinstance(value, TupleValue):
        return apply_members(frame, Branches(value.items), flow)
    layer = as_layer(value, definition.result.span)
    if isinstance(layer, Poison):
        return POISON
    return apply_layer(frame, layer, flow, definition.result.span)


def run_definition(frame: Frame, definition: syntax.ModuleDefinition) -> Results:
    """Runs a body whose inputs are bound, and gives its results, checked against the header."""
    header = dict(frame.scope.names)
    results = _results(frame, definition)
    if isinstance(results, Poison) or check_results(frame, definition, results, header):
        return results
    return POISON


def _results(frame: Frame, definition: syntax.ModuleDefinition) -> Results:
    if definition.result is not None:
        value, span = evaluate(frame, definition.result), definition.result.span
    else:
        try:
            value, span = run_to_the_end(frame, definition.body), definition.span
        except Returned as returned:
            value, span = returned.value, returned.span
        if definition.body and isinstance(definition.body[-1], syntax.ExpressionStatement):
            span = definition.body[-1].span
    if isinstance(value, Nothing):
        because = tuple(Label(node.span, "the body ends here") for node in definition.body[-1:])
        owner = f"{definition.kind} {definition.name}"
        raise Fault(NoResult(where=definition.name_span, because=because, owner=owner))
    if is_poisoned(value):
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
    frame: Frame,
    definition: syntax.ModuleDefinition,
    results: tuple[Tensor, ...],
    header: Mapping[str, Binding],
) -> bool:
    """Checks results against the header's ``->``, where names mean what they meant in ``header``.

    A size that the body binds may be named too. False where they do not fit, which is reported.
    """
    outputs = definition.outputs
    fits = True
    if not outputs:
        return fits
    if len(outputs) != len(results):
        raise Fault(
            WrongResultCount(
                where=outputs[0].span.to(outputs[-1].span),
                because=tuple(
                    dict.fromkeys(
                        Label(r.origin, f"this is {r.type.shape_text}") for r in results[:4]
                    )
                ),
                owner=definition.name,
                expected=len(outputs),
                found=len(results),
            )
        )
    sizes = {name: b for name, b in frame.scope.names.items() if is_size(b.value)}
    dims = Scope(frame.scope.parent, sizes | dict(header))
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
        except Fault as fault:
            frame.recover(fault, result.origin)
            fits = False
    return fits


def check_header(
    frame: Frame, definition: syntax.ModuleDefinition | syntax.InitializerDefinition
) -> None:
    """No two entries of a header bear the same name, and an input has no default but none."""
    for parameter in definition.inputs or ():
        default = parameter.default
        if default is not None and not admits_none(default):
            frame.report(
                WrongType(
                    where=default.span,
                    what=f"the default of input {parameter.name}",
                    expected="none, which makes it optional",
                    found="something else",
                )
            )
    entries = (*definition.hyperparameters, *(definition.inputs or ()))
    _refuse_repeated(frame, [(entry.name, entry.name_span) for entry in entries])
    if isinstance(definition, syntax.ModuleDefinition):
        outputs = [(o.name, o.span) for o in definition.outputs if o.name is not None]
        _refuse_repeated(frame, outputs)


def _refuse_repeated(frame: Frame, names: list[tuple[str, Span]]) -> None:
    seen: dict[str, Span] = {}
    for name, span in names:
        if name in seen:
            frame.report(
                DuplicateName(where=span, because=(Label(seen[name], "the first"),), name=name)
            )
        seen.setdefault(name, span)
