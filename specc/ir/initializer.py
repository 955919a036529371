"""How a parameter starts, as the IR keeps it: an initializer's name and its arguments."""

from __future__ import annotations

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


class Edit(BaseModel):
    """A change of an initial value after it was drawn: ``weight[0, 0] = 42``, ``weight += 1``.

    ``index`` picks leading dims, counted from 0; empty for the whole tensor. It is made in the
    parameter's own dtype.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    index: tuple[int, ...] = ()
    operator: Literal["=", "+=", "-=", "*=", "/="] = "="
    value: int | FiniteFloat


def _literal(value: ArgumentValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else repr(value)
