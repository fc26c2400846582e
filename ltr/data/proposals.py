"""Boxes near a target, and how much they overlap with it: what an IoU network learns from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class IoUProposalSettings:
    """How boxes are drawn around the target (ATOM, section 3.2).

    Attributes:
        boxes_per_frame: number of boxes.
        min_iou: overlap that each has at the least.
        sigma_factors: standard deviations of their centres and sizes over the target's mean side; one is drawn a box.
    """

    boxes_per_frame: int = 8
    min_iou: float = 0.1
    sigma_factors: tuple[float, ...] = (0.01, 0.05, 0.1, 0.2, 0.3)

    def __post_init__(self) -> None:
        if self.boxes_per_frame < 1 or not 0 <= self.min_iou < 1 or min(self.sigma_factors, default=0) <= 0:
            raise ValueError(f"{self}: at least one box, an overlap in [0, 1) and positive factors are needed")


def overlap(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns the intersection over union (N,) of boxes (N, 4) with one box (4,), all x, y, w, h.

    >>> overlap(np.array([[0, 0, 2, 2], [1, 0, 2, 2], [5, 5, 1, 1]]), np.array([0, 0, 2, 2])).round(3)
    array([1.   , 0.333, 0.   ])
    """
    # In NumPy: for the few boxes of a frame torchvision's box_iou takes seven times as long.
    corner = np.maximum(boxes[:, :2], box[:2])
    opposite = np.minimum(boxes[:, :2] + boxes[:, 2:], box[:2] + box[2:])
    shared = np.clip(opposite - corner, 0, None).prod(axis=1)
    return shared / np.maximum(boxes[:, 2:].prod(axis=1) + box[2:].prod() - shared, 1e-12)


def draw_proposals(
    box: np.ndarray, settings: IoUProposalSettings, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns boxes (N, 4) around a box (4,), all x, y, w, h, and their overlaps (N,) with it.

    Centres and sizes are normally distributed. Boxes that overlap too little are drawn again, each time a tenth closer.
    """
    count = settings.boxes_per_frame
    sigma = np.sqrt(box[2:].prod()) * rng.choice(settings.sigma_factors, (count, 1))
    boxes, overlaps = np.empty((count, 4)), np.full(count, -1.0)
    wanted = np.arange(count)
    while wanted.size:
        size = box[2:] + sigma[wanted] * rng.normal(size=(wanted.size, 2))
        size = np.where(size > 1, size, rng.uniform(2, 10, size.shape))
        center = box[:2] + box[2:] / 2 + sigma[wanted] * rng.normal(size=(wanted.size, 2))
        boxes[wanted] = np.concatenate([center - size / 2, size], axis=1)
        overlaps[wanted] = overlap(boxes[wanted], box)
        sigma *= 0.9
        wanted = wanted[overlaps[wanted] <= settings.min_iou]
        if wanted.size and sigma[wanted].max() < 1e-3:  # a target so small that no box of over a pixel meets it
            boxes[wanted], overlaps[wanted] = box, 1.0
            break
    return boxes, overlaps
