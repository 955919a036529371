"""What the programming interface finds wrong before any text is read."""

from __future__ import annotations

from dataclasses import dataclass

from specc.frontend.diagnostics import Fact


@dataclass(frozen=True, kw_only=True)
class BadSource(Fact):
    """The text to compile cannot be read."""

    code = "bad-source"
    name: str
    problem: str
    advice: str | None = None

    @property
    def message(self) -> str:
        return f"{self.name!r} {self.problem}"

    @property
    def help(self) -> str | None:
        return self.advice


@dataclass(frozen=True, kw_only=True)
class BadIr(Fact):
    """A JSON text is not a network of this version of the IR."""

    code = "bad-ir"
    problem: str

    @property
    def message(self) -> str:
        return f"this is no network that specc can read: {self.problem}"


@dataclass(frozen=True, kw_only=True)
class BadOutput(Fact):
    """A build is asked for a kind of file that specc does not write."""

    code = "bad-output"
    name: str

    @property
    def message(self) -> str:
        return f"{self.name!r}: specc builds .onnx, .py, .json and .safetensors"
