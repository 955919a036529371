"""Why a parameter starts as it does: the rule that won, what it beat, and the edits after it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from specc.elaborate.starts import Origin
from specc.frontend.diagnostics import Fault
from specc.frontend.excerpt import printable
from specc.frontend.facts import UnknownName
from specc.frontend.source import Sources, Span
from specc.ir.graph import Network, Parameter
from specc.summary.columns import aligned


@dataclass(frozen=True)
class Reason:
    """One text that has a say in how a parameter starts.

    ``kind`` is ``"inline"`` for what is written at the layer, ``"rule"`` for one of an ``init``
    block, ``"own"`` for the ``~`` of a ``param``, ``"kind"`` for how every layer of its kind
    starts, ``"edit"`` for a change after all of these, and ``"compiled"`` where the network comes
    from a file that keeps the result alone. ``text`` is the rule as it is written; ``place`` is
    ``"mlp.net:7:5"``.
    """

    kind: Literal["inline", "rule", "own", "kind", "edit", "compiled"]
    text: str
    place: str


@dataclass(frozen=True)
class Why:
    """How a parameter starts: what ``won``, what that beat, the strongest first, and the edits."""

    name: str
    layer: str
    won: Reason
    beaten: tuple[Reason, ...] = field(default=())
    edits: tuple[Reason, ...] = field(default=())


def why(network: Network, origins: Mapping[str, Origin], sources: Sources, name: str) -> Why:
    """The story of one parameter, by any of its names. Raises a Fault where there is none."""
    parameters = {parameter.name: parameter for parameter in network.parameters}
    owner = network.aliases.get(name, name)
    if owner not in parameters:
        raise Fault(UnknownName(name=name, known=(*parameters, *network.aliases)))
    parameter, origin = parameters[owner], origins.get(owner)
    if origin is None:
        return _of_result(parameter, sources)
    won, *beaten = (Reason(c.kind, c.text, sources.locate(c.span)) for c in origin.candidates)
    edits = tuple(Reason("edit", one_line(sources, s), sources.locate(s)) for s in origin.edits)
    return Why(owner, parameter.layer, won, tuple(beaten), edits)


def _of_result(parameter: Parameter, sources: Sources) -> Why:
    place = "" if parameter.span is None else sources.locate(parameter.span)
    edits = tuple(Reason("edit", str(edit), place) for edit in parameter.edits)
    won = Reason("compiled", str(parameter.initializer), place)
    return Why(parameter.name, parameter.layer, won, edits=edits)


def one_line(sources: Sources, span: Span) -> str:
    """The text of a span, its white space closed up."""
    return " ".join(sources.text(span).split())


# ---- for people, and for programs ----------------------------------------------------------------

_KINDS = {
    "inline": "at the layer",
    "rule": "a rule",
    "own": "the parameter's own",
    "edit": "an edit",
    "compiled": "as compiled",
}


def table(stories: Sequence[Why]) -> str:
    """A paragraph a parameter: what won, what it beat, and what then changes it."""
    return "\n\n".join(_paragraph(story) for story in stories)


def _paragraph(story: Why) -> str:
    entries = [("won", story.won)]
    entries += [("beat", reason) for reason in story.beaten]
    entries += [("then", reason) for reason in story.edits]
    rows = []
    for verb, reason in entries:
        kind = _KINDS.get(reason.kind, f"every {story.layer}")
        rows.append(["", verb, printable(reason.text), kind, printable(reason.place)])
    return "\n".join([printable(story.name), *aligned(rows, [False] * 5)])


def json_lines(stories: Sequence[Why]) -> str:
    """A JSON object a line."""
    return "\n".join(json.dumps(asdict(story)) for story in stories)
