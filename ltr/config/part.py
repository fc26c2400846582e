"""A part of a recipe: the registered name of a class or function, and the arguments that it is built with."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, TypeVar

from ltr.config.errors import SettingsError
from ltr.registry import ACTORS, HOOKS, LABELS, NETWORKS, PROCESSINGS, SAMPLERS, Registry, near_names

P = TypeVar("P", bound="Part")

AT_RUN_TIME = frozenset(
    {"actor", "batch_size", "dataset", "datasets", "env", "frozen_norm", "net", "num_workers"}
    | {"p_datasets", "processing", "sampler", "samples_per_epoch", "seed"}
)
"""Arguments that a run supplies to the parts whose signature names them; all others are the part's options.

``dataset`` and ``datasets`` are the training videos, ``p_datasets`` how often each set is drawn, ``env`` the paths,
``net`` the network, ``frozen_norm`` whether its norm layers keep their statistics, ``batch_size`` that of all processes
together; ``processing``, ``sampler`` and ``actor`` are the other parts, built.
"""


PARTS_OF_EACH_OTHER = ("net", "processing", "sampler", "actor")
"""What parts are built with of other parts; where a signature says a class, it has to be one."""


@dataclass(frozen=True)
class Option:
    """One argument of a part that a recipe can set.

    Attributes:
        type: as annotated.
        default: its value if a recipe does not say one; ``inspect.Parameter.empty`` if a recipe has to.
        text: what it means, from the docstring.
    """

    type: Any
    default: Any
    text: str


@dataclass(frozen=True, init=False)
class Part:
    """A registered name and options for what it names; each kind of part is a subclass.

    What is built is the registered class or function itself, or the class's method ``from_recipe`` where it has one.
    Its signature says which options there are; what :data:`AT_RUN_TIME` lists comes from the run.

    >>> Sampler("tracking", max_gap=50).options["max_gap"]
    50

    Attributes:
        name: in the registry of its kind.
        options: arguments by name.
    """

    registry: ClassVar[Registry[Any]]

    name: str
    options: Mapping[str, Any]

    def __init__(self, name: str, /, **options: Any) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "options", options)

    def renamed(self: P, name: str) -> P:
        """Returns the part of another name, with those of the options that it has, too."""
        known = options_of(self.registry[name])
        return type(self)(name, **{key: value for key, value in self.options.items() if key in known})

    def known_options(self) -> Mapping[str, Option]:
        """Returns the options that the named thing has; RegistryError where nothing has that name."""
        return options_of(self.registry[self.name])

    def build(self, **offered: Any) -> Any:
        """Returns what the name stands for, built with the options, and with what it asks for of ``offered``.

        Raises:
            RegistryError: nothing of that name is registered.
            SettingsError: an option is set that it does not have, or one that it needs is not.
        """
        slot, kind = type(self).__name__.lower(), self.registry.kind
        known = self.known_options()
        for key in self.options:
            if key not in known:
                raise SettingsError(
                    f"{slot}.{key}: the {kind} {self.name!r} has no such option."
                    f"{near_names(key, known)} Known: {', '.join(known) or 'none'}."
                )
        make = maker(self.registry[self.name])
        wanted = inspect.signature(make, eval_str=True).parameters
        for name, parameter in wanted.items():
            annotated = name in PARTS_OF_EACH_OTHER and parameter.annotation is not inspect.Parameter.empty
            needs = parameter.annotation if annotated and name in offered else None
            if inspect.isclass(needs) and not isinstance(offered[name], needs):
                without = "; or leave the hooks out, --set hooks=none" if self.registry is HOOKS else ""
                raise SettingsError(
                    f"{slot}={self.name} needs a {needs.__name__} as {name}, but the recipe's is a "
                    f"{type(offered[name]).__name__}: choose parts that belong together{without}"
                )
            if parameter.default is not inspect.Parameter.empty or name in self.options or name in offered:
                continue
            if name in AT_RUN_TIME:
                given = ", ".join(sorted(offered)) or "nothing"
                raise SettingsError(f"{slot}={self.name}: it asks for {name}, but the {kind} is given {given}")
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
                raise SettingsError(f"{slot}.{name} is not set, and the {kind} {self.name!r} needs it")
        return make(**{name: value for name, value in offered.items() if name in wanted}, **self.options)


class Network(Part):
    """What learns; :func:`ltr.models.builder.build_network` makes it."""

    registry = NETWORKS


class Labels(Part):
    """What of a data set is learned from: a registered wrapper around ``dataset``, such as its boxes or clicks."""

    registry = LABELS


class Sampler(Part):
    """Which frames make a sample; is given ``datasets``, ``processing``, ``samples_per_epoch``, ``seed``."""

    registry = SAMPLERS


class Processing(Part):
    """What the network sees of a sample; may ask for ``net``."""

    registry = PROCESSINGS


class Actor(Part):
    """The learning step; is given ``net``, and may ask for ``processing`` and ``frozen_norm``."""

    registry = ACTORS


class RunHook(Part):
    """What else happens around epochs; may ask for every other part, built."""

    registry = HOOKS


def maker(entry: Any) -> Callable[..., Any]:
    """Returns what builds a registered thing: its ``from_recipe``, or itself."""
    make: Callable[..., Any] = getattr(entry, "from_recipe", entry)
    return make


@cache
def options_of(entry: Any) -> Mapping[str, Option]:
    """Returns the options of a registered class or function by name, in the order of its signature."""
    make = maker(entry)
    ancestors = [one for one in reversed(entry.__mro__) if one is not object] if inspect.isclass(entry) else [entry]
    documented = (*ancestors, inspect.unwrap(make), make)
    texts = {name: text for one in documented for name, text in argument_texts(inspect.getdoc(one)).items()}
    return {
        name: Option(parameter.annotation, parameter.default, texts.get(name, ""))
        for name, parameter in inspect.signature(make, eval_str=True).parameters.items()
        if name not in AT_RUN_TIME and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }


def argument_texts(docstring: str | None) -> dict[str, str]:
    """Returns what a docstring's sections ``Args`` and ``Attributes`` say of each name, one line each.

    >>> argument_texts('A sum.\\n\\nArgs:\\n    a: one of them,\\n        a number.\\n    b, c: others.')
    {'a': 'one of them, a number.', 'b': 'others.', 'c': 'others.'}
    """
    texts: dict[str, str] = {}
    names: list[str] = []
    inside = False
    for line in (docstring or "").splitlines():
        if not line.startswith(" "):
            inside = line.strip() in ("Args:", "Attributes:") or (inside and not line.strip())
            names = []
            continue
        if not inside:
            continue
        found = re.match(r"^    (\w+(?:, \w+)*): (.*)$", line)
        if found:
            names = found[1].split(", ")
            texts.update(dict.fromkeys(names, found[2].strip()))
        else:
            texts.update({name: f"{texts[name]} {line.strip()}" for name in names})
    return texts
