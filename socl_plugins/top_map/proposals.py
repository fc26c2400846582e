"""Proposals: boxes that may hold the target, and the random ones around a click (SoCL, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SMALLEST_SIDE = 4.0  # pixels; smaller windows hold no cue
BOX_UNIT, SCORE_UNIT = 1 / 8, 1 / 65535  # what boxes (pixels) and scores are rounded to: the stored form
SUPPRESSED_FOR_ONE = 64  # boxes that are looked at first for each one that is to be kept


@dataclass(frozen=True)
class Proposals:
    """Boxes that may hold the target, the best first, and how object-like each is: the stored form of a TOP map.

    Attributes:
        boxes: (K, 4) float32, x, y, w, h in pixels of the frame, or of the crop that they were moved to.
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

    def rounded(self) -> Proposals:
        """Returns them as the store can hold them; whatever was rounded once stays as it is."""
        boxes = np.rint(self.boxes / BOX_UNIT) * BOX_UNIT
        scores = np.rint(self.scores.astype(np.float64) / SCORE_UNIT) * SCORE_UNIT
        return Proposals(boxes.astype(np.float32), scores.astype(np.float32))

    def mean_box(self) -> np.ndarray:
        """Returns the score-weighted mean box (4,) x, y, w, h: the target's extent as far as a click can tell it."""
        return mean_boxes(self.boxes.T, self.scores)


def mean_boxes(boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Returns the mean boxes (4, ...) x, y, w, h of boxes (4, ..., K), weighted with scores (..., K)."""
    weights = scores / np.maximum(scores.sum(axis=-1, keepdims=True), 1e-12)
    mean = (boxes * weights).sum(axis=-1)
    # Sizes differ by factors, not by pixels, so their mean is the geometric one.
    size = np.exp((np.log(np.maximum(boxes[2:], 1e-3)) * weights).sum(axis=-1))
    return np.concatenate([mean[:2] + (mean[2:] - size) / 2, size])


def random_proposals(
    point: tuple[float, float],
    image_size: tuple[int, int],
    count: int,
    rng: np.random.Generator,
    side_range: tuple[float, float] = (0.04, 0.7),
    max_aspect: float = 3.0,
) -> np.ndarray:
    """Returns boxes (N, 4) x, y, w, h centred on a click, clipped to the frame; too small ones are left out.

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
    boxes = np.empty((4, count))  # whole rows are worked on, which takes half the time
    for axis, half in enumerate((side * aspect / 2, side / aspect / 2)):
        np.subtract(point[axis], half, out=boxes[axis])
        np.multiply(half, 2, out=boxes[2 + axis])
    return large_enough(clip_boxes(boxes.T, image_size))


def large_enough(boxes: np.ndarray) -> np.ndarray:
    """Returns the boxes (N, 4) of which no side is below 4 pixels, or all where none is: slivers in the very corner."""
    enough = np.minimum(boxes[:, 2], boxes[:, 3]) >= SMALLEST_SIDE
    return boxes[enough] if enough.any() else boxes


def clip_boxes(boxes: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Returns the parts of boxes (N, 4) x, y, w, h that lie in a frame of ``image_size`` (height, width)."""
    clipped = np.empty((len(boxes), 4))
    for axis, limit in enumerate((image_size[1], image_size[0])):
        start, length = boxes[:, axis], boxes[:, 2 + axis]
        first = np.clip(start, 0, limit)
        clipped[:, axis], clipped[:, 2 + axis] = first, np.clip(start + length, 0, limit) - first
    return clipped


def best_first(scores: np.ndarray, count: int) -> np.ndarray:
    """Returns the indices of the ``count`` highest scores (N,), the highest first; equal scores keep their order."""
    if count >= len(scores):
        return np.argsort(-scores, kind="stable")
    least = np.partition(scores, len(scores) - count)[len(scores) - count]
    high = np.flatnonzero(scores >= least)  # a few more where scores are equal
    return high[np.argsort(-scores[high], kind="stable")[:count]]


def non_maximum_suppression(boxes: np.ndarray, scores: np.ndarray, threshold: float, keep: int) -> np.ndarray:
    """Returns the indices, best first, of at most ``keep`` boxes (N, 4) that overlap by ``threshold`` at the most.

    Equal scores keep their order.
    """
    import torch
    from torchvision.ops import nms  # takes seconds to import, which readers of stored proposals are spared

    scores = np.asarray(scores, np.float64)
    count = SUPPRESSED_FOR_ONE * keep
    while True:
        # Which of the best boxes are kept does not depend on those that score less.
        best = best_first(scores, count)
        corners = boxes[best]
        corners[:, 2:] += corners[:, :2]
        order = np.arange(len(best), 0, -1).astype(np.float64)  # they are sorted already
        kept = nms(torch.from_numpy(corners).double(), torch.from_numpy(order), threshold).numpy()
        if len(kept) >= keep or len(best) == len(boxes):
            return best[kept[:keep]]
        count *= 2
