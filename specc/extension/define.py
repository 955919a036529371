"""``op``: an operator of a host's own, from its signature and what it is in PyTorch and ONNX."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from specc.extension.expressions import free_names, value_of
from specc.extension.header import Header, Slot, read
from specc.extension.onnx_forms import onnx_forms
from specc.extension.rule import Infer, Rule
from specc.extension.torch_forms import TorchFunction, torch_form
from specc.frontend import syntax
from specc.initialize.catalogue import CATALOGUE, argument_problem
from specc.ir.initializer import Initializer
from specc.ir.types import DType
from specc.ops.arguments import Kind
from specc.ops.operator import Input, Operator, Reject, Sample, StateSlot, Values
from specc.ops.tolerances import SUMMED


def op(
    signature: str,
    *,
    torch: TorchFunction | None = None,
    module: type | None = None,
    onnx: Any = None,
    state: Sequence[str] = (),
    infer: Infer | None = None,
    kinds: Mapping[str, Kind] | None = None,
    summary: str | None = None,
    details: str = "",
    samples: Sequence[Sample] = (),
    rejects: Sequence[Reject] = (),
    tolerance: Mapping[str, float] = SUMMED,
    library: str | None = None,
    training_only: Sequence[str] = (),
    random: bool = False,
) -> Operator:
    """An operator that ``compile(..., ops=[...])`` takes beside the built-in ones.

    Args:
        signature: As the header of a block: ``"Scale(factor = 1.0)(x: [N, D]) -> [N, D]"``. A
            hyperparameter is a size where a shape names it. An input without a dtype takes any
            floating-point dtype, the same for all of them.
        torch: The function that computes it. It is given the inputs by position, and by name the
            hyperparameters, the state, and where it asks for them sizes of the inputs and
            ``training``. Either one that can be imported, the name of one of torch's, such as
            ``"F.silu"``, or an expression of ``specc.ops.code``.
        module: The ``torch.nn.Module`` class that a layer of it is made from; it is given the
            hyperparameters by name, and sizes of the inputs that it asks for. Its state has the
            names of ``state``. Without ``torch``, state cannot be shared with another layer.
        onnx: A function of builder and site (``specc.ops.builder``) that adds standard nodes; an
            ``OnnxNode`` of another domain; an ``onnx.FunctionProto``; or a map from opsets to such
            forms, each of which holds from its opset on. Without it there is no ONNX form.
        state: What a layer of it owns, declared as in a block: ``"param weight: [D] ~ ones"``,
            ``"buffer mean: [D] ~ zeros"``; ``~ ones if affine else none`` for what may be absent.
        infer: A rule in place of the results in the signature: a function of
            ``specc.ops.operator.Inference`` and the input types that gives the result types.
        kinds: What hyperparameters accept, by name, where the signature cannot say it
            (``specc.ops.arguments``).
        summary: What it does, in a sentence; by default the first line of the docstring.
        details: More, for its page.
        samples: Uses that must agree on all targets, each as ``specc.sample`` gives it;
            ``specc.testing.check_operator`` runs them.
        rejects: Uses that must be refused, each as ``specc.reject`` gives it.
        tolerance: How far the targets may be apart, by dtype: max|a - b| / max|b|.
        library: The path of a library for onnxruntime that runs the node of another domain.
        training_only: Hyperparameters that change nothing outside of training.
        random: Whether it draws at random while training.

    Raises:
        SpecError: where the signature or the state does not parse.
        ValueError: where the parts do not go together, or the source could not import a function.
        TypeError: for an ``onnx`` that is none of these.

    >>> swish = op("swish2(x: [...]) -> [...]", torch="F.silu", summary="x times its sigmoid.")
    >>> swish.name, swish.arity
    ('swish2', (1, 1))
    """
    header = read(signature, state, kinds or {})
    form = torch_form(header, torch, module)
    slots = {name for slot in header.slots for name in slot.names} & header.sizes
    _check(header, infer)
    arguments = {argument.name: argument for argument in header.arguments}
    for name in training_only:
        arguments[name] = replace(arguments[name], training_only=True)
    caller = sys._getframe(1)
    return Operator(
        name=header.name,
        summary=summary or _first_line(torch if callable(torch) else module),
        details=details,
        inputs=tuple(Input(pattern.name) for pattern in header.inputs),
        arguments=tuple(arguments.values()),
        state=tuple(_state_slot(slot) for slot in header.slots),
        infer=Rule(
            header,
            tuple(sorted(slots | form.sizes)),
            infer,
            None if form.any_dtype else DType.F32,
        ),
        torch=form.torch,
        onnx=onnx_forms(header, onnx),
        layer=bool(header.slots) or torch is None,
        samples=tuple(samples),
        rejects=tuple(rejects),
        tolerance=tolerance,
        library=library,
        random=random,
        home=caller.f_globals.get("__name__", ""),
    )


def _check(header: Header, infer: Infer | None) -> None:
    """Requires that all names mean something. Raises ValueError."""
    if not header.results and infer is None:
        raise ValueError(f"{header.name} has no result: write `-> [N, D]`, or give `infer`")
    hyperparameters = {argument.name for argument in header.arguments}
    known = hyperparameters | header.sizes
    if clash := {pattern.name for pattern in header.inputs} & known:
        raise ValueError(f"{min(clash)!r} of {header.name} is an input and something else")
    for pattern in (*header.inputs, *header.results):
        _check_dims(pattern.dims, known)
    leading = any(isinstance(d, syntax.Ellipsis) for p in header.inputs for d in p.dims)
    for result in header.results:
        for dim in result.dims:
            if isinstance(dim, syntax.Wildcard) or (
                isinstance(dim, syntax.Ellipsis) and not leading
            ):
                raise ValueError(f"a result of {header.name} has a size that nothing gives")
    for slot in header.slots:
        _check_dims(slot.dims, known)
        _check_initializer(slot)
        for name in slot.names - {*CATALOGUE, *known}:
            raise ValueError(f"{slot.name} of {header.name} depends on {name!r}, which is unknown")


def _check_dims(dims: Iterable[syntax.Expression], known: set[str]) -> None:
    for dim in dims:
        if isinstance(dim, syntax.Binary) and dim.operator == "/":
            raise ValueError("in a signature a size is divided by `//`")
        for name in free_names(dim):
            if name not in known:
                raise ValueError(f"{name!r} is no hyperparameter, and no size of an input")


def _check_initializer(slot: Slot) -> None:
    node = slot.initializer
    name = node.callee if isinstance(node, syntax.Call) else node
    if not isinstance(name, syntax.Name) or name.name not in CATALOGUE:
        raise ValueError(f"{slot.name} starts by one of {', '.join(sorted(CATALOGUE))}")


def _state_slot(slot: Slot) -> StateSlot:
    def shape(values: Values) -> tuple[int, ...]:
        return tuple(value_of(dim, values) for dim in slot.dims)

    def initializer(values: Values) -> Initializer:
        return _initializer(slot.initializer, values)

    def when(values: Values) -> bool:
        return slot.condition is None or bool(value_of(slot.condition, values))

    role = "buffer" if slot.role == "buffer" else "parameter"
    return StateSlot(slot.name, shape, initializer, role, when)  # type: ignore[arg-type]


def _initializer(node: syntax.Expression, values: Values) -> Initializer:
    if isinstance(node, syntax.Name):
        return Initializer(name=node.name)
    assert isinstance(node, syntax.Call)
    assert isinstance(node.callee, syntax.Name)
    names = [argument.name for argument in CATALOGUE[node.callee.name].arguments]
    given = {
        argument.name or names[position]: value_of(argument.value, values)
        for position, argument in enumerate(node.arguments)
    }
    made = Initializer(name=node.callee.name, arguments=given)
    if (problem := argument_problem(made)) is not None:
        raise ValueError(f"{node.callee.name} {problem}")
    return made


def _first_line(documented: Callable[..., Any] | None) -> str:
    text = inspect.getdoc(documented) if documented is not None else None
    if not text:
        raise ValueError("an operator needs a `summary`: what it does, in a sentence")
    return text.partition("\n")[0]
