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
    scale: float
    weight: Tensor
    bias: Tensor
    answer: Tensor


class BoxJudge:
    """Predicts overlaps with one target as :meth:`AtomIoUNet.predict_iou` does, and their gradients in the boxes.

    Args:
        branch: the network, in evaluation mode.
        modulation: what it knows of the target, (1, C) at each stride.
    """

    def __init__(self, branch: AtomIoUNet, modulation: Modulation) -> None:
        self.branch = branch
        answers = branch.iou_predictor.weight[0].detach().split([branch.fc3_rt.outputs, branch.fc4_rt.outputs])
        self._levels = [
            _level(block, factors[0], 1 / stride, answer)
            for block, factors, stride, answer in zip(
                (branch.fc3_rt, branch.fc4_rt), (modulation.stride8, modulation.stride16), STRIDES, answers
            )
        ]
        self._bias = branch.iou_predictor.bias.detach()

    def __call__(self, iou_features: Features, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns predicted overlaps (P,) and their gradients (P, 4) for boxes (P, 4) x, y, w, h in pixels.

        Args:
            iou_features: (1, C, H, W) at both strides, fastest if they lie as (H, W, C).
            boxes: none empty in any way; an empty one has an arbitrary overlap and no gradient.
        """
        sides = torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], dim=1)
        overlaps, gradient = self._bias.expand(len(boxes)), torch.zeros_like(boxes)
        for level, features in zip(self._levels, iou_features):
            overlap, change = _judge(level, features[0].permute(1, 2, 0), sides)
            overlaps, gradient = overlaps + overlap, gradient + change
        # Moving x moves both sides.
        return overlaps, torch.cat([gradient[:, :2] + gradient[:, 2:], gradient[:, 2:]], dim=1)


def _level(block: LinearBlock, factors: Tensor, scale: float, answer: Tensor) -> _Level:
    linear = folded(block).linear
    weight = linear.weight.view(linear.out_features, len(factors), -1) * factors[:, None]
    weight = weight.transpose(1, 2).flatten(1).contiguous()
    return _Level(block.cells, scale, weight, linear.bias.detach(), answer)


def _judge(level: _Level, features: Tensor, sides: Tensor) -> tuple[Tensor, Tensor]:
    """Returns what a level adds to the overlaps (P,), and its gradients (P, 4) in the sides x1, y1, x2, y2."""
    (height, width, channels), count, bins = features.shape, len(sides), level.bins
    cells = max(height, width)
    weights, by_start, by_end = _bin_weights(sides[:, :2] * level.scale, sides[:, 2:] * level.scale, bins, cells)
    along_x, along_y = weights[:, 0, :, :width], weights[:, 1, :, :height]
    lines = features.reshape(height, width * channels)
    sums = (along_y.reshape(count * bins, height) @ lines).view(count, bins, width, channels)
    pooled = along_x[:, None] @ sums  # (P, bins along y, bins along x, C)
    hidden = torch.addmm(level.bias, pooled.view(count, -1), level.weight.t())
    overlaps = hidden.clamp(min=0) @ level.answer
    pull = ((hidden > 0) * level.answer) @ level.weight
    pull = pull.view(count, bins, bins, channels)
    pull_x = (pull @ sums.transpose(2, 3)).sum(dim=1)  # (P, bins, W), in the weights along x
    spread = (along_x.transpose(1, 2)[:, None] @ pull).view(count * bins, width * channels)
    pull_y = (spread @ lines.t()).view(count, bins, height)
    gradient = [
        torch.stack([(pull_x * change[:, 0, :, :width]).sum((1, 2)), (pull_y * change[:, 1, :, :height]).sum((1, 2))])
        for change in (by_start, by_end)
    ]
    return overlaps, torch.cat(gradient).t() * level.scale


def _bin_weights(start: Tensor, end: Tensor, bins: int, cells: int) -> tuple[Tensor, Tensor, Tensor]:
    """Returns how much each cell counts in each bin's mean, and that by start and by end, each (..., bins, cells).

    Args:
        start: (...) of intervals, in cells.
        end: likewise.
        bins: parts of equal length of each.
        cells: number of cells.
    """
    length = ((end - start) / bins)[..., None, None]
    filled = length > 0
    inverse = torch.where(filled, 1 / length, torch.zeros_like(length))
    part = torch.arange(bins + 1, dtype=start.dtype, device=start.device)[:, None]
    edges = start[..., None, None] + length * part
    distance = (edges - torch.arange(cells, dtype=start.dtype, device=start.device)).clamp(-1, 1)
    size = distance.abs()
    integral = distance - 0.5 * distance * size  # of the hat function, up to a constant
    weights = (integral[..., 1:, :] - integral[..., :-1, :]) * inverse
    hat = (1 - size) * inverse
    moved = hat * (part / bins)
    by_end = moved[..., 1:, :] - moved[..., :-1, :] - weights * inverse / bins
    by_both = hat[..., 1:, :] - hat[..., :-1, :]
    return weights, by_both - by_end, by_end
