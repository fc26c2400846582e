"""Registries: every named thing of the framework, and how plugins bring in more.

A registry maps a name to an object. An object gets in by a decorator (:meth:`Registry.register`), by the name of the
module that holds it (:meth:`Registry.refer`), or by lying in a package that the registry was told to search
(:meth:`Registry.search`): pytracking's convention, where a recipe or a parameter set is simply a module of that name.
The last two are imported when they are asked for, so that listings and ``--help`` cost nothing.

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
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar, cast

from ltr.docstrings import described_in_source, first_line

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


@dataclass(frozen=True)
class Reference:
    """An entry that is imported when it is asked for.

    ``what`` it is says a line for listings; if that is empty, the docstring in the module's source does. ``fixed``
    arguments are bound to the entry.
    """

    module: str
    attribute: str
    what: str
    fixed: Mapping[str, Any]

    def means(self, entry: object) -> bool:
        """Returns whether an entry is what is referred to."""
        return (getattr(entry, "__module__", ""), getattr(entry, "__qualname__", "")) == (self.module, self.attribute)

    def bind(self, entry: Callable[..., Any]) -> Any:
        """Returns the entry with the fixed arguments bound to it."""
        if not self.fixed:
            return entry
        bound = partial(entry, **self.fixed)
        bound.__doc__ = self.describe()  # a partial's own says nothing of what it calls
        return bound

    def describe(self) -> str:
        """Returns what it is in one line, without the import."""
        return self.what or described_in_source(self.module, self.attribute)


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
        self._entries: dict[str, T | Reference] = {}
        self._packages: list[tuple[str, tuple[str, ...]]] = []
        _registries.append(self)

    def register(self, name: str, *, override: bool = False) -> Callable[[T], T]:
        """Returns a decorator that stores its argument under ``name``.

        Raises RegistryError if the name is taken and ``override`` is not set, or is no text.
        """
        if not isinstance(name, str):  # as in @ACTORS.register, without its parentheses
            raise RegistryError(f'register a {self.kind} by its name, @....register("name"), not {name!r:.60}')

        def store(entry: T) -> T:
            announced = self._entries.get(name)
            if isinstance(announced, Reference) and announced.means(entry) and not override:
                return entry
            if name in self and not override:
                raise self._taken(name)
            self._store(name, entry)
            return entry

        return store

    def _store(self, name: str, entry: T | Reference) -> None:
        _registered.append((self, name, self._entries.get(name), _importing_module()))
        self._entries[name] = entry

    def refer(self, name: str, target: str, what: str = "", **fixed: Any) -> None:
        """Stores under ``name`` what is imported when it is asked for.

        It may carry the decorator :meth:`register` with this name, too, which then changes nothing.

        Args:
            name: of the entry.
            target: where it is: ``package.module:attribute``.
            what: it is, in one line for listings; by default the first line of its docstring in the source.
            **fixed: arguments that are bound to the entry, a function or class.

        Raises:
            RegistryError: the name is taken. (Where ``home`` takes it, that is told when home is imported.)
        """
        module, _, attribute = target.partition(":")
        reference = Reference(module, attribute, what, fixed)
        if reference.means(self._entries.get(name)):  # its module was imported, and has registered it, before
            return
        if name in self._entries or self._module_of(name):
            raise self._taken(name)
        self._store(name, reference)

    def _taken(self, name: str) -> RegistryError:
        entry = self._entries.get(name)
        place = f", as {entry.attribute} of {entry.module}" if isinstance(entry, Reference) else ""
        return RegistryError(
            f"the {self.kind} {name!r} is registered already{place}; choose another name, "
            "or say register(..., override=True) to replace it"
        )

    def search(self, package: str, *attributes: str) -> None:
        """Makes every module below ``package`` an entry: ``package.a.b`` is ``a/b`` and stands for its attribute.

        Nothing is imported until an entry is asked for.

        Args:
            package: name of the package.
            attributes: what a module may be an entry by; the first that it has counts.
        """
        if (package, attributes) not in self._packages:
            self._packages.append((package, attributes))

    def __getitem__(self, name: str) -> T:
        self._import_home()
        if name in self._entries:
            entry = self._entries[name]
            return cast(T, self._load(name, entry)) if isinstance(entry, Reference) else entry
        if found := self._module_of(name):
            module = importlib.import_module(found[0])
            there = [attribute for attribute in found[1] if hasattr(module, attribute)]
            if not there:
                wanted = " or ".join(map(repr, found[1]))
                raise RegistryError(f"the {self.kind} {name!r} is {module.__file__}, which has no {wanted}")
            return cast(T, getattr(module, there[0]))
        raise self._unknown(name)

    def _load(self, name: str, reference: Reference) -> Any:
        module = importlib.import_module(reference.module)
        if not hasattr(module, reference.attribute):
            place = f"{reference.module}:{reference.attribute}"
            raise RegistryError(f"the {self.kind} {name!r} is {place}, which is not there")
        return reference.bind(getattr(module, reference.attribute))

    def describe(self, name: str) -> str:
        """Returns the first line of what an entry says of itself; nothing is imported that can be read.

        Raises:
            RegistryError: there is no such entry.
            ImportError, SyntaxError: its source is missing or cannot be read.
        """
        self._import_home()
        if name in self._entries:
            entry = self._entries[name]
            return entry.describe() if isinstance(entry, Reference) else _description(entry)
        if found := self._module_of(name):
            return described_in_source(found[0])
        raise self._unknown(name)

    def _module_of(self, name: object) -> tuple[str, tuple[str, ...]] | None:
        """Returns the module of a searched package that has this name, and the attributes that may be the entry."""
        for package, attributes in self._packages:
            if name in _modules_of(package):
                return f"{package}.{str(name).replace('/', '.')}", attributes
        return None

    def _unknown(self, name: str) -> RegistryError:
        places = ", ".join(["registered names", *(f"the package {package}" for package, _ in self._packages)])
        known = self.names()
        listing = f" Known: {', '.join(known)}." if 0 < len(known) <= 20 else ""
        return RegistryError(
            f"unknown {self.kind} {name!r}.{near_names(name, known)}{listing} Looked in: {places}. "
            f"A plugin that brings it must be installed, or named with --plugin or {PLUGIN_VARIABLE}."
        )

    def names(self, pattern: str = "*") -> list[str]:
        """Returns the sorted names that match a shell-style ``pattern``."""
        self._import_home()
        found = set(self._entries).union(*(_modules_of(package) for package, _ in self._packages))
        return sorted(name for name in found if fnmatch.fnmatchcase(name, pattern))

    def __contains__(self, name: object) -> bool:
        self._import_home()
        return name in self._entries or self._module_of(name) is not None

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


def _modules_of(package: str) -> set[str]:
    """Returns the modules below a package as ``a/b``; of them nothing is imported."""
    return {name for folder in importlib.import_module(package).__path__ for name in _modules_below(Path(folder))}


def _modules_below(folder: Path, prefix: str = "") -> Iterator[str]:
    for module in pkgutil.iter_modules([str(folder)]):
        if module.ispkg:
            yield from _modules_below(folder / module.name, f"{prefix}{module.name}/")
        elif not module.name.startswith("_"):
            yield prefix + module.name


def _importing_module() -> str:
    """Returns the module whose import comes to a registration, be it through a function of another module."""
    frame = sys._getframe(1)
    while frame.f_code.co_name != "<module>" and frame.f_back is not None:
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", ""))


def _description(entry: object) -> str:
    if isinstance(entry, partial) and entry.__doc__ == partial.__doc__:  # what it binds tells it from its siblings
        bound = ", ".join([*map(str, entry.args), *(f"{name}={value}" for name, value in entry.keywords.items())])
        return f"{_description(entry.func).rstrip('.')}: {bound}"
    return first_line(entry.__doc__)


NETWORKS: Registry[Callable[..., Any]] = Registry("network", home="ltr.models.tracking")
BACKBONES: Registry[Callable[..., Any]] = Registry("backbone", home="ltr.models.backbone")
ACTORS: Registry[type] = Registry("actor", home="ltr.actors")
DATASETS: Registry[Callable[..., Any]] = Registry("training data set", home="ltr.dataset.registered")
SAMPLERS: Registry[Callable[..., Any]] = Registry("sampler", home="ltr.data.sampler")
PROCESSINGS: Registry[Callable[..., Any]] = Registry("processing", home="ltr.data.processing")
LABELS: Registry[Callable[..., Any]] = Registry("kind of labels", home="ltr.dataset.labels")
HOOKS: Registry[Callable[..., Any]] = Registry("hook")
HELD_OUT_SCORES: Registry[Callable[..., Any]] = Registry("held-out score")
RUN_HOOKS: Registry[type] = Registry("hook of every run")
TRAIN_SETTINGS: Registry[Callable[..., Any]] = Registry("training recipe")
TRAIN_SETTINGS.search("ltr.train_settings", "RECIPE", "run")


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
