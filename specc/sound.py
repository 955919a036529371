"""A network that comes as JSON, held to all that one from a text satisfies."""

from __future__ import annotations

from collections.abc import Mapping

from specc.facts import BadIr
from specc.frontend.diagnostics import SpecError
from specc.frontend.source import Source, Sources
from specc.invariants import verify
from specc.ir.from_json import network_from_json
from specc.ir.graph import Network
from specc.ops.operator import Operator


def sound_network(text: str, operators: Mapping[str, Operator]) -> tuple[Network, Sources]:
    """The network of a JSON text, and the sources that its places refer to.

    Raises SpecError with BadIr where it is no sound network of this version.
    """
    try:
        network = network_from_json(text)
    except ValueError as error:
        raise SpecError([BadIr(problem=str(error)).diagnostic()]) from None
    sources = Sources([Source(file.name, file.text) for file in network.sources])
    problems = verify(network, operators)
    if problems:
        raise SpecError([BadIr(problem=str(p)).diagnostic() for p in problems], sources)
    return network, sources
