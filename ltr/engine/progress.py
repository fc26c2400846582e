"""What a person sees while training runs."""

from __future__ import annotations

import operator
import sys
import time
from typing import TYPE_CHECKING, Any

from ltr.admin.command_line import clock
from ltr.engine import distributed
from ltr.engine.hooks import Hook

if TYPE_CHECKING:
    from ltr.engine.ltr_trainer import LTRTrainer


def say(line: str) -> None:
    """Prints ``line`` from the main process, above a progress bar if there is one."""
    if not distributed.is_main():
        return
    if "tqdm" in sys.modules:  # otherwise there can be no bar to write above
        sys.modules["tqdm"].tqdm.write(line, file=sys.stdout)
        sys.stdout.flush()
    else:
        print(line, flush=True)


class Progress(Hook):
    """Shows loss and time left: a bar on a terminal, otherwise a line every ``print_interval`` steps.

    Args:
        print_interval: steps between two lines.
        terminal: whether to draw a bar; by default, whether the output is a terminal.
    """

    def __init__(self, print_interval: int = 10, terminal: bool | None = None) -> None:
        self.print_interval = print_interval
        self.terminal = sys.stdout.isatty() if terminal is None else terminal
        self._bar: Any = None
        self._epoch_started = 0.0
        self._seconds = 0.0  # spent in epochs of this call, to tell the time left
        self._steps = 0

    def before_training(self, trainer: LTRTrainer) -> None:
        """Says what begins, and starts the bar."""
        self._epoch_started = time.perf_counter()  # of an epoch that was trained before, too, but not ended
        if not distributed.is_main():
            return
        say(_beginning(trainer))
        if self.terminal:
            from tqdm import tqdm

            total = _steps_of_epoch(trainer) * trainer.max_epochs
            initial = _steps_of_epoch(trainer) * trainer.epoch
            self._bar = tqdm(total=total or None, initial=initial, unit="step", dynamic_ncols=True, file=sys.stdout)

    def before_epoch(self, trainer: LTRTrainer) -> None:
        """Starts the epoch's clock."""
        self._epoch_started = time.perf_counter()

    def after_step(self, trainer: LTRTrainer) -> None:
        """Moves the bar, or prints a line."""
        if not distributed.is_main():
            return
        self._steps += 1
        if self._bar is not None:
            self._bar.set_description(f"epoch {trainer.epoch}/{trainer.max_epochs}", refresh=False)
            self._bar.set_postfix_str(_numbers(trainer), refresh=False)
            self._bar.update()
        elif trainer.step % self.print_interval == 0:
            of = f"/{trainer.steps_in_loader}" if trainer.steps_in_loader else ""
            place = f"epoch {trainer.epoch}/{trainer.max_epochs}, step {trainer.step}{of}"
            say(f"{place}: {_numbers(trainer)}{self._time_left(trainer)}")

    def after_epoch(self, trainer: LTRTrainer) -> None:
        """Prints the epoch's means."""
        if not distributed.is_main():
            return
        seconds = time.perf_counter() - self._epoch_started
        self._seconds += seconds
        means = [
            f"{loader} {name} {values[trainer.epoch]:.4g}"
            for loader, numbers in trainer.history.items()
            for name, values in numbers.items()
            if trainer.epoch in values
        ]
        say(f"epoch {trainer.epoch}/{trainer.max_epochs}: {', '.join(means)} ({clock(seconds)})")

    def close(self) -> None:
        """Ends the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _time_left(self, trainer: LTRTrainer) -> str:
        steps = _steps_of_epoch(trainer)
        if not steps:
            return ""
        seconds = self._seconds + time.perf_counter() - self._epoch_started
        left = steps * (trainer.max_epochs - trainer.epoch + 1) - trainer.step
        return f", {clock(seconds / self._steps * left)} left"


def _beginning(trainer: LTRTrainer) -> str:
    from_epoch = f", from epoch {trainer.epoch}" if trainer.epoch else ""
    processes = f" in each of {distributed.world_size()} processes" if distributed.world_size() > 1 else ""
    epochs = f"{trainer.max_epochs} epochs" if trainer.max_epochs > 1 else "1 epoch"
    return f"training {trainer.settings.project_path} on {trainer.device}{processes}: {epochs}{from_epoch}"


def _steps_of_epoch(trainer: LTRTrainer) -> int:
    """Returns the training steps of one epoch; 0 if a loader cannot tell."""
    return sum(operator.length_hint(loader, 0) for loader in trainer.loaders if loader.training)


def _numbers(trainer: LTRTrainer) -> str:
    # A step may report many numbers; the loss, or else the first few, tell how it goes.
    names = [name for name in trainer.meters if name.startswith("Loss")] or list(trainer.meters)
    return ", ".join(f"{name} {trainer.meters[name].average:.4g}" for name in names[:3])
