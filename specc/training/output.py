"""The folder that a run leaves: the weights with their architecture, the numbers, the curves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from specc.frontend.diagnostics import Fault
from specc.ir.graph import Network
from specc.targets.torch import state_arrays
from specc.training.plot import save_curves
from specc.training.result import Epoch
from specc.weights.facts import CannotWrite
from specc.weights.files import atomic_write
from specc.weights.metadata import weight_metadata
from specc.weights.safetensors import SINGLE_NAME, write_weights

METRICS_NAME = "metrics.jsonl"
CURVES_NAME = "curves.png"


class Folder:
    """One run's output. ``metrics.jsonl`` grows line by line; the other files appear at the end."""

    def __init__(self, path: Path, network: Network) -> None:
        self.path = path
        self.network = network
        self.metrics = path / METRICS_NAME

    @classmethod
    def create(cls, path: Path, network: Network) -> Folder:
        """Makes the folder where it is missing, and begins ``metrics.jsonl`` anew.

        Raises Fault with CannotWrite.
        """
        folder = cls(path, network)
        try:
            path.mkdir(parents=True, exist_ok=True)
            folder.metrics.write_text("", encoding="utf-8")
        except OSError as error:
            raise _refused(path, error) from error
        return folder

    def record(self, epoch: Epoch) -> None:
        """Adds a line to ``metrics.jsonl``; it is on its way to the disk when this returns."""
        try:
            with self.metrics.open("a", encoding="utf-8") as file:
                file.write(_line(epoch))
        except OSError as error:
            raise _refused(self.metrics, error) from error

    def finish(self, module: nn.Module, epochs: Sequence[Epoch]) -> dict[str, Path]:
        """Writes weights, numbers and curves, each whole or not at all; gives all paths.

        The numbers are written anew: Ctrl-C may have come before the last epoch's line, or within.

        Raises Fault with CannotWrite.
        """
        paths = {"weights": self.path / SINGLE_NAME, "metrics": self.metrics}
        write_weights(
            paths["weights"], state_arrays(module, self.network), weight_metadata(self.network)
        )
        with atomic_write(self.metrics) as staged:
            staged.write_text("".join(map(_line, epochs)), encoding="utf-8")
        if epochs:
            paths["curves"] = self.path / CURVES_NAME
            with atomic_write(paths["curves"]) as staged:
                save_curves(staged, self.network.name, epochs)
        return paths


def _line(epoch: Epoch) -> str:
    return json.dumps(epoch.flat()) + "\n"


def _refused(path: Path, error: OSError) -> Fault:
    reason = error.strerror or type(error).__name__
    return Fault(CannotWrite(path=str(path), reason=reason))
