"""``param``, ``const`` and their like: state that a block itself declares."""

from __future__ import annotations

from specc.elaborate.building import add_parameter, claim_state
from specc.elaborate.context import Frame, ParameterRecord
from specc.elaborate.evaluate import evaluate
from specc.elaborate.facts import SharingFault, WrongType
from specc.elaborate.initializers import Start, initializer_value
from specc.elaborate.instances import Activation, DeclaredState
from specc.elaborate.operands import is_tensor
from specc.elaborate.operate import as_tensor
from specc.elaborate.signature import dtype_of, match, size_of
from specc.elaborate.values import StateReference, Tensor, describe, is_poisoned
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault
from specc.frontend.facts import UnknownSize
from specc.ir.graph import HERE
from specc.ir.initializer import Initializer
from specc.ir.names import join
from specc.ir.types import TensorType

_ROLES = {"param": "parameter", "buffer": "buffer", "const": "constant"}


def declare(frame: Frame, node: syntax.StateDeclaration) -> None:
    """Declares state of the block under way and binds its name."""
    activation = frame.activation
    assert activation is not None
    if node.value is not None:
        _constant(frame, node)
        return
    if node.shape is None:
        raise Fault(
            WrongType(
                where=node.name_span, what=node.name, expected="given a shape", found="without one"
            )
        )
    type_ = _state_type(frame, node.shape, node.name)
    if node.role == "param" and not type_.dtype.is_float:
        raise Fault(
            WrongType(
                where=node.shape.span,
                what="the dtype of a param",
                expected="a float, since it is trained",
                found=type_.dtype.value,
                advice=f"write `const {node.name}: ... ~ ...` for numbers that are not trained",
            )
        )
    initializer: Start | None = Initializer(name="zeros")
    if node.initializer is not None:
        initializer = initializer_value(frame, node.initializer)
    claim_state(frame, activation, node.name, node.name_span)
    if not activation.replays:
        declared = DeclaredState(node.name, _ROLES[node.role], type_, node.name_span)  # type: ignore[arg-type]
        declared.device = frame.device or HERE
        activation.instance.state[node.name] = declared
        activation.innermost.state[node.name] = declared
        if initializer is not None:
            _record(frame, activation, declared, initializer)
    elif (first := activation.instance.state.get(node.name)) is None or first.type != type_:
        before = first.type if first else "none"
        raise Fault(
            SharingFault(
                where=node.name_span,
                problem=f"the same {node.name} cannot serve both inputs: "
                f"it was {before} before, and is {type_} here",
                advice="apply the constructor at each place for a block of its own",
            )
        )
    if node.role == "buffer":
        activation.buffers[node.name] = type_
    reference = StateReference(activation.instance, node.name, type_, node.name_span)
    frame.context.assigned.setdefault(node.name_span, node.name)
    frame.scope.bind(node.name, reference, node.name_span)


def _state_type(frame: Frame, shape: syntax.ShapeAnnotation, name: str) -> TensorType:
    sizes = []
    for node in shape.dims:
        size = size_of(frame, node, frame.scope)
        if not isinstance(size, int):
            raise Fault(
                UnknownSize(operator=name, where=node.span, what=f"a dim of {name}", size=str(size))
            )
        if size < 0:
            raise Fault(
                WrongType(where=node.span, what="a dim", expected="at least 0", found=str(size))
            )
        sizes.append(size)
    return TensorType(dtype_of(shape), tuple(sizes))


def _record(frame: Frame, activation: Activation, state: DeclaredState, initializer: Start) -> None:
    layer = activation.innermost
    inline = layer.inline.get(state.name)
    add_parameter(
        frame,
        ParameterRecord(
            name=join(layer.path, state.name),
            role=state.role,
            type=state.type,
            default=initializer,
            edits=(),
            inline=(inline.initializer, inline.span) if inline else None,
            layer=activation.instance.kind,
            slot=state.name,
            owner=layer,
            span=state.span,
        ),
    )


def _constant(frame: Frame, node: syntax.StateDeclaration) -> None:
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
    if node.shape is not None and not is_tensor(value) and not is_poisoned(value):
        raise Fault(
            WrongType(
                where=node.value.span,
                what=f"a const with a shape, {node.name},",
                expected="a tensor",
                found=describe(value),
            )
        )
    if is_tensor(value) and node.shape is not None:
        tensor = as_tensor(frame, value, node.value.span)
        assert isinstance(tensor, Tensor)
        match(
            frame,
            node.shape,
            tensor.type,
            frame.scope,
            owner="the constant",
            what=node.name,
            where=node.value.span,
        )
    frame.context.assigned.setdefault(node.name_span, node.name)
    frame.scope.bind(node.name, value, node.name_span)
    if isinstance(value, Tensor) and frame.activation is not None:
        frame.activation.names.setdefault(value.id, node.name)
