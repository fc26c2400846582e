"""Names that stand in a data set's files become paths here, and nowhere else: no name leads out of its folder."""

from __future__ import annotations

import re
from pathlib import Path

from ltr.dataset.text import DatasetError, read_lines, short

LONGEST = 200  # bytes of a name: file systems have 255, and results and videos add their endings

# Windows opens devices by these names, whatever ending they have.
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def path_below(root: Path, name: str, where: str, folders: bool = False) -> Path:
    """Returns the path that ``name`` has below ``root``.

    Blanks, ``%``, ``#`` and all letters of Unicode may be in a name.

    >>> path_below(Path("data"), "Zoë 50%", "list.txt").as_posix()
    'data/Zoë 50%'

    Args:
        root: a folder.
        name: of a file or folder in it.
        where: the name stands, for the error's message: a file and a line.
        folders: the name may be one inside folders, with ``/`` between them.

    Raises:
        DatasetError: the path would lie somewhere else, or is one that some system cannot have.
    """
    for part in name.split("/") if folders else [name]:
        fault = _fault(part)
        if fault:
            raise DatasetError(f"{where}: {short(name)} cannot be a name: {fault}; rename it there and on the disk")
    return root / name


def read_names(path: Path) -> list[str]:
    """Returns the names in a file, one a line, each fit for a file or folder beside it; empty lines do not count.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: there are none, one is there twice, or one would lie somewhere else; the message names the line.
    """
    lines: dict[str, int] = {}
    for number, name in enumerate(read_lines(path), start=1):
        if not name:
            continue
        path_below(path.parent, name, f"{path}, line {number}")
        if name in lines:
            raise DatasetError(f"{path} has {short(name)} twice, in lines {lines[name]} and {number}; remove one")
        lines[name] = number
    if not lines:
        raise DatasetError(f"{path} is empty; it must hold names, one a line")
    return list(lines)


def _fault(part: str) -> str:
    """Returns what is wrong with a name, or nothing."""
    if not part.strip():
        return "it is empty"
    if part != part.strip():
        return "it begins or ends with a blank"
    if part.startswith("."):
        return "it begins with a dot"
    if "/" in part or "\\" in part or re.match("[A-Za-z]:", part):
        return "it leads to another folder"
    if any(letter < " " or letter == "\x7f" for letter in part):
        return "it holds a control character"
    if _DEVICES.fullmatch(part):
        return "it is reserved for a device on Windows"
    try:
        length = len(part.encode())
    except UnicodeEncodeError:
        return "it is no text in UTF-8"
    return f"it has {length} bytes, more than {LONGEST}" if length > LONGEST else ""
