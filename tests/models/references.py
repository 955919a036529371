"""The implementations that the specs are compared with."""

from __future__ import annotations

import sys
import warnings
from types import ModuleType
from typing import Any

import torch

_OPERATORS = ("nms", "qnms")
_library: torch.library.Library | None = None  # what it defines lasts as long as it does


def torchvision() -> ModuleType:
    """torchvision.models, also where its compiled operators do not load.

    Its published wheels are built for CUDA. Under a torch without it their operators are missing,
    and the import fails on the two of object detection that it refers to by name. No network here
    uses them, so that they are declared is enough.
    """
    global _library  # noqa: PLW0603 - torch forgets operators whose library is collected
    try:
        import torchvision.models
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        _library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in _OPERATORS:
            _library.define(f"{operator}(Tensor dets, Tensor scores, float threshold) -> Tensor")
        import torchvision.models
    models: ModuleType = torchvision.models
    return models


def transformers() -> Any:
    """transformers, which imports torchvision where it is installed; it reaches for no hub."""
    torchvision()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import transformers

        transformers.utils.logging.set_verbosity_error()
    return transformers
