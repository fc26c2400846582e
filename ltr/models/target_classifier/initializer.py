"""The first filter, from the target's appearance alone (DiMP, section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ltr.models.layers.prroi_pool import pool_boxes
from ltr.models.target_classifier.features import start_by_outputs


class FilterInitializer(nn.Module):
    """A convolution, then the target's region pooled to the filter's size, then the mean over the images.

    Args:
        channels: of the classification features.
        filter_size: cells of the filter along each side.
        stride: image pixels for one feature cell.
    """

    def __init__(self, channels: int, filter_size: int, stride: int) -> None:
        super().__init__()
        self.filter_conv = nn.Conv2d(channels, channels, 3, padding=1)
        start_by_outputs(self.filter_conv.weight)
        nn.init.zeros_(self.filter_conv.bias)  # type: ignore[arg-type]
        self.filter_size = filter_size
        self.stride = stride

    def forward(self, features: Tensor, boxes: Tensor) -> Tensor:
        """Returns filters (S, C, k, k) for features (I, S, C, H, W) and boxes (I, S, 4) x, y, w, h in crop pixels."""
        images, sequences = features.shape[:2]
        corners = torch.cat([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], dim=-1).flatten(0, 1)
        mapped = self.filter_conv(features.flatten(0, 1))
        pooled = pool_boxes(mapped, corners[:, None], self.filter_size, 1 / self.stride)
        return pooled.view(images, sequences, *pooled.shape[2:]).mean(dim=0)


class NoInitializer(nn.Module):
    """The first filter without an initializer (table 2): zero.

    Args:
        filter_size: cells of the filter along each side.
    """

    def __init__(self, filter_size: int) -> None:
        super().__init__()
        self.filter_size = filter_size

    def forward(self, features: Tensor, boxes: Tensor) -> Tensor:
        """Returns filters (S, C, k, k) for features (I, S, C, H, W)."""
        return features.new_zeros(*features.shape[1:3], self.filter_size, self.filter_size)
