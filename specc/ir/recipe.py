"""The training recipe as data."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

Scalar = bool | int | float | str | None
SettingValue = Scalar | tuple[Scalar, ...]


class Choice(BaseModel):
    """One of a catalogue's entries with its arguments: ``adam(lr=5e-3)``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    arguments: dict[str, SettingValue] = Field(default_factory=dict)


class Recipe(BaseModel):
    """What a training run needs; every value is checked and every default filled in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Choice | None = None
    loss: Choice | None = None
    optimizer: Choice | None = None
    schedule: Choice | None = None
    epochs: int | None = None
    steps: int | None = None
    batch: int = 32
    metrics: tuple[Choice, ...] = ()
    precision: str = "f32"
    seed: int = 0
