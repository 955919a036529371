"""Devices: where nodes run, and how tensors get there.

What stands under an ``on`` runs there. Anything else runs where its first operand is, a layer that
was applied before where it is. Other operands are brought there, each once in a body (or in a
branch or turn of a loop). In a body all names of devices are relative: ``HERE`` is where the
body's inputs are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from specc.elaborate.context import Context, Frame
from specc.elaborate.facts import BadInitializer, DeviceConflict, DuplicateName, WrongType
from specc.elaborate.initializer_run import InitializerRun
from specc.elaborate.instances import Activation, Built, Instance
from specc.elaborate.raw import RawTransfer
from specc.elaborate.values import (
    BlockConstructor,
    Builtin,
    DeviceValue,
    LayerValue,
    ListValue,
    OperatorConstructor,
    Poison,
    StateReference,
    Tensor,
    TupleValue,
    Value,
    describe,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.source import Span
from specc.ir.graph import HERE, DeviceDeclaration


def on_device(frame: Frame, node: syntax.Expression) -> Frame | None:
    """The frame in which ``on node`` is evaluated; None where the device is wrong and reported."""
    value = frame.evaluate(node)
    if isinstance(value, Poison):
        return None
    if isinstance(frame.activation, InitializerRun):
        problem = "an initializer is on no device: its values are the same on all"
        raise Fault(BadInitializer(where=node.span, problem=problem))
    if not isinstance(value, DeviceValue):
        raise Fault(
            WrongType(
                where=node.span,
                what="what stands behind `on`",
                expected="a device",
                found=describe(value),
                advice="declare one at the top of the file: `device name = cuda:0 | cpu`",
            )
        )
    use(frame, value, node.span)
    return replace(frame, device=value.name)


def use(frame: Frame, device: DeviceValue, span: Span) -> None:
    """Takes a device into the network. Raises a Fault where another one is called so."""
    known = frame.context.devices.setdefault(device.name, device)
    if known.alternatives != device.alternatives:
        because = (Label(known.span, "the first"), Label(device.span, "the second"))
        raise Fault(DuplicateName(where=span, because=because, name=device.name))


def declarations(context: Context, devices: Iterable[DeviceValue]) -> tuple[DeviceDeclaration, ...]:
    """Devices as a network declares them, those that are bound from outside with that alone."""
    return tuple(
        DeviceDeclaration(
            name=device.name,
            alternatives=(context.bound[device.name],)
            if device.name in context.bound
            else device.alternatives,
            span=device.span,
        )
        for device in devices
    )


def is_layer(value: Value) -> bool:
    """Whether ``on`` places the value itself: it is a layer, and not yet its results."""
    if isinstance(value, Builtin):
        return value.operator is not None
    if isinstance(value, TupleValue | ListValue):
        entries = (item.value for item in value.items)
        return not any(isinstance(entry, Tensor | StateReference) for entry in entries)
    return isinstance(value, LayerValue | OperatorConstructor | BlockConstructor)


def put(layer: LayerValue, device: str, span: Span) -> None:
    """Says where a layer is. Raises a Fault where that has been said otherwise."""
    if layer.device is not None and layer.device != device:
        raise Fault(_conflict(layer.constructor.name, layer.span, layer.device, device, span))
    layer.device = device


def device_for(
    frame: Frame, layer: LayerValue | None, tensors: tuple[Tensor, ...], span: Span
) -> str:
    """The device, as the body under way calls it, that operands have to be on.

    Raises a Fault where a layer that is on one device would have to be on another.
    """
    activation = frame.activation
    assert activation is not None
    if layer is not None and layer.built is not None:
        found = device_of(activation, layer.built, span)
        wanted = frame.device
        if wanted is not None and _absolute(activation, wanted) != layer.built.absolute_device:
            built = layer.built
            raise Fault(
                _conflict(layer.constructor.name, built.span, built.absolute_device, wanted, span)
            )
        return found
    if frame.device is not None:
        return frame.device
    return activation.devices.get(tensors[0].id, HERE) if tensors else HERE


def device_of(activation: Activation, built: Built, span: Span) -> str:
    """Where a layer is, as a body calls it. Raises a Fault where it has no word for it."""
    device = HERE
    owner: Built | None = built
    while owner is not None and owner is not activation.instance:
        device = device or owner.device
        owner = owner.owner
    if owner is activation.instance:
        return device
    found = built.absolute_device
    here = activation.instance.absolute_device
    if found == here:
        return HERE
    if found == HERE:
        kind = built.kind if isinstance(built, Instance) else built.operator.name
        raise Fault(_conflict(kind, built.span, found, here, span))
    return found


def _absolute(activation: Activation, device: str) -> str:
    return device or activation.instance.absolute_device


def _conflict(kind: str, made: Span, found: str, wanted: str, span: Span) -> DeviceConflict:
    because = (Label(made, "the layer"),) if made != span else ()
    return DeviceConflict(where=span, because=because, kind=kind, found=found, wanted=wanted)


def bring(frame: Frame, tensors: tuple[Tensor, ...], device: str, span: Span) -> tuple[Tensor, ...]:
    """The tensors on a device, each moved there once."""
    activation = frame.activation
    if activation is None or not (activation.devices or device):
        return tensors  # nothing in this body is anywhere else
    return tuple(_moved(frame, activation, tensor, device, span) for tensor in tensors)


def _moved(frame: Frame, activation: Activation, tensor: Tensor, device: str, span: Span) -> Tensor:
    if activation.devices.get(tensor.id, HERE) == device:
        return tensor
    key = (tensor.id, device)
    if key not in activation.transfers:
        frame.context.count_node(span)
        moved = activation.tensor(tensor.type, tensor.origin, device)
        activation.nodes.append(RawTransfer(device, (tensor.id,), (moved,), span))
        activation.transfers[key] = moved
    return activation.transfers[key]
