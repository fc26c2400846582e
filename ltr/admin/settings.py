"""What a training run is told: which recipe, where to write, which seed, and the recipe's hyper-parameters."""

from __future__ import annotations

import dataclasses
import platform
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from ltr.admin.environment import Environment, load_environment
from ltr.registry import near_names


class SettingsError(ValueError):
    """A setting that does not exist, or a value that does not fit it."""


@dataclass
class TrainConfig:
    """The hyper-parameters that every recipe has; a recipe's own dataclass inherits from this one and adds to it."""

    epochs: int = 10
    samples_per_epoch: int = 1000
    """Samples of one epoch, over all processes."""
    batch_size: int = 8
    """Samples of one step, in each process."""
    num_workers: int = 0
    learning_rate: float = 1e-4
    amp: bool | None = None
    """Mixed precision (bfloat16 on a CPU, float16 with scaling on a GPU); none: where the hardware is fast at it."""
    grad_clip: float | None = None
    """Largest norm of the gradient; none: no limit."""
    print_interval: int = 10
    """Steps between two progress lines where there is no terminal."""
    keep_checkpoints: int = 2
    """Newest epochs whose checkpoint stays on the disk (the best one always stays)."""
    score_interval: int = 1
    """Epochs between two held-out scores."""
    average_decay: float | None = None
    """Decay of the exponential moving average of the weights; none: no average."""

    def __post_init__(self) -> None:
        self.check_counts("epochs", "samples_per_epoch", "batch_size")
        self.check_counts("print_interval", "keep_checkpoints", "score_interval")
        if self.batch_size > self.samples_per_epoch:
            raise SettingsError(
                f"samples_per_epoch is {self.samples_per_epoch}, too few for one batch of {self.batch_size}: raise "
                "it, or lower batch_size"
            )
        if self.num_workers < 0:
            raise SettingsError(f"num_workers is {self.num_workers}, but must not be negative")
        for name in ("learning_rate", "grad_clip"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise SettingsError(f"{name} is {value}, but must be a positive number")
        if self.average_decay is not None and not 0 <= self.average_decay < 1:
            raise SettingsError(f"average_decay is {self.average_decay}, but must be in [0, 1)")

    def check_counts(self, *names: str) -> None:
        """Raises SettingsError if one of these numbers is below 1."""
        for name in names:
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}, but must be at least 1")


Config = TypeVar("Config", bound=TrainConfig)


@dataclass
class Settings:
    """One training run. A recipe ``run(settings)`` gets it and turns it into explicit arguments."""

    module_name: str
    script_name: str
    env: Environment = field(default_factory=load_environment)
    seed: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    overrides: dict[str, str] = field(default_factory=dict)
    """Hyper-parameters given with ``--set``, as text."""
    resume: bool = False
    """Whether to go on from the newest checkpoint, if there is one."""
    description: str = ""
    config: TrainConfig | None = None
    """The recipe's hyper-parameters, once it called :meth:`configure`."""

    @property
    def project_path(self) -> str:
        """``ltr/<module>/<name>``, the run's place in the workspace."""
        return f"ltr/{self.module_name}/{self.script_name}"

    @property
    def checkpoint_dir(self) -> Path:
        """The directory of the run's checkpoints."""
        return self.env.workspace_dir / "checkpoints" / self.project_path

    def configure(self, config: Config) -> Config:
        """Returns ``config`` with the values given by ``--set``, and keeps it for the checkpoint.

        Raises:
            SettingsError: a key that the recipe does not have, or a value of the wrong type.
        """
        configured = apply_overrides(config, self.overrides)
        self.config = configured
        return configured

    def summary(self) -> dict[str, Any]:
        """Returns what a checkpoint says about the run that made it, as plain data."""
        versions = {"python": platform.python_version(), "torch": str(torch.__version__), "numpy": np.__version__}
        return {
            "module_name": self.module_name,
            "script_name": self.script_name,
            "project_path": self.project_path,
            "description": self.description,
            "seed": self.seed,
            "config": dataclasses.asdict(self.config) if self.config else {},
            "versions": versions,
        }

    def __setattr__(self, name: str, value: Any) -> None:
        known = [field.name for field in dataclasses.fields(self)]
        if name not in known:
            hint = near_names(name, known)
            if name in {field.name for field in dataclasses.fields(TrainConfig)}:
                hint = " It is a hyper-parameter: set it in the recipe's TrainConfig."
            raise SettingsError(f"unknown setting {name!r}.{hint} Known: {', '.join(known)}.")
        super().__setattr__(name, value)


C = TypeVar("C")


def apply_overrides(config: C, overrides: dict[str, str]) -> C:
    """Returns a copy of the dataclass ``config`` with the named fields set from text, converted to their types.

    A field of a nested dataclass is named with a dot: ``labels.radius``.

    Raises:
        SettingsError: an unknown key (with near names), or a text that is no value of the field's type.
    """
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise TypeError(f"hyper-parameters must be an instance of a dataclass, not {config!r}")
    hints = typing.get_type_hints(type(config))
    known = [field.name for field in dataclasses.fields(config) if field.init]
    changes: dict[str, Any] = {}
    nested: dict[str, dict[str, str]] = {}
    for key, text in overrides.items():
        name, dot, rest = key.partition(".")
        if name not in known or (dot and not dataclasses.is_dataclass(getattr(config, name))):
            near = near_names(name, known)
            raise SettingsError(f"unknown setting {key!r}.{near} Known: {', '.join(known)}.")
        if dot:
            nested.setdefault(name, {})[rest] = text
        else:
            changes[name] = _convert(text, hints[name], key)
    for name, inner in nested.items():
        changes[name] = apply_overrides(getattr(config, name), inner)
    return dataclasses.replace(config, **changes)


_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}

_WORDS: dict[Any, str] = {bool: "true or false", int: "a whole number", float: "a number"}


def _convert(text: str, hint: Any, key: str) -> Any:
    """Returns ``text`` as a value of the type ``hint``."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        choices = [choice for choice in arguments if choice is not type(None)]
        if len(choices) < len(arguments) and text.lower() in ("none", ""):
            return None
        for choice in choices:
            try:
                return _convert(text, choice, key)
            except SettingsError:
                continue
        raise _wrong_value(key, text, " or ".join([_WORDS.get(choice, _name(choice)) for choice in choices] + ["none"]))
    if origin is typing.Literal:
        for choice in arguments:
            if str(choice) == text:
                return choice
        raise _wrong_value(key, text, " or ".join(map(str, arguments)))
    if origin in (tuple, list):
        parts = [part.strip() for part in text.strip("()[] ").split(",") if part.strip()]
        if origin is tuple and arguments and arguments[-1] is not Ellipsis:
            if len(parts) != len(arguments):
                raise _wrong_value(key, text, f"{len(arguments)} values with commas between them")
            return tuple(_convert(part, argument, key) for part, argument in zip(parts, arguments, strict=True))
        return origin(_convert(part, arguments[0] if arguments else str, key) for part in parts)
    if hint is bool:
        if text.lower() not in _BOOLEANS:
            raise _wrong_value(key, text, _WORDS[bool])
        return _BOOLEANS[text.lower()]
    if hint in (int, float):
        try:
            return hint(text)
        except ValueError:
            raise _wrong_value(key, text, _WORDS[hint]) from None
    if hint in (str, Path):
        return hint(text)
    raise SettingsError(f"{key} cannot be set on the command line: it is a {_name(hint)}")


def _wrong_value(key: str, text: str, expected: str) -> SettingsError:
    return SettingsError(f"{key}={text}: expected {expected}")


def _name(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint))
