"""The videos that a recipe learns from, and which of its two schedules their number is enough for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ltr.admin.environment import Environment, EnvironmentError_
from ltr.config.errors import SettingsError
from ltr.config.recipe import Data, ScheduleName
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.named import dataset_folder, embedded_videos, open_dataset
from ltr.dataset.some_videos import share_of_videos
from ltr.engine import distributed

PAPER_VIDEOS = 1000
"""From so many training videos on, the paper's schedule is the default."""


@dataclass(frozen=True)
class TrainingVideos:
    """Data sets with how often each is drawn.

    Attributes:
        datasets: opened, as they lie on the disk.
        weights: one for each.
        embedded: whether they are the embedded videos, since no data set of the recipe is on this machine.
    """

    datasets: Sequence[BaseVideoDataset]
    weights: Sequence[float]
    embedded: bool

    def __len__(self) -> int:
        """Returns the number of videos."""
        return sum(map(len, self.datasets))


def open_videos(data: Data, env: Environment, required: bool = False, seed: int = 0) -> TrainingVideos:
    """Opens what a recipe learns from, and says what of it is not on this machine.

    Args:
        data: of the recipe.
        env: where data sets lie.
        required: whether each set has to be there, as those that a person named.
        seed: of which videos are a share of a set.

    Raises:
        RegistryError: there is no data set of that name.
        EnvironmentError_: a required one has no folder on this machine; the message says how to set it.
    """
    here, missing = [], []
    for name, weight in zip(data.sets, data.weights or (1.0,) * len(data.sets)):
        if name == "synthetic" or dataset_folder(name, env) is not None:
            here.append((name, weight))
        elif required or data.embedded_videos == 0:
            open_dataset(name, env)  # raises, and says how to set the folder
            raise EnvironmentError_(f"data.sets names {name}, which is not on this machine")
        else:
            missing.append(name)
    if not here:
        _say("no data set is configured" if len(missing) < 2 else f"none of {', '.join(missing)} is configured")
        embedded = share_of_videos(embedded_videos(data.embedded_videos), data.share, seed)
        return TrainingVideos([embedded], [1.0], embedded=True)
    if missing and distributed.is_main():
        print(f"not set on this machine, so not learned from: {', '.join(missing)}")
    opened = [
        embedded_videos(data.embedded_videos) if name == "synthetic" else open_dataset(name, env) for name, _ in here
    ]
    opened = [share_of_videos(dataset, data.share, seed) for dataset in opened]
    return TrainingVideos(opened, [weight for _, weight in here], embedded=False)


def choose_schedule(asked: ScheduleName | str, videos: TrainingVideos) -> Literal["short", "paper"]:
    """Returns the schedule that was asked for; of ``auto``, the paper's where there are videos enough for it.

    Raises:
        SettingsError: there is no such schedule.
    """
    if asked == "short" or asked == "paper":
        return "short" if asked == "short" else "paper"
    if asked != "auto":
        raise SettingsError(f"there is no schedule {asked!r}: choose short, paper or auto")
    return "paper" if not videos.embedded and len(videos) >= PAPER_VIDEOS else "short"


def names_sets(overrides: Iterable[str]) -> bool:
    """Returns whether one of the overridden keys says which data sets are learned from."""
    return "data.sets" in set(overrides)


def _say(why: str) -> None:
    if distributed.is_main():
        print(f"{why}: learning from embedded synthetic videos (set got10k_dir for the paper's run)")
