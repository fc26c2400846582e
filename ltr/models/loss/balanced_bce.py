"""SiamFC's loss: binary cross-entropy in which target and background weigh the same."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def center_labels(centers: torch.Tensor, shape: tuple[int, int], radius: float = 2.0) -> torch.Tensor:
    """Returns labels (N, 1, h, w): 1 where a cell is near the target's centre, else 0.

    Near is an L1 distance, |dx| + |dy|, of ``radius`` or less (Bertinetto et al., SiamFC, equation 4; siamfc-pytorch).

    Args:
        centers: (N, 2), x, y of each target in cells, counted from 0; they may lie between cells, or outside.
        shape: height and width of the response.
        radius: in cells.
    """
    rows, columns = (torch.arange(cells, device=centers.device) for cells in shape)
    dx = (columns - centers[:, :1]).abs()[:, None, :]
    dy = (rows - centers[:, 1:]).abs()[:, :, None]
    return (dx + dy <= radius).float()[:, None]


def balanced_bce(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Returns the cross-entropy of logits against labels 0 and 1 of the same shape, half its weight on each kind.

    Where all labels are of one kind, that kind has all the weight.
    """
    counts = torch.stack([(labels == kind).sum() for kind in (0, 1)])
    share = 1 / (counts.clamp(min=1) * (counts > 0).sum())
    weights = torch.where(labels == 1, share[1], share[0]).to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype), weights, reduction="sum")
