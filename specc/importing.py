"""Reads the files that a spec imports: below its folder, or those that ship as ``std``."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from specc.elaborate.facts import BadImport
from specc.elaborate.files import ImportedFile
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Report
from specc.frontend.facts import did_you_mean
from specc.frontend.limits import Limits
from specc.frontend.parse import parse
from specc.frontend.resources import resource, resource_names
from specc.frontend.source import Source, Sources

STD = "std"


class Importer:
    """Finds and parses imported files, each once.

    ``base`` is the folder of the file that is compiled; None for a bare text, and for a spec that
    ships with specc, which may import its siblings as ``std``.
    """

    def __init__(self, base: Path | None, sources: Sources, report: Report, limits: Limits) -> None:
        self._sources = sources
        self._report = report
        self._limits = limits
        self._folders: dict[int, Path | None] = {0: base}
        self._files: dict[str, ImportedFile] = {}

    def __call__(self, node: syntax.Import) -> ImportedFile:
        """The file that an import names. Raises a Fault with BadImport where there is none.

        A file that does not parse is reported, and has no tree.
        """
        path, name = self._std(node) if node.path is None else self._below(node, node.path)
        key = str(path)
        if key not in self._files:
            self._files[key] = self._read(node, path, name)
        return self._files[key]

    def _std(self, node: syntax.Import) -> tuple[Path, str]:
        dotted = ".".join(node.module)
        if node.module[0] != STD or len(node.module) != 2:
            raise _refused(
                node,
                f"there is no module {dotted!r}",
                'a module is `std.NAME`; another file is imported by its path, `from "file.net"`',
            )
        file = f"{node.module[1]}.net"
        known = resource_names("specs")
        if file not in known:
            shown = [f"{STD}.{entry.removesuffix('.net')}" for entry in known]
            raise _refused(node, f"there is no {dotted!r}", did_you_mean(dotted, shown))
        return resource("specs", file), f"{STD}/{file}"

    def _below(self, node: syntax.Import, text: str) -> tuple[Path, str]:
        folder = self._folders.get(node.span.file)
        if folder is None:
            raise _refused(node, "a text that stands in no folder imports only from `std`")
        relative = PurePosixPath(text)
        if relative.is_absolute() or ".." in relative.parts or "\\" in text or ":" in text:
            raise _refused(
                node,
                f"{text!r} leads out of the folder of this file",
                "an imported file stands beside the importing one, or below it",
            )
        if relative.suffix != ".net":
            raise _refused(node, f"{text!r} is no .net file")
        try:
            path = (folder / relative).resolve()
        except (OSError, ValueError, RuntimeError):  # too long, a null, links in a circle
            raise _refused(node, f"{text[:80]!r} cannot be the name of a file") from None
        if not path.is_relative_to(folder.resolve()):
            raise _refused(node, f"{text!r} leads out of the folder of this file")
        importing = PurePosixPath(self._sources.files[node.span.file].name)
        return path, str(importing.parent / relative)

    def _read(self, node: syntax.Import, path: Path, name: str) -> ImportedFile:
        try:
            # A pipe could block for ever, and a device could never end.
            if path.exists() and not path.is_file():
                raise _refused(node, f"{name!r} is no file")
            with path.open("rb") as file:
                data = file.read(self._limits.bytes + 1)
            if len(data) > self._limits.bytes:
                raise _refused(node, f"{name!r} is larger than {self._limits.bytes:,} bytes")
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _refused(node, f"{name!r} is not UTF-8, from byte {error.start} on") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise _refused(
                node, f"{name!r} cannot be read: {reason}", did_you_mean(path.name, siblings(path))
            ) from None
        number = self._sources.add(Source(name, text))
        self._folders[number] = path.parent
        tree = parse(self._sources.files[number], number, self._report, self._limits)
        return ImportedFile(name, number, tree)


def siblings(path: Path) -> list[str]:
    """The names of the specs in the folder of a path; none where that cannot be listed."""
    try:
        return sorted(sibling.name for sibling in path.parent.glob("*.net"))
    except (OSError, ValueError):
        return []


def _refused(node: syntax.Import, problem: str, advice: str | None = None) -> Fault:
    return Fault(BadImport(where=node.span, problem=problem, advice=advice))
