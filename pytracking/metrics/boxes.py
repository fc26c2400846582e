"""Overlap and distance of boxes x, y, w, h in pixels, for whole sequences at once."""

from __future__ import annotations

import numpy as np


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns the intersection over union (...) of boxes (..., 4); zero where both are empty, NaN where one has a NaN.

    >>> iou(np.array([0.0, 0, 10, 10]), np.array([[5.0, 0, 10, 10], [20, 0, 10, 10]])).round(4).tolist()
    [0.3333, 0.0]
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    corner = np.maximum(a[..., :2], b[..., :2])
    overlap = np.maximum(np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:]) - corner, 0)
    intersection = overlap.prod(axis=-1)
    union = a[..., 2:].prod(axis=-1) + b[..., 2:].prod(axis=-1) - intersection
    ratio = np.divide(intersection, union, out=np.zeros_like(union), where=(union > 0) | np.isnan(union))
    return np.clip(ratio, 0, 1)


def centers(boxes: np.ndarray) -> np.ndarray:
    """Returns the centres (..., 2) of boxes (..., 4) in the benchmarks' convention, x + (w - 1) / 2."""
    boxes = np.asarray(boxes, np.float64)
    return boxes[..., :2] + (boxes[..., 2:] - 1) / 2


def center_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns the distance in pixels (...) between the centres of boxes (..., 4).

    >>> center_distance(np.array([0.0, 0, 11, 11]), np.array([3.0, 4, 11, 11])).item()
    5.0
    """
    return np.linalg.norm(centers(a) - centers(b), axis=-1)
