"""The classes of the emitted source, executed once, and how their instances are pickled.

A pickle holds the network in place of the classes: whoever reads it has specc make them again.
"""

from __future__ import annotations

import copyreg
import hashlib
import linecache
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from types import ModuleType
from typing import Any

from torch import nn

from specc.ir.from_json import network_from_json
from specc.ir.graph import Network
from specc.ops.operator import Operator
from specc.targets.python import root_class, source


@dataclass(frozen=True, eq=False)
class Architecture:
    """A network and the classes that its source defines.

    Copies are the object itself, so that a pickle or a copy of many modules holds it once.
    """

    network: Network
    classes: Mapping[str, type[nn.Module]]

    @property
    def root(self) -> type[nn.Module]:
        """The net's own class."""
        return self.classes[root_class(self.network)]

    def __deepcopy__(self, memo: object) -> Architecture:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return architecture_from_json, (self.network.model_dump_json(),)


_known: dict[str, Architecture] = {}
_lock = Lock()


def architecture(network: Network, operators: Mapping[str, Operator] | None = None) -> Architecture:
    """The network's classes, the same ones for the same source.

    Their instances can be pickled, unless a table of ``operators`` is given: a process that reads
    them would not have it.
    """
    text = source(network, operators)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    root = root_class(network)
    name = f"_specc_{root}_{digest}" if operators is None else f"_specc_own_{root}_{digest}"
    with _lock:
        if name not in _known:
            made = _execute(name, f"<specc {root} {digest}>", text)
            found = Architecture(network, _classes_of(made))
            if operators is None:
                _make_picklable(found)
            _known[name] = found
        return _known[name]


def architecture_from_json(text: str) -> Architecture:
    """The classes of a network as JSON. Raises ValueError where it is none of this version."""
    return architecture(network_from_json(text))


def _execute(name: str, file: str, text: str) -> ModuleType:
    """The Python module that ``text`` defines.

    It is known to ``sys.modules``, since torch.compile and inspect look classes up there, and its
    text to linecache, for tracebacks.
    """
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    made = ModuleType(name)
    made.__file__ = file
    exec(compile(text, file, "exec", dont_inherit=True), vars(made))
    sys.modules[name] = made
    return made


def _classes_of(made: ModuleType) -> dict[str, type[nn.Module]]:
    return {
        name: value
        for name, value in vars(made).items()
        if isinstance(value, type) and value.__module__ == made.__name__
    }


def _make_picklable(found: Architecture) -> None:
    """Registers how instances of these classes, and of no subclass, are pickled and copied."""
    for name, cls in found.classes.items():

        def reduce(module: nn.Module, name: str = name) -> tuple[Any, ...]:
            # As any object, but for how an empty one is made: the state is the module's own.
            usual = object.__reduce_ex__(module, 2)
            assert isinstance(usual, tuple)
            return (blank, (found, name), *usual[2:])

        copyreg.pickle(cls, reduce)


def blank(found: Architecture, name: str) -> nn.Module:
    """An instance of a class, without state. Raises ValueError where there is no such class."""
    if name not in found.classes:
        raise ValueError(f"the network has no class {name[:80]!r}")
    cls = found.classes[name]
    return cls.__new__(cls)
