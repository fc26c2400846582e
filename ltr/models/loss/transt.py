"""TransT's loss: each cell inside the box is asked for class and box (Chen et al., CVPR 2021, section 3.3).

Nothing is matched: which cells are positive follows from the true box alone. Boxes are centre x, centre y, width and
height as parts of the search region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F

from ltr.models.tracking.transt import BACKGROUND, TARGET, CellPredictions


@dataclass(frozen=True)
class TransTLossWeights:
    """Weights of the loss's parts; the defaults are the paper's.

    Attributes:
        classification: of the cross-entropy.
        l1: of the boxes' L1 distance.
        giou: of 1 - GIoU.
        background: of a negative cell in the cross-entropy; a positive one weighs 1.
    """

    classification: float = 8.334
    l1: float = 5.0
    giou: float = 2.0
    background: float = 1 / 16


class TransTLoss(NamedTuple):
    """The parts of the loss, their weighted sum, and the mean IoU of the positive cells' boxes; all scalars."""

    total: torch.Tensor
    classification: torch.Tensor
    l1: torch.Tensor
    giou: torch.Tensor
    iou: torch.Tensor


def transt_loss(
    predictions: CellPredictions, boxes: torch.Tensor, weights: TransTLossWeights = TransTLossWeights()
) -> TransTLoss:
    """Returns the loss of predictions for N search regions, averaged over all their positive cells.

    Args:
        predictions: for a square of cells.
        boxes: (N, 4), the true ones.
        weights: of the parts.

    Raises:
        ValueError: the cells are not a square.
    """
    count = predictions.logits.shape[1]
    side = round(count**0.5)
    if side**2 != count:
        raise ValueError(f"the search region has {count} cells, which are no square")
    # In mixed precision the network is computed coarsely, the loss is not.
    logits, predicted, boxes = predictions.logits.float(), predictions.boxes.float(), boxes.float()
    positive = cells_inside(boxes, side)
    classes = torch.where(positive, TARGET, BACKGROUND)
    class_weights = logits.new_ones(2)
    class_weights[BACKGROUND] = weights.background
    classification = F.cross_entropy(logits.flatten(0, 1), classes.flatten(), class_weights)
    truth = boxes[:, None].expand_as(predicted)[positive]
    predicted = predicted[positive]
    l1 = (predicted - truth).abs().sum(dim=1).mean()
    iou, generalised = iou_and_giou(corners(predicted), corners(truth))
    giou = (1 - generalised).mean()
    total = weights.classification * classification + weights.l1 * l1 + weights.giou * giou
    return TransTLoss(total, classification, l1, giou, iou.mean())


def cells_inside(boxes: torch.Tensor, side: int) -> torch.Tensor:
    """Returns which of side x side cells, row by row, lie in each box: (N, side * side) bool.

    Those from ceil(first edge) up to ceil(last edge), in cells; at least one in each direction, the nearest one for a
    box between two or outside the region.

    >>> cells_inside(torch.tensor([[0.5, 0.5, 0.5, 0.25]]), 4).view(4, 4).int()
    tensor([[0, 0, 0, 0],
            [0, 0, 0, 0],
            [0, 1, 1, 0],
            [0, 0, 0, 0]], dtype=torch.int32)
    """
    edges = corners(boxes) * side
    first = edges[:, :2].ceil().clamp(0, side - 1)
    last = torch.maximum(edges[:, 2:].ceil().clamp(0, side), first + 1)
    cells = torch.arange(side, device=boxes.device)
    inside = (cells >= first[..., None]) & (cells < last[..., None])  # (N, 2, side): along x and y
    return (inside[:, 1, :, None] & inside[:, 0, None, :]).flatten(1)


def corners(boxes: torch.Tensor) -> torch.Tensor:
    """Returns boxes (..., 4) of centre and size as x1, y1, x2, y2."""
    half = boxes[..., 2:] / 2
    return torch.cat([boxes[..., :2] - half, boxes[..., :2] + half], dim=-1)


def iou_and_giou(boxes: torch.Tensor, others: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns IoU and generalised IoU (Rezatofighi et al., CVPR 2019) of pairs of boxes (..., 4) x1, y1, x2, y2.

    >>> iou_and_giou(torch.tensor([0.0, 0.0, 1.0, 1.0]), torch.tensor([2.0, 0.0, 3.0, 1.0]))
    (tensor(0.), tensor(-0.3333))
    """
    # torchvision's generalized_box_iou_loss has GIoU alone; here IoU and GIoU come of the same areas.
    inner = _area(torch.maximum(boxes[..., :2], others[..., :2]), torch.minimum(boxes[..., 2:], others[..., 2:]))
    outer = _area(torch.minimum(boxes[..., :2], others[..., :2]), torch.maximum(boxes[..., 2:], others[..., 2:]))
    union = _area(boxes[..., :2], boxes[..., 2:]) + _area(others[..., :2], others[..., 2:]) - inner
    iou = inner / union
    return iou, iou - (outer - union) / outer


def _area(first: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    return (last - first).clamp(min=0).prod(dim=-1)
