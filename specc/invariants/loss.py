"""The invariant of a loss that is a block: a network beside the network."""

from __future__ import annotations

from collections.abc import Iterator

from specc.invariants.problem import Finding
from specc.invariants.view import View
from specc.ir.graph import Network


def loss_fits(view: View) -> Iterator[Finding]:
    """The loss takes the outputs and a target, gives one number, owns nothing, and is sound."""
    from specc.invariants.table import verify  # which holds this invariant

    network, loss = view.network, view.network.loss
    if loss is None:
        return
    problem = _wrong_form(network, loss)
    if problem is not None:
        yield Finding("the loss", problem)
        return
    for found in verify(loss.model_copy(update={"sources": network.sources}), view.operators):
        yield Finding("the loss", str(found))


def _wrong_form(network: Network, loss: Network) -> str | None:
    chosen = network.recipe.loss if network.recipe is not None else None
    if chosen is None or chosen.name != loss.name or chosen.arguments:
        return "the recipe does not choose it"
    if loss.loss is not None or loss.recipe is not None or loss.sources:
        return "it has a recipe or sources of its own"
    if loss.parameters:
        return "it has state"
    if [port.type for port in loss.inputs[:-1]] != [port.type for port in network.outputs]:
        return "its inputs are not the outputs of the network and the target"
    if (
        len(loss.outputs) != 1
        or loss.outputs[0].type.rank
        or not loss.outputs[0].type.dtype.is_float
    ):
        return "it does not give one real number"
    return None
