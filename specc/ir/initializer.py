"""How a parameter starts, as the IR keeps it: an initializer's name and its arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]
ArgumentValue = bool | int | FiniteFloat | str


class Initializer(BaseModel):
    """An initializer of ``specc.initialize.catalogue`` with the arguments that were given.

    Arguments that are left out take the catalogue's defaults. Infinities and NaN are refused, so
    that the JSON form is standard JSON.

    >>> text = Initializer(name="normal", arguments={"std": 0.01}).model_dump_json()
    >>> text
    '{"name":"normal","arguments":{"std":0.01}}'
    >>> Initializer.model_validate_json(text).arguments
    {'std': 0.01}
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    arguments: dict[str, ArgumentValue] = Field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.name, frozenset(self.arguments.items())))

    def __str__(self) -> str:
        """As the language writes it: ``normal(std=0.01)``, ``zeros``."""
        if not self.arguments:
            return self.name
        shown = (f"{key}={_literal(value)}" for key, value in self.arguments.items())
        return f"{self.name}({', '.join(shown)})"


class Slice(BaseModel):
    """``start:stop:step`` in the index of an edit, with Python's meaning; ``step`` is positive."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    start: int | None = None
    stop: int | None = None
    step: int | None = None

    def __str__(self) -> str:
        """As the language writes it: ``1:3``, ``::2``."""
        start, stop, step = (
            "" if part is None else str(part) for part in (self.start, self.stop, self.step)
        )
        return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"

    @property
    def slice(self) -> slice:
        """As Python's own."""
        return slice(self.start, self.stop, self.step)


class Edit(BaseModel):
    """A change of an initial value after it was drawn: ``weight[0, 0] = 42``, ``weight += 1``.

    ``index`` picks leading dims, an int below 0 counting from the end; empty for the whole tensor.
    It is made in the parameter's own dtype.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    index: tuple[int | Slice, ...] = ()
    operator: Literal["=", "+=", "-=", "*=", "/="] = "="
    value: int | FiniteFloat

    def __str__(self) -> str:
        """As the language writes it behind a name: ``[0, 1:3] = 42``, ``+= 1``."""
        index = ", ".join(str(entry) for entry in self.index)
        return (
            f"[{index}] {self.operator} {self.value}" if index else f"{self.operator} {self.value}"
        )

    def problem(self, shape: Sequence[int]) -> tuple[str, int | None] | None:
        """Why it cannot be made in a tensor of ``shape``, and at which entry of the index."""
        if len(self.index) > len(shape):
            return f"{len(self.index)} indices into {len(shape)} dims", len(shape)
        for position, (entry, size) in enumerate(zip(self.index, shape, strict=False)):
            if isinstance(entry, Slice):
                if entry.step is not None and entry.step < 1:
                    return f"a slice's step of {entry.step}", position
            elif not -size <= entry < size:
                return f"index {entry} is outside a dim of {size}", position
        if self.operator == "/=" and self.value == 0:
            return "a division by zero", None
        return None


def _literal(value: ArgumentValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else repr(value)
