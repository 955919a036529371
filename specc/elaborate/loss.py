"""A block of the file as the loss: elaborated as a network of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from keyword import iskeyword

from specc.elaborate.binding import bind_parameters
from specc.elaborate.bodies import run_definition
from specc.elaborate.context import Context, Frame, Silent
from specc.elaborate.facts import BadLoss, ReservedName
from specc.elaborate.generalize import generalize
from specc.elaborate.instances import Activation, Instance
from specc.elaborate.layers import as_layer
from specc.elaborate.placement import declarations
from specc.elaborate.scope import Scope
from specc.elaborate.signature import declared_type, dtype_of, match
from specc.elaborate.values import BlockConstructor, LayerValue, Poison, Tensor, describe
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.source import Span
from specc.ir.dims import symbols_of
from specc.ir.graph import Network, Port
from specc.ir.types import TensorType
from specc.version import __version__


def loss_network(
    frame: Frame, choice: syntax.Expression, outputs: Sequence[TensorType]
) -> Network | None:
    """The network of the loss that ``choice`` names, for a net of these outputs.

    Its last input is the target; one that is declared ``[...]`` has the shape of the first output.
    None where something is wrong that is reported. Raises Fault for a block that is no loss.
    """
    value = frame.evaluate(choice)
    if isinstance(value, Poison):
        return None
    layer = as_layer(value, choice.span)
    if isinstance(layer, Poison):
        return None
    if not isinstance(layer.constructor, BlockConstructor):
        raise Fault(BadLoss(where=choice.span, name=describe(value), problem="is no block"))
    inner = _own_context(frame.context)
    built = _built(Frame(inner, frame.scope), layer, choice.span, outputs)
    if built is None or inner.report.failed:
        return None
    _check(inner, layer.constructor, built, choice.span)
    templates, index = generalize(inner, built)
    body = templates[index].body
    return Network(
        compiler=f"specc {__version__}",
        name=layer.constructor.name,
        inputs=tuple(Port(name=value.name, type=value.type) for value in body.inputs),
        outputs=(Port(name=_output_name([v.name for v in body.inputs]), type=_type(built)),),
        templates=templates,
        root=index,
        constraints=tuple(inner.constraints.values()),
        devices=declarations(inner, inner.devices.values()),
    )


def _own_context(context: Context) -> Context:
    """A context in which nothing has accumulated but the steps that were taken."""
    return Context(
        sources=context.sources,
        report=context.report,
        bounds=context.bounds,
        evaluate=context.evaluate,
        run_body=context.run_body,
        load=context.load,
        prelude=context.prelude,
        scopes=context.scopes,
        used=context.used,
        assigned=context.assigned,
        steps=context.steps,
        bound=context.bound,
    )


def _built(
    frame: Frame, layer: LayerValue, where: Span, outputs: Sequence[TensorType]
) -> Activation | None:
    constructor = layer.constructor
    assert isinstance(constructor, BlockConstructor)
    definition = constructor.definition
    if definition.inputs is None or len(definition.inputs) != len(outputs) + 1:
        count = len(outputs)
        expected = f"{count} output{'s' * (count != 1)} and the target"
        raise _bad(constructor, where, f"does not take {expected}", "defined here")
    scope = Scope(constructor.scope)
    arguments = layer.arguments or bind_parameters(
        frame, definition.name, definition.hyperparameters, [], {}, where, constructor.scope
    )
    for name, value in arguments.items():
        scope.bind(name, value)
    as_net = BlockConstructor(replace(definition, kind="net"), constructor.scope)
    instance = Instance(as_net, None, "", "", where, arguments)
    activation = Activation(instance, None, None)
    instance.activations.append(activation)
    uses = (Label(where, "used here as the loss"),)
    frame = replace(frame.within(scope), activation=activation, uses=uses)
    try:
        activation.inputs = tuple(
            _input(frame, activation, parameter, type_, outputs, where)
            for parameter, type_ in zip(definition.inputs, (*outputs, None), strict=True)
        )
        results = run_definition(frame, definition)
    except Silent:
        return None
    except Fault as fault:
        frame.recover(fault, definition.name_span)
        return None
    if isinstance(results, Poison):
        return None
    activation.results = results
    return activation


def _input(
    frame: Frame,
    activation: Activation,
    parameter: syntax.Parameter,
    type_: TensorType | None,
    outputs: Sequence[TensorType],
    where: Span,
) -> Tensor:
    """An output of the net, matched against the header, or for None the target."""
    annotation = parameter.annotation
    assert isinstance(annotation, syntax.ShapeAnnotation)
    if iskeyword(parameter.name):
        reason = f"{parameter.name!r} is a keyword of Python"
        raise Fault(ReservedName(where=parameter.name_span, name=parameter.name, reason=reason))
    if type_ is None:
        type_ = _target_type(frame, annotation, outputs)
    else:
        match(
            frame,
            annotation,
            type_,
            frame.scope,
            owner="the loss",
            what=f"input {parameter.name}",
            where=where,
        )
    tensor = activation.tensor(type_, parameter.name_span)
    activation.names[tensor.id] = parameter.name
    frame.scope.bind(parameter.name, tensor, parameter.name_span)
    return tensor


def _target_type(
    frame: Frame, annotation: syntax.ShapeAnnotation, outputs: Sequence[TensorType]
) -> TensorType:
    if any(isinstance(dim, syntax.Ellipsis) for dim in annotation.dims):
        type_ = TensorType(dtype_of(annotation), outputs[0].shape)
        match(
            frame,
            annotation,
            type_,
            frame.scope,
            owner="the loss",
            what="the target",
            where=annotation.span,
        )
        return type_
    # A name that nothing here bears is a size of its own; the net may have another of that name.
    taken = {symbol for type_ in outputs for dim in type_.shape for symbol in symbols_of(dim)}
    for dim in annotation.dims:
        if not isinstance(dim, syntax.Name) or frame.scope.local(dim.name) is not None:
            continue
        if dim.name in taken:
            problem = f"names a size {dim.name} that is the net's, and none of the outputs'"
            raise Fault(BadLoss(where=dim.span, name="this block", problem=problem))
    return declared_type(frame, annotation, frame.scope)


def _check(context: Context, constructor: BlockConstructor, built: Activation, where: Span) -> None:
    for record in context.parameters.values():
        problem = f"owns {record.name}, which no update would change"
        raise _bad(constructor, where, problem, f"{record.name} is declared here", record.span)
    results = built.results or ()
    if len(results) != 1:
        raise _bad(constructor, where, f"gives {len(results)} results", "defined here")
    type_ = results[0].type
    if type_.rank != 0 or not type_.dtype.is_float:
        raise _bad(constructor, where, f"gives {type_}, not one real number", "defined here")


def _type(built: Activation) -> TensorType:
    assert built.results
    return built.results[0].type


def _bad(
    constructor: BlockConstructor, where: Span, problem: str, label: str, place: Span | None = None
) -> Fault:
    because = (Label(place or constructor.definition.name_span, label),)
    return Fault(BadLoss(where=where, because=because, name=constructor.name, problem=problem))


def _output_name(taken: list[str]) -> str:
    name = "loss"
    while name in taken:
        name += "_"
    return name
