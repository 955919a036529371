"""Devices: names that are none, and layers that would have to be on two."""

from __future__ import annotations

from dataclasses import dataclass

from specc.frontend.diagnostics import Fact
from specc.frontend.facts import did_you_mean
from specc.ir.devices import KINDS, problem_with_device


@dataclass(frozen=True, kw_only=True)
class BadDevice(Fact):
    """What a device may be is no device, such as `cdua:0`, or stands there twice."""

    code = "bad-device"
    name: str
    repeated: bool = False

    @property
    def message(self) -> str:
        problem = "stands here twice" if self.repeated else "is no device"
        return f"{self.name!r} {problem}"

    @property
    def label(self) -> str:
        if self.repeated:
            return "the second time"
        if self.name.endswith(":*"):
            return "a device is one, not all of a kind"
        return problem_with_device(self.name) or "no device"

    @property
    def help(self) -> str | None:
        kind, _, _ = self.name.partition(":")
        if self.repeated or kind in KINDS:
            return None
        return did_you_mean(kind, KINDS)


@dataclass(frozen=True, kw_only=True)
class UnknownDevice(Fact):
    """`--device name=...` names a device that the file does not declare."""

    code = "unknown-device"
    name: str
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"no device is called {self.name!r}"

    @property
    def help(self) -> str | None:
        close = did_you_mean(self.name, self.known)
        if close is None and self.known:
            return f"the devices of this net are {', '.join(self.known)}"
        return close or "declare it at the top of the file: `device name = cuda:0 | cpu`"


@dataclass(frozen=True, kw_only=True)
class DeviceConflict(Fact):
    """One layer would have to be on two devices. Its parameters are where it was applied first."""

    code = "device-conflict"
    kind: str
    found: str
    wanted: str

    @property
    def message(self) -> str:
        return f"the same {self.kind} cannot be on two devices"

    @property
    def label(self) -> str:
        return f"it is {_place(self.found)}, and would have to be {_place(self.wanted)}"

    @property
    def help(self) -> str | None:
        return "write the constructor at each place for a layer of its own there"


def _place(device: str) -> str:
    return f"on {device}" if device else "where the net is"
