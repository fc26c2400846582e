"""Offline learning, from annotated video to a checkpoint: data sets, samplers, networks, actors, trainers, recipes.

What tracks a video or scores a tracker never lives here: that is ``pytracking``, which builds on this package.
:func:`train` and :func:`load` are what the command lines call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from ltr.config import Recipe
    from ltr.engine.result import TrainingResult

__all__ = ["load", "recipe", "train"]


def train(
    recipe: str,
    overrides: Mapping[str, Any] | None = None,
    *,
    schedule: str = "auto",
    workspace: str | Path | None = None,
    seed: int = 0,
    device: str = "auto",
    resume: bool = False,
    resume_with_changes: bool = False,
    plugins: Iterable[str] = (),
) -> TrainingResult:
    """Trains a network and returns its checkpoint and how it does on held-out videos before and after.

    >>> import ltr
    >>> result = ltr.train(
    ...     "siamfc/box_siam_res18",
    ...     {"schedule.epochs": 1, "schedule.samples_per_epoch": 4, "schedule.batch_size": 2, "score": None},
    ...     workspace=getfixture("tmp_path"),
    ... )  # doctest: +ELLIPSIS
    no data set is configured...
    >>> result.epochs, result.checkpoint.name
    (1, 'SiamFCNet_best.pth.tar')

    Args:
        recipe: ``module/name``, as ``ltr/run_training.py --list`` shows them.
        overrides: settings that differ from the recipe's, by dotted key; values, or text as ``--set`` takes it.
        schedule: ``short``, ``paper``, or ``auto``: the paper's from 1,000 training videos on.
        workspace: where checkpoints and logs go; by default as configured.
        seed: of all random numbers.
        device: ``auto`` (a GPU if there is one), ``cpu`` or ``cuda``.
        resume: go on from the newest checkpoint in the workspace, if there is one.
        resume_with_changes: go on even if seed, data sets or labels are others than the checkpoint's.
        plugins: modules or Python files to import first.

    Raises:
        RegistryError: there is no such recipe, or a part of it that is not registered.
        SettingsError: a setting that does not exist, or a value that does not fit.
        PluginError: a plugin cannot be imported.
        ResumeError: the checkpoint to go on from is of another run.
        OwnershipError: another run writes to the same place.
    """
    from ltr.training import run

    return run(
        recipe,
        overrides or {},
        schedule=schedule,
        workspace=workspace,
        seed=seed,
        device=device,
        resume=resume,
        resume_with_changes=resume_with_changes,
        plugins=plugins,
    )


def recipe(name: str) -> Recipe:
    """Returns a recipe, to look at or to make another one of with ``but``.

    >>> import ltr
    >>> ltr.recipe("siamfc/box_siam_res18").schedule.epochs
    1000

    Args:
        name: ``module/name``.

    Raises:
        RegistryError: there is no such recipe.
        SettingsError: it is a function, and has no parts.
    """
    from ltr.training import recipe_of_parts

    return recipe_of_parts(name)


def load(name_or_file: str | Path) -> nn.Module:
    """Returns a trained network in evaluation mode, by the name of its recipe or by its file. No code in it runs.

    Args:
        name_or_file: ``module/name`` of a recipe that was trained in the workspace, or a checkpoint's path.

    Raises:
        CheckpointError: there is no such network, or its file cannot be read.
    """
    from ltr.admin.checkpoint import load_network

    return load_network(name_or_file).eval()
