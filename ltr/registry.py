"""Registries: every named thing of the framework, and how plugins bring in more.

A registry maps a name to an object. An object gets in by a decorator (:meth:`Registry.register`), or by lying
in a package that the registry was told to search (:meth:`Registry.search`): pytracking's convention, where a
recipe or a parameter set is simply a module of that name.

Plugins are found in three ways and only these: installed packages that declare an entry point in the group
``pytracking.plugins``, the environment variable ``PYTRACKING_PLUGINS`` and ``--plugin`` on a command line.
"""

from __future__ import annotations

import difflib
import fnmatch
import hashlib
import importlib
import importlib.metadata
import importlib.util
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

T = TypeVar("T")

ENTRY_POINT_GROUP = "pytracking.plugins"
PLUGIN_VARIABLE = "PYTRACKING_PLUGINS"


class RegistryError(KeyError):
    """A name that is unknown, or registered twice."""

    def __str__(self) -> str:  # KeyError would print the repr, with escaped line breaks
        return str(self.args[0])


class PluginError(RuntimeError):
    """A plugin that was named by hand could not be loaded."""


def near_names(name: str, known: Iterable[str]) -> str:
    """Returns `` Did you mean 'a' or 'b'?`` for the known names closest to ``name``, or an empty string."""
    matches = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(map(repr, matches))}?" if matches else ""


_registries: list[Registry[Any]] = []
_registered: list[tuple[Registry[Any], str, Any, str]] = []
"""Every registration: where, under which name, what it replaced (or None), and the module that made it."""


class Registry(Generic[T]):
    """Named objects of one kind.

    ``home`` is the module whose import registers the entries that come with the framework. It is imported when the
    registry is first used, so that knowing of a registry costs nothing.

    >>> COLOURS: Registry[str] = Registry("colour")
    >>> _ = COLOURS.register("sky")("blue")
    >>> COLOURS["sky"], COLOURS.names("s*")
    ('blue', ['sky'])
    """

    def __init__(self, kind: str, home: str | None = None) -> None:
        self.kind = kind
        self._home = home
        self._entries: dict[str, T] = {}
        self._packages: list[tuple[str, str]] = []
        _registries.append(self)

    def register(self, name: str, *, override: bool = False) -> Callable[[T], T]:
        """Returns a decorator that stores its argument under ``name``.

        Raises RegistryError if the name is taken and ``override`` is not set.
        """

        def store(entry: T) -> T:
            if name in self and not override:
                raise RegistryError(
                    f"the {self.kind} {name!r} is registered already; choose another name, "
                    "or say override=True to replace it"
                )
            self._store(name, entry)
            return entry

        return store

    def _store(self, name: str, entry: T) -> None:
        module = sys._getframe(2).f_globals.get("__name__", "")  # that called the method which calls this one
        _registered.append((self, name, self._entries.get(name), module))
        self._entries[name] = entry

    def search(self, package: str, attribute: str) -> None:
        """Makes every module below ``package`` an entry: ``package.a.b`` is ``a/b`` and stands for its ``attribute``.

        Nothing is imported until an entry is asked for.
        """
        if (package, attribute) not in self._packages:
            self._packages.append((package, attribute))

    def __getitem__(self, name: str) -> T:
        self._import_home()
        if name in self._entries:
            return self._entries[name]
        for package, attribute in self._packages:
            if name in self._modules(package):
                module = importlib.import_module(f"{package}.{name.replace('/', '.')}")
                if not hasattr(module, attribute):
                    raise RegistryError(f"the {self.kind} {name!r} is {module.__file__}, which has no {attribute!r}")
                return getattr(module, attribute)
        places = ", ".join(["registered names", *(f"the package {package}" for package, _ in self._packages)])
        known = self.names()
        listing = f" Known: {', '.join(known)}." if 0 < len(known) <= 20 else ""
        raise RegistryError(
            f"unknown {self.kind} {name!r}.{near_names(name, known)}{listing} Looked in: {places}. "
            f"A plugin that brings it must be installed, or named with --plugin or {PLUGIN_VARIABLE}."
        )

    def names(self, pattern: str = "*") -> list[str]:
        """Returns the sorted names that match a shell-style ``pattern``."""
        self._import_home()
        found = set(self._entries).union(*(self._modules(package) for package, _ in self._packages))
        return sorted(name for name in found if fnmatch.fnmatchcase(name, pattern))

    def __contains__(self, name: object) -> bool:
        self._import_home()
        return name in self._entries or any(name in self._modules(package) for package, _ in self._packages)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def _import_home(self) -> None:
        home, self._home = self._home, None  # before the import, which registers and so comes back here
        if home is not None:
            try:
                importlib.import_module(home)
            except BaseException:
                self._home = home
                raise

    @staticmethod
    def _modules(package: str) -> set[str]:
        def fail(name: str) -> None:  # without it, what lies in a package that cannot be imported would just be missing
            raise

        root = importlib.import_module(package)
        prefix = f"{package}."
        return {
            module.name.removeprefix(prefix).replace(".", "/")
            for module in pkgutil.walk_packages(root.__path__, prefix, onerror=fail)
            if not module.ispkg and not module.name.rsplit(".", 1)[-1].startswith("_")
        }


NETWORKS: Registry[Callable[..., Any]] = Registry("network", home="ltr.models.tracking")
BACKBONES: Registry[Callable[..., Any]] = Registry("backbone", home="ltr.models.backbone")
ACTORS: Registry[type] = Registry("actor", home="ltr.actors")
DATASETS: Registry[Callable[..., Any]] = Registry("training data set", home="ltr.dataset")
SAMPLERS: Registry[Callable[..., Any]] = Registry("sampler", home="ltr.data.sampler")
PROCESSINGS: Registry[Callable[..., Any]] = Registry("processing", home="ltr.data.processing")
HELD_OUT_SCORES: Registry[Callable[..., Any]] = Registry("held-out score")
RUN_HOOKS: Registry[type] = Registry("hook of every run")
TRAIN_SETTINGS: Registry[Callable[..., Any]] = Registry("training recipe")
TRAIN_SETTINGS.search("ltr.train_settings", "run")


@dataclass(frozen=True)
class Plugin:
    """What came of loading one plugin: where it was named, and the last lines of its traceback if it failed.

    ``package`` is the top-level module that it lives in, if it was loaded.
    """

    name: str
    source: str
    error: str | None = None
    package: str | None = None


_loaded: dict[str, Plugin] = {}


def load_plugins(extra: Iterable[str] = ()) -> list[Plugin]:
    """Imports every plugin once and returns what came of each.

    An installed plugin that fails is reported on standard error and skipped.

    Args:
        extra: modules or paths of single Python files, as given with ``--plugin``.

    Raises:
        PluginError: a plugin named in ``extra`` or in ``PYTRACKING_PLUGINS`` cannot be imported.
    """
    for point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        if point.value not in _loaded:
            plugin = _load(point.value, f"the installed package's entry point {point.name!r}")
            if plugin.error:
                warning = f"warning: plugin {point.value!r}, from {plugin.source}, is left out:\n{plugin.error}"
                print(warning, file=sys.stderr)
    named = [(name, "--plugin") for name in extra]
    named += [(name, PLUGIN_VARIABLE) for name in os.environ.get(PLUGIN_VARIABLE, "").split(",") if name.strip()]
    for name, source in named:
        plugin = _load(name.strip(), source)
        if plugin.error:
            raise PluginError(f"the plugin {name!r}, named with {source}, cannot be loaded:\n{plugin.error}")
    return list(_loaded.values())


def _load(name: str, source: str) -> Plugin:
    if name in _loaded and not _loaded[name].error:
        return _loaded[name]
    modules, registrations = set(sys.modules), len(_registered)
    try:
        module = _import_file(Path(name)) if name.endswith(".py") else importlib.import_module(name)
        _loaded[name] = Plugin(name, source, package=module.__name__.partition(".")[0])
    except (Exception, SystemExit):  # whatever a stranger's module raises is reported under the plugin's name
        error = "".join(f"  {line}\n" for line in traceback.format_exc().splitlines()[-4:])
        _loaded[name] = Plugin(name, source, error)
        _undo(_module_name(Path(name)) if name.endswith(".py") else name.partition(".")[0], modules, registrations)
    return _loaded[name]


def _undo(package: str, modules: set[str], registrations: int) -> None:
    """Takes back what the modules of a plugin that failed registered, and forgets them, so that it can be tried again.

    What it only imported, of the project or of another plugin, stays, and so does what was there before.
    """

    def own(module: str) -> bool:
        return module == package or module.startswith(f"{package}.")

    made, _registered[registrations:] = _registered[registrations:], []
    for registry, name, replaced, _ in reversed([each for each in made if own(each[-1])]):
        registry._entries.pop(name, None)
        registry._entries.update({} if replaced is None else {name: replaced})
    _registered.extend(each for each in made if not own(each[-1]))
    for registry in _registries:
        registry._packages = [searched for searched in registry._packages if not own(searched[0])]
    for module in [module for module in sys.modules if own(module) and module not in modules]:
        del sys.modules[module]


def project_packages() -> set[str]:
    """Returns the top-level modules of this project and of every plugin that was loaded."""
    return {"ltr", "pytracking"} | {plugin.package for plugin in _loaded.values() if plugin.package}


def _import_file(path: Path) -> ModuleType:
    path = path.expanduser().resolve()
    module_name = _module_name(path)
    if module_name in sys.modules:
        return sys.modules[module_name]
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module


def _module_name(path: Path) -> str:
    path = path.expanduser().resolve()
    digest = hashlib.sha1(str(path).encode()).hexdigest()[:8]  # two files of one name are two plugins
    return f"pytracking_plugin_{path.stem}_{digest}"
