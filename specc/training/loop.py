"""The training loop.

Tensor names say their first dim:

    B   the examples of one batch        x   inputs       z   the network's outputs
    n   the examples of a data set       y   targets

Everything random comes from the seed: initial values (keyed by parameter name), the order of the
examples (a generator of its own) and dropout (torch's global one, which is put back afterwards). On
a CPU the same seed gives the same weights to the bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from specc.frontend.diagnostics import Fault
from specc.ir.graph import Network
from specc.ir.recipe import Recipe
from specc.ops.operator import Operator
from specc.recipe.complete import complete
from specc.recipe.freeze import frozen_names
from specc.recipe.losses import loss_entry, own_loss
from specc.signals import Deferral
from specc.targets.torch import bind, module
from specc.training.facts import NonFiniteLoss, NothingToTrain, RunFailed, UpdateFailed
from specc.training.fit import Batchable, dataset
from specc.training.freeze import freeze, train_mode
from specc.training.metrics import Averages, LossFunction, block_loss, brought, loss_function
from specc.training.optimize import learning_rate, optimizer
from specc.training.output import Folder
from specc.training.precision import Arithmetic
from specc.training.replicas import Replicas, training_devices
from specc.training.result import Epoch, Outcome, Progress, Result, Run, Silent

_EVALUATION_BATCH = 1024


def train(
    network: Network,
    *,
    recipe: Recipe | None = None,
    out: Path | None = None,
    seed: int | None = None,
    device: str | torch.device | None = None,
    progress: Progress | None = None,
    base: Path | None = None,
    operators: Mapping[str, Operator] | None = None,
) -> Result:
    """Trains a network by its recipe, or by another one, and gives the trained module and numbers.

    ``out`` is a folder for ``model.safetensors``, ``metrics.jsonl`` and ``curves.png``; without it
    nothing is written. ``seed`` replaces the recipe's, and ``device`` its devices; if neither says
    where, it is the best device there is.
    ``base`` is the folder from which the recipe's relative paths count, else the current one.
    ``operators`` is the table of operators, by default the built-in ones.
    Ctrl-C ends the run early: the files are written, and the outcome says so. While they are being
    written a further one waits.

    Raises Fault where the recipe, the data and the network do not go together, and RunFailed, a
    Fault, where a run that had begun cannot go on.
    """
    # ---- the recipe, the data, the model
    recipe = complete(recipe or network.recipe or Recipe(), network.loss)
    if seed is not None:
        recipe = complete(recipe.model_copy(update={"seed": seed}), network.loss)
    assert recipe.loss is not None
    assert recipe.optimizer is not None
    own = own_loss(network, recipe)
    network = network.model_copy(update={"recipe": recipe, "loss": own})
    about_loss = loss_entry(network, recipe)
    frozen = frozen_names(network)
    named = recipe.devices if device is None else ()
    devices = training_devices(network, named) if device is None else [torch.device(device)]
    chosen = devices[0]
    data = dataset(network, recipe, base).to(chosen)
    watcher = progress or Silent()

    bound = bind(network)
    cards = _cuda_devices([*devices, *bound.values()])
    with Deferral() as signals, torch.random.fork_rng(devices=cards):
        torch.manual_seed(recipe.seed)
        order = torch.Generator().manual_seed(recipe.seed)
        model = module(network, seed=recipe.seed, device=chosen, devices=bound, operators=operators)
        freeze(model, network, frozen)
        parameters = [p for p in model.parameters() if p.requires_grad]
        if not parameters:
            raise Fault(NothingToTrain(network=network.name, frozen=len(frozen)))
        loss_of = loss_function(recipe.loss) if own is None else block_loss(own, chosen, operators)
        arithmetic = Arithmetic(recipe.precision, chosen)
        arithmetic.begin(model)
        update = optimizer(recipe.optimizer, parameters)

        forward = model if len(devices) == 1 else Replicas(model, devices)
        steps_per_epoch = -(-len(data.train) // recipe.batch)
        steps = recipe.steps or (recipe.epochs or 0) * steps_per_epoch
        epochs = -(-steps // steps_per_epoch)
        base_rate = update.param_groups[0]["lr"]
        rate = learning_rate(
            recipe.schedule, base_rate, steps=steps, steps_per_epoch=steps_per_epoch
        )
        folder = Folder.create(out, network) if out is not None else None
        watcher.started(
            Run(
                network=network.name,
                device=", ".join(map(str, devices)),
                parameters=sum(p.numel() for p in parameters),
                train_examples=len(data.train),
                test_examples=len(data.test),
                batch=recipe.batch,
                epochs=epochs,
                steps=steps,
                frozen=sum(p.numel() for p in model.parameters() if not p.requires_grad),
            )
        )

        # ---- the loop
        began = time.perf_counter()
        history: list[Epoch] = []
        outcome: Outcome | None = None
        step = 0
        try:
            for epoch in range(1, epochs + 1):
                epoch_began = time.perf_counter()
                train_mode(model, frozen)
                averages = Averages(about_loss, recipe.metrics)
                for index_B in batches(len(data.train), recipe.batch, order):
                    x_B, y_B = map(arithmetic.given, data.train[index_B.to(chosen)])
                    for group in update.param_groups:
                        group["lr"] = rate(step)
                    with arithmetic.computing():
                        z_B = arithmetic.found(brought(forward(x_B), chosen))
                    loss = loss_of(z_B, y_B)
                    value = loss.item()
                    _require_finite(value, epoch, step + 1, rate(step))
                    arithmetic.update(loss, update)
                    step += 1
                    averages.add(loss, z_B, y_B)
                    watcher.stepped(epoch, len(index_B), value)
                    if step == steps:
                        break
                figures = Averages(about_loss, recipe.metrics)
                measured = evaluate(model, data.test, loss_of, figures, arithmetic)
                _require_finite(measured["loss"], epoch, step, rate(step - 1))
                record = Epoch(
                    epoch=epoch,
                    step=step,
                    train=averages.means(),
                    test=measured,
                    learning_rate=rate(step - 1),
                    seconds=time.perf_counter() - epoch_began,
                )
                history.append(record)
                if folder is not None:
                    folder.record(record)
                watcher.epoch_ended(record)
            signals.begin()  # from here on Ctrl-C waits, so that it costs no weights
            outcome = "finished"
        except KeyboardInterrupt:
            signals.begin()
            outcome = "interrupted"
        except (RuntimeError, ValueError, IndexError) as error:
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            fact = UpdateFailed(reason=reason, epoch=len(history) + 1, step=step + 1)
            raise RunFailed(fact) from error
        finally:
            watcher.ended(outcome)

        # ---- what remains
        arithmetic.end()
        model.eval()
        return Result(
            outcome=outcome,
            epochs=tuple(history),
            seconds=time.perf_counter() - began,
            module=model,
            paths=folder.finish(model, history) if folder is not None else {},
        )


def batches(examples: int, batch: int, order: torch.Generator) -> Iterator[Tensor]:
    """The indices of each batch of one epoch, in an order drawn anew; the last may be smaller."""
    index_n = torch.randperm(examples, generator=order)
    yield from torch.split(index_n, min(batch, examples))


@torch.no_grad()
def evaluate(
    model: nn.Module,
    data: Batchable,
    loss_of: LossFunction,
    averages: Averages,
    arithmetic: Arithmetic,
) -> dict[str, float]:
    """Loss and metrics by name over all of ``data``. Leaves the model in eval mode."""
    model.eval()
    for start in range(0, len(data), _EVALUATION_BATCH):
        x_B, y_B = map(arithmetic.given, data[start : start + _EVALUATION_BATCH])
        with arithmetic.computing():
            z_B = arithmetic.found(brought(model(x_B), y_B.device))
        averages.add(loss_of(z_B, y_B), z_B, y_B)
    return averages.means()


def _require_finite(loss: float, epoch: int, step: int, rate: float) -> None:
    if not math.isfinite(loss):
        raise RunFailed(NonFiniteLoss(loss=loss, epoch=epoch, step=step, rate=rate))


def _cuda_devices(devices: Iterable[torch.device]) -> list[torch.device]:
    """The devices, besides the CPU, whose random state a run changes."""
    return [device for device in dict.fromkeys(devices) if device.type == "cuda"]
