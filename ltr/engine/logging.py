"""The hooks that draw an epoch's numbers: TensorBoard and visdom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltr.admin.tensorboard import TensorBoardCurves
from ltr.admin.visdom import VisdomCurves
from ltr.engine import distributed
from ltr.engine.hooks import Hook
from ltr.engine.progress import say

if TYPE_CHECKING:
    from ltr.engine.ltr_trainer import LTRTrainer


class TensorBoard(Hook):
    """Writes every number of the history to ``<tensorboard_dir>/ltr/<module>/<name>``."""

    def __init__(self) -> None:
        self._curves: TensorBoardCurves | None = None

    def before_training(self, trainer: LTRTrainer) -> None:
        """Chooses the directory, and writes what is known before the first epoch."""
        if distributed.is_main():
            self._curves = TensorBoardCurves(trainer.settings.env.tensorboard_dir / trainer.settings.project_path)
            self.after_epoch(trainer)

    def after_epoch(self, trainer: LTRTrainer) -> None:
        """Writes the epoch's numbers."""
        if self._curves is None:
            return
        numbers = _of_this_epoch(trainer)
        warning = self._curves.add([(f"{name}/{loader}", trainer.epoch, value) for loader, name, value in numbers])
        if warning:
            say(warning)

    def close(self) -> None:
        """Closes the event file."""
        if self._curves is not None:
            self._curves.close()


class Visdom(Hook):
    """Draws every number of the history on a visdom server; does nothing when none answers."""

    def __init__(self) -> None:
        self._curves: VisdomCurves | None = None

    def before_training(self, trainer: LTRTrainer) -> None:
        """Looks for a server, and draws what is known before the first epoch."""
        if distributed.is_main():
            self._curves = VisdomCurves(trainer.settings.project_path.replace("/", "_"), go_on=trainer.epoch > 0)
            self.after_epoch(trainer)

    def after_epoch(self, trainer: LTRTrainer) -> None:
        """Draws the epoch's numbers."""
        if self._curves is None or not self._curves.connected:
            return
        for loader, name, value in _of_this_epoch(trainer):
            warning = self._curves.add(name, trainer.epoch, value, loader)
            if warning:
                say(warning)


def _of_this_epoch(trainer: LTRTrainer) -> list[tuple[str, str, float]]:
    return [
        (loader, name, values[trainer.epoch])
        for loader, numbers in trainer.history.items()
        for name, values in numbers.items()
        if trainer.epoch in values
    ]
