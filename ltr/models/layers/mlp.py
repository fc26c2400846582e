"""A multi-layer perceptron."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class MLP(nn.Module):
    """Linear layers with rectifiers between them.

    Args:
        inputs: channels that come in.
        hidden: channels between the layers.
        outputs: channels that go out.
        layers: number of linear layers.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int, layers: int) -> None:
        super().__init__()
        widths = [inputs, *[hidden] * (layers - 1), outputs]
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in zip(widths, widths[1:]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns (..., outputs) for (..., inputs)."""
        *first, last = self.layers
        for layer in first:
            x = F.relu(layer(x))
        return last(x)
