"""Arrays from an .npz file that nobody vouches for.

Each array's header is judged before memory is asked for: a file may declare any shape, and its
compressed parts may unfold to any size. Objects are never unpickled.
"""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, NoReturn

from numpy.lib import format as npy
from numpy.typing import NDArray

from specc.frontend.diagnostics import Fault
from specc.training.facts import BadData

Array = NDArray[Any]

MAX_BYTES = 8 * 2**30
"""More than this in one file, unpacked, is not read."""

_SUFFIX = ".npy"
_NUMBERS = "fiub"
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}

# What zipfile, zlib and numpy raise for damaged or hostile content, besides ValueError.
_DAMAGE = (
    ValueError,
    EOFError,
    OSError,
    RuntimeError,  # an encrypted member; a header that nests too deeply
    MemoryError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_npz(path: Path, wanted: tuple[tuple[str, ...], ...]) -> dict[str, Array]:
    """The arrays of an .npz file, whose names have to be one of the sets ``wanted``.

    Raises Fault with BadData where the file is missing, damaged, too large, or holds anything but
    arrays of numbers and bools under those names.
    """
    if not path.is_file():  # a pipe or a device would block, or never end
        _refuse(path, "it is no file" if path.exists() else "there is no such file")
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(path, archive, wanted)
    except _DAMAGE as error:
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        _refuse(path, f"it is no sound .npz file ({reason})")


def _read(
    path: Path, archive: zipfile.ZipFile, wanted: tuple[tuple[str, ...], ...]
) -> dict[str, Array]:
    members = archive.infolist()
    names = sorted(member.filename.removesuffix(_SUFFIX) for member in members)
    if names not in [sorted(choice) for choice in wanted]:
        alternatives = ", or ".join(" and ".join(choice) for choice in wanted)
        found = ", ".join(ascii(name[:40]) for name in names[:10]) or "nothing"
        _refuse(path, f"it has to hold {alternatives}, and holds {found}")
    if sum(member.file_size for member in members) > MAX_BYTES:
        _refuse(path, f"it holds more than {MAX_BYTES // 2**30} GiB")
    arrays = {}
    for member in members:
        name = member.filename.removesuffix(_SUFFIX)
        with archive.open(member) as file:
            _check_header(path, name, file, member.file_size)
        with archive.open(member) as file:
            arrays[name] = npy.read_array(file, allow_pickle=False)
    return arrays


def _check_header(path: Path, name: str, file: IO[bytes], size: int) -> None:
    version = npy.read_magic(file)
    if version not in _HEADERS:
        _refuse(path, f"{name} is in an unknown version of the format")
    shape, _, dtype = _HEADERS[version](file)
    if dtype.hasobject:
        _refuse(path, f"{name} holds Python objects, which can carry code")
    if dtype.kind not in _NUMBERS or dtype.itemsize > 8:
        _refuse(path, f"{name} holds {dtype.name[:40]}, not numbers")
    if any(length < 0 for length in shape) or math.prod(shape) * dtype.itemsize > size:
        _refuse(path, f"{name} is shorter than it says")


def _refuse(path: Path, problem: str) -> NoReturn:
    raise Fault(BadData(data=str(path), problem=problem))
