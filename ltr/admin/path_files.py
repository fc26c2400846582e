"""Readers of the files in which users write paths: TOML, and the two ``local.py`` of pytracking.

Each returns the named paths with the place of each, and an error that names the file and the line. Nothing is written.
"""

from __future__ import annotations

import ast
import os
import re
import runpy
import sys
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltr.registry import PLUGIN_VARIABLE, near_names

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TRAINING_CLASS = "EnvironmentSettings"
EVALUATION_FUNCTION = "local_env_settings"

# What pytracking's own local.py files may set and this project has no use for.
UNUSED_IN_LOCAL = {
    "avist_path",
    "davis_dir",
    "ecssd_dir",
    "got_packed_results_path",
    "got_reports_path",
    "hkuis_dir",
    "imagenetdet_dir",
    "lasot_candidate_matching_dataset_path",
    "lasot_extension_subset_path",
    "lvis_dir",
    "msra10k_dir",
    "oxuva_path",
    "pretrained_networks",
    "result_plot_path",
    "sbd_dir",
    "segmentation_path",
    "tn_packed_results_path",
    "youtubevos_dir",
}


NAME_BYTES = 255
"""Longest name of a file or folder that the usual file systems take."""


PREFIX = "PYTRACKING_"
"""What the names of the environment variables begin with that set paths."""


class EnvironmentError_(ValueError):  # the builtin EnvironmentError is OSError
    """A path that is not set, names nothing, or stands in a file that cannot be read as intended."""


class UnknownPathError(EnvironmentError_):
    """A name that no path has. A plugin that is not loaded yet may bring it."""


@dataclass(frozen=True)
class PathEntry:
    """One path as a user wrote it, and the place where it is written."""

    value: str
    source: str


def is_url(text: str) -> bool:
    """Returns whether a text names object storage, such as ``s3://bucket/runs``, rather than a path.

    >>> is_url("s3://bucket/runs"), is_url("/home/me/runs")
    (True, False)
    """
    return "://" in text


def user_path(text: str) -> Path:
    """Returns the path that a person wrote, with the home folder in place of ``~``.

    Raises:
        EnvironmentError_: it is no path: empty, a URL, of a user who does not exist, or with a name that is too long.
    """
    if not text.strip() or "\0" in text:
        raise EnvironmentError_(f"expected a path, not {text!r}")
    if is_url(text):
        raise EnvironmentError_(f"{text!r} is a URL and no path; object storage can be a command's --workspace")
    if any(len(os.fsencode(name)) > NAME_BYTES for name in Path(text).parts):
        raise EnvironmentError_(f"{text!r} is no path: a name in it is longer than {NAME_BYTES} bytes")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        user = Path(text).parts[0].removeprefix("~")
        raise EnvironmentError_(f"{text!r} is no path: there is no user {user!r} with a home folder") from error


def canonical(name: str, known: Collection[str]) -> str | None:
    """Returns the known name that ``name`` stands for (``otb_path`` is ``otb_dir``), or None."""
    if name.endswith("_path"):
        name = f"{name.removesuffix('_path')}_dir"
    return name if name in known else None


def read_toml(path: Path, known: Collection[str]) -> dict[str, PathEntry]:
    """Returns the paths that a flat TOML file sets; a relative one starts at the file's directory.

    Raises:
        EnvironmentError_: the file is missing or no TOML, a key is unknown, or a value is no string.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentError_(f"{path} cannot be read: {error}") from error
    try:
        settings = tomllib.loads(text)
    except RecursionError as error:
        raise EnvironmentError_(f"{path} is nested too deep: it has one line for each path") from error
    except ValueError as error:  # TOML's own, whose message says the line and column, or int()'s of too many digits
        raise EnvironmentError_(
            f'{path} is not valid TOML: {error}. A path is written as a quoted string: otb_dir = "/data/OTB100"'
        ) from error

    def place(key: str) -> str:
        match = re.search(rf"""^[ \t]*["']?{re.escape(key)}["']?[ \t]*=""", text, re.MULTILINE)
        return f"{path} line {text.count(chr(10), 0, match.start()) + 1}" if match else str(path)

    return _checked(settings, known, place, base=path.resolve().parent)


def read_training_local(path: Path, known: Collection[str]) -> dict[str, PathEntry]:
    """Returns the paths that an ``ltr/admin/local.py`` sets: the attributes of its ``EnvironmentSettings()``.

    Raises:
        EnvironmentError_: the file does not run, holds no such class, or sets an unknown attribute.
    """
    entries = _read_local(path, TRAINING_CLASS, known)
    # pytracking's template has workspace_dir = '' and builds tensorboard_dir upon it: nothing was meant by that.
    below_nothing = entries.get("tensorboard_dir", PathEntry("", "")).value.strip("/") == "tensorboard"
    if below_nothing and "workspace_dir" not in entries:
        del entries["tensorboard_dir"]
    return entries


def read_evaluation_local(path: Path, known: Collection[str]) -> dict[str, PathEntry]:
    """Returns the paths that a ``pytracking/evaluation/local.py`` sets: those of its ``local_env_settings()``.

    Raises:
        EnvironmentError_: the file does not run, holds no such function, or sets an unknown attribute.
    """
    return _read_local(path, EVALUATION_FUNCTION, known)


def _read_local(path: Path, maker: str, known: Collection[str]) -> dict[str, PathEntry]:
    try:
        namespace = runpy.run_path(str(path))
        settings = namespace[maker]() if maker in namespace else None
    except Exception as error:  # whatever the user's own file raises
        raise EnvironmentError_(
            f"{_failing_line(path, error)}: {type(error).__name__}: {error}. The file is left as it is; mend that line"
        ) from error
    if settings is None:
        raise EnvironmentError_(
            f"{path} gives no settings: pytracking's file of this name has {maker}(), which makes an object whose "
            "attributes are the paths"
        )
    lines = _assigned_lines(path)

    def place(name: str) -> str:
        return f"{path} line {lines[name]}" if name in lines else str(path)

    values = {name: value for name, value in vars(settings).items() if name not in UNUSED_IN_LOCAL}
    return _checked(values, known, place, base=Path.cwd())


def _checked(
    values: dict[str, Any], known: Collection[str], place: Callable[[str], str], base: Path
) -> dict[str, PathEntry]:
    entries: dict[str, PathEntry] = {}
    for name, value in values.items():
        target = canonical(name, known)
        if target is None:
            raise UnknownPathError(
                f"{place(name)}: unknown path {name!r}.{near_names(name, known)} Known: {', '.join(sorted(known))}. "
                f"A plugin that brings it must be installed, or named with --plugin or {PLUGIN_VARIABLE}"
            )
        if isinstance(value, Path):
            value = str(value)
        if value is not None and not isinstance(value, str):
            raise EnvironmentError_(
                f"{place(name)}: {name} must be a path in quotes, not {value!r} ({type(value).__name__})"
            )
        if not value:
            continue
        try:
            entry = PathEntry(str(base / user_path(value)), place(name))
        except EnvironmentError_ as error:
            raise EnvironmentError_(f"{place(name)}: {name}: {error}") from error
        if target in entries and entries[target].value != entry.value:
            raise EnvironmentError_(
                f"{entry.source}: {name} and {entries[target].source} give {target} two values; keep one"
            )
        entries[target] = entry
    return entries


def _failing_line(path: Path, error: Exception) -> str:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path} line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path} line {lines[-1]}" if lines else str(path)


def _assigned_lines(path: Path) -> dict[str, int]:
    """Returns the line on which each attribute is last assigned."""
    lines: dict[str, int] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            lines[node.attr] = max(node.lineno, lines.get(node.attr, 0))
    return lines
