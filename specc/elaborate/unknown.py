"""Names that nothing in scope bears."""

from __future__ import annotations

from specc.elaborate.context import Frame
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.facts import UnknownName, nearest
from specc.initialize.catalogue import CATALOGUE


def require_known(frame: Frame, applied: syntax.Expression) -> None:
    """A name that is called or applied is one of something. Raises a Fault."""
    if not isinstance(applied, syntax.Name) or frame.scope.find(applied.name) is not None:
        return
    if applied.name not in CATALOGUE and applied.name != "training":  # which no scope binds
        raise Fault(unknown_name(frame, applied, applied=True))


def unknown_name(frame: Frame, node: syntax.Name, *, applied: bool = False) -> UnknownName:
    """The fact, with the name that was probably meant; ``applied``, where a layer is expected."""
    known = tuple(frame.scope.visible())
    close = nearest(node.name, known)
    binding = frame.scope.find(close) if close is not None else None
    because: tuple[Label, ...] = ()
    if binding is not None and binding.span is not None:
        because = (Label(binding.span, f"{close!r} is defined here"),)
    return UnknownName(
        where=node.span, because=because, name=node.name, known=known, applied=applied
    )
