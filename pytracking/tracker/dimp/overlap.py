"""How much boxes overlap with the target by an IoU network, and which way is uphill, without differentiation.

Every pooled bin is a product of weights along x and along y, whose derivatives in the box's sides have a closed form
(see :mod:`ltr.models.layers.prroi_pool`). What is the same for all boxes and steps, the modulation of the channels and
the order of the pooled numbers, is inside the weights of the linear layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ltr.models.bbreg import AtomIoUNet, Modulation
from ltr.models.bbreg.atom_iou_net import STRIDES, Features, LinearBlock
from ltr.models.fold import folded


@dataclass(frozen=True)
class _Level:
    """What judges boxes at one stride: weights (U, bins * bins * C) and bias (U,), and the answer's weights (U,)."""

    bins: int
    weight: Tensor
    bias: Tensor
    answer: Tensor


class IoUPredictor:
    """Predicts overlaps with one target as :meth:`AtomIoUNet.predict_iou` does, and their gradients in the boxes.

    Args:
        branch: the network, in evaluation mode.
        modulation: what it knows of the target, (1, C) at each stride.
        kind: of the numbers that convolutions and linear layers multiply, float32 or bfloat16.
    """

    def __init__(self, branch: AtomIoUNet, modulation: Modulation, kind: torch.dtype = torch.float32) -> None:
        self.branch = branch
        self.kind = kind
        answers = branch.iou_predictor.weight[0].detach().split([branch.fc3_rt.outputs, branch.fc4_rt.outputs])
        blocks, factors = (branch.fc3_rt, branch.fc4_rt), (modulation.stride8, modulation.stride16)
        self._levels = [
            _level(block, factor[0], answer, kind) for block, factor, answer in zip(blocks, factors, answers)
        ]
        self._bias = branch.iou_predictor.bias.detach()
        self._scales = self._bias.new_tensor([[1 / stride] for stride in STRIDES])
        self._bins = self._bias.new_tensor([[level.bins] for level in self._levels])
        self._parts = torch.arange(max(level.bins for level in self._levels) + 1).to(self._bias)

    def iou_features(self, features: Features) -> Features:
        """Returns what :meth:`__call__` takes, of backbone features (1, C, H, W) at both strides."""
        device = features[0].device.type
        with torch.autocast(device, self.kind, enabled=self.kind != torch.float32, cache_enabled=device != "cuda"):
            near, far = self.branch.iou_features(features)
        return near.float(), far.float()

    def __call__(self, iou_features: Features, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns predicted overlaps (P,) and their gradients (P, 4) for boxes (P, 4) x, y, w, h in pixels.

        Args:
            iou_features: (1, C, H, W) at both strides, fastest if they lie as (H, W, C).
            boxes: none empty in any way; an empty one has an arbitrary overlap and no gradient.
        """
        # Both strides and both axes at once, (P, strides, axes): there are many small operations in it.
        start = boxes[:, None, :2] * self._scales
        span = boxes[:, None, 2:] * self._scales
        cells = max(max(features.shape[-2:]) for features in iou_features)
        weights, changes = _bin_weights(start, span, self._bins, self._parts, cells)
        overlaps, gradient = self._bias, torch.zeros_like(boxes)
        for number, (level, features) in enumerate(zip(self._levels, iou_features)):
            overlap, change = _judge(
                level, features[0].permute(1, 2, 0), weights[:, number, :, : level.bins], changes[:, :, number]
            )
            overlaps, gradient = overlaps + overlap, torch.addcmul(gradient, change, self._scales[number])
        return overlaps, gradient


def _level(block: LinearBlock, factors: Tensor, answer: Tensor, kind: torch.dtype) -> _Level:
    linear = folded(block).linear
    weight = linear.weight.view(linear.out_features, len(factors), -1) * factors[:, None]
    weight = weight.transpose(1, 2).flatten(1).contiguous()
    return _Level(block.cells, weight.to(kind), linear.bias.detach(), answer)


def _judge(level: _Level, features: Tensor, weights: Tensor, changes: Tensor) -> tuple[Tensor, Tensor]:
    """Returns what a level adds to the overlaps (P,), and its gradients (P, 4) in x, y, w, h in cells.

    Args:
        level: what judges.
        features: (H, W, C).
        weights: of cells in bins, (P, axes, bins, cells or more).
        changes: of the weights with start and span, (2, P, axes, bins or more, cells or more).
    """
    (height, width, channels), count, bins = features.shape, len(weights), level.bins
    along_x, along_y = weights[:, 0, :, :width], weights[:, 1, :, :height]
    lines = features.reshape(height, width * channels)
    sums = (along_y.reshape(count * bins, height) @ lines).view(count, bins, width, channels)
    pooled = along_x[:, None] @ sums  # (P, bins along y, bins along x, C)
    kind = level.weight.dtype
    hidden = (pooled.view(count, -1).to(kind) @ level.weight.t()).float() + level.bias
    overlaps = hidden.clamp(min=0) @ level.answer
    pull = ((hidden > 0) * level.answer).to(kind) @ level.weight
    pull = pull.float().view(count, bins, bins, channels)
    pull_x = (pull @ sums.transpose(2, 3)).sum(dim=1)  # (P, bins, W), in the weights along x
    spread = (along_x.transpose(1, 2)[:, None] @ pull).view(count * bins, width * channels)
    pull_y = (spread @ lines.t()).view(count, bins, height)
    by_x = (pull_x * changes[:, :, 0, :bins, :width]).sum((2, 3))
    by_y = (pull_y * changes[:, :, 1, :bins, :height]).sum((2, 3))
    return overlaps, torch.stack([by_x, by_y], dim=-1).transpose(0, 1).flatten(1)


def _bin_weights(start: Tensor, span: Tensor, bins: Tensor, parts: Tensor, cells: int) -> tuple[Tensor, Tensor]:
    """Returns how much each cell counts in each bin's mean, (..., most bins, cells), and that by start and by span.

    Args:
        start: (...) where the intervals begin, in cells.
        span: (...) lengths of the intervals, in cells.
        bins: parts of equal length of each; of shapes that go with start.
        parts: 0, 1, ... up to the largest number of bins. Those beyond an interval's own number have no meaning.
        cells: number of cells.

    Returns:
        Weights, and their changes (2, ...) with the start, and with the span, when the other one stays.
    """
    start, span, bins = start[..., None, None], span[..., None, None], bins[..., None, None]
    part = parts[:, None] / bins  # (..., most bins + 1, 1)
    once = torch.where(span > 0, 1 / span, torch.zeros_like(span))
    inverse = once * bins  # of a bin's length
    edges = torch.addcmul(start, span, part)
    distance = (edges - torch.arange(cells, dtype=start.dtype, device=start.device)).clamp(-1, 1)
    size = distance.abs()
    integral = torch.addcmul(distance, distance, size, value=-0.5)  # of the hat function, up to a constant
    weights = (integral[..., 1:, :] - integral[..., :-1, :]) * inverse
    hat = torch.addcmul(inverse, inverse, size, value=-1)
    both = torch.stack([hat, hat * part])
    changes = both[..., 1:, :] - both[..., :-1, :]
    changes[1].addcmul_(weights, once, value=-1)
    return weights, changes
