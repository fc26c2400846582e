"""What every actor is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import nn

from ltr.data.tensordict import TensorDict


class BaseActor(ABC):
    """One learning step: ``actor(data) -> loss, stats``.

    Args:
        net: the network that learns.
        objective: the loss, or a dict of losses; whatever the subclass makes of it.
    """

    def __init__(self, net: nn.Module, objective: Any = None) -> None:
        self.net = net
        self.objective = objective

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
        """Sets the network to training mode, or to evaluation mode. A subclass that freezes layers extends this."""
        self.net.train(mode)

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
