"""Proposals: boxes that may hold the target, and the random ones around a click (SoCL, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SMALLEST_SIDE = 4.0  # pixels; smaller windows hold no cue
BOX_UNIT, SCORE_UNIT = 1 / 8, 1 / 65535  # what boxes (pixels) and scores are rounded to: the stored form


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
    half = np.stack([side * aspect, side / aspect], axis=1) / 2
    return large_enough(clip_boxes(np.concatenate([np.subtract(point, half), 2 * half], axis=1), image_size))


def large_enough(boxes: np.ndarray) -> np.ndarray:
    """Returns the boxes (N, 4) of which no side is below 4 pixels, or all where none is: slivers in the very corner."""
    enough = boxes[:, 2:].min(axis=1, initial=np.inf) >= SMALLEST_SIDE
    return boxes[enough] if enough.any() else boxes


def clip_boxes(boxes: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Returns the parts of boxes (N, 4) x, y, w, h that lie in a frame of ``image_size`` (height, width)."""
    limit = np.array([image_size[1], image_size[0]], np.float64)
    corner = np.clip(boxes[:, :2], 0, limit)
    opposite = np.clip(boxes[:, :2] + boxes[:, 2:], 0, limit)
    return np.concatenate([corner, opposite - corner], axis=1)


def non_maximum_suppression(boxes: np.ndarray, scores: np.ndarray, threshold: float, keep: int) -> np.ndarray:
    """Returns the indices, best first, of at most ``keep`` boxes (N, 4) that overlap by ``threshold`` at the most.

    Equal scores keep their order.
    """
    import torch
    from torchvision.ops import nms  # takes seconds to import, which readers of stored proposals are spared

    corners = torch.from_numpy(np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1))
    kept = nms(corners.double(), torch.from_numpy(np.asarray(scores, np.float64)), threshold)
    return kept[:keep].numpy()
