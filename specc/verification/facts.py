"""What the parity check finds, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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


Refused = Literal["model", "kernel", "run"]
"""What a runtime refused: to load a model, for want of a kernel or otherwise, or to run it."""

_HOW_TO_GO_ON: Mapping[Refused, str] = {
    "model": "`--no-verify` skips the comparison of PyTorch and onnxruntime",
    "kernel": (
        "this onnxruntime provider has no kernel for an operator of the network at its dtype; "
        "`--no-verify` skips the comparison"
    ),
    "run": (
        "specc drew these inputs; where a size or index is refused, "
        "`--no-verify` skips the comparison"
    ),
}


@dataclass(frozen=True, kw_only=True)
class RuntimeRefused(Fact):
    """PyTorch or onnxruntime could not run the network, so its targets could not be compared.

    The inputs are specc's own choice: it keeps to the conditions on sizes and to the positions that
    it can trace, and a network may still refuse them.
    """

    code = "runtime-refused"
    runtime: str
    at: str
    reason: str
    refused: Refused

    @property
    def message(self) -> str:
        """The headline."""
        return f"{self.runtime} cannot run the network{self.at}: {self.reason}"

    @property
    def help(self) -> str | None:
        """How to go on."""
        return _HOW_TO_GO_ON[self.refused]


@dataclass(frozen=True, kw_only=True)
class NoEnd(Fact):
    """A network with a run-time loop was stopped after a time limit, so it could not be compared.

    The loop may not end at all for the inputs that it was tried on.
    """

    code = "no-end"
    runtime: str
    at: str
    limit: float

    @property
    def message(self) -> str:
        """The headline."""
        return f"{self.runtime} had not finished after {self.limit:g} s{self.at}"

    @property
    def label(self) -> str:
        """What stands under the place."""
        return "this loop may not end"

    @property
    def help(self) -> str | None:
        """How to go on."""
        return "`--verify-limit` gives it more time, `--no-verify` leaves out the comparison"


@dataclass(frozen=True, kw_only=True)
class NoSizes(Fact):
    """No sizes were found at which all conditions on the symbolic dims hold."""

    code = "no-sizes"
    reason: str

    @property
    def message(self) -> str:
        """The headline."""
        return f"the network cannot be tried out: {self.reason}"
