"""Hooks: what happens around a step and an epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ltr.engine.ltr_trainer import LTRTrainer


class Hook:
    """Something that happens around a step or an epoch; a subclass fills in what it needs.

    Every process of a distributed run calls its hooks. One that writes or prints asks
    :func:`ltr.engine.distributed.is_main`.
    """

    def before_training(self, trainer: LTRTrainer) -> None:
        """Called once before the first epoch, after a checkpoint was restored."""

    def before_epoch(self, trainer: LTRTrainer) -> None:
        """Called before each epoch; ``trainer.epoch`` is its number, from 1."""

    def after_step(self, trainer: LTRTrainer) -> None:
        """Called after each training step; ``trainer.meters`` holds the epoch's means so far."""

    def after_epoch(self, trainer: LTRTrainer) -> None:
        """Called after each epoch; ``trainer.history`` holds its means."""

    def takes_long(self, trainer: LTRTrainer) -> bool:
        """Returns whether :meth:`after_epoch` takes so long that the epoch's checkpoint is to be written before it."""
        return False

    def after_training(self, trainer: LTRTrainer) -> None:
        """Called once after the last epoch, if none failed; may add to ``trainer.result``."""

    def close(self) -> None:
        """Called when training ends in whatever way; frees files and connections."""

    def state_dict(self) -> dict[str, Any]:
        """Returns what an exact resume needs, as tensors and plain data."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes what :meth:`state_dict` returned."""


def named_hooks(hooks: Iterable[Hook]) -> dict[str, Hook]:
    """Returns the hooks by class name; a second one of a class has a number after it."""
    named: dict[str, Hook] = {}
    for hook in hooks:
        name = base = type(hook).__name__
        number = 1
        while name in named:
            number += 1
            name = f"{base}.{number}"
        named[name] = hook
    return named
