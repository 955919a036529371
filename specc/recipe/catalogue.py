"""Everything that a ``train { }`` block can say: the settings, and the entries of each.

The tables hold names, arguments, defaults and bounds. A loss is a function of torch.nn.functional
and an optimizer a class of torch.optim, which ``torch`` names and which takes the same arguments;
what data sets, schedules and metrics do is in ``specc.training``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from specc.ir.recipe import SettingValue
from specc.recipe.kinds import (
    DEVICES,
    FLAG,
    PATH,
    PATTERNS,
    Kind,
    integer,
    number,
    optional,
    several,
)


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()


@dataclass(frozen=True)
class Argument:
    """One argument of an entry; without a default it must be given."""

    name: str
    kind: Kind
    default: SettingValue | _Required = REQUIRED

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is REQUIRED


Target = Literal["classes", "values"]
"""What an example's target is: the number of a class, or real values of the output's shape."""


Measure = Literal["decisions", "values"]
"""What is measured: the share of right decisions, or a distance."""


@dataclass(frozen=True)
class Entry:
    """One choice of a setting. The first ``positional`` arguments may be given by position.

    ``targets`` are the kinds of targets that a data set gives or a loss takes; ``measures`` what a
    metric is about, or what can be measured under a loss: ``decisions`` for a class, ``values`` for
    a distance. Under a loss with a ``threshold`` an output above it decides for 1 and against 0;
    under others the greatest of the K outputs decides.
    """

    name: str
    summary: str
    arguments: tuple[Argument, ...] = ()
    positional: int = 0
    targets: tuple[Target, ...] = ("classes", "values")
    measures: tuple[Measure, ...] = ()
    torch: str = ""
    threshold: float | None = None

    def argument(self, name: str) -> Argument | None:
        """The argument of that name."""
        return next((argument for argument in self.arguments if argument.name == name), None)

    def complete(self, given: Mapping[str, SettingValue]) -> dict[str, SettingValue]:
        """The arguments that were given and the defaults of the others, in their order."""
        complete: dict[str, SettingValue] = {}
        for argument in self.arguments:
            value = given.get(argument.name, argument.default)
            assert not isinstance(value, _Required), argument.name
            complete[argument.name] = value
        return complete


@dataclass(frozen=True)
class Setting:
    """One key of a recipe: a choice among ``entries``, a list of them, or a plain value.

    ``words`` are names that stand for themselves (``precision = f32``).
    """

    name: str
    summary: str
    noun: str
    entries: Mapping[str, Entry] | None = None
    many: bool = False
    kind: Kind | None = None
    words: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What can be chosen."""
        return tuple(self.entries or self.words)

    @property
    def requirement(self) -> str:
        """What the setting takes, to complete "must be ..."."""
        if self.kind is not None:
            return self.kind.name
        names = ", ".join(self.entries or self.words)
        return f"{'a list of' if self.many else 'one of'} {names}"


def _table(*entries: Entry) -> Mapping[str, Entry]:
    table = {entry.name: entry for entry in entries}
    assert len(table) == len(entries), "two entries bear one name"
    return table


# ---- data ----------------------------------------------------------------------------------------

_HELD_OUT = number(above=0, below=1)

DATA = _table(
    Entry(
        "digits",
        "1,797 scans of handwritten digits, [1, resize, resize] with values from 0 to 1.",
        (
            Argument("resize", integer(8, 256), 8),
            Argument("normalize", FLAG, False),
            Argument("test", _HELD_OUT, 0.2),
        ),
        targets=("classes",),
    ),
    Entry(
        "synthetic_regression",
        "y = x w + b + noise, with x and noise drawn from normal distributions.",
        (
            Argument("w", several(number()), (2.0, -3.4)),
            Argument("b", number(), 4.2),
            Argument("examples", integer(2, 10_000_000), 1000),
            Argument("noise", number(minimum=0), 0.01),
            Argument("test", _HELD_OUT, 0.2),
            Argument("seed", integer(0, 2**63 - 1), 0),
        ),
        targets=("values",),
    ),
    Entry(
        "npz",
        "Arrays x and y of an .npz file, and x_test and y_test where it holds them.",
        (Argument("path", PATH), Argument("test", optional(_HELD_OUT), None)),
        positional=1,
    ),
)

# ---- losses --------------------------------------------------------------------------------------

LOSSES = _table(
    Entry(
        "cross_entropy",
        "Softmax cross-entropy between logits [N, K, ...] and classes [N, ...].",
        (Argument("label_smoothing", number(minimum=0, maximum=1), 0.0),),
        targets=("classes",),
        measures=("decisions",),
        torch="cross_entropy",
    ),
    Entry(
        "mse",
        "The mean squared error.",
        targets=("values",),
        measures=("values",),
        torch="mse_loss",
    ),
    Entry(
        "l1",
        "The mean absolute error.",
        targets=("values",),
        measures=("values",),
        torch="l1_loss",
    ),
    Entry(
        "bce",
        "Binary cross-entropy between probabilities and targets from 0 to 1.",
        targets=("values",),
        measures=("decisions", "values"),
        torch="binary_cross_entropy",
        threshold=0.5,
    ),
    Entry(
        "bce_with_logits",
        "Binary cross-entropy between logits and targets from 0 to 1.",
        targets=("values",),
        measures=("decisions",),
        torch="binary_cross_entropy_with_logits",
        threshold=0.0,
    ),
)

# ---- optimizers ----------------------------------------------------------------------------------

_NOT_NEGATIVE = number(minimum=0)
_BETAS = Argument("betas", several(number(minimum=0, below=1), least=2, most=2), (0.9, 0.999))
_EPS = Argument("eps", number(minimum=0), 1e-8)

OPTIMIZERS = _table(
    Entry(
        "sgd",
        "Stochastic gradient descent, with momentum where asked for.",
        (
            Argument("lr", number(above=0)),
            Argument("momentum", number(minimum=0, below=1), 0.0),
            Argument("weight_decay", _NOT_NEGATIVE, 0.0),
            Argument("nesterov", FLAG, False),
        ),
        positional=1,
        torch="SGD",
    ),
    Entry(
        "adam",
        "Adam (Kingma and Ba, 2015); weight decay is added to the gradient.",
        (
            Argument("lr", number(above=0), 1e-3),
            _BETAS,
            _EPS,
            Argument("weight_decay", _NOT_NEGATIVE, 0.0),
        ),
        positional=1,
        torch="Adam",
    ),
    Entry(
        "adamw",
        "Adam with decoupled weight decay (Loshchilov and Hutter, 2019).",
        (
            Argument("lr", number(above=0), 1e-3),
            _BETAS,
            _EPS,
            Argument("weight_decay", _NOT_NEGATIVE, 0.01),
        ),
        positional=1,
        torch="AdamW",
    ),
)

# ---- schedules -----------------------------------------------------------------------------------

SCHEDULES = _table(
    Entry("constant", "The optimizer's learning rate throughout."),
    Entry(
        "cosine",
        "From the optimizer's learning rate to eta_min along half a cosine, at every update.",
        (Argument("eta_min", _NOT_NEGATIVE, 0.0),),
    ),
    Entry(
        "step",
        "Times gamma after every step_size epochs.",
        (Argument("step_size", integer(1)), Argument("gamma", number(above=0, maximum=1), 0.1)),
        positional=1,
    ),
)

# ---- metrics -------------------------------------------------------------------------------------

METRICS = _table(
    Entry("accuracy", "The fraction of right decisions.", measures=("decisions",)),
    Entry("mse", "The mean squared error.", measures=("values",)),
    Entry("mae", "The mean absolute error.", measures=("values",)),
)

# ---- settings ------------------------------------------------------------------------------------

_SETTINGS = (
    Setting("data", "What to train and to test on.", "data set", entries=DATA),
    Setting("loss", "What to minimize.", "loss", entries=LOSSES),
    Setting("optimizer", "How to minimize it.", "optimizer", entries=OPTIMIZERS),
    Setting("schedule", "How the learning rate changes.", "schedule", entries=SCHEDULES),
    Setting("epochs", "Passes over the training examples.", "", kind=integer(1)),
    Setting("steps", "Updates, instead of epochs.", "", kind=integer(1)),
    Setting("batch", "Examples in one update.", "", kind=integer(1)),
    Setting("metrics", "What to report beside the loss.", "metric", entries=METRICS, many=True),
    Setting("freeze", "What does not change, as patterns of names.", "", kind=PATTERNS),
    Setting("devices", "Where to train; several share each batch.", "", kind=DEVICES),
    Setting("precision", "The arithmetic.", "precision", words=("f32", "bf16", "f16", "f64")),
    Setting("seed", "Of initial values, the order and dropout.", "", kind=integer(0, 2**63 - 1)),
)

SETTINGS: Mapping[str, Setting] = {setting.name: setting for setting in _SETTINGS}
"""Every setting by name, in the order in which documentation shows them."""

MAX_ELEMENTS = 2**28
"""Numbers that a data set may make, 1 GiB of them."""

NEEDED: tuple[str, ...] = ("data", "loss", "optimizer")
"""What a run cannot do without, besides ``epochs`` or ``steps``."""
