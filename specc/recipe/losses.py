"""Losses that are blocks of the file: what a recipe has to know of them."""

from __future__ import annotations

from specc.ir.graph import Network
from specc.ir.recipe import Recipe
from specc.recipe.catalogue import LOSSES, Entry, Measure, Target


def own_loss(network: Network, recipe: Recipe) -> Network | None:
    """The block that is the loss under ``recipe``, None for a built-in one."""
    if network.loss is None or recipe.loss is None or recipe.loss.name != network.loss.name:
        return None
    return network.loss


def loss_entry(network: Network, recipe: Recipe) -> Entry:
    """What there is to know of the loss of a complete recipe."""
    assert recipe.loss is not None
    own = own_loss(network, recipe)
    return LOSSES[recipe.loss.name] if own is None else entry_of(own)


def entry_of(loss: Network) -> Entry:
    """A block as an entry: on classes where its target is of ints, else on real values.

    With one output, decisions are measured where that has a dim more than the classes, distances
    where output and target are of one shape; with several outputs nothing is.
    """
    *outputs, target = (port.type for port in loss.inputs)
    classes = not target.dtype.is_float
    measures: tuple[Measure, ...] = ()
    if len(outputs) == 1 and classes and outputs[0].rank == target.rank + 1:
        measures = ("decisions",)
    elif len(outputs) == 1 and not classes and outputs[0].shape == target.shape:
        measures = ("values",)
    targets: tuple[Target, ...] = ("classes",) if classes else ("values",)
    return Entry(loss.name, "A block of the file.", targets=targets, measures=measures)
