"""The checkpoint after every epoch, from which a run goes on exactly."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ltr.admin import checkpoint
from ltr.engine import distributed
from ltr.engine.hooks import Hook
from ltr.engine.progress import say

if TYPE_CHECKING:
    from ltr.engine.ltr_trainer import LTRTrainer


class Checkpoints(Hook):
    """Writes ``<NetType>_ep0001.pth.tar`` after each epoch and removes all but the newest ones.

    Args:
        keep: how many of the newest epochs stay. The best checkpoint is another file and always stays.
    """

    def __init__(self, keep: int = 2) -> None:
        if keep < 1:
            raise ValueError(f"cannot keep {keep} checkpoints: at least 1 is needed to go on from")
        self.keep = keep

    def write(self, trainer: LTRTrainer, ended: bool) -> None:
        """Writes the epoch's checkpoint, by all processes at once.

        Args:
            trainer: whose state is written.
            ended: whether the hooks have had their ``after_epoch``; if not, a resumed run begins with that.
        """
        state = {**trainer.state_dict(), "ended": ended}  # every process: it gathers the random states of all
        if distributed.is_main():
            trainer.check_owner()
            set_aside_earlier_run(trainer)
            directory = trainer.settings.checkpoint_dir
            path = checkpoint.epoch_path(directory, trainer.net_type, trainer.epoch)
            checkpoint.save_checkpoint(path, state)
            for old in checkpoint.epoch_checkpoints(directory)[: -self.keep]:
                old.unlink(missing_ok=True)
        distributed.barrier()

    def after_epoch(self, trainer: LTRTrainer) -> None:
        """Writes the epoch's checkpoint."""
        self.write(trainer, ended=True)

    def after_training(self, trainer: LTRTrainer) -> None:
        """Adds the last checkpoint to the result, unless a score chose a better one."""
        if trainer.result.checkpoint is None:
            trainer.result.checkpoint = latest_checkpoint(trainer.settings.checkpoint_dir)


def latest_checkpoint(directory: Path) -> Path | None:
    """Returns the newest epoch's checkpoint in ``directory``, or none."""
    found = checkpoint.epoch_checkpoints(directory)
    return found[-1] if found else None


def set_aside_earlier_run(trainer: LTRTrainer) -> None:
    """Moves an earlier run's checkpoints to ``earlier_run_1/`` or the next free number, before a fresh run's first one.

    Otherwise the earlier run's higher epochs would be taken for newer ones.
    """
    if trainer.owns_checkpoint_dir:
        return
    trainer.owns_checkpoint_dir = True
    directory = trainer.settings.checkpoint_dir
    earlier = sorted(directory.glob(f"*{checkpoint.SUFFIX}"))
    if not earlier:
        return
    number = 1
    while (aside := directory / f"earlier_run_{number}").exists():
        number += 1
    aside.mkdir()
    for path in earlier:
        os.replace(path, aside / path.name)
    say(f"the earlier run's checkpoints now lie in {aside}")
