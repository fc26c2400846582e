"""Overlap of polygons, counted in pixels as the VOT toolkits count it.

VOT's true regions are rotated rectangles, and its toolkits (the MATLAB one, the Python one and pysot's) share one way
to compare regions: corners are rounded to whole pixels, both regions are drawn, and the pixels are counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def corners(regions: np.ndarray | Sequence[Sequence[float]]) -> np.ndarray:
    """Returns the corners (N, K, 2) of regions (N, 4), boxes x, y, w, h, or (N, 2K), polygons x1, y1, x2, y2, ...

    >>> corners([[10, 20, 4, 6]]).tolist()
    [[[10.0, 20.0], [14.0, 20.0], [14.0, 26.0], [10.0, 26.0]]]

    Raises:
        ValueError: the regions have another shape.
    """
    values = np.asarray(regions, np.float64)
    if values.ndim != 2 or values.shape[1] < 4 or values.shape[1] % 2:
        raise ValueError(f"regions must be boxes (N, 4) or polygons of at least 3 corners (N, 2K), not {values.shape}")
    if values.shape[1] > 4:
        return values.reshape(len(values), values.shape[1] // 2, 2)
    x, y, w, h = values.T
    return np.stack([x, y, x + w, y, x + w, y + h, x, y + h], axis=1).reshape(-1, 4, 2)


def bounding_boxes(regions: np.ndarray | Sequence[Sequence[float]]) -> np.ndarray:
    """Returns the smallest boxes (N, 4), x, y, w, h, around regions; see :func:`corners`.

    >>> bounding_boxes([[5, 0, 10, 5, 5, 10, 0, 5]]).tolist()
    [[0.0, 0.0, 10.0, 10.0]]
    """
    points = corners(regions)
    low, high = points.min(axis=1), points.max(axis=1)
    return np.concatenate([low, high - low], axis=1)


def region_overlap(a: np.ndarray, b: np.ndarray, bounds: tuple[float, float] | None = None) -> np.ndarray:
    """Returns the pixel overlap (N,) of the regions ``a`` and ``b``, corners (N, K, 2) and (N, M, 2).

    Corners are rounded, halves away from zero; both ends of a row belong to the region. A row is filled between its
    outermost edges, which is exact for convex regions. An overlap is NaN where a corner is, zero where neither region
    covers a pixel.

    >>> box, half = corners([[0, 0, 9, 9]]), corners([[0, 0, 9, 4]])
    >>> region_overlap(box, box).tolist(), region_overlap(box, half).tolist()
    ([1.0], [0.5])

    Args:
        a: the first regions.
        b: the second ones.
        bounds: the last column and row that are counted, from 0 on; None counts all.
    """
    finite = np.isfinite(a).all(axis=(1, 2)) & np.isfinite(b).all(axis=(1, 2))
    overlap = np.full(len(a), np.nan)
    first, second = _rounded(a[finite]), _rounded(b[finite])
    low = np.minimum(first.min(axis=1), second.min(axis=1))
    high = np.maximum(first.max(axis=1), second.max(axis=1))
    if bounds is not None:
        low, high = np.maximum(low, 0), np.minimum(high, bounds)
    # Coordinates from the common corner on, as in the toolkits: an edge that meets a pixel exactly is rounded alike.
    first, second = first - low[:, None], second - low[:, None]
    width, height = np.maximum(high - low + 1, 0).T.astype(int)
    # One entry for each row of each pair: the pair's number, and the row's y.
    pair = np.repeat(np.arange(len(height)), height)
    y = np.arange(len(pair)) - np.repeat(np.cumsum(height) - height, height)
    left_a, right_a = _filled(first, pair, y, width)
    left_b, right_b = _filled(second, pair, y, width)
    shared = _count(np.maximum(left_a, left_b), np.minimum(right_a, right_b))
    either = _count(left_a, right_a) + _count(left_b, right_b) - shared
    shared, either = (np.bincount(pair, values, minlength=len(height)) for values in (shared, either))
    overlap[finite] = np.divide(shared, either, out=np.zeros(len(shared)), where=either > 0)
    return overlap


def _rounded(points: np.ndarray) -> np.ndarray:
    # The toolkits hold coordinates in single precision, which decides some halves.
    points = points.astype(np.float32).astype(np.float64)
    return np.copysign(np.floor(np.abs(points) + 0.5), points)


def _filled(points: np.ndarray, pair: np.ndarray, y: np.ndarray, width: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the first and last column of each row; first > last where the region does not reach the row."""
    left, right = np.full(len(y), np.inf), np.full(len(y), -np.inf)
    for (x1, y1), (x2, y2) in zip(points.transpose(1, 2, 0), np.roll(points, 1, axis=1).transpose(1, 2, 0)):
        low, high = np.minimum(y1, y2)[pair], np.maximum(y1, y2)[pair]
        rise = (y2 - y1)[pair]
        touched = (low <= y) & (y <= high) & (rise != 0)
        step = np.divide(y - y1[pair], rise, out=np.zeros(len(y)), where=touched)
        x = np.floor(x1[pair] + step * (x2 - x1)[pair])
        left = np.where(touched, np.minimum(left, x), left)
        right = np.where(touched, np.maximum(right, x), right)
    return np.maximum(left, 0), np.minimum(right, width[pair] - 1)


def _count(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.maximum(right - left + 1, 0)
