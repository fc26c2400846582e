"""The averaged weights as a checkpoint, for runs that no held-out score chooses among the epochs of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltr.admin import checkpoint
from ltr.engine import distributed
from ltr.engine.checkpoints import set_aside_earlier_run
from ltr.engine.hooks import Hook
from ltr.engine.weight_average import WeightAverage

if TYPE_CHECKING:
    from ltr.engine.ltr_trainer import LTRTrainer


class KeepAverage(Hook):
    """Writes the averaged weights after the last epoch to ``<NetType>_best.pth.tar``: nothing else was chosen.

    Args:
        average: of the weights.
    """

    def __init__(self, average: WeightAverage) -> None:
        self.average = average

    def after_epoch(self, trainer: LTRTrainer) -> None:
        """Writes the checkpoint, if the epoch is the last one."""
        if trainer.epoch == trainer.max_epochs and distributed.is_main():
            set_aside_earlier_run(trainer)
            state = {**trainer.description(), "net": self.average.averaged.state_dict(), "optimizer": None}
            path = checkpoint.best_path(trainer.settings.checkpoint_dir, trainer.net_type)
            checkpoint.save_checkpoint(path, {**state, "averaged": True})

    def after_training(self, trainer: LTRTrainer) -> None:
        """Makes it the run's result."""
        path = checkpoint.best_path(trainer.settings.checkpoint_dir, trainer.net_type)
        if path.is_file():
            trainer.result.checkpoint = path
