"""Finds the files that ship beside the package: the grammar and the standard specs."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

Kind = Literal["grammars", "specs"]


def resource(kind: Kind, name: str = "") -> Path:
    """The path of file ``name`` (or of the folder itself) of a kind.

    In a wheel the folders lie in ``specc/_data``; in a checkout, or an editable install of one,
    they stand beside the package.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the name leads out of its folder.
    """
    package = Path(str(files("specc")))
    for folder in (package / "_data" / kind, package.parent / kind):
        if folder.is_dir():
            path = (folder / name).resolve()
            if not path.is_relative_to(folder.resolve()):
                raise ValueError(f"{name!r} leads out of {kind}/")
            if path.exists():
                return path
    raise FileNotFoundError(f"specc ships no {kind}/{name}")


def resource_names(kind: Kind) -> tuple[str, ...]:
    """The names of all files of a kind."""
    return tuple(sorted(path.name for path in resource(kind).iterdir() if path.is_file()))
