"""Settings that are right one by one: what they lack together, and where they contradict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from specc.ir.recipe import Choice, Recipe
from specc.recipe.catalogue import DATA, LOSSES, MAX_ELEMENTS, METRICS, NEEDED, Entry


@dataclass(frozen=True)
class Conflict:
    """Settings ``first`` and ``second`` that cannot both hold; the second is the one to mend."""

    first: str
    second: str
    problem: str
    because: str | None
    detail: str
    advice: str | None = None


def missing_settings(recipe: Recipe) -> tuple[str, ...]:
    """What this recipe lacks for a run to start."""
    missing = [name for name in NEEDED if getattr(recipe, name) is None]
    if recipe.epochs is None and recipe.steps is None:
        missing.append("epochs or steps")
    return tuple(missing)


_TARGETS = {"classes": "classes", "values": "real values"}
_MEASURES = {"decisions": "classes", "values": "distances"}


def conflicts(settings: Mapping[str, Any], own: Entry | None = None) -> Iterator[Conflict]:
    """Every contradiction among settings that are each valid; those left out agree with all.

    ``own`` is the loss where that is a block of the file.
    """
    if settings.get("epochs") is not None and settings.get("steps") is not None:
        yield Conflict(
            "epochs",
            "steps",
            problem="a run lasts for epochs or for steps, not for both",
            because="the epochs are set here",
            detail="and the steps here",
            advice="leave one of them out",
        )
    data, chosen = settings.get("data"), settings.get("loss")
    loss = own if own is not None or chosen is None else LOSSES[chosen.name]
    if data is not None and loss is not None:
        yield from _data_and_loss(DATA[data.name], loss)
    if loss is not None:
        for metric in settings.get("metrics", ()):
            yield from _loss_and_metric(loss, METRICS[metric.name])
    yield from _size(data)
    yield from _optimizer(settings.get("optimizer"))


def _data_and_loss(data: Entry, loss: Entry) -> Iterator[Conflict]:
    if not set(data.targets) & set(loss.targets):
        fitting = [
            entry.name for entry in LOSSES.values() if set(entry.targets) & set(data.targets)
        ]
        gives, takes = _TARGETS[data.targets[0]], _TARGETS[loss.targets[0]]
        yield Conflict(
            "data",
            "loss",
            problem=f"{loss.name} cannot be computed on {data.name}",
            because=f"its targets are {gives}",
            detail=f"{loss.name} takes {takes}",
            advice=f"with {data.name} goes {' or '.join(fitting)}",
        )


def _loss_and_metric(loss: Entry, metric: Entry) -> Iterator[Conflict]:
    if not set(loss.measures) & set(metric.measures):
        fitting = [m.name for m in METRICS.values() if set(m.measures) & set(loss.measures)]
        yield Conflict(
            "loss",
            "metrics",
            problem=f"{metric.name} cannot be measured under {loss.name}",
            because=f"{loss.name} is about {_measured(loss)}",
            detail=f"{metric.name} is about {_measured(metric)}",
            advice=f"with {loss.name} goes {' or '.join(fitting)}" if fitting else None,
        )


def _measured(entry: Entry) -> str:
    return _MEASURES[entry.measures[0]] if entry.measures else "neither classes nor distances"


def _size(data: Choice | None) -> Iterator[Conflict]:
    if data is None or data.name != "synthetic_regression":
        return
    examples, w = data.arguments.get("examples", 0), data.arguments.get("w", ())
    if isinstance(examples, int) and isinstance(w, tuple) and examples * len(w) > MAX_ELEMENTS:
        yield Conflict(
            "data",
            "data",
            problem=f"synthetic_regression makes at most {MAX_ELEMENTS:,} numbers",
            because=None,
            detail=f"{examples:,} examples of {len(w):,} are more",
        )


def _optimizer(optimizer: Choice | None) -> Iterator[Conflict]:
    if optimizer is None or not optimizer.arguments.get("nesterov"):
        return
    if optimizer.arguments.get("momentum") == 0:
        yield Conflict(
            "optimizer",
            "optimizer",
            problem="nesterov needs momentum",
            because=None,
            detail="nesterov=true, and the momentum is 0",
            advice="set a momentum, such as momentum=0.9",
        )
