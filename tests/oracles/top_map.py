"""A TOP map again, from a frame and a click: plain, slow, and plainly right. What was made fast is held against this.

Windows are taken one by one and pixels are counted, not integrated. Shared with the fast stages are constants, the
records that travel, the table of likelihoods, and OpenCV's resizing and its conversion to LAB. Nothing here is used to
make maps for training.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from socl_plugins.top_map.cues import (
    CONTRAST_GRID,
    CONTRAST_RING,
    EDGE_RING,
    LAB_BINS,
    LEAST_SALIENCY,
    SALIENCY_SCALES,
    SALIENCY_SIDE,
    SALIENCY_THRESHOLDS,
    Cues,
)
from socl_plugins.top_map.edges import Edges
from socl_plugins.top_map.map import CLIP_CELLS
from socl_plugins.top_map.objectness import DEFAULT_TABLE, PRIOR, SALIENCY_COLUMNS, Likelihoods, load_likelihoods
from socl_plugins.top_map.proposals import BOX_UNIT, SCORE_UNIT, Proposals
from socl_plugins.top_map.propose import ProposalSettings
from tests.oracles.top_map_boxes import (
    Box,
    canny,
    edge_boxes,
    edge_groups,
    find_edges,
    near_windows,
    non_maximum_suppression,
    opencv_edge_boxes,
    random_proposals,
    weighted,
    window_score,
)

__all__ = [
    "canny",
    "clip_threshold",
    "edge_boxes",
    "edge_groups",
    "find_edges",
    "near_windows",
    "non_maximum_suppression",
    "objectness",
    "opencv_edge_boxes",
    "propose_target",
    "random_proposals",
    "render",
    "saliency_map",
    "score_map",
    "window_cues",
    "window_score",
]


def propose_target(
    image: np.ndarray,
    point: tuple[float, float],
    settings: ProposalSettings = ProposalSettings(),
    seed: int | tuple[int, ...] = 0,
) -> Proposals:
    """Returns the kept proposals of a click, see :func:`socl_plugins.top_map.propose.propose_target`.

    Raises:
        ValueError: the settings name a structured forest; its edges are OpenCV's, and have no plain version.
    """
    if settings.edge_model is not None:
        raise ValueError(f"edge_model is {settings.edge_model}; there is no plain version of a structured forest")
    image, x_scale, y_scale = _reduced(image, settings.frame_side)
    point = point[0] * x_scale, point[1] * y_scale
    edges = find_edges(image)
    boxes: list[Box] = []
    if settings.random_count:
        boxes += random_proposals(point, edges.shape, settings, seed)
    if settings.edge_count:
        boxes += edge_boxes(edges, point, settings, settings.edge_radius * math.sqrt(x_scale * y_scale))
    if not boxes:  # EdgeBoxes alone, and no edge near the click
        boxes = random_proposals(point, edges.shape, ProposalSettings(random_count=64), seed)
    cues = window_cues(image, edges, np.array(boxes))
    table = load_likelihoods(settings.likelihoods or DEFAULT_TABLE)
    scores = objectness(cues, table, settings.saliency, settings.contrast, settings.edges)
    found, values = [], []
    for index in non_maximum_suppression(boxes, scores, settings.nms_threshold, settings.keep).tolist():
        x, y, width, height = boxes[index]
        whole = x / x_scale, y / y_scale, width / x_scale, height / y_scale  # in pixels of the frame as it was
        found.append([round(value / BOX_UNIT) * BOX_UNIT for value in whole])
        values.append(round(float(scores[index]) / SCORE_UNIT) * SCORE_UNIT)
    return Proposals(np.array(found, np.float32), np.array(values, np.float32))


def _reduced(image: np.ndarray, side: int) -> tuple[np.ndarray, float, float]:
    """Returns a frame of at most ``side`` squared pixels, and by what its width and height were multiplied."""
    height, width = image.shape[:2]
    factor = min(side / math.sqrt(height * width), 1.0)
    new_width, new_height = max(round(width * factor), 1), max(round(height * factor), 1)
    small = cv2.resize(image, (new_width, new_height), interpolation=cv2.INTER_AREA)
    return small, new_width / width, new_height / height


def saliency_map(image: np.ndarray, size: int) -> np.ndarray:
    """Returns the saliency (size, size), see :func:`socl_plugins.top_map.cues.saliency_map`, channel by channel."""
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA).astype(np.float64)
    total = np.zeros((size, size))
    for channel in range(3):
        # By NumPy as well: where a sum of whole numbers vanishes, other rounding would show in the logarithm.
        spectrum = np.fft.fft2(small[..., channel])
        amplitude = np.abs(spectrum) + 1e-9
        expected = weighted(weighted(np.log(amplitude), [1 / 3] * 3, 0), [1 / 3] * 3, 1)
        unexpected = np.exp(np.log(amplitude) - expected) * (spectrum / amplitude)
        total += np.abs(np.fft.ifft2(unexpected)) ** 2 / 3
    sigma = 2.5 * size / 64
    bell = np.exp(-(np.arange(-math.ceil(4 * sigma), math.ceil(4 * sigma) + 1) ** 2) / (2 * sigma**2))
    bell /= bell.sum()
    smooth = weighted(weighted(total, bell.tolist(), 0), bell.tolist(), 1)
    low, high = float(smooth.min()), float(smooth.max())
    # A frame of one colour leaves nothing but rounding.
    return (smooth - low) / (high - low) if high - low > 1e-9 * high else np.zeros((size, size))


def window_cues(image: np.ndarray, edges: Edges, boxes: np.ndarray) -> Cues:
    """Returns the cues of boxes (N, 4), see :func:`socl_plugins.top_map.cues.window_cues`."""
    reduced = image
    if min(image.shape[:2]) > SALIENCY_SIDE:
        reduced = cv2.resize(image, (SALIENCY_SIDE, SALIENCY_SIDE), interpolation=cv2.INTER_AREA)
    maps = [saliency_map(reduced, size) for size in SALIENCY_SCALES]
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
    value = _sum(np.where(salient, saliency, 0.0), window) * share
    return value if value >= LEAST_SALIENCY else 0.0


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


def objectness(
    cues: Cues, table: Likelihoods, saliency: bool = True, contrast: bool = True, edges: bool = True
) -> np.ndarray:
    """Returns p(object | cues) (N,), see :meth:`socl_plugins.top_map.objectness.Likelihoods.objectness`."""
    weights = [saliency / SALIENCY_COLUMNS] * SALIENCY_COLUMNS + [contrast, edges]
    scores = []
    for row in cues.columns().tolist():
        odds = PRIOR / (1 - PRIOR)
        for value, bins, log_ratio, weight in zip(row, table.edges.tolist(), table.log_ratio.tolist(), weights):
            number = sum(1 for edge in bins if edge <= value)
            odds *= math.exp(log_ratio[number]) ** weight
        scores.append(odds / (1 + odds))
    return np.array(scores)


def score_map(proposals: Proposals, shape: tuple[int, int], cell: float = 1.0) -> np.ndarray:
    """Returns the score map (h, w), see :func:`socl_plugins.top_map.map.score_map`."""
    total = np.zeros(shape)
    for box, score in zip(proposals.boxes.astype(np.float64) / cell, proposals.scores):
        total += score * np.outer(_cover(box[1], box[3], shape[0]), _cover(box[0], box[2], shape[1]))
    return total


def clip_threshold(proposals: Proposals, eta: float) -> float:
    """Returns the mean of the top ``eta``, see :func:`socl_plugins.top_map.map.clip_thresholds`."""
    total = float(proposals.scores.sum())
    x = y = log_width = log_height = 0.0
    for (left, top, width, height), score in zip(proposals.boxes.astype(np.float64), proposals.scores):
        x, y = x + score / total * (left + width / 2), y + score / total * (top + height / 2)
        log_width, log_height = log_width + score / total * np.log(width), log_height + score / total * np.log(height)
    side = 4 * np.sqrt(np.exp(log_width) * np.exp(log_height))
    moved = Proposals(proposals.boxes - np.array([x - side / 2, y - side / 2, 0, 0]), proposals.scores)
    values = sorted(score_map(moved, (CLIP_CELLS, CLIP_CELLS), side / CLIP_CELLS).ravel().tolist(), reverse=True)
    top_values = values[: max(round(eta * len(values)), 1)]
    return sum(top_values) / len(top_values)


def render(
    proposals: Proposals, shape: tuple[int, int], cell: float = 1.0, eta: float = 0.1, temperature: float = 0.25
) -> np.ndarray:
    """Returns the TOP map (h, w), see :func:`socl_plugins.top_map.map.render`."""
    highest = clip_threshold(proposals, eta)
    scores = [[min(value, highest) for value in row] for row in score_map(proposals, shape, cell).tolist()]
    largest = max(map(max, scores))
    weights = np.array([[np.exp((value - largest) / temperature) for value in row] for row in scores])
    return weights / weights.sum()
