"""What a target finds that it cannot build, as data."""

from __future__ import annotations

from dataclasses import dataclass

from specc.frontend.diagnostics import Fact


@dataclass(frozen=True, kw_only=True)
class DeviceMissing(Fact):
    """This machine has none of the devices that a logical device may be."""

    code = "device-missing"
    name: str
    candidates: tuple[str, ...]
    present: tuple[str, ...]

    @property
    def message(self) -> str:
        """The headline."""
        return f"{self.name!r} cannot be on {' or '.join(self.candidates)}: it is not there"

    @property
    def label(self) -> str:
        """What the place says."""
        return "none of these is there"

    @property
    def help(self) -> str | None:
        """How to mend it."""
        return f"this machine has {', '.join(self.present)}"


@dataclass(frozen=True, kw_only=True)
class OpsetOutOfRange(Fact):
    """The ONNX opset that was asked for is not one that specc writes."""

    code = "opset-out-of-range"
    opset: int
    lowest: int
    highest: int

    @property
    def message(self) -> str:
        """The headline."""
        return f"opset {self.opset} is not supported"

    @property
    def help(self) -> str | None:
        """How to mend it."""
        return f"choose an opset from {self.lowest} to {self.highest}"


@dataclass(frozen=True, kw_only=True)
class TargetUnsupported(Fact):
    """Something has no form on the target that was asked for, or none at this ONNX opset."""

    code = "target-unsupported"
    operator: str
    path: str
    target: str
    needs_opset: int | None = None
    advice: str | None = None

    @property
    def message(self) -> str:
        """The headline."""
        place = f" at {self.path!r}" if self.path else ""
        return f"{self.operator}{place} cannot be written in {self.target}"

    @property
    def label(self) -> str:
        """What stands under the place."""
        return f"{self.target} has no form of {self.operator}"

    @property
    def help(self) -> str | None:
        """How to mend it."""
        if self.needs_opset is None:
            return self.advice
        return f"opset {self.needs_opset} or later has it"


@dataclass(frozen=True, kw_only=True)
class TargetNameClash(Fact):
    """Two tensors of the network have one name, and the target needs a name for each.

    In an ONNX graph the inputs, the outputs and the parameters share one namespace.
    """

    code = "target-name-clash"
    name: str
    first: str
    second: str
    target: str = "ONNX"

    @property
    def message(self) -> str:
        """The headline."""
        return f"{self.first} and {self.second} are both called {self.name!r}"

    @property
    def help(self) -> str | None:
        """How to mend it."""
        return f"rename one of them: {self.target} has one namespace for both"


@dataclass(frozen=True, kw_only=True)
class TargetNameInvalid(Fact):
    """A name is empty, or holds characters that the target's files cannot."""

    code = "target-name-invalid"
    name: str
    what: str
    target: str = "ONNX"

    @property
    def message(self) -> str:
        """The headline."""
        return f"{self.what} is called {self.name!r}, which {self.target} cannot hold"


@dataclass(frozen=True, kw_only=True)
class UnboundSize(Fact):
    """A symbolic size is needed when the network runs, and no input's shape gives it."""

    code = "unbound-size"
    size: str

    @property
    def message(self) -> str:
        """The headline."""
        return f"the size {self.size} cannot be found from the shapes of the inputs"

    @property
    def help(self) -> str | None:
        """How to mend it."""
        return f"let an input have {self.size} as a dim of its own"
