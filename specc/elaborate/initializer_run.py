"""The body of an initializer definition under way: an activation that draws, and has no layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from specc.elaborate.facts import BadInitializer
from specc.elaborate.instances import Activation, Built, Instance
from specc.elaborate.values import InitializerDefinition, Tensor
from specc.frontend.diagnostics import Fault
from specc.frontend.source import Span
from specc.frontend.syntax import InitializerDefinition as InitializerSyntax
from specc.ir.defined import computing_type
from specc.ir.initializer import Initializer
from specc.ir.types import DType, TensorType

_SCALAR = TensorType(DType.F32, ())


@dataclass(eq=False)
class InitializerRun(Activation):
    """The body of an initializer definition, run for a parameter of the type ``declared``.

    ``running`` are the definitions whose bodies are under way.
    """

    declared: TensorType = _SCALAR
    draws: list[tuple[Initializer, Tensor]] = field(default_factory=list)
    running: list[InitializerSyntax] = field(default_factory=list)

    @classmethod
    def of(cls, definition: InitializerDefinition, declared: TensorType, span: Span) -> Self:
        """A run that has not begun."""
        instance = Instance(definition, None, "", "", span)
        run = cls(instance, None, None, declared=declared)
        instance.activations.append(run)
        return run

    @property
    def type(self) -> TensorType:
        """The type of what is drawn, and of the result."""
        return computing_type(self.declared)

    def reference(self, built: Built) -> str:
        """Raises a Fault: no layer is within reach."""
        raise Fault(has_no_layers(None))


def has_no_layers(where: Span | None) -> BadInitializer:
    """The fact that an initializer's body makes or uses a layer, or declares state."""
    return BadInitializer(
        where=where,
        problem="an initializer has no layers and no state",
        detail="it computes with operators alone",
    )
