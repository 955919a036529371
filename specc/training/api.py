"""Training as users call it: from a program, with errors that show the spec."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from specc.frontend.diagnostics import Fault, SpecError
from specc.ir.recipe import Recipe
from specc.training import loop
from specc.training.facts import RunFailed
from specc.training.result import Progress, Result

if TYPE_CHECKING:
    from specc.program import Program


class TrainingFailed(SpecError):
    """A run that had begun and could not go on; the spec may be right."""


def train(
    program: Program,
    out: str | os.PathLike[str] | None = None,
    *,
    recipe: Recipe | None = None,
    seed: int | None = None,
    device: str | torch.device | None = None,
    progress: Progress | None = None,
) -> Result:
    """Trains a program by its recipe, and gives the trained module and what was measured.

    Ctrl-C ends the run early: the files are written, and ``Result.outcome`` is ``"interrupted"``.

    Args:
        program: What ``specc.compile`` gave. Its ``settings`` are the way to change the recipe.
        out: A folder for ``model.safetensors`` (``specc.load`` reads it), ``metrics.jsonl`` and
            ``curves.png``. Without it nothing is written.
        recipe: In place of the program's own.
        seed: In place of the recipe's.
        device: Where to compute; the best device there is by default.
        progress: Who is told of every update and epoch.

    Raises:
        TrainingFailed: for a loss that is not finite, and whatever else stops a run that has begun.
        SpecError: where the recipe lacks something, or its data do not suit the network.

    >>> import specc
    >>> program = specc.compile('''
    ... net Line(x: [N, 1]) -> [N, 1] { x |> Linear(1) }
    ... train {
    ...     data = synthetic_regression(w=[3], b=-1)
    ...     loss = mse
    ...     optimizer = sgd(lr=0.1)
    ...     epochs = 3
    ... }
    ... ''')
    >>> result = train(program, device="cpu")
    >>> [f"{parameter.item():.2f}" for parameter in result.module.parameters()]
    ['3.00', '-1.00']
    """
    try:
        return loop.train(
            program.network,
            recipe=recipe,
            out=None if out is None else Path(out),
            seed=seed,
            device=device,
            progress=progress,
            base=program.base,
            operators=program.operators,
        )
    except RunFailed as fault:
        raise TrainingFailed([fault.fact.diagnostic()], program.sources) from fault
    except Fault as fault:
        raise SpecError([fault.fact.diagnostic()], program.sources) from fault
