"""Writes what a run's labels cost beside its scores: into the log, the curves and every checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltr.trainers.hooks import Hook
from ltr.trainers.progress import say
from socl_plugins.labels.costs import Cost, LabelCounts, annotation_cost

if TYPE_CHECKING:
    from ltr.trainers import LTRTrainer

LOADER_NAME = "labels"  # the numbers' place beside those of the loaders: labels/hours, labels/dollars


class LabelCost(Hook):
    """Records the cost of the labels that a run learns from, the same in each epoch.

    Args:
        labels: that the run learns from.
    """

    def __init__(self, labels: LabelCounts) -> None:
        self.labels = labels
        self.cost: Cost = annotation_cost(labels)

    def before_training(self, trainer: LTRTrainer) -> None:
        """Says what the labels cost."""
        self._record(trainer)
        say(f"labels: {self.labels}, {self.cost} at the paper's prices")

    def before_epoch(self, trainer: LTRTrainer) -> None:
        """Records the cost; before the epoch, since what is saved after it must hold it."""
        self._record(trainer)

    def _record(self, trainer: LTRTrainer) -> None:
        trainer.record(LOADER_NAME, "hours", self.cost.hours)
        trainer.record(LOADER_NAME, "dollars", self.cost.dollars)
