"""Where things lie on this machine: one place for every path, and where each was read.

The first of these that sets a path wins:

1. the environment variable ``PYTRACKING_<NAME>``, such as ``PYTRACKING_OTB_DIR`` (empty: as if no file set it);
2. a TOML file: the one that ``PYTRACKING_TOML`` names, else ``pytracking.toml`` in the current directory, else beside
   the ``ltr`` package, else ``~/.config/pytracking/pytracking.toml``;
3. the ``local.py`` files of pytracking: ``ltr/admin/local.py``, then ``pytracking/evaluation/local.py``;
4. the default, which what the program writes itself has.

A name that ends in ``_path``, as in pytracking's evaluation, means the one in ``_dir``. These files are read and never
written. ``python -m ltr.admin.environment`` shows what holds.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ltr.admin.path_files import (
    EnvironmentError_,
    PathEntry,
    canonical,
    read_evaluation_local,
    read_toml,
    read_training_local,
)
from ltr.registry import near_names

__all__ = ["Environment", "EnvironmentError_", "load_environment"]

ROOT = Path(__file__).resolve().parents[2]
FILE_NAME = "pytracking.toml"
FILE_VARIABLE = "PYTRACKING_TOML"
PREFIX = "PYTRACKING_"
DEFAULT = "default"


def _output(default: Path | str, what: str) -> Any:
    return field(default=Path(default), metadata={"what": what, "output": True})


def _data(what: str) -> Any:
    return field(default=None, metadata={"what": what, "output": False})


@dataclass
class Environment:
    """The paths of this machine. Data sets are None until set; a relative output path lies below ``workspace_dir``.

    >>> environment = Environment(workspace_dir=Path("/runs"))
    >>> environment.network_dir.as_posix(), environment.otb_dir
    ('/runs/networks', None)
    """

    workspace_dir: Path = _output(ROOT / "workspace", "checkpoints, and whatever else a run writes")
    results_dir: Path = _output("tracking_results", "tracked boxes, one file a sequence")
    network_dir: Path = _output("networks", "networks that trackers load by file name")
    tensorboard_dir: Path = _output("tensorboard", "TensorBoard's event files")
    got10k_dir: Path | None = _data("GOT-10k: the directory with train/ and val/, or train/ itself")
    got10k_val_dir: Path | None = _data("GOT-10k's validation videos, where they do not lie beside train/")
    lasot_dir: Path | None = _data("LaSOT")
    trackingnet_dir: Path | None = _data("TrackingNet")
    coco_dir: Path | None = _data("COCO")
    imagenet_dir: Path | None = _data("ImageNet VID")
    otb_dir: Path | None = _data("OTB: one directory a sequence")
    nfs_dir: Path | None = _data("NfS")
    uav_dir: Path | None = _data("UAV123")
    vot_dir: Path | None = _data("a VOT challenge's sequences")
    tpl_dir: Path | None = _data("TempleColor128")
    source: dict[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for name in OUTPUTS:
            setattr(self, name, self.workspace_dir / getattr(self, name))

    def require(self, name: str) -> Path:
        """Returns the existing directory that ``name`` stands for.

        Raises:
            EnvironmentError_: the name is unknown, not set, or names no directory; the message says how to set it.
        """
        if name not in PATHS:
            raise EnvironmentError_(f"unknown path {name!r}.{near_names(name, PATHS)} Known: {', '.join(PATHS)}")
        path: Path | None = getattr(self, name)
        if path is None:
            raise EnvironmentError_(f"{name} is not set: {PATHS[name]}. {_how_to_set(name)}")
        if not path.is_dir():
            source = self.source.get(name, DEFAULT)
            raise EnvironmentError_(f"{name} is {path} ({source}), and there is no such directory. {_how_to_set(name)}")
        return path


_FIELDS = [path for path in fields(Environment) if path.name != "source"]
PATHS: dict[str, str] = {path.name: path.metadata["what"] for path in _FIELDS}
OUTPUTS: tuple[str, ...] = tuple(path.name for path in _FIELDS if path.metadata["output"])


def load_environment() -> Environment:
    """Returns the paths as they are set now, read afresh. Nothing is written, and no directory has to exist yet.

    Raises:
        EnvironmentError_: a file that sets paths does not parse or run, or a name in it, or the name of a variable, is
            unknown. The message names the file and line, and near names.
    """
    found = _variables()
    file = _toml_file()
    layers = [read_toml(file, PATHS)] if file else []
    for local, read in (
        (ROOT / "ltr" / "admin" / "local.py", read_training_local),
        (ROOT / "pytracking" / "evaluation" / "local.py", read_evaluation_local),
    ):
        if local.is_file():
            layers.append(read(local, PATHS))
    for layer in layers:
        found = {**layer, **found}
    chosen = {name: entry for name, entry in found.items() if entry.value}
    environment = Environment(
        **{name: Path(entry.value) for name, entry in chosen.items()},
        source={name: chosen[name].source if name in chosen else DEFAULT for name in (*OUTPUTS, *chosen)},
    )
    if environment.got10k_dir and "got10k_val_dir" not in found:
        _find_validation_split(environment, environment.got10k_dir)
    return environment


@contextlib.contextmanager
def using_workspace(folder: str | Path | None) -> Iterator[None]:
    """Makes a folder the workspace of this process, and of those that it starts, as long as the context lasts.

    Args:
        folder: None leaves what is configured.
    """
    if folder is None:
        yield
        return
    variable = f"{PREFIX}WORKSPACE_DIR"
    before = os.environ.get(variable)
    os.environ[variable] = str(Path(folder).expanduser().absolute())
    try:
        yield
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before


def _variables() -> dict[str, PathEntry]:
    entries = {}
    for variable, value in sorted(os.environ.items()):
        if variable.startswith(PREFIX) and variable.endswith(("_DIR", "_PATH")):
            name = variable.removeprefix(PREFIX).lower()
            target = canonical(name, PATHS)
            if target is None:
                near = near_names(variable, [PREFIX + known.upper() for known in PATHS])
                raise EnvironmentError_(f"the environment variable {variable} names no path.{near} Unset or rename it")
            entries[target] = PathEntry(str(Path(value).expanduser().absolute()) if value else "", variable)
    return entries


def _toml_file() -> Path | None:
    named = os.environ.get(FILE_VARIABLE)
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise EnvironmentError_(f"{FILE_VARIABLE} is {named}: there is no such file. Write it, or unset the name")
        return path
    return next((path for path in _usual_files() if path.is_file()), None)


def _usual_files() -> list[Path]:
    return [Path.cwd() / FILE_NAME, ROOT / FILE_NAME, Path("~/.config/pytracking").expanduser() / FILE_NAME]


def _find_validation_split(environment: Environment, got10k: Path) -> None:
    validation = (got10k.parent if got10k.name == "train" else got10k) / "val"
    if validation.is_dir():
        environment.got10k_val_dir = validation
        environment.source["got10k_val_dir"] = "beside got10k_dir"


def _how_to_set(name: str) -> str:
    return f'Set {PREFIX}{name.upper()}, or write the line {name} = "/path/to/it" in {_toml_file() or ROOT / FILE_NAME}'


def _state(name: str, path: Path | None) -> str:
    if path is None:
        return "not set"
    if path.is_dir():
        return "exists"
    return "made when needed" if name in OUTPUTS else "MISSING"


def _table(environment: Environment) -> list[str]:
    rows = [("path", "value", "from", "state")]
    for name in PATHS:
        path = getattr(environment, name)
        rows.append((name, str(path or "-"), environment.source.get(name, "-"), _state(name, path)))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return [lines[0], "-" * len(max(lines, key=len)), *lines[1:]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints every path, where it was read and whether it is there; returns the exit status."""
    argparse.ArgumentParser(
        prog="python -m ltr.admin.environment",
        description="Shows where data sets, networks and results lie, where each path was read, and what is missing.",
    ).parse_args(arguments)
    try:
        environment = load_environment()
        print("\n".join(_table(environment)))
        for name in PATHS:
            path = getattr(environment, name)
            if path and _state(name, path) == "MISSING":
                print(f"\n{name} ({environment.source[name]}): there is no directory {path}. {_how_to_set(name)}")
        unset = [name for name in PATHS if getattr(environment, name) is None]
        if unset:
            print("\nNot set, and needed only by whoever uses them (synthetic videos need no path):")
            print("\n".join(f"  {name.ljust(16)} {PATHS[name]}" for name in unset))
            print(f"{_how_to_set(unset[0])}")
    except EnvironmentError_ as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
