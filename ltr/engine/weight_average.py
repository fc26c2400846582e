"""The exponential moving average of a network's weights over the training steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

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
        self._model: AveragedModel | None = None
        self._restored: dict[str, Tensor] | None = None

    @property
    def averaged(self) -> nn.Module:
        """The network with averaged weights, in evaluation mode. It exists once training has begun."""
        if self._model is None:
            raise RuntimeError("there is no averaged network yet: it is made when training begins")
        return self._model.module

    def before_training(self, trainer: LTRTrainer) -> None:
        """Copies the network."""
        if self._model is None:
            self._model = AveragedModel(trainer.net, avg_fn=self._average, use_buffers=True)
            self._model.eval().requires_grad_(False)
            self._model.n_averaged.fill_(1)  # or its first update would be a copy of the weights after the first step
        if self._restored is not None:
            self.averaged.load_state_dict(self._restored)
            self._restored = None

    @torch.no_grad()
    def after_step(self, trainer: LTRTrainer) -> None:
        """Moves the average towards the weights."""
        assert self._model is not None, "before_training was not called"
        self.updates += 1
        self._model.update_parameters(trainer.net)

    def _average(self, averaged: Tensor, current: Tensor, _: Tensor | int) -> Tensor:
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        return averaged.lerp(current, 1 - decay) if averaged.is_floating_point() else current

    def state_dict(self) -> dict[str, Any]:
        """Returns the averaged weights and the number of updates."""
        return {"updates": self.updates, "net": self.averaged.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the averaged weights and the number of updates."""
        self.updates = state["updates"]
        if self._model is None:
            self._restored = state["net"]
        else:
            self.averaged.load_state_dict(state["net"])
