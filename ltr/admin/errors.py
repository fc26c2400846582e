"""Which errors a person can mend from their message alone, and which need the traceback."""

from __future__ import annotations

import linecache
import re
import sys
import traceback
from pathlib import Path

from ltr.registry import project_packages

_NO_HOME = "Could not determine home directory."  # of Path.expanduser
_OF_A_FILE = re.compile(r"\[Errno \d+\] ([^:]+): '(.+)'", re.DOTALL)  # an OSError with the name of its file
_IN_WORKER = re.compile(r"Caught \w+ in DataLoader worker process \d+\.\nOriginal Traceback")


def message_for_people(error: BaseException) -> str | None:
    """Returns the message of an error that a person can mend from it, or none for any other.

    An error counts if its class is one of this project's or of a plugin's, or if it is a ValueError, KeyError, OSError
    or ImportError that a ``raise`` statement of theirs made. A ValueError that merely happened, such as ``int("x")``,
    does not: without its traceback nobody can tell what was wrong. The operating system's errors count if they name a
    file, and so do memory that is used up and a home directory that there is none of. The same holds for errors from a
    loader's worker processes.
    """
    message = str(error).strip()
    if not message or not isinstance(error, Exception):
        return None
    if isinstance(error, MemoryError):
        return f"not enough memory: {message}"
    if isinstance(error, RuntimeError) and message == _NO_HOME:
        return "a path begins with ~ and the name of a user that this machine does not know; write the path in full"
    in_worker = _IN_WORKER.match(message) is not None
    if isinstance(error, ModuleNotFoundError) and (missing := _missing_package(error)):
        return (
            f"{sys.executable} has no package {missing!r}: run `bash install.sh` in the checkout and use its "
            ".venv/bin/python, or install the project into this Python (docs/index.md)"
        )
    known = type(error).__module__.split(".")[0] in project_packages()
    if not known and (named := _OF_A_FILE.fullmatch(_last_message(message) if in_worker else message)):
        return f"{named[2]}: {named[1]}"
    if not known and isinstance(error, (ValueError, KeyError, OSError, ImportError)):
        known = _worker_raised(message) if in_worker else _raised(error)
    if not known:
        return None
    return _last_message(message) if in_worker else message


def _missing_package(error: ModuleNotFoundError) -> str | None:
    """Returns the package of others that an import statement of ours did not find."""
    package = (error.name or "").partition(".")[0]
    return None if not package or package in project_packages() or _raised(error) else package


def _raised(error: BaseException) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and _is_raise(frames[-1].filename, frames[-1].lineno or 0)


def _worker_raised(message: str) -> bool:
    places = re.findall(r'^ *File "([^"]+)", line (\d+)', message, re.MULTILINE)
    return bool(places) and _is_raise(places[-1][0], int(places[-1][1]))


def _is_raise(filename: str, line: int) -> bool:
    path = Path(filename).resolve()
    return linecache.getline(filename, line).lstrip().startswith("raise ") and any(
        path == place or place in path.parents for place in _places()
    )


def _places() -> list[Path]:
    """Returns the folders of the project's and the plugins' packages, and the files of single-file plugins."""
    modules = [sys.modules[name] for name in project_packages() if name in sys.modules]
    files = [Path(module.__file__).resolve() for module in modules if module.__file__]
    return [file.parent if file.name == "__init__.py" else file for file in files]


def _last_message(message: str) -> str:
    """Returns the error's own words from the traceback that a worker process sent."""
    lines = message.splitlines()
    last = max((index for index, line in enumerate(lines) if line.startswith((" ", "\t"))), default=-1)
    return "\n".join(lines[last + 1 :]).partition(": ")[2] or message
