"""From a syntax tree to a network: the entry to the elaborator."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from specc.elaborate import evaluate as evaluation
from specc.elaborate.binding import bind_parameters
from specc.elaborate.bodies import run_body, run_definition
from specc.elaborate.bounds import Bounds
from specc.elaborate.context import Context, Frame, OutOfBounds
from specc.elaborate.facts import (
    BadDevice,
    MissingArgument,
    NoInputs,
    ReservedName,
    UnknownArgument,
    UnknownDevice,
    UnknownNet,
)
from specc.elaborate.files import Load, define, prelude
from specc.elaborate.generalize import generalize
from specc.elaborate.init_rules import collect_rules
from specc.elaborate.instances import Activation, Instance
from specc.elaborate.interface import (
    as_attributes,
    hyperparameter_from_python,
    output_names,
    port_names,
    value_of_text,
)
from specc.elaborate.layers import Results
from specc.elaborate.placement import declarations
from specc.elaborate.recipe import recipe_of
from specc.elaborate.scope import Scope
from specc.elaborate.signature import declared_type
from specc.elaborate.starts import Origin, resolve_parameters
from specc.elaborate.unused import warn_of_unused
from specc.elaborate.values import (
    BlockConstructor,
    DeviceValue,
    Poison,
    Value,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label, Report
from specc.frontend.source import Sources, Span
from specc.ir.devices import problem_with_device
from specc.ir.graph import DeviceDeclaration, Network, Port, SourceFile
from specc.ops.operator import Operator
from specc.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECURSION = 12_000  # Python frames for the deepest nesting that Bounds.depth admits


@dataclass(frozen=True)
class Elaborated:
    """A network, and why each of its parameters starts as it does."""

    network: Network
    origins: Mapping[str, Origin]


def modules_of(file: syntax.File, kind: str) -> tuple[syntax.ModuleDefinition, ...]:
    """The nets, or the blocks, that a file defines."""
    return tuple(
        definition
        for definition in file.definitions
        if isinstance(definition, syntax.ModuleDefinition) and definition.kind == kind
    )


def elaborate(
    file: syntax.File,
    sources: Sources,
    report: Report,
    *,
    net: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    settings: Mapping[str, syntax.Expression] | None = None,
    inputs: Sequence[str] = (),
    devices: Mapping[str, str] | None = None,
    load: Load | None = None,
    bounds: Bounds | None = None,
    operators: Mapping[str, Operator] | None = None,
) -> Elaborated | None:
    """Compiles one net of a file. None where the report has errors.

    ``hyperparameters`` are plain Python values for the net's header, ``settings`` expressions for
    its recipe, both given from outside. ``inputs`` names the optional inputs that it is to have;
    the others are left out. ``devices`` has the physical device for each logical one that is bound
    from outside. ``load`` finds the files that are imported. ``operators`` is the table of
    operators, by default the built-in ones.
    """
    context = Context(
        sources=sources,
        report=report,
        bounds=bounds or Bounds(),
        evaluate=evaluation.evaluate,
        run_body=run_body,
        load=load,
        prelude=prelude(operators),
        bound=devices or {},
    )
    with _room():
        try:
            return _elaborate(context, file, net, hyperparameters or {}, settings or {}, inputs)
        except OutOfBounds as fault:
            report.add(fault.fact)
            return None
        except Fault as fault:
            report.add(fault.fact)
            return None


@contextmanager
def _room() -> Iterator[None]:
    """Room for nested expressions, whose depth is bounded, but beyond Python's default.

    Nothing that elaboration builds is garbage before it ends, and a collector that looks for some
    all the same takes most of the time that a net of 100,000 layers needs; so it rests.
    """
    recursion, collecting = sys.getrecursionlimit(), gc.isenabled()
    sys.setrecursionlimit(max(recursion, _RECURSION))
    gc.disable()
    try:
        yield
    finally:
        sys.setrecursionlimit(recursion)
        if collecting:
            gc.enable()


def _elaborate(
    context: Context,
    file: syntax.File,
    net: str | None,
    hyperparameters: Mapping[str, Any],
    settings: Mapping[str, syntax.Expression],
    inputs: Sequence[str],
) -> Elaborated | None:
    scope = Scope(context.prelude)
    frame = Frame(context, scope)
    define(frame, file)
    definition = _pick(file, net)
    for item in file.definitions:
        if isinstance(item, syntax.InitDefinition):
            collect_rules(frame, item.rules, None)
    built = None
    try:
        built = _build_net(frame, definition, scope, hyperparameters, inputs)
    except Fault as fault:
        frame.recover(fault, definition.name_span)
    declared = _devices(frame)
    # A pattern that matches nothing is no error of its own where the net is wrong.
    complete = built is not None and not _failed(context)
    outputs = [result.type for result in built[0].results or ()] if complete and built else None
    recipe, loss = recipe_of(frame, file, definition, settings, outputs=outputs)
    parameters, origins = resolve_parameters(context, complete=complete)
    if built is None or _failed(context):
        return None
    root, values = built
    warn_of_unused(context)
    templates, index = generalize(context, root)
    if _failed(context):
        return None
    body = templates[index].body
    types = {value.id: value.type for value in body.inputs}
    for node in body.nodes:
        types |= {value.id: value.type for value in node.results}
    network = Network(
        compiler=f"specc {__version__}",
        name=definition.name,
        sources=tuple(SourceFile(name=s.name, text=s.text) for s in context.sources.files),
        hyperparameters=as_attributes(values),
        inputs=tuple(Port(name=value.name, type=value.type) for value in body.inputs),
        outputs=tuple(
            Port(name=name, type=types[id_])
            for name, id_ in zip(
                output_names(definition, len(body.results), set(context.parameters)),
                body.results,
                strict=True,
            )
        ),
        templates=templates,
        root=index,
        parameters=parameters,
        aliases=context.aliases,
        constraints=tuple(context.constraints.values()),
        devices=declared,
        recipe=recipe,
        loss=loss,
    )
    return Elaborated(network, origins)


def _devices(frame: Frame) -> tuple[DeviceDeclaration, ...]:
    """The devices of the file, then those of others that are used, with what they are bound to."""
    values = [binding.value for binding in frame.scope.names.values()]
    found = {value.name: value for value in values if isinstance(value, DeviceValue)}
    found |= frame.context.devices
    for name, device in frame.context.bound.items():
        if name not in found:
            frame.report(UnknownDevice(name=name, known=tuple(found)))
        elif problem_with_device(device) is not None:
            frame.report(BadDevice(name=device))
    return declarations(frame.context, found.values())


def _failed(context: Context) -> bool:
    return context.report.failed


def _pick(file: syntax.File, net: str | None) -> syntax.ModuleDefinition:
    nets = modules_of(file, "net")
    names = tuple(definition.name for definition in nets)
    if net is None and len(set(names)) == 1:
        return nets[0]
    for definition in nets:
        if definition.name == net:
            return definition
    others = [d for d in file.definitions if isinstance(d, syntax.ModuleDefinition)]
    where = next((d.name_span for d in (*nets, *others)), file.span)
    because = tuple(Label(other.name_span, "another net") for other in nets[1:4])
    raise Fault(UnknownNet(where=where, because=because, name=net, nets=names))


# ---- the net -------------------------------------------------------------------------------------


def _need_all(definition: syntax.ModuleDefinition, given: Mapping[str, tuple[Value, Span]]) -> None:
    """Refuses a net whose hyperparameters have no values: most often an input without a shape."""
    missing = [p for p in definition.hyperparameters if p.default is None and p.name not in given]
    if missing:
        name = missing[0].name
        raise Fault(
            MissingArgument(
                where=missing[0].name_span,
                owner=definition.name,
                names=tuple(parameter.name for parameter in missing),
                advice=f"an input has a shape, `{name}: [N, 10]`; a hyperparameter has a default, "
                f"or is given by `--set {name}=...`",
            )
        )


def _build_net(
    frame: Frame,
    definition: syntax.ModuleDefinition,
    scope: Scope,
    hyperparameters: Mapping[str, Any],
    wanted: Sequence[str],
) -> tuple[Activation, dict[str, Value]] | None:
    constructor = BlockConstructor(definition, scope)
    instance = Instance(constructor, None, "", "", definition.name_span)
    activation = Activation(instance, None, None)
    instance.activations.append(activation)
    given: dict[str, tuple[Value, Span]] = {}
    parameters = {parameter.name: parameter for parameter in definition.hyperparameters}
    for name, value in hyperparameters.items():
        if isinstance(value, syntax.Expression):  # as written behind --set
            given[name] = (frame.evaluate(value), value.span)
        else:
            converted = hyperparameter_from_python(value, parameters.get(name))
            given[name] = (converted, definition.name_span)
    _need_all(definition, given)

    def read(name: str, text: str) -> tuple[Value, Span]:
        if isinstance(hyperparameters[name], syntax.Expression):  # a string behind --set
            return text, given[name][1]
        return value_of_text(frame, name, text)

    values = bind_parameters(
        frame,
        definition.name,
        definition.hyperparameters,
        [],
        given,
        definition.name_span,
        scope,
        read=read,
    )
    instance.arguments = values
    body = Scope(scope)
    for name, value in values.items():
        body.bind(name, value)
    inner = Frame(frame.context, body, activation)
    if definition.inputs is None:
        raise Fault(NoInputs(where=definition.name_span, name=definition.name))
    _check_wanted(definition, wanted)
    inputs = []
    for name, span in port_names(definition):
        if iskeyword(name):
            reason = f"{name!r} is a keyword of Python"
            raise Fault(ReservedName(where=span, name=name, reason=reason))
    for parameter in definition.inputs:
        if parameter.default is not None and parameter.name not in wanted:
            body.bind(parameter.name, None, parameter.name_span)
            continue
        assert isinstance(parameter.annotation, syntax.ShapeAnnotation)
        type_ = declared_type(inner, parameter.annotation, body)
        tensor = activation.tensor(type_, parameter.name_span)
        activation.names[tensor.id] = parameter.name
        body.bind(parameter.name, tensor, parameter.name_span)
        inputs.append(tensor)
    activation.inputs = tuple(inputs)
    results: Results = run_definition(inner, definition)
    if isinstance(results, Poison):
        return None
    activation.results = results
    return activation, values


def _check_wanted(definition: syntax.ModuleDefinition, wanted: Sequence[str]) -> None:
    """Every input that is asked for from outside is one. Raises a Fault."""
    known = tuple(parameter.name for parameter in definition.inputs or ())
    for name in wanted:
        if name not in known:
            raise Fault(
                UnknownArgument(
                    where=definition.name_span,
                    owner=definition.name,
                    name=name,
                    known=known,
                    what="input",
                )
            )
