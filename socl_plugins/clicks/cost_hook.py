"""Writes what a run's labels cost beside its scores: into the log, the curves and every checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ltr.engine.hooks import Hook
from ltr.engine.progress import say
from socl_plugins.clicks.budget import dataset_labels
from socl_plugins.clicks.costs import Cost, LabelCounts, Prices, annotation_cost
from socl_plugins.clicks.label_cost import LOADER_NAME
from socl_plugins.clicks.measured import prices_of

if TYPE_CHECKING:
    from ltr.dataset.base_video_dataset import BaseVideoDataset
    from ltr.engine import LTRTrainer


class RecordLabelCost(Hook):
    """Records the cost of the labels that a run learns from, the same in each epoch.

    Every run has this hook; a recipe whose data sets do not show what people gave has its own.

    Args:
        labels: that the run learns from; by default those that its samplers' data sets show. Of a sampler that does not
            say which these are (``datasets``), the cost is unknown, and nothing is recorded.
    """

    def __init__(self, labels: LabelCounts | None = None) -> None:
        self.labels = labels
        self.cost: Cost | None = None

    def before_training(self, trainer: LTRTrainer) -> None:
        """Counts the labels and says what they cost."""
        if self.labels is None:
            self.labels = _labels_shown(trainer)
        if self.labels is not None:
            measured = _prices_measured(trainer)
            self.cost = annotation_cost(self.labels, measured)
            self._record(trainer)
            whose = "at the paper's prices" if measured is None else f"with a click's time as {measured.click.source}"
            say(f"labels: {self.labels}, {self.cost} {whose}")
            trainer.about[LOADER_NAME] = {
                **_size(_datasets(trainer) or ()),
                "clicks": self.labels.clicks,
                "boxes": self.labels.boxes,
                "hours": self.cost.hours,
                "dollars": self.cost.dollars,
                "prices": whose,
                "time of a click was measured": measured is not None,
            }

    def before_epoch(self, trainer: LTRTrainer) -> None:
        """Records the cost; before the epoch, since what is saved after it must hold it."""
        self._record(trainer)

    def _record(self, trainer: LTRTrainer) -> None:
        if self.cost is not None:
            trainer.record(LOADER_NAME, "hours", self.cost.hours)
            trainer.record(LOADER_NAME, "dollars", self.cost.dollars)


def _size(datasets: Sequence[BaseVideoDataset]) -> dict[str, int]:
    lengths = [len(each.get_sequence_info(video)["valid"]) for each in datasets for video in range(len(each))]
    return {"videos": len(lengths), "frames": sum(lengths)} if lengths else {}


def _labels_shown(trainer: LTRTrainer) -> LabelCounts | None:
    datasets = _datasets(trainer)
    return None if datasets is None else sum(map(dataset_labels, datasets), LabelCounts())


def _prices_measured(trainer: LTRTrainer) -> Prices | None:
    """Returns the prices with the time that clicks took, where all that is learned from was clicked on the page."""
    found = [prices_of(dataset.root) for dataset in _datasets(trainer) or ()]
    return found[0] if len(found) == 1 else None


def _datasets(trainer: LTRTrainer) -> list[BaseVideoDataset] | None:
    """Returns the data sets that are learned from, or None if a sampler does not say which these are."""
    different: dict[int, BaseVideoDataset] = {}  # one that several loaders draw from is paid for once
    for loader in trainer.loaders:
        if loader.training:
            datasets = getattr(getattr(loader, "dataset", None), "datasets", None)
            if datasets is None:
                return None
            different |= {id(dataset): dataset for dataset in datasets}
    return list(different.values())
