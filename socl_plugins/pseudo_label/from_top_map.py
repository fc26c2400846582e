"""A box from a TOP map alone, as the paper's comparison with BCE training needs it (SoCL, section 4.2, Fig. 8)."""

from __future__ import annotations

import cv2
import numpy as np


def box_from_map(top_map: np.ndarray, alpha: float) -> np.ndarray:
    """Returns the box (4,) x, y, w, h, in cells, around the region of a map's peak that reaches alpha of the peak.

    The paper speaks of an adaptive threshold on each frame. That it is a part of the frame's own peak, and that only
    the connected region around the peak counts, is our choice.

    >>> box_from_map(np.array([[0, 0, 0, 9], [0, 8, 10, 0], [0, 4, 6, 0]]) / 37, 0.5).tolist()
    [1.0, 1.0, 2.0, 2.0]

    Args:
        top_map: (H, W), not negative.
        alpha: in (0, 1]; lower ones give larger boxes.

    Raises:
        ValueError: alpha is out of range, or the map has no peak.
    """
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha is {alpha}; it is a part of the map's peak, in (0, 1]")
    peak = float(top_map.max(initial=0.0))
    if not 0 < peak < float("inf"):
        raise ValueError("the TOP map has no peak: it is empty, zero or not finite")
    above = (top_map >= alpha * peak).astype(np.uint8)
    _, regions, boxes, _ = cv2.connectedComponentsWithStats(above, connectivity=4)
    region = int(np.asarray(regions).flat[int(np.argmax(top_map))])
    return np.asarray(boxes)[region, :4].astype(np.float64)
