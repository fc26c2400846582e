"""A TOP map again, from a frame and a click: plain, slow, and plainly right. What was made fast is held against this.

Windows are taken one by one and pixels are counted, not integrated. Shared with the fast stages are constants, the
records that travel, and OpenCV's colour conversion, resizing, blur and Sobel operator. Nothing here is used to make
maps for training.
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
    LEAST_SALIENCY,
    SALIENCY_SCALES,
    SALIENCY_THRESHOLDS,
    Cues,
)
from socl_plugins.top_map.edge_boxes import (
    LEAST_MASS,
    MOST_WINDOWS,
    ORIENTATION_BINS,
    SIZE_EXPONENT,
    SMALLEST_WINDOW,
    STEP_OVERLAP,
)
from socl_plugins.top_map.edges import EDGE_SHARE, LEAST_GRADIENT, THRESHOLD_RATIO, Edges
from socl_plugins.top_map.objectness import DEFAULT_TABLE, PRIOR, SALIENCY_COLUMNS, Likelihoods, load_likelihoods
from socl_plugins.top_map.proposals import BOX_UNIT, SCORE_UNIT, SMALLEST_SIDE, Proposals
from socl_plugins.top_map.propose import ProposalSettings, reduce_frame
from socl_plugins.top_map.render import CLIP_CELLS

Group = tuple[list[tuple[int, int]], float]  # the pixels (x, y) of a contour, and its summed edge strength


def propose_target(
    image: np.ndarray,
    point: tuple[float, float],
    settings: ProposalSettings = ProposalSettings(),
    seed: int | tuple[int, ...] = 0,
) -> Proposals:
    """Returns the kept proposals of a click, see :func:`socl_plugins.top_map.propose.propose_target`."""
    image, scale = reduce_frame(image, settings.frame_side)
    point = (point[0] * scale[0], point[1] * scale[1])
    edges = find_edges(image)
    boxes = list(random_proposals(point, edges.shape, settings, seed)) if settings.random_count else []
    if settings.edge_count:
        boxes += edge_boxes(edges, point, settings, settings.edge_radius * float(np.sqrt(scale[0] * scale[1])))
    windows = np.array(boxes)
    scores = objectness(window_cues(image, edges, windows), load_likelihoods(settings.likelihoods or DEFAULT_TABLE))
    kept = non_maximum_suppression(windows, scores, settings.nms_threshold, settings.keep)
    found = [windows[index] / [scale[0], scale[1], scale[0], scale[1]] for index in kept]
    rounded = [[round(float(value) / BOX_UNIT) * BOX_UNIT for value in box] for box in found]
    values = [round(float(scores[index]) / SCORE_UNIT) * SCORE_UNIT for index in kept]
    return Proposals(np.array(rounded, np.float32), np.array(values, np.float32))


def random_proposals(
    point: tuple[float, float], image_size: tuple[int, int], settings: ProposalSettings, seed: int | tuple[int, ...]
) -> Iterator[np.ndarray]:
    """Yields boxes (4,) centred on a click, see :func:`socl_plugins.top_map.proposals.random_proposals`."""
    rng = np.random.default_rng(seed)
    (smallest, largest), ratio = np.log(settings.side_range), np.log(settings.max_aspect)
    sides, aspects = (rng.uniform(*ends, settings.random_count) for ends in ((smallest, largest), (-ratio, ratio)))
    for side, aspect in zip(sides, aspects):
        area, ratio = image_size[0] * image_size[1] * np.exp(side) ** 2, np.exp(aspect)
        width, height = np.sqrt(area * ratio), np.sqrt(area / ratio)
        box = _clip(np.array([point[0] - width / 2, point[1] - height / 2, width, height]), image_size)
        if min(box[2], box[3]) >= SMALLEST_SIDE:
            yield box


def _clip(box: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    left, top = max(box[0], 0.0), max(box[1], 0.0)
    right, bottom = min(box[0] + box[2], float(image_size[1])), min(box[1] + box[3], float(image_size[0]))
    return np.array([left, top, right - left, bottom - top])


def find_edges(image: np.ndarray) -> Edges:
    """Returns the edges of an RGB image, see :func:`socl_plugins.top_map.edges.find_edges`: Canny, pixel by pixel.

    OpenCV's sum of absolute derivatives is the magnitude. Along the gradient's direction, of four, an edge is larger
    than its neighbours; of two equal ones, the left or the upper one stays, and on a diagonal neither.
    """
    gray = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    dx, dy = (cv2.Sobel(gray, cv2.CV_16S, *order).astype(int) for order in ((1, 0), (0, 1)))
    magnitude = np.pad(abs(dx) + abs(dy), 1)  # none outside: the pixel (x, y) is at [y + 1, x + 1]
    upper = max(float(np.quantile(magnitude[1:-1:4, 1:-1:4], 1 - EDGE_SHARE)), LEAST_GRADIENT)
    thin = set()
    for y, x in zip(*np.nonzero(magnitude[1:-1, 1:-1] > int(THRESHOLD_RATIO * upper))):
        across, down, here = abs(dx[y, x]), abs(dy[y, x]), magnitude[y + 1, x + 1]
        if down < across * np.tan(np.pi / 8):
            largest = magnitude[y + 1, x] < here >= magnitude[y + 1, x + 2]
        elif down > across * np.tan(3 * np.pi / 8):
            largest = magnitude[y, x + 1] < here >= magnitude[y + 2, x + 1]
        else:
            step = 1 if dx[y, x] * dy[y, x] >= 0 else -1
            largest = max(magnitude[y, x + 1 - step], magnitude[y + 2, x + 1 + step]) < here
        if largest:
            thin.add((x, y))
    front = [(x, y) for x, y in thin if magnitude[y + 1, x + 1] > int(upper)]
    found = set(front)
    while front:
        for neighbour in _neighbours(*front.pop()):
            if neighbour in thin and neighbour not in found:
                found.add(neighbour)
                front.append(neighbour)
    pixels = sorted(found, key=lambda pixel: (pixel[1], pixel[0]))
    strength = [min(np.hypot(dx[y, x], dy[y, x]) / (2 * upper), 1.0) for x, y in pixels]
    orientation = [np.arctan2(dy[y, x], dx[y, x]) % np.pi for x, y in pixels]
    place = np.array(pixels, np.intp).reshape(-1, 2)
    return Edges(
        gray.shape, place[:, 0], place[:, 1], np.array(strength, np.float32), np.array(orientation, np.float32)
    )


def _neighbours(x: int, y: int) -> list[tuple[int, int]]:
    return [(x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]


def objectness(cues: Cues, table: Likelihoods) -> np.ndarray:
    """Returns p(object | cues) (N,), see :meth:`socl_plugins.top_map.objectness.Likelihoods.objectness`."""
    weights = [1 / SALIENCY_COLUMNS] * SALIENCY_COLUMNS + [1.0, 1.0]
    scores = []
    for row in cues.columns():
        odds = PRIOR / (1 - PRIOR)
        for value, bins, ratio, weight in zip(row, table.edges, table.log_ratio, weights):
            odds *= np.exp(ratio[sum(1 for edge in bins if edge <= value)]) ** weight
        scores.append(odds / (1 + odds))
    return np.array(scores)


def saliency_map(image: np.ndarray, size: int) -> np.ndarray:
    """Returns the saliency (size, size), see :func:`socl_plugins.top_map.cues.saliency_map`, by the sums as written."""
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA).astype(np.float64)
    number = np.arange(size)
    transform = np.exp(-2j * np.pi * np.outer(number, number) / size)
    total = np.zeros((size, size))
    for channel in range(3):
        spectrum = transform @ small[..., channel] @ transform
        amplitude = np.abs(spectrum) + 1e-9
        logarithm = np.log(amplitude)
        around = np.pad(logarithm, 1, mode="reflect")
        mean = sum(around[i : i + size, j : j + size] for i in range(3) for j in range(3)) / 9
        back = transform.conj() @ (np.exp(logarithm - mean) * spectrum / amplitude) @ transform.conj() / size**2
        total += np.abs(back) ** 2 / 3
    smooth = cv2.GaussianBlur(total, (0, 0), 2.5 * size / 64)
    span = smooth.max() - smooth.min()
    return (smooth - smooth.min()) / span if span > 0 else np.zeros_like(smooth)


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


def edge_groups(edges: Edges) -> Iterator[Group]:
    """Yields the contours of an image, see :func:`socl_plugins.top_map.edge_boxes.group_edges`: a flood fill."""
    waiting = {}
    for x, y, strength, orientation in zip(edges.x.tolist(), edges.y.tolist(), edges.strength, edges.orientation):
        # The middle of the first bin is an orientation of 0: the last half bin belongs to it, too.
        waiting[x, y] = int(orientation / np.pi * ORIENTATION_BINS + 0.5) % ORIENTATION_BINS, float(strength)
    while waiting:
        start, (orientation, mass) = waiting.popitem()
        pixels, front = [start], [start]
        while front:
            for neighbour in _neighbours(*front.pop()):
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


def edge_boxes(edges: Edges, point: tuple[float, float], settings: ProposalSettings, radius: float) -> list[np.ndarray]:
    """Returns EdgeBoxes near a click, the best first, see :func:`socl_plugins.top_map.edge_boxes.edge_boxes`."""
    groups = list(edge_groups(edges))
    found = []
    for window in near_windows(edges.shape, point, radius):
        centered = np.array([point[0] - window[2] / 2, point[1] - window[3] / 2, window[2], window[3]])
        if settings.random_count and iou(window, centered) > settings.edge_overlap:
            continue
        score = window_score(groups, window)
        if score > 0:
            found.append((score, _clip(window, edges.shape)))
    found.sort(key=lambda item: -item[0])
    scores, boxes = np.array([item[0] for item in found[:MOST_WINDOWS]]), [item[1] for item in found[:MOST_WINDOWS]]
    kept = non_maximum_suppression(np.array(boxes), scores, settings.edge_overlap, settings.edge_count)
    return [boxes[index] for index in kept if min(boxes[index][2:]) >= SMALLEST_SIDE]


def near_windows(
    image_size: tuple[int, int], point: tuple[float, float], radius: float, max_aspect: float = 3.0
) -> Iterator[np.ndarray]:
    """Yields the windows (4,) of the search, see :func:`socl_plugins.top_map.edge_boxes.near_windows`."""
    move = (1 - STEP_OVERLAP) / (1 + STEP_OVERLAP)  # of a side: two windows moved by it overlap by STEP_OVERLAP
    ratio = ((1 + STEP_OVERLAP) / (2 * STEP_OVERLAP)) ** 2
    side = SMALLEST_WINDOW
    while side <= max(image_size):
        most = 0
        while ratio ** (most + 1) <= max_aspect:
            most += 1
        for power in range(-most, most + 1):
            width, height = side * ratio ** (power / 2), side / ratio ** (power / 2)
            if width > image_size[1] or height > image_size[0]:
                continue
            for row in range(-int(radius / (height * move)), int(radius / (height * move)) + 1):
                for column in range(-int(radius / (width * move)), int(radius / (width * move)) + 1):
                    right, down = column * width * move, row * height * move
                    if np.hypot(right, down) <= radius:
                        yield np.array([point[0] + right - width / 2, point[1] + down - height / 2, width, height])
        side /= np.sqrt(STEP_OVERLAP)


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
    near = [_clip(box, edges.shape) for box in boxes if np.hypot(*(box[:2] + box[2:] / 2 - point)) <= radius]
    return np.array([box for box in near if min(box[2:]) >= SMALLEST_SIDE]).reshape(-1, 4)


def non_maximum_suppression(boxes: np.ndarray, scores: np.ndarray, threshold: float, keep: int) -> np.ndarray:
    """Returns the kept indices, see :func:`socl_plugins.top_map.proposals.non_maximum_suppression`."""
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable").tolist():
        if len(kept) < keep and all(iou(boxes[index], boxes[other]) <= threshold for other in kept):
            kept.append(index)
    return np.array(kept, np.int64)


def score_map(proposals: Proposals, shape: tuple[int, int], cell: float = 1.0) -> np.ndarray:
    """Returns the score map (h, w), see :func:`socl_plugins.top_map.render.score_map`."""
    total = np.zeros(shape)
    for box, score in zip(proposals.boxes.astype(np.float64) / cell, proposals.scores):
        total += score * np.outer(_cover(box[1], box[3], shape[0]), _cover(box[0], box[2], shape[1]))
    return total


def clip_threshold(proposals: Proposals, eta: float) -> float:
    """Returns the mean of the top ``eta``, see :func:`socl_plugins.top_map.render.clip_threshold`."""
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
    """Returns the TOP map (h, w), see :func:`socl_plugins.top_map.render.render`."""
    highest = clip_threshold(proposals, eta)
    scores = [[min(value, highest) for value in row] for row in score_map(proposals, shape, cell).tolist()]
    largest = max(map(max, scores))
    weights = np.array([[np.exp((value - largest) / temperature) for value in row] for row in scores])
    return weights / weights.sum()
