"""What an ONNX file says of where it comes from."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePosixPath, PureWindowsPath

from specc.frontend.source import Source, Span
from specc.ir.attributes import encode_attributes
from specc.ir.conditions import conditions
from specc.ir.graph import Network
from specc.targets.onnx.names import encodable
from specc.version import __version__


def sha256_of(network: Network) -> str | None:
    """The hash of the spec's text, in hexadecimal; None for a network that has no text.

    Of several files it is the hash of what ``sha256sum FILE...`` prints for them.
    """
    sources = [Source(file.name, file.text) for file in network.sources]
    if len(sources) <= 1:
        return sources[0].sha256 if sources else None
    lines = (f"{source.sha256}  {source.name}\n" for source in sources)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def model_metadata(network: Network, seed: int | None, *, strip: bool = False) -> dict[str, str]:
    """The model's own properties. ``seed`` is None where the weights did not come from one.

    ``specc.sizes`` says at which sizes the graph works, a condition a line, and
    ``specc.hyperparameters`` the net's own as a JSON object, as the IR writes them. ``strip``
    leaves out the conditions' reasons, since they quote the spec, and the hyperparameters.
    """
    properties = {"specc.version": __version__, "specc.net": network.name}
    if sizes := conditions(network):
        properties["specc.sizes"] = "\n".join(c.partition(":")[0] if strip else c for c in sizes)
    if network.hyperparameters and not strip:
        properties["specc.hyperparameters"] = json.dumps(
            encode_attributes(network.hyperparameters), ensure_ascii=False, separators=(",", ":")
        )
    if (digest := sha256_of(network)) is not None:
        properties["specc.sha256"] = digest
    if seed is not None:
        properties["specc.seed"] = str(seed)
    return {key: encodable(value) for key, value in properties.items()}


class Locations:
    """Places in the spec's texts as ``lenet.net:3:10``; never a folder of this machine."""

    def __init__(self, network: Network, *, strip: bool = False) -> None:
        files = () if strip else network.sources
        self._sources = [Source(_relative(file.name), file.text) for file in files]

    def properties(self, span: Span | None) -> dict[str, str]:
        """The properties of a node that stems from ``span``."""
        if span is None or not 0 <= span.file < len(self._sources):
            return {}
        source = self._sources[span.file]
        line, column = source.position(span.start)
        return {"specc.span": encodable(f"{source.name}:{line}:{column}")}


def _relative(name: str) -> str:
    for path in (PurePosixPath(name), PureWindowsPath(name)):
        if path.is_absolute() or path.drive or ".." in path.parts:
            return path.name
    return name
