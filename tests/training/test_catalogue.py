"""Everything that a recipe can say is carried out, and means what it means in PyTorch."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import specc
from specc.ir.recipe import Choice
from specc.recipe.catalogue import DATA, LOSSES, METRICS, OPTIMIZERS, SCHEDULES, SETTINGS, Entry
from specc.training.metrics import _METRICS
from specc.training.optimize import learning_rate

DIGITS = """
net Digits(x: [N, 1, S, S]) -> [N, 10] {
    x |> AdaptiveAvgPool(4) |> flatten |> Linear(10)
}
train {
    data = digits
    loss = cross_entropy
    optimizer = adam(lr=1e-2)
    steps = 25
    batch = 128
    metrics = [accuracy]
}
"""

LINE = """
net Line(x: [N, D]) -> [N, 1] { mean(x, dim=1, keepdim=true) |> Linear(1) }
train {
    data = synthetic_regression(examples=200)
    loss = mse
    optimizer = sgd(lr=0.05)
    epochs = 3
    batch = 16
    metrics = [mae]
}
"""

# Of every argument a value off its default, or off the one in the recipe above.
CHANGES = [
    (DIGITS, "data", "digits(resize=12)", "digits.resize"),
    (DIGITS, "data", "digits(normalize=true)", "digits.normalize"),
    (DIGITS, "data", "digits(test=0.3)", "digits.test"),
    (LINE, "data", "synthetic_regression(w=[1], examples=200)", "synthetic_regression.w"),
    (LINE, "data", "synthetic_regression(b=0, examples=200)", "synthetic_regression.b"),
    (LINE, "data", "synthetic_regression(examples=199)", "synthetic_regression.examples"),
    (LINE, "data", "synthetic_regression(noise=1, examples=200)", "synthetic_regression.noise"),
    (LINE, "data", "synthetic_regression(test=0.4, examples=200)", "synthetic_regression.test"),
    (LINE, "data", "synthetic_regression(seed=1, examples=200)", "synthetic_regression.seed"),
    (DIGITS, "loss", "cross_entropy(label_smoothing=0.1)", "cross_entropy.label_smoothing"),
    (LINE, "optimizer", "sgd(lr=0.01)", "sgd.lr"),
    (LINE, "optimizer", "sgd(lr=0.05, momentum=0.5)", "sgd.momentum"),
    (LINE, "optimizer", "sgd(lr=0.05, weight_decay=0.1)", "sgd.weight_decay"),
    (LINE, "optimizer", "sgd(lr=0.05, momentum=0.5, nesterov=true)", "sgd.nesterov"),
    *(
        (LINE, "optimizer", f"{name}({argument}={value})", f"{name}.{argument}")
        for name in ("adam", "adamw")
        for argument, value in [
            ("lr", "0.1"),
            ("betas", "[0.5, 0.9]"),
            ("eps", "0.1"),
            ("weight_decay", "0.5"),
        ]
    ),
    (LINE, "schedule", "cosine(eta_min=0.01)", "cosine.eta_min"),
    (LINE, "schedule", "step(1)", "step.step_size"),
    (LINE, "schedule", "step(1, gamma=0.9)", "step.gamma"),
]
# What each is compared with, where that is not the recipe as it stands.
REFERENCES = {
    "sgd.nesterov": "sgd(lr=0.05, momentum=0.5)",
    "adam": "adam",
    "adamw": "adamw",
    "cosine": "cosine",
    "step.gamma": "step(1)",
}


def weights(text: str, **settings: str) -> torch.Tensor:
    program = specc.compile(text, settings=settings)
    state = specc.train(program, device="cpu").module.state_dict()
    return torch.cat([tensor.flatten() for tensor in state.values()])


@pytest.mark.parametrize(
    ("text", "setting", "changed", "argument"), CHANGES, ids=[change[3] for change in CHANGES]
)
def test_an_argument_changes_the_result(
    text: str, setting: str, changed: str, argument: str
) -> None:
    reference = REFERENCES.get(argument) or REFERENCES.get(argument.partition(".")[0])
    settings = {setting: reference} if reference else {}
    assert not torch.equal(weights(text, **settings), weights(text, **{setting: changed}))


def test_every_argument_is_in_that_list() -> None:
    listed = {argument for *_, argument in CHANGES}
    tables = (DATA, LOSSES, OPTIMIZERS, SCHEDULES, METRICS)
    declared = {
        f"{entry.name}.{argument.name}"
        for table in tables
        for entry in table.values()
        for argument in entry.arguments
    }
    assert declared - listed == {"npz.path", "npz.test"}  # tests/training/test_data.py has these
    assert listed <= declared


def test_every_entry_explains_itself() -> None:
    for setting in SETTINGS.values():
        assert setting.summary.endswith(".")
        for entry in (setting.entries or {}).values():
            assert entry.summary.endswith("."), entry.name


@pytest.mark.parametrize("entry", OPTIMIZERS.values(), ids=lambda entry: entry.name)
def test_optimizers_have_torchs_arguments_and_defaults(entry: Entry) -> None:
    signature = inspect.signature(getattr(torch.optim, entry.torch)).parameters
    for argument in entry.arguments:
        assert argument.name in signature
        if not argument.required:
            assert argument.default == signature[argument.name].default, argument.name


@pytest.mark.parametrize("entry", LOSSES.values(), ids=lambda entry: entry.name)
def test_losses_have_torchs_arguments_and_defaults(entry: Entry) -> None:
    signature = inspect.signature(getattr(F, entry.torch)).parameters
    for argument in entry.arguments:
        assert argument.default == signature[argument.name].default, argument.name


def test_every_metric_is_computed() -> None:
    assert set(_METRICS) == set(METRICS)


STEPS, PER_EPOCH, RATE = 40, 5, 0.3
SCHEDULERS = {
    "constant": lambda optimizer: torch.optim.lr_scheduler.ConstantLR(optimizer, 1, 0),
    "cosine": lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, STEPS, eta_min=0.01
    ),
    "step": lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 2 * PER_EPOCH, gamma=0.5),
}
ARGUMENTS = {"constant": {}, "cosine": {"eta_min": 0.01}, "step": {"step_size": 2, "gamma": 0.5}}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_torchs(name: str) -> None:
    arguments = SCHEDULES[name].complete(ARGUMENTS[name])
    schedule = Choice(name=name, arguments=arguments)
    ours = learning_rate(schedule, RATE, steps=STEPS, steps_per_epoch=PER_EPOCH)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    scheduler = SCHEDULERS[name](optimizer)
    for step in range(STEPS):
        assert ours(step) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        scheduler.step()


def test_a_spec_may_read_arrays_beside_it(tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((50, 3))
    np.savez(tmp_path / "arrays.npz", x=x, y=x.mean(axis=1))
    spec = tmp_path / "line.net"
    spec.write_text(LINE.replace("synthetic_regression(examples=200)", 'npz("arrays.npz")'))
    result = specc.train(specc.compile(spec, settings={"epochs": 60}), device="cpu")
    assert result.final["mae"] < 0.02
