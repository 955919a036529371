"""The training recipe as data: what ``specc.recipe`` has checked and training carries out."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]
Scalar = bool | int | FiniteFloat | str | None
SettingValue = Scalar | tuple[Scalar, ...]
Count = Annotated[int, Field(ge=1)]


class Choice(BaseModel):
    """One of a catalogue's entries with its arguments: ``adam(lr=5e-3)``.

    >>> str(Choice(name="adam", arguments={"lr": 5e-3, "betas": (0.9, 0.999)}))
    'adam(lr=0.005, betas=[0.9, 0.999])'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    arguments: dict[str, SettingValue] = Field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.name, frozenset(self.arguments.items())))

    def __str__(self) -> str:
        if not self.arguments:
            return self.name
        shown = (f"{name}={literal(value)}" for name, value in self.arguments.items())
        return f"{self.name}({', '.join(shown)})"


class Recipe(BaseModel):
    """What a training run needs. ``specc.recipe.check`` fills in every default that is known.

    A run lasts for ``epochs`` passes over the training examples or for ``steps`` updates, of which
    one is set. ``data``, ``loss`` and ``optimizer`` are None where the text leaves them open.
    ``freeze`` holds patterns of names; what they stand for does not change in the run. ``devices``
    are those that share each batch, ``cuda:*`` for all of a kind; none leaves the choice open.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    data: Choice | None = None
    loss: Choice | None = None
    optimizer: Choice | None = None
    schedule: Choice = Choice(name="constant")
    epochs: Count | None = None
    steps: Count | None = None
    batch: Count = 32
    metrics: tuple[Choice, ...] = ()
    freeze: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    precision: str = "f32"
    seed: Annotated[int, Field(ge=0)] = 0


def literal(value: object) -> str:
    """A plain value as the language writes it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(item) for item in value)}]"
    return repr(value)
