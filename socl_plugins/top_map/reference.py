"""Stages of a TOP map again: plain, slow, and plainly right. What was made fast is held against these.

Windows are taken one by one and pixels are counted, not integrated; nothing here is used to make maps for training.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from pytracking.analysis.metrics.boxes import iou
from socl_plugins.top_map.cues import (
    CONTRAST_GRID,
    CONTRAST_RING,
    EDGE_RING,
    LAB_BINS,
    SALIENCY_SCALES,
    SALIENCY_THRESHOLDS,
    Cues,
    saliency_map,
)
from socl_plugins.top_map.edge_boxes import LEAST_MASS, SIZE_EXPONENT, orientation_bins
from socl_plugins.top_map.edges import Edges
from socl_plugins.top_map.proposals import Proposals, clip_boxes, large_enough

Group = tuple[list[tuple[int, int]], float]  # the pixels (x, y) of a contour, and its summed edge strength


def window_cues(image: np.ndarray, edges: Edges, boxes: np.ndarray) -> Cues:
    """Returns the cues of boxes (N, 4), see :func:`socl_plugins.top_map.cues.window_cues`."""
    maps = [saliency_map(image, size) for size in SALIENCY_SCALES]
    bins, mask = _color_bins(image), edges.mask().astype(np.float64)
    return Cues(
        np.array([[_saliency(*pair, image.shape, box) for pair in zip(maps, SALIENCY_THRESHOLDS)] for box in boxes]),
        np.array([_contrast(bins, box) for box in boxes]),
        np.array([_edge_density(mask, box) for box in boxes]),
    )


def _cover(start: float, length: float, cells: int) -> np.ndarray:
    """Returns (cells,): how much of each unit cell the interval covers."""
    return np.array([max(min(start + length, cell + 1) - max(start, cell), 0.0) for cell in range(cells)])


def _sum(image: np.ndarray, box: np.ndarray) -> float:
    return float(_cover(box[1], box[3], image.shape[0]) @ image @ _cover(box[0], box[2], image.shape[1]))


def _saliency(saliency: np.ndarray, threshold: float, image_shape: tuple[int, ...], box: np.ndarray) -> float:
    scale = np.array([saliency.shape[1] / image_shape[1], saliency.shape[0] / image_shape[0]] * 2)
    window, salient = box * scale, saliency >= threshold
    share = _sum(salient.astype(np.float64), window) / max(window[2] * window[3], 1e-12)
    return _sum(np.where(salient, saliency, 0.0), window) * share


def _color_bins(image: np.ndarray) -> np.ndarray:
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.int64)
    return sum(  # type: ignore[return-value]
        (lab[..., channel] * bins // 256) * int(np.prod(LAB_BINS[channel + 1 :]))
        for channel, bins in enumerate(LAB_BINS)
    )


def _histogram(bins: np.ndarray, window: np.ndarray) -> np.ndarray:
    rows, columns = -(-bins.shape[0] // CONTRAST_GRID), -(-bins.shape[1] // CONTRAST_GRID)
    ends = []
    for start, length, cells in ((window[0], window[2], columns), (window[1], window[3], rows)):
        first = min(max(round(start / CONTRAST_GRID), 0), cells - 1)
        last = min(max(round((start + length) / CONTRAST_GRID), first + 1), cells)
        ends.append(slice(first * CONTRAST_GRID, last * CONTRAST_GRID))
    return np.bincount(bins[ends[1], ends[0]].ravel(), minlength=int(np.prod(LAB_BINS))).astype(np.float64)


def _contrast(bins: np.ndarray, box: np.ndarray) -> float:
    margin = box[2:] * CONTRAST_RING / 2
    inside = _histogram(bins, box)
    ring = _histogram(bins, np.concatenate([box[:2] - margin, box[2:] + 2 * margin])) - inside
    inside, ring = inside / max(inside.sum(), 1), ring / max(ring.sum(), 1)
    either = inside + ring > 0
    return float(0.5 * ((inside - ring)[either] ** 2 / (inside + ring)[either]).sum())


def _edge_density(mask: np.ndarray, box: np.ndarray) -> float:
    size = box[2:] / (1 + EDGE_RING)
    inner = np.concatenate([box[:2] + (box[2:] - size) / 2, size])
    ring = box[2] * box[3] - size[0] * size[1]
    return (_sum(mask, box) - _sum(mask, inner)) / max(ring, 1e-12) * (box[2] + box[3]) / 2


def edge_groups(edges: Edges) -> Iterator[Group]:
    """Yields the contours of an image, see :func:`socl_plugins.top_map.edge_boxes.group_edges`: a flood fill."""
    bins = orientation_bins(edges)
    waiting = {(x, y): (bin, strength) for x, y, bin, strength in zip(edges.x, edges.y, bins, edges.strength.tolist())}
    while waiting:
        start, (orientation, mass) = waiting.popitem()
        pixels, front = [start], [start]
        while front:
            x, y = front.pop()
            for neighbour in ((x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1)):
                if neighbour in waiting and waiting[neighbour][0] == orientation:
                    mass += waiting.pop(neighbour)[1]
                    pixels.append(neighbour)
                    front.append(neighbour)
        if mass >= LEAST_MASS:
            yield pixels, mass


def window_score(groups: list[Group], window: np.ndarray) -> float:
    """Returns the EdgeBoxes score of a window (4,), see :func:`socl_plugins.top_map.edge_boxes.near_windows`."""
    x, y, width, height = window
    total = 0.0
    for pixels, mass in groups:
        if all(x - 1 <= i and i + 1 <= x + width + 1 and y - 1 <= j and j + 1 <= y + height + 1 for i, j in pixels):
            total += mass
        left, top = x + width / 4, y + height / 4
        if all(left <= i and i + 1 <= left + width / 2 and top <= j and j + 1 <= top + height / 2 for i, j in pixels):
            total -= mass
    return total / (2 * (width + height) ** SIZE_EXPONENT)


def opencv_edge_boxes(edges: Edges, point: tuple[float, float], count: int = 1000, radius: float = 30.0) -> np.ndarray:
    """Returns what SoCL keeps of EdgeBoxes: of OpenCV's best boxes of a whole frame, those centred near the click.

    Args:
        edges: of the frame.
        point: the click, x, y in pixels.
        count: boxes of the whole frame.
        radius: distance in pixels of the centre from the click.
    """
    strength, orientation = edges.dense()
    search = cv2.ximgproc.createEdgeBoxes(maxBoxes=count, minBoxArea=100.0, minScore=0.005)
    boxes = np.asarray(search.getBoundingBoxes(strength, orientation)[0], np.float64).reshape(-1, 4)
    near = np.hypot(*(boxes[:, :2] + boxes[:, 2:] / 2 - point).T) <= radius
    return large_enough(clip_boxes(boxes[near], edges.shape))


def non_maximum_suppression(boxes: np.ndarray, scores: np.ndarray, threshold: float, keep: int) -> np.ndarray:
    """Returns the kept indices, see :func:`socl_plugins.top_map.proposals.non_maximum_suppression`."""
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable").tolist():
        if len(kept) < keep and all(iou(boxes[index], boxes[other]) <= threshold for other in kept):
            kept.append(index)
    return np.array(kept, np.int64)


def score_map(proposals: Proposals, shape: tuple[int, int]) -> np.ndarray:
    """Returns the score map (H, W) at one cell a pixel, see :func:`socl_plugins.top_map.render.score_map`."""
    total = np.zeros(shape)
    for box, score in zip(proposals.boxes.astype(np.float64), proposals.scores):
        total += score * np.outer(_cover(box[1], box[3], shape[0]), _cover(box[0], box[2], shape[1]))
    return total
