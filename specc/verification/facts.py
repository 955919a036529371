"""What the parity check finds, as data."""

from __future__ import annotations

from dataclasses import dataclass

from specc.frontend.diagnostics import Fact
from specc.verification.report import ParityReport


@dataclass(frozen=True, kw_only=True)
class ParityFailed(Fact):
    """The ONNX graph and the PyTorch module do not give the same answers.

    The compiler, or a runtime, is wrong. No file is left.
    """

    code = "parity-failed"
    report: ParityReport

    @property
    def message(self) -> str:
        """The headline."""
        case, output = self.report.failures[0]
        return f"ONNX and PyTorch disagree on {output.name!r}{case.at}: {output.verdict}"

    @property
    def help(self) -> str | None:
        """How to go on."""
        return "this is a fault of specc or of a runtime; `--no-verify` writes the file anyway"


@dataclass(frozen=True, kw_only=True)
class RuntimeRefused(Fact):
    """PyTorch or onnxruntime could not run the network, so its targets could not be compared."""

    code = "runtime-refused"
    runtime: str
    at: str
    reason: str

    @property
    def message(self) -> str:
        """The headline."""
        return f"{self.runtime} cannot run the network{self.at}: {self.reason}"

    @property
    def help(self) -> str | None:
        """How to go on."""
        return "`--no-verify` leaves out the comparison of PyTorch and onnxruntime"


@dataclass(frozen=True, kw_only=True)
class NoSizes(Fact):
    """No sizes were found at which all conditions on the symbolic dims hold."""

    code = "no-sizes"
    reason: str

    @property
    def message(self) -> str:
        """The headline."""
        return f"the network cannot be tried out: {self.reason}"
