"""Exports the handwritten ResNet-152 as ``torch.onnx.export`` does, in a process of its own."""

from __future__ import annotations

import sys

import torch

from bench.by_hand import MLP
from bench.resnet_by_hand import ResNet152


def main() -> None:
    """``python -m bench.export_worker OUT.onnx``, with ``--tiny`` a small network."""
    tiny = "--tiny" in sys.argv
    model = MLP() if tiny else ResNet152()
    x = torch.randn(2, 64) if tiny else torch.randn(2, 3, 224, 224)
    torch.onnx.export(
        model.eval(),
        (x,),
        sys.argv[1],
        dynamo=True,
        external_data=False,
        dynamic_shapes=({0: torch.export.Dim("N")},),
    )


if __name__ == "__main__":
    main()
