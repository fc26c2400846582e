"""Where things lie on this machine: one place for every path, and where each was read.

The first of these that sets a path wins:

1. the environment variable ``PYTRACKING_<NAME>``, such as ``PYTRACKING_OTB_DIR`` (empty: as if no file set it);
2. a TOML file: the one that ``PYTRACKING_TOML`` names, else ``pytracking.toml`` in the current directory, else beside
   the ``ltr`` package, else ``~/.config/pytracking/pytracking.toml``;
3. the ``local.py`` files of pytracking: ``ltr/admin/local.py``, then ``pytracking/evaluation/local.py``;
4. the default, which what the program writes itself has.

A name that ends in ``_path``, as in pytracking's evaluation, means the one in ``_dir``. These files are read and never
written. ``python -m ltr.admin.environment`` shows what holds. Plugins add paths with :func:`register_path`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltr.admin.path_files import (
    PREFIX,
    EnvironmentError_,
    PathEntry,
    UnknownPathError,
    canonical,
    read_evaluation_local,
    read_toml,
    read_training_local,
    user_path,
)
from ltr.admin.path_variables import using_paths
from ltr.registry import PLUGIN_VARIABLE, Registry, load_plugins, near_names

__all__ = ["PATHS", "Environment", "EnvironmentError_", "load_environment", "register_path"]

ROOT = Path(__file__).resolve().parents[2]
FILE_NAME = "pytracking.toml"
FILE_VARIABLE = "PYTRACKING_TOML"
DEFAULT = "default"


def is_checkout() -> bool:
    """Returns whether this code lies in a checkout; otherwise it was installed."""
    return (ROOT / "pyproject.toml").is_file()


def default_workspace() -> Path:
    """Returns ``workspace`` in the checkout that this code lies in, or, if it was installed, where one works."""
    return (ROOT if is_checkout() else Path.cwd()) / "workspace"


def program(script: str) -> str:
    """Returns what to give to Python to start a command line: the script, or its module where there is no checkout.

    Args:
        script: such as ``pytracking/run_tracker.py``.
    """
    return script if is_checkout() else f"-m {script.removesuffix('.py').replace('/', '.')}"


@dataclass(frozen=True)
class PathName:
    """What lies at a path, and, for what the program writes itself, the folder below the workspace by default."""

    what: str
    output: str | None = None


PATHS: Registry[PathName] = Registry("path")


def register_path(name: str, what: str, output: str | None = None) -> None:
    """Makes a path known to the environment variables, the TOML files and ``python -m ltr.admin.environment``.

    A plugin that registers the training data set ``mine`` calls ``register_path("mine_dir", "my own videos")``;
    then ``PYTRACKING_MINE_DIR`` or ``mine_dir`` in ``pytracking.toml`` says where it lies.

    Args:
        name: in lower case, ending in ``_dir``. To register the same again changes nothing.
        what: lies there, a phrase for listings.
        output: folder below the workspace, for what the program writes itself; by default the path has to be set.

    Raises:
        EnvironmentError_: the name has another form.
        RegistryError: it is registered for something else.
    """
    if not (name.isidentifier() and name.islower() and name.endswith("_dir")):
        raise EnvironmentError_(f"{name!r} is no name of a path: in lower case and ending in _dir, such as otb_dir")
    path = PathName(what, output)
    if name not in PATHS or PATHS[name] != path:
        PATHS.register(name)(path)


def _output(folder: str, what: str) -> Any:
    return field(default=Path(folder), metadata={"path": PathName(what, folder)})


def _data(what: str) -> Any:
    return field(default=None, metadata={"path": PathName(what)})


@dataclass
class Environment:
    """The paths of this machine. Data sets are None until set; a relative output path lies below ``workspace_dir``.

    A path that a plugin registered is an attribute like the others, and kept in ``others``.

    >>> environment = Environment(workspace_dir=Path("/runs"))
    >>> environment.network_dir.as_posix(), environment.otb_dir
    ('/runs/networks', None)
    """

    workspace_dir: Path = field(
        default_factory=default_workspace,
        metadata={"path": PathName("checkpoints, and whatever else a run writes", "")},
    )
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
    others: dict[str, Path] = field(default_factory=dict)
    source: dict[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for name in OWN_PATHS:
            if PATHS[name].output is not None:
                setattr(self, name, self.workspace_dir / getattr(self, name))

    def path(self, name: str) -> Path | None:
        """Returns the path of a registered name, or None if it is not set.

        Raises:
            EnvironmentError_: no path has this name.
        """
        if name in OWN_PATHS:
            own: Path | None = getattr(self, name)
            return own
        if name not in PATHS:
            raise EnvironmentError_(f"unknown path {name!r}.{near_names(name, PATHS)} Known: {', '.join(PATHS)}")
        output = PATHS[name].output
        path = self.others.get(name)
        return path if output is None else self.workspace_dir / (path or output)

    if not TYPE_CHECKING:  # a type checker still tells misspelt names of the paths above

        def __getattr__(self, name: str) -> Path | None:
            if name not in PATHS or name in OWN_PATHS:  # the latter while a copy is being made
                raise AttributeError(f"unknown path {name!r}.{near_names(name, PATHS)} Known: {', '.join(PATHS)}")
            return self.path(name)

    def require(self, name: str) -> Path:
        """Returns the existing directory that ``name`` stands for.

        Raises:
            EnvironmentError_: the name is unknown, not set, or names no directory; the message says how to set it.
        """
        path = self.path(name)
        if path is None:
            raise EnvironmentError_(f"{name} is not set: {PATHS[name].what}. {how_to_set(name)}")
        if not path.is_dir():
            source = self.source.get(name, DEFAULT)
            raise EnvironmentError_(f"{name} is {path} ({source}), and there is no such directory. {how_to_set(name)}")
        return path


OWN_PATHS = tuple(each.name for each in fields(Environment) if "path" in each.metadata)
for _field in fields(Environment):
    if "path" in _field.metadata:
        PATHS.register(_field.name)(_field.metadata["path"])


def load_environment() -> Environment:
    """Returns the paths as they are set now, read afresh. Nothing is written, and no directory has to exist yet.

    Raises:
        EnvironmentError_: a file that sets paths does not parse or run, or a name in it, or the name of a variable, is
            unknown to this project and to every plugin. The message names the file and line, and near names.
    """
    try:
        return _read_environment()
    except UnknownPathError:
        load_plugins()  # one of them may bring the name
        return _read_environment()


def _read_environment() -> Environment:
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
    chosen = {name: Path(entry.value) for name, entry in found.items() if entry.value}
    source = {name: found[name].source for name in chosen}
    got10k = chosen.get("got10k_dir")
    if got10k and "got10k_val_dir" not in found:
        validation = (got10k.parent if got10k.name == "train" else got10k) / "val"
        if validation.is_dir():
            chosen["got10k_val_dir"], source["got10k_val_dir"] = validation, "beside got10k_dir"
    own = {name: path for name, path in chosen.items() if name in OWN_PATHS}
    others = {name: path for name, path in chosen.items() if name not in OWN_PATHS}
    defaults = {name: DEFAULT for name in PATHS if PATHS[name].output is not None}
    return Environment(**own, others=others, source={**defaults, **source})


@contextlib.contextmanager
def using_workspace(folder: str | Path | None) -> Iterator[None]:
    """Makes a folder the workspace as long as the context lasts; None leaves what is configured."""
    with using_paths({} if folder is None else {"workspace_dir": folder}):
        yield


def _variables() -> dict[str, PathEntry]:
    entries = {}
    for variable, value in sorted(os.environ.items()):
        if variable.startswith(PREFIX) and variable.endswith(("_DIR", "_PATH")):
            name = variable.removeprefix(PREFIX).lower()
            target = canonical(name, PATHS)
            if target is None:
                near = near_names(variable, [PREFIX + known.upper() for known in PATHS])
                raise UnknownPathError(
                    f"the environment variable {variable} names no path.{near} Unset or rename it, or name the plugin "
                    f"that brings it with --plugin or {PLUGIN_VARIABLE}"
                )
            entries[target] = PathEntry(str(_path_of(variable, value).absolute()) if value else "", variable)
    return entries


def _path_of(variable: str, value: str) -> Path:
    try:
        return user_path(value)
    except EnvironmentError_ as error:
        raise EnvironmentError_(f"the environment variable {variable}: {error}") from error


def _toml_file() -> Path | None:
    named = os.environ.get(FILE_VARIABLE)
    if named:
        path = _path_of(FILE_VARIABLE, named)
        if not path.is_file():
            raise EnvironmentError_(f"{FILE_VARIABLE} is {named}: there is no such file. Write it, or unset the name")
        return path
    return next((path for path in _usual_files() if path.is_file()), None)


def _usual_files() -> list[Path]:
    home = Path(os.path.expanduser("~/.config/pytracking"))  # as it stands where there is no home
    return [Path.cwd() / FILE_NAME, ROOT / FILE_NAME, home / FILE_NAME]


def how_to_set(name: str) -> str:
    """Returns the sentence that says how a path is set."""
    file = _toml_file() or default_workspace().parent / FILE_NAME
    return f'Set {PREFIX}{name.upper()}, or write the line {name} = "/path/to/it" in {file}'


def _names() -> list[str]:
    """Returns the names of all paths: this project's in their order, then those of plugins."""
    return [*OWN_PATHS, *(name for name in PATHS if name not in OWN_PATHS)]


def _state(name: str, path: Path | None) -> str:
    if path is None:
        return "not set"
    if path.is_dir():
        return "exists"
    return "MISSING" if PATHS[name].output is None else "made when needed"


def _table(environment: Environment) -> list[str]:
    rows = [("path", "value", "from", "state")]
    for name in _names():
        path = environment.path(name)
        rows.append((name, str(path or "-"), environment.source.get(name, "-"), _state(name, path)))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return [lines[0], "-" * len(max(lines, key=len)), *lines[1:]]


def show_paths(options: argparse.Namespace) -> int:
    """Prints every path, where it was read and whether it is there; returns the exit status."""
    environment = load_environment()
    print("\n".join(_table(environment)))
    for name in _names():
        path = environment.path(name)
        if path and _state(name, path) == "MISSING":
            print(f"\n{name} ({environment.source[name]}): there is no directory {path}. {how_to_set(name)}")
    unset = [name for name in _names() if environment.path(name) is None]
    if unset:
        print("\nNot set, and needed only by whoever uses them (synthetic videos need no path):")
        print("\n".join(f"  {name.ljust(16)} {PATHS[name].what}" for name in unset))
        print(how_to_set(unset[0]))
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Returns the command line's parser."""
    from ltr.admin.command_line import CommandParser, add_common_options

    what = "Shows where data sets, networks and results lie, where each path was read, and what is missing."
    parser = CommandParser("python -m ltr.admin.environment", what)
    add_common_options(parser, "paths of data sets")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    from ltr.admin.command_line import run_command

    return run_command(build_parser().parse_args(arguments), show_paths)


if __name__ == "__main__":
    from ltr.admin import environment  # the module that plugins import, which this one, "__main__", is not

    raise SystemExit(environment.main())
