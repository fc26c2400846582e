"""Training data sets by name: ``got10k_train``, ``got10k_val``, ``lasot``, ``trackingnet``, ``coco``,
``imagenet``, ``synthetic``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ltr.admin.environment import PATHS, Environment
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.synthetic import SyntheticVideo
from ltr.dataset.text import DatasetError
from ltr.registry import DATASETS, near_names

EMBEDDED_VIDEOS = 48


def embedded_videos(videos: int | None = None) -> SyntheticVideo:
    """Returns what recipes learn from where no data set is set: videos that no score and no benchmark tracks.

    Args:
        videos: how many; None: ``EMBEDDED_VIDEOS``.
    """
    return SyntheticVideo(EMBEDDED_VIDEOS if videos is None else videos, num_frames=30, seed=1)


def open_dataset(name: str, env: Environment, root: Path | None = None) -> BaseVideoDataset:
    """Opens a registered data set where the environment says that it lies.

    >>> len(open_dataset("synthetic", Environment()))
    48

    Args:
        name: a name in ``DATASETS``, and, after an underscore, its split if it has any.
        env: holds ``<name>_dir``.
        root: the folder, instead of the environment's.

    Raises:
        ValueError: the folder is not set, or not there, or the data set was registered without a path.
        RegistryError, DatasetError: there is no such data set, or it has no such split.
    """
    if name == "synthetic":
        return embedded_videos()
    kind, split = _kind_and_split(name)
    if root is not None and not root.is_dir():
        raise ValueError(f"there is no folder {root}, in which {name} was said to lie")
    folder = root or dataset_folder(name, env)
    if folder is None and f"{kind}_dir" not in PATHS:
        raise ValueError(
            f"the data set {kind!r} is registered without a path: add "
            f'register_path("{kind}_dir", "what lies there"), from ltr.admin.environment, to the plugin that registers '
            "it, or name the folder with --root"
        )
    if folder is None:
        raise ValueError(
            f"{kind}_dir is not set, so {name} cannot be opened: set PYTRACKING_{kind.upper()}_DIR, write it into "
            "pytracking.toml (python -m ltr.admin.environment tells more), or name the folder with --root"
        )
    options: dict[str, Any] = {} if split is None else {"split": split}
    return DATASETS[kind](folder, **options)


def dataset_folder(name: str, env: Environment) -> Path | None:
    """Returns the folder that the environment has for a data set, or none. RegistryError: there is no such data set."""
    kind, _ = _kind_and_split(name)
    folder: Path | None = getattr(env, f"{name}_dir", None) or getattr(env, f"{kind}_dir", None)
    return folder


def is_embedded(dataset: BaseVideoDataset) -> bool:
    """Returns whether a data set's frames are those of embedded videos, whatever wrappers lie around them."""
    while hasattr(dataset, "dataset"):
        dataset = dataset.dataset
    return isinstance(dataset, SyntheticVideo)


def _kind_and_split(name: str) -> tuple[str, str | None]:
    if name in DATASETS:
        return name, None
    kind, _, split = name.rpartition("_")
    if kind not in DATASETS:
        DATASETS[name]  # raises, with near names
    splits = getattr(DATASETS[kind], "splits", ())
    if splits and split not in splits:
        names = [f"{kind}_{each}" for each in splits]
        raise DatasetError(f"there is no data set {name!r}.{near_names(name, names)} There are: {', '.join(names)}")
    return kind, split
