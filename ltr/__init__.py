"""Offline learning, from annotated video to a checkpoint: data sets, samplers, networks, actors, trainers, recipes.

What tracks a video or scores a tracker never lives here: that is ``pytracking``, which builds on this package.
:func:`train`, :func:`load` and :func:`save_pretrained` are what the command lines call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from ltr.config import Recipe
    from ltr.engine.result import TrainingResult

__all__ = ["from_pretrained", "load", "recipe", "save_pretrained", "train"]


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
        device: ``auto`` (``cuda`` if there is such a GPU), ``cpu``, ``cuda`` or ``mps``.
        resume: go on from the newest checkpoint in the workspace, if there is one.
        resume_with_changes: go on even if seed, data sets or labels are others than the checkpoint's.
        plugins: modules or Python files to import first.

    Raises:
        RegistryError: there is no such recipe, or a part of it that is not registered.
        SettingsError: a setting that does not exist, or a value that does not fit.
        PluginError: a plugin cannot be imported.
        ResumeError: the checkpoint to go on from is of another run.
        DeviceError: torch finds no such device here.
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
        name_or_file: ``module/name`` of a recipe that was trained in the workspace, the path of a checkpoint or of a
            folder that :func:`save_pretrained` wrote, or ``hf://user/name``, such a folder on the Hugging Face Hub.

    Raises:
        CheckpointError: there is no such network, or its file cannot be read.
    """
    from ltr.admin.checkpoint import load_network

    return load_network(name_or_file).eval()


def save_pretrained(
    network: str | Path | nn.Module,
    folder: str | Path,
    *,
    license: str | None = None,
    tracker: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a network as a folder to give away, and returns its path: weights, description and model card.

    ``model.safetensors`` holds the weights; ``config.json`` how the network is built, the settings and numbers of its
    training, and the sha256 of the weights; ``README.md`` the same for people. Absolute paths in the settings are cut
    to their last part. ``socl share`` does the same.

    >>> import ltr
    >>> from ltr.models.builder import build_network
    >>> network = build_network("siamfc_alexnet")
    >>> folder = ltr.save_pretrained(network, getfixture("tmp_path") / "mine", license="cc0-1.0")
    >>> sorted(path.name for path in folder.iterdir())
    ['README.md', 'config.json', 'model.safetensors']
    >>> type(ltr.from_pretrained(folder)).__name__
    'SiamFCNet'

    Args:
        network: as :func:`load` takes it, or a network that ``ltr.models.builder.build_network`` made.
        folder: that does not exist, or is empty.
        license: of the weights, such as ``cc-by-4.0``; without one the card says that none is stated.
        tracker: ``tracker/parameters`` to track with; by default that of the recipe.
        overwrite: let it take the place of a network that lies there.

    Raises:
        CheckpointError: there is no such network, or it does not say how it is built.
        WriteError: the folder holds something, or cannot be written.
    """
    from ltr.sharing import pretrained

    return pretrained.save_pretrained(network, folder, license, tracker, overwrite)


def from_pretrained(folder_or_id: str | Path, *, device: str = "cpu") -> nn.Module:
    """Returns the network of a folder that :func:`save_pretrained` wrote, in evaluation mode. No code in it runs.

    The sha256 of the weights is compared with that in ``config.json``, and the weights must fit the network exactly.

    Args:
        folder_or_id: the folder, or ``user/name`` or ``user/name@revision`` on the Hugging Face Hub, which is
            downloaded with the package ``huggingface_hub``.
        device: to load to.

    Raises:
        CheckpointError: the folder lacks a file or is of another program, a file is damaged, or the weights do not fit.
        HubError: a CheckpointError: ``huggingface_hub`` is not installed, or the Hub does not give the files.
        RegistryError: the kind of network is not known; a plugin may be missing.
    """
    from ltr.sharing import pretrained

    return pretrained.from_pretrained(folder_or_id, device)
