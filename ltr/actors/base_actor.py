"""What every actor is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import nn

from ltr.data.tensordict import TensorDict


class BaseActor(ABC):
    """One learning step: ``actor(data) -> loss, stats``.

    Args:
        net: the network that learns.
        objective: the loss, or a dict of losses; whatever the subclass makes of it.
        frozen_norm: see :func:`hold_norm_statistics`.

    Attributes:
        leaves_parameters_unused: whether a step may give some parameters no gradient, which a distributed run has to
            know.
    """

    leaves_parameters_unused: ClassVar[bool] = False

    def __init__(self, net: nn.Module, objective: Any = None, *, frozen_norm: bool = False) -> None:
        self.net = net
        self.objective = objective
        self.frozen_norm = frozen_norm

    @abstractmethod
    def __call__(self, data: TensorDict) -> tuple[torch.Tensor, dict[str, float]]:
        """Returns the loss (a scalar tensor with a gradient) and named numbers to log, such as ``Loss/total``."""

    def to(self, device: torch.device | str) -> None:
        """Moves the network, and the objective where it has parameters or buffers, to ``device``."""
        self.net.to(device)
        parts = self.objective.values() if isinstance(self.objective, dict) else [self.objective]
        for part in parts:
            if isinstance(part, nn.Module):
                part.to(device)

    def train(self, mode: bool = True) -> None:
        """Sets the network to training or evaluation mode. A subclass that freezes more layers extends this."""
        self.net.train(mode)
        if self.frozen_norm:
            hold_norm_statistics(self.net)

    def eval(self) -> None:
        """Sets the network to evaluation mode."""
        self.train(False)


def hold_norm_statistics(net: nn.Module) -> None:
    """Keeps the statistics of batch-norm layers as they are, whatever mode the rest of the network is in.

    For pre-trained weights: a few crops of few videos are a poor sample of what they were made on.
    """
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
