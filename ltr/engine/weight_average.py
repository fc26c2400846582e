"""The exponential moving average of a network's weights over the training steps."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ltr.engine.hooks import Hook

if TYPE_CHECKING:
    from ltr.engine.ltr_trainer import LTRTrainer


class WeightAverage(Hook):
    """A copy of the network whose weights follow the learning one slowly, which tracks better and less erratically.

    After step n (from 1) the average moves by 1 - d towards the weights, with d = min(decay, (1 + n) / (10 + n)), so
    that the random start is soon forgotten. Floating-point buffers (batch-norm statistics) are averaged alike, so that
    they belong to the averaged weights; counters are copied.

    Args:
        decay: d after the warm-up, in [0, 1).
    """

    def __init__(self, decay: float) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"the decay of the weight average is {decay}; it must be in [0, 1)")
        self.decay = decay
        self.updates = 0
        self._averaged: nn.Module | None = None
        self._restored: dict[str, torch.Tensor] | None = None

    @property
    def averaged(self) -> nn.Module:
        """The network with averaged weights, in evaluation mode. It exists once training has begun."""
        if self._averaged is None:
            raise RuntimeError("there is no averaged network yet: it is made when training begins")
        return self._averaged

    def before_training(self, trainer: LTRTrainer) -> None:
        """Copies the network."""
        if self._averaged is None:
            self._averaged = copy.deepcopy(trainer.net).eval().requires_grad_(False)
        if self._restored is not None:
            self._averaged.load_state_dict(self._restored)
            self._restored = None

    @torch.no_grad()
    def after_step(self, trainer: LTRTrainer) -> None:
        """Moves the average towards the weights."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        current = trainer.net.state_dict()
        for name, value in self.averaged.state_dict().items():
            if value.is_floating_point():
                value.lerp_(current[name].to(value.dtype), 1 - decay)
            else:
                value.copy_(current[name])

    def state_dict(self) -> dict[str, Any]:
        """Returns the averaged weights and the number of updates."""
        return {"updates": self.updates, "net": self.averaged.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the averaged weights and the number of updates."""
        self.updates = state["updates"]
        if self._averaged is None:
            self._restored = state["net"]
        else:
            self._averaged.load_state_dict(state["net"])
