"""Compiles specs under an audit hook: ``python -m tests.fuzz.audited FOLDER SPECS [DEED]``.

The specs are the hostile corpus and generated ones, SPECS in all. The hook ends the process at the
first thing that compiling does not need. Needed are: to read the files of the package, of the
grammar and of the standard specs; to import modules of specc and of Python's own library; and to
read the file that is compiled and those in its folder. What the host asked for has happened before:
it has imported the module of its own operators. A deed is done on purpose at the end, to show that
the hook sees it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import specc
import specc.weights.safetensors  # and numpy with it, which weights need
from specc.compiler import Text, compile_network
from specc.frontend.resources import resource
from specc.frontend.source import Source
from specc.ops.operator import Operator
from specc.ops.registry import operators_with
from tests.fuzz.hostile.documents import DOCUMENTS
from tests.fuzz.hostile.headers import HEADERS, weight_file
from tests.fuzz.hostile.texts import TEXTS
from tests.fuzz.mutation import mutant

FOLDER = Path(sys.argv[1]).resolve()
PACKAGE = Path(specc.__file__).resolve().parent
READABLE = (PACKAGE, resource("grammars").resolve(), resource("specs").resolve(), FOLDER)
LIBRARY = Path(sysconfig.get_path("stdlib")).resolve()
# What belongs to none of these reaches neither files nor processes nor the network.
WATCHED = ("open", "import", "exec", "os.", "subprocess.", "socket.", "shutil.", "ctypes.", "pty.")
WATCHED += ("urllib.", "ftplib.", "http.", "smtplib.", "webbrowser.", "tempfile.", "glob.", "mmap.")
LISTS = ("os.listdir", "os.scandir", "glob.glob", "glob.glob/2")


def needed(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether compiling needs this."""
    if event == "open":
        path, mode, flags = arguments
        writes = mode is not None and set(str(mode)) & set("wax+")
        writes = writes or bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        return not writes and isinstance(path, str | bytes) and _readable(os.fsdecode(path))
    if event == "import":
        top = str(arguments[0]).partition(".")[0]
        return top == "specc" or top in sys.stdlib_module_names
    if event == "exec":  # a module's code, or that of a dataclass: the library's own
        name = arguments[0].co_filename
        return name.startswith("<") or _readable(name)
    if event in LISTS:
        return _readable(os.fsdecode(arguments[0]))
    return False


def _readable(path: str) -> bool:
    where = Path(path).resolve()
    return any(where.is_relative_to(folder) for folder in (*READABLE, LIBRARY))


class Watch:
    """The hook, which looks on only while something is compiled."""

    watching = False

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Ends the process where something is not needed."""
        if self.watching and event.startswith(WATCHED) and not needed(event, arguments):
            self.watching = False
            sys.stderr.write(f"not needed: {event} {arguments!r}"[:2000])
            sys.stderr.flush()
            os._exit(3)

    def over(self, work: Callable[[], object]) -> str:
        """Does something under the hook; a spec may be refused."""
        self.watching = True
        try:
            work()
        except specc.SpecError as error:
            str(error)
            return "refused"
        finally:
            self.watching = False
        return "compiled"


def compile_all(watch: Watch, specs: int, own: tuple[Operator, ...]) -> Counter[str]:
    """Compiles every text and document, and so many generated ones that they are ``specs`` in all.

    Every other one is given the operators ``own``. Gives how many compiled and were refused.
    """
    outcomes: Counter[str] = Counter()
    path = FOLDER / "main.net"
    for number, (text, _) in enumerate(TEXTS.values()):
        path.write_text(text, encoding="utf-8")
        ops = own if number % 2 else ()
        outcomes[watch.over(partial(_compile_file, path, ops))] += 1
    for text, _ in DOCUMENTS.values():
        outcomes[watch.over(partial(specc.Program.from_json, text, ops=own))] += 1
    weights = FOLDER / "w.safetensors"
    for header, _ in HEADERS.values():
        weights.write_bytes(weight_file(header))
        outcomes[watch.over(partial(specc.load, weights))] += 1
    for number in range(specs - outcomes.total()):
        # A text that no file could hold, half a surrogate in it, is one that a host may hand over.
        text = Text(Source("main.net", mutant(number).text), FOLDER)
        table = operators_with(own if number % 2 else ())
        outcomes[watch.over(partial(compile_network, text, operators=table))] += 1
    return outcomes


def _compile_file(path: Path, ops: tuple[Operator, ...]) -> None:
    specc.compile(path, ops=ops).python()


DEEDS: dict[str, Callable[[], object]] = {
    "open": (FOLDER.parent / "secret.net").read_bytes,
    "import": lambda: __import__("yaml"),
    "spawn": lambda: subprocess.run(["true"], check=True),
    "connect": lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
    "write": lambda: (FOLDER / "made.net").write_text(""),
    "list": lambda: list(Path("/").iterdir()),
}


def main() -> None:
    """Compiles, then does the deed."""
    specs = int(sys.argv[2])
    own: tuple[Operator, ...] = ()
    if specs:  # what the host asks for, so that it is there before anything is watched
        from tests.extension.own_ops import EVERY

        own = tuple(EVERY)
    watch = Watch()
    sys.addaudithook(watch.hook)
    outcomes = compile_all(watch, specs, own)
    if len(sys.argv) > 3:
        watch.over(DEEDS[sys.argv[3]])
    sys.stdout.write(f"{outcomes.total()} specs, {outcomes['compiled']} compiled\n")


if __name__ == "__main__":
    main()
