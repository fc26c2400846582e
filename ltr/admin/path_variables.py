"""Paths that a program sets for itself, and for the processes that it starts: by environment variables."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ltr.admin.path_files import PREFIX


@contextlib.contextmanager
def using_paths(paths: Mapping[str, str | Path | None]) -> Iterator[None]:
    """Sets paths for this process, and for those that it starts, as long as the context lasts.

    Args:
        paths: by their names, such as ``otb_dir``; None hides what is configured.
    """
    before = {name: os.environ.get(_variable(name)) for name in paths}
    set_paths(paths)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(_variable(name), None)
            else:
                os.environ[_variable(name)] = value


def set_paths(paths: Mapping[str, str | Path | None]) -> None:
    """Sets paths for this process, and for those that it starts, from now on; as :func:`using_paths`."""
    for name, path in paths.items():
        os.environ[_variable(name)] = "" if path is None else str(Path(path).expanduser().absolute())


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"
