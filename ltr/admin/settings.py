"""What a training run is told: which recipe, where to write, which seed, and the recipe's hyper-parameters."""

from __future__ import annotations

import dataclasses
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from ltr.admin.environment import Environment, load_environment
from ltr.admin.provenance import code_version
from ltr.config.errors import SettingsError
from ltr.config.overrides import apply_overrides, flat
from ltr.registry import near_names

if TYPE_CHECKING:
    from ltr.config.recipe import Recipe

__all__ = ["Settings", "SettingsError", "TrainConfig", "apply_overrides"]


@dataclass
class TrainConfig:
    """The hyper-parameters of the trainer's loop; a recipe that is a function may inherit from it and add to it."""

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
    overrides: dict[str, Any] = field(default_factory=dict)
    """Hyper-parameters given with ``--set``, as text, or to :func:`ltr.train`, as values."""
    schedule: str = "auto"
    """``short``, ``paper``, or ``auto``: by the number of training videos. Once training begins: which one it is."""
    resume: bool = False
    """Whether to go on from the newest checkpoint, if there is one."""
    resume_with_changes: bool = False
    """Whether to go on though seed, data sets or labels are not those of the checkpoint."""
    description: str = ""
    config: TrainConfig | None = None
    """What the trainer's loop knows, once the recipe called :meth:`configure` or :meth:`take`."""
    recipe: Recipe | None = None
    """The recipe with all its settings, if it is made of parts."""

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

    def take(self, recipe: Recipe, schedule: str, loop: TrainConfig) -> None:
        """Keeps the settings that a recipe of parts has come to, for the trainer and for the checkpoint."""
        self.recipe, self.schedule, self.config = recipe, schedule, loop

    def summary(self) -> dict[str, Any]:
        """Returns what a checkpoint says about the run that made it, as plain data."""
        libraries = {"python": platform.python_version(), "torch": str(torch.__version__), "numpy": np.__version__}
        return {
            "module_name": self.module_name,
            "script_name": self.script_name,
            "project_path": self.project_path,
            "description": self.description,
            "seed": self.seed,
            "schedule": self.schedule,
            "config": flat(self.recipe or self.config) if self.config else {},
            "versions": {**libraries, **code_version()},
        }

    def __setattr__(self, name: str, value: Any) -> None:
        known = [field.name for field in dataclasses.fields(self)]
        if name not in known:
            hint = near_names(name, known)
            if name in {field.name for field in dataclasses.fields(TrainConfig)}:
                hint = " It is a hyper-parameter: set it in the recipe's TrainConfig."
            raise SettingsError(f"unknown setting {name!r}.{hint} Known: {', '.join(known)}.")
        super().__setattr__(name, value)
