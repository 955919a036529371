"""Exports torchvision's ResNet as ``torch.onnx.export`` does, in a process of its own."""

from __future__ import annotations

import sys

import torch

from bench.published import resnet


def main() -> None:
    """``python -m bench.export_worker OUT.onnx DEPTH``."""
    file, depth = sys.argv[1:]
    torch.onnx.export(
        resnet(int(depth)).eval(),
        (torch.randn(2, 3, 224, 224),),
        file,
        dynamo=True,
        external_data=False,
        dynamic_shapes=({0: torch.export.Dim("N")},),
    )


if __name__ == "__main__":
    main()
