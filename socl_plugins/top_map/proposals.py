"""Proposals: boxes that may hold the target, and the random ones around a click (SoCL, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Proposals:
    """Boxes that may hold the target, the best first, and how object-like each is: the stored form of a TOP map.

    Attributes:
        boxes: (K, 4) float32, x, y, w, h in frame pixels.
        scores: (K,) float32 in [0, 1], objectness.
    """

    boxes: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        if self.boxes.ndim != 2 or self.boxes.shape[1] != 4 or self.scores.shape != self.boxes.shape[:1]:
            raise ValueError(
                f"proposals need boxes (K, 4) and scores (K,), not {self.boxes.shape} and {self.scores.shape}"
            )

    def __len__(self) -> int:
        return len(self.scores)

    def mean_box(self) -> np.ndarray:
        """Returns the score-weighted mean box (4,) x, y, w, h: the target's extent as far as a click can tell it."""
        weights = self.scores / max(float(self.scores.sum()), 1e-12)
        centers = self.boxes[:, :2] + self.boxes[:, 2:] / 2
        center = weights @ centers
        # Sizes differ by factors, not by pixels, so their mean is the geometric one.
        size = np.exp(weights @ np.log(np.maximum(self.boxes[:, 2:], 1e-3)))
        return np.concatenate([center - size / 2, size])


def random_proposals(
    point: tuple[float, float],
    image_size: tuple[int, int],
    count: int,
    rng: np.random.Generator,
    side_range: tuple[float, float] = (0.04, 0.8),
    max_aspect: float = 3.0,
) -> np.ndarray:
    """Returns boxes (count, 4) x, y, w, h centred on a click, clipped to the frame.

    The paper states neither range: sides (square root of the area) are log-uniform over ``side_range``, as a part of
    the frame's geometric mean side, aspect ratios log-uniform up to ``max_aspect`` either way.

    Args:
        point: the click, x, y.
        image_size: height and width of the frame in pixels.
        count: how many boxes.
        rng: source of randomness.
        side_range: smallest and largest side, relative to sqrt(height * width).
        max_aspect: largest ratio of the sides.
    """
    height, width = image_size
    low, high = np.log(side_range)
    side = np.exp(rng.uniform(low, high, count)) * np.sqrt(height * width)
    aspect = np.exp(rng.uniform(-np.log(max_aspect), np.log(max_aspect), count) / 2)
    half = np.stack([side * aspect, side / aspect], axis=1) / 2
    return clip_boxes(np.concatenate([np.subtract(point, half), 2 * half], axis=1), image_size)


def clip_boxes(boxes: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Returns the parts of boxes (N, 4) x, y, w, h that lie in a frame of ``image_size`` (height, width)."""
    limit = np.array([image_size[1], image_size[0]], np.float64)
    corner = np.clip(boxes[:, :2], 0, limit)
    opposite = np.clip(boxes[:, :2] + boxes[:, 2:], 0, limit)
    return np.concatenate([corner, opposite - corner], axis=1)


def iou(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Returns the intersection over union (N,) of one box (4,) with boxes (N, 4), all x, y, w, h.

    >>> iou(np.array([0.0, 0, 2, 2]), np.array([[0.0, 0, 2, 2], [1, 0, 2, 2], [5, 5, 1, 1]])).round(3).tolist()
    [1.0, 0.333, 0.0]
    """
    overlap = np.minimum(box[:2] + box[2:], boxes[:, :2] + boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    intersection = np.prod(np.clip(overlap, 0, None), axis=1)
    union = np.prod(box[2:]) + np.prod(boxes[:, 2:], axis=1) - intersection
    return intersection / np.maximum(union, 1e-12)


def non_maximum_suppression(boxes: np.ndarray, scores: np.ndarray, threshold: float, keep: int) -> np.ndarray:
    """Returns the indices, best first, of at most ``keep`` boxes (N, 4) that overlap by ``threshold`` at the most.

    Greedy, and stops as soon as enough are kept; equal scores keep their order.
    """
    order = np.argsort(-scores, kind="stable")
    candidates = boxes[order]
    kept: list[int] = []
    while len(order) and len(kept) < keep:
        kept.append(int(order[0]))
        apart = iou(candidates[0], candidates) <= threshold
        apart[0] = False
        order, candidates = order[apart], candidates[apart]
    return np.array(kept, np.int64)
