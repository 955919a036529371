"""What a weight file that specc writes says of itself, so that the architecture travels along."""

from __future__ import annotations

from specc.frontend.source import Source
from specc.ir.graph import Network

IR_KEY = "specc.ir"
"""The network as JSON, from which program and module are made again."""


def weight_metadata(network: Network) -> dict[str, str]:
    """The compiler's version, the net's name, its IR, and the spec's text with its hash.

    The text is that of the first source, the file that was compiled; it is there to be read, and
    nothing is rebuilt from it.
    """
    first = network.sources[0] if network.sources else None
    return {
        "specc.compiler": network.compiler,
        "specc.net": network.name,
        IR_KEY: network.model_dump_json(),
        "specc.text": first.text if first else "",
        "specc.sha256": Source(first.name, first.text).sha256 if first else "",
    }
