"""Definitions: what a file holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

from specc.frontend.source import Span
from specc.frontend.syntax.expressions import Expression, Name, Node
from specc.frontend.syntax.headers import Output, Parameter
from specc.frontend.syntax.statements import InitRule, Statement


@dataclass(frozen=True, slots=True)
class Definition(Node):
    """One top-level item of a file."""


@dataclass(frozen=True, slots=True)
class ModuleDefinition(Definition):
    """A ``net`` or a ``block``.

    ``inputs`` is None for a point-free definition (``block F(n: int) = layer``), whose layer is
    ``result``; a definition with inputs and ``= expression`` has that expression in ``result`` too.
    Otherwise ``body`` holds the statements.
    """

    kind: OneOf["net", "block"]
    name: str
    name_span: Span
    hyperparameters: tuple[Parameter, ...]
    inputs: tuple[Parameter, ...] | None
    outputs: tuple[Output, ...]
    body: tuple[Statement, ...]
    result: Expression | None = None
    documentation: str = ""


@dataclass(frozen=True, slots=True)
class FunctionDefinition(Definition):
    """``def name(parameters) = value``"""

    name: str
    name_span: Span
    parameters: tuple[Parameter, ...]
    value: Expression
    documentation: str = ""


@dataclass(frozen=True, slots=True)
class InitializerDefinition(Definition):
    """``init name(hyperparameters)(w: [...]) { ... }``"""

    name: str
    name_span: Span
    hyperparameters: tuple[Parameter, ...]
    inputs: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    documentation: str = ""


@dataclass(frozen=True, slots=True)
class InitDefinition(Definition):
    """``init { rules }`` at the top of a file."""

    rules: tuple[InitRule, ...]


@dataclass(frozen=True, slots=True)
class DeviceName(Node):
    """``cuda:0``, ``cuda:*``, ``cpu``; ``index`` is None where none is written, ``"*"`` for all."""

    kind: str
    index: int | OneOf["*"] | None = None


@dataclass(frozen=True, slots=True)
class DeviceDefinition(Definition):
    """``device left = cuda:0 | cpu``"""

    name: str
    name_span: Span
    alternatives: tuple[DeviceName, ...]


@dataclass(frozen=True, slots=True)
class Import(Definition):
    """``from "blocks.net" import A, B`` (``path``) or ``from std.resnet import A`` (``module``)."""

    path: str | None
    module: tuple[str, ...]
    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Setting(Node):
    """``key = value`` of a recipe; a value such as ``cuda:*`` is a DeviceName."""

    name: str
    name_span: Span
    value: Expression | DeviceName


@dataclass(frozen=True, slots=True)
class TrainDefinition(Definition):
    """``train { settings }`` or ``train Name { settings }``"""

    net: Name | None
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class File(Node):
    """One whole file."""

    definitions: tuple[Definition, ...]
