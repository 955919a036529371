"""Runs a trained network's ONNX file on the test images, and compares it with PyTorch.

    python docs/examples/run_onnx.py runs/lenet

The folder holds ``model.safetensors``, as `specc train` leaves it, and an ``.onnx`` file that
`specc build` made from those weights. Onnxruntime needs that file alone; the weight file is here
for the comparison, since the architecture and the recipe travel in it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch

import specc
from specc.training.fit import dataset

LARGEST_DIFFERENCE = 1e-4


def main() -> int:
    """Prints the accuracy and the largest difference; 1 where that is over the bound."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="the folder of a training run")
    folder = parser.parse_args().folder
    onnx_files = sorted(folder.glob("*.onnx"))
    if len(onnx_files) != 1:
        parser.error(f"{folder} holds {len(onnx_files)} ONNX files, and one is wanted")
    onnx_file = onnx_files[0]

    program, module = specc.load(folder / "model.safetensors")
    images, digits = dataset(program.network, program.network.recipe).test[:]

    # What a user of the ONNX file writes: two lines.
    session = onnxruntime.InferenceSession(onnx_file, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})

    with torch.no_grad():
        expected = module.eval()(images).numpy()
    right = int((logits.argmax(axis=1) == digits.numpy()).sum())
    difference = float(np.abs(logits - expected).max() / np.abs(expected).max())

    print(f"{onnx_file.name} on onnxruntime {onnxruntime.__version__}, {len(images)} test images")
    print(f"  {right} right: accuracy {right / len(images):.4f}")
    print(f"  largest difference to PyTorch: {difference:.1e} of the largest logit")
    if not difference <= LARGEST_DIFFERENCE:
        print(f"  that is over {LARGEST_DIFFERENCE:g}: the two do not agree", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
