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
from specc.ir.walk import operators_of
from specc.ops.operator import Operator
from specc.ops.registry import operators, operators_with
from specc.targets.python import root_class, source


@dataclass(frozen=True, eq=False)
class Architecture:
    """A network, the operators that it uses beside the built-in ones, and its source's classes.

    Copies are the object itself, so that a pickle or a copy of many modules holds it once.
    """

    network: Network
    classes: Mapping[str, type[nn.Module]]
    own: tuple[Operator, ...] = ()

    @property
    def root(self) -> type[nn.Module]:
        """The net's own class."""
        return self.classes[root_class(self.network)]

    def __deepcopy__(self, memo: object) -> Architecture:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return architecture_from_json, (self.network.model_dump_json(), self.own)


# By the source and the operators that it calls into, which may be made anew under their old names.
_known: dict[tuple[str, tuple[int, ...]], Architecture] = {}
_lock = Lock()


def architecture(network: Network, operators: Mapping[str, Operator] | None = None) -> Architecture:
    """The network's classes, the same ones for the same source and operators.

    ``operators`` is the table of operators, by default the built-in ones. A pickle of an instance
    names those that are not built in as Python names a function, by module and attribute.
    """
    own = _own(network, operators)
    text = source(network, operators)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    root = root_class(network)
    key = (digest, tuple(map(id, own)))
    with _lock:
        if key not in _known:
            serial = f"_{len(_known)}" if own else ""
            made = _execute(f"_specc_{root}_{digest}{serial}", f"<specc {root} {digest}>", text)
            _known[key] = Architecture(network, _classes_of(made), own)
            _make_picklable(_known[key])
        return _known[key]


def architecture_from_json(text: str, own: tuple[Operator, ...] = ()) -> Architecture:
    """The classes of a network as JSON. Raises ValueError where it is none of this version."""
    return architecture(network_from_json(text), operators_with(own))


def _own(network: Network, table: Mapping[str, Operator] | None) -> tuple[Operator, ...]:
    """The operators that the network uses and that are not the built-in ones of their names."""
    builtin = operators()
    if table is None:
        return ()
    used = [table[name] for name in sorted(operators_of(network)) if name in table]
    return tuple(operator for operator in used if builtin.get(operator.name) is not operator)


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
