"""The specs that ship, at sizes that a test builds in a moment."""

from __future__ import annotations

from typing import Any

from specc.frontend.resources import resource_names

SMALL: dict[str, dict[str, Any]] = {
    "alexnet": {"width": 8, "hidden": 24, "classes": 5},
    "gpt2": {"vocab": 11, "positions": 16, "width": 24, "layers": 2, "heads": 3},
    "llama": {"vocab": 11, "width": 24, "layers": 2, "heads": 4, "groups": 2, "hidden": 16},
    "resnet": {"depth": 50, "width": 4, "classes": 5},
    "vgg": {"depth": 11, "batch_norm": True, "width": 4, "hidden": 24, "classes": 5},
    "vit": {
        "image": 32,
        "patch": 16,
        "width": 24,
        "layers": 2,
        "heads": 3,
        "hidden": 16,
        "classes": 5,
    },
}
"""Hyperparameters of those that are large by default."""

LARGE = frozenset({"alexnet2012"})
"""Those that are large, and have none."""

NAMES = sorted(
    file.removesuffix(".net")
    for file in resource_names("specs")
    if file not in {"blocks.net"}  # which holds no net
)
