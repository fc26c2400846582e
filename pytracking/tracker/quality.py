"""What a tracker's response says of how sure its box is: numbers from which a confidence is fitted.

What lives here: pure functions on responses and features. What a number is worth is learned in
:mod:`pytracking.confidence`.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

CELLS = 8  # a target is compared in a grid of so many cells a side


def peak_shape(response: np.ndarray, peak: tuple[int, int], radius: tuple[int, int]) -> dict[str, float]:
    """Returns how a response's peak stands out of what surrounds it.

    ``sharpness`` is the peak-to-sidelobe ratio (Bolme et al., Visual Object Tracking using Adaptive Correlation
    Filters, CVPR 2010): the peak less the sidelobe's mean, in standard deviations of the sidelobe. ``rival`` is the
    highest value of the sidelobe, counted from its mean, as a part of the peak counted alike: 1 where another place is
    as good. The sidelobe is all but a rectangle around the peak; where that leaves nothing, both are 0.

    >>> response = np.zeros((9, 9)); response[4, 4], response[0, 0] = 1, 0.5
    >>> {name: round(value, 2) for name, value in peak_shape(response, (4, 4), (2, 2)).items()}
    {'sharpness': 14.97, 'rival': 0.5}

    Args:
        response: (h, w), higher is better.
        peak: row and column.
        radius: rows and columns on each side of the peak that belong to it.
    """
    height, width = response.shape
    outside = np.ones((height, width), bool)
    (row, column), (rows, columns) = peak, radius
    outside[max(row - rows, 0) : row + rows + 1, max(column - columns, 0) : column + columns + 1] = False
    sidelobe = response[outside]
    if not sidelobe.size:
        return {"sharpness": 0.0, "rival": 0.0}
    middle, spread = float(sidelobe.mean()), float(sidelobe.std())
    above = float(response[peak]) - middle
    floor = 1e-9 + 1e-6 * abs(middle)
    return {
        "sharpness": above / max(spread, floor),
        "rival": float(np.clip((float(sidelobe.max()) - middle) / max(above, floor), -2, 2)),
    }


def likeness(template: Tensor, seen: Tensor) -> float:
    """Returns the cosine of two feature maps of one shape: 1 where they differ by a factor alone; 0 where one is 0."""
    return float(F.cosine_similarity(template.flatten(), seen.flatten(), dim=0))


def target_patch(features: Tensor, center: tuple[float, float], size: tuple[float, float]) -> Tensor:
    """Returns the features (C, 8, 8) in a box of feature maps, read between cells where it lies so.

    Args:
        features: (C, h, w).
        center: row and column of the box's centre, in parts of the maps' sides, 0 to 1.
        size: height and width of the box, alike.
    """
    steps = (torch.arange(CELLS, dtype=features.dtype, device=features.device) + 0.5) / CELLS - 0.5
    rows = 2 * (center[0] + steps * size[0]) - 1
    columns = 2 * (center[1] + steps * size[1]) - 1
    grid = torch.stack([columns.expand(CELLS, CELLS), rows[:, None].expand(CELLS, CELLS)], dim=-1)
    return F.grid_sample(features[None], grid[None], padding_mode="border", align_corners=False)[0]
