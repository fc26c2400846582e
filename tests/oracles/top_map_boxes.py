"""Where the windows of a plain TOP map come from: edges, EdgeBoxes, random boxes. See :mod:`tests.oracles.top_map`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np

from socl_plugins.top_map.edge_boxes import (
    LEAST_MASS,
    LEAST_SHARE,
    MOST_WINDOWS,
    ORIENTATION_BINS,
    SIZE_EXPONENT,
    SMALLEST_WINDOW,
    STEP_OVERLAP,
)
from socl_plugins.top_map.edges import EDGE_SHARE, LEAST_GRADIENT, THRESHOLD_RATIO, Edges
from socl_plugins.top_map.proposals import SMALLEST_SIDE
from socl_plugins.top_map.propose import ProposalSettings

Box = tuple[float, float, float, float]  # x, y, w, h in pixels
Pixel = tuple[int, int]  # x, y
Group = tuple[list[Pixel], float]  # the pixels of a contour, and its summed edge strength

# OpenCV takes the luminance, 0.299 R + 0.587 G + 0.114 B, and the Gaussian of 8-bit images in whole numbers. With these
# the grey levels are its own to the last one; with real weights some 4% of them differ by one, and edges with them.
LUMINANCE = (9798, 19235, 3735)  # of 2 ** 15
GAUSSIAN = (1, 14, 62, 102, 62, 14, 1)  # of 2 ** 8: exp(-x ** 2 / 2) at x from -3 to 3

ROUNDING = 1e-9  # pixels; by so little, a pixel outside a window is one on its bound
SCORE_DIGITS = 9  # behind the point; scores that differ later are equal


def weighted(image: np.ndarray, weights: Sequence[float], axis: int) -> np.ndarray:
    """Returns an image (H, W) with every pixel replaced by the weighted sum of those around it along an axis.

    Beyond a border it is mirrored, without the border's pixels themselves.

    Args:
        image: (H, W).
        weights: an odd number of them, the middle one for the pixel itself.
        axis: 0, of columns, or 1, of rows.
    """
    reach, size = len(weights) // 2, image.shape[axis]
    padded = np.pad(image, [(reach, reach) if axis == along else (0, 0) for along in (0, 1)], mode="reflect")
    total = np.zeros_like(image)
    for start, weight in enumerate(weights):
        total = total + weight * padded.take(range(start, start + size), axis)
    return total


def find_edges(image: np.ndarray) -> Edges:
    """Returns the edges of an RGB uint8 image (H, W, 3), see :func:`socl_plugins.top_map.edges.find_edges`."""
    gray = (image.astype(np.int64) @ LUMINANCE + 2**14) // 2**15
    smooth = (weighted(weighted(gray, GAUSSIAN, 1), GAUSSIAN, 0) + 2**15) // 2**16
    dx = weighted(weighted(smooth, (-1, 0, 1), 1), (1, 2, 1), 0)  # Sobel's operator
    dy = weighted(weighted(smooth, (-1, 0, 1), 0), (1, 2, 1), 1)
    sample = (np.abs(dx) + np.abs(dy))[::4, ::4]
    upper = max(float(np.quantile(sample, 1 - EDGE_SHARE)), LEAST_GRADIENT)
    pixels = sorted(canny(dx, dy, THRESHOLD_RATIO * upper, upper), key=lambda pixel: (pixel[1], pixel[0]))
    strength = [min(math.hypot(dx[y, x], dy[y, x]) / (2 * upper), 1.0) for x, y in pixels]
    orientation = [math.atan2(dy[y, x], dx[y, x]) % math.pi for x, y in pixels]
    place = np.array(pixels, np.intp).reshape(-1, 2)
    shape = image.shape[0], image.shape[1]
    return Edges(shape, place[:, 0], place[:, 1], np.array(strength, np.float32), np.array(orientation, np.float32))


def canny(dx: np.ndarray, dy: np.ndarray, lower: float, upper: float) -> set[Pixel]:
    """Returns the edge pixels of an image with derivatives dx and dy (H, W), whole numbers.

    The gradient's size is |dx| + |dy|, as OpenCV has it. An edge pixel is a crest: along the gradient, turned to the
    nearest of four directions, its size is above ``lower`` and above that of both neighbours. And it is joined to a
    crest above ``upper`` by crests. Of two equal neighbours the left or upper one is the crest; on a diagonal, neither.
    """
    size = np.pad(np.abs(dx) + np.abs(dy), 1).tolist()  # none outside; that of the pixel x, y is size[y + 1][x + 1]
    crests = {}
    for y, x in np.ndindex(dx.shape):
        here = size[y + 1][x + 1]
        if here <= lower:
            continue
        across, down = abs(int(dx[y, x])), abs(int(dy[y, x]))
        if down < across * math.tan(math.pi / 8):
            i, j = 1, 0
        elif down > across * math.tan(3 * math.pi / 8):
            i, j = 0, 1
        else:
            i, j = (1, 1) if (dx[y, x] > 0) == (dy[y, x] > 0) else (-1, 1)
        before, after = size[y + 1 - j][x + 1 - i], size[y + 1 + j][x + 1 + i]
        if before < here and (after < here or (after == here and 0 in (i, j))):
            crests[x, y] = here
    front = [pixel for pixel, here in crests.items() if here > upper]
    found = set(front)
    while front:
        for pixel in neighbours(front.pop()):
            if pixel in crests and pixel not in found:
                found.add(pixel)
                front.append(pixel)
    return found


def neighbours(pixel: Pixel) -> list[Pixel]:
    """Returns the eight pixels around a pixel."""
    return [(pixel[0] + i, pixel[1] + j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]


def edge_groups(edges: Edges) -> Iterator[Group]:
    """Yields the contours of an image, see :func:`socl_plugins.top_map.edge_boxes.group_edges`: a flood fill."""
    waiting = {}
    columns = (values.tolist() for values in (edges.x, edges.y, edges.strength, edges.orientation))
    for x, y, strength, orientation in zip(*columns):
        # The middle of the first bin is an orientation of 0: the last half bin belongs to it, too.
        waiting[x, y] = int(orientation / math.pi * ORIENTATION_BINS + 0.5) % ORIENTATION_BINS, strength
    while waiting:
        start, (orientation, mass) = waiting.popitem()
        pixels, front = [start], [start]
        while front:
            for pixel in neighbours(front.pop()):
                if pixel in waiting and waiting[pixel][0] == orientation:
                    mass += waiting.pop(pixel)[1]
                    pixels.append(pixel)
                    front.append(pixel)
        if mass >= LEAST_MASS:
            yield pixels, mass


def window_score(groups: Iterable[Group], window: Iterable[float]) -> float:
    """Returns the EdgeBoxes score of a window (4,), see :func:`socl_plugins.top_map.edge_boxes.near_windows`."""
    x, y, width, height = map(float, window)
    total = 0.0
    for pixels, mass in groups:
        if mass < LEAST_SHARE * (width + height):
            continue
        if inside(pixels, (x - 1, y - 1, width + 2, height + 2)):
            total += mass
        if inside(pixels, (x + width / 4, y + height / 4, width / 2, height / 2)):
            total -= mass
    return total / (2 * (width + height) ** SIZE_EXPONENT)


def inside(pixels: Iterable[Pixel], box: Box) -> bool:
    """Returns whether all pixels lie in a box; its own bound may be theirs."""
    left, right = box[0] - ROUNDING, box[0] + box[2] + ROUNDING
    top, bottom = box[1] - ROUNDING, box[1] + box[3] + ROUNDING
    return all(left <= x and x + 1 <= right and top <= y and y + 1 <= bottom for x, y in pixels)


def near_windows(
    image_size: tuple[int, int], point: tuple[float, float], radius: float, max_aspect: float = 3.0
) -> Iterator[Box]:
    """Yields the windows of the search, see :func:`socl_plugins.top_map.edge_boxes.near_windows`, one by one.

    Args:
        image_size: the frame's height and width.
        point: x, y in pixels.
        radius: in pixels, from the point, within which their centres lie.
        max_aspect: largest ratio of the sides.
    """
    move = (1 - STEP_OVERLAP) / (1 + STEP_OVERLAP)  # of a side: two windows moved by it overlap by STEP_OVERLAP
    ratio = ((1 + STEP_OVERLAP) / (2 * STEP_OVERLAP)) ** 2
    most = 0
    while ratio ** (most + 1) <= max_aspect:
        most += 1
    side = SMALLEST_WINDOW
    while side <= max(image_size):
        for power in range(-most, most + 1):
            width, height = side * ratio ** (power / 2), side / ratio ** (power / 2)
            if width > image_size[1] or height > image_size[0]:
                continue
            rows, columns = int(radius / (height * move)), int(radius / (width * move))
            for row in range(-rows, rows + 1):
                for column in range(-columns, columns + 1):
                    right, down = column * width * move, row * height * move
                    if math.hypot(right, down) <= radius:
                        yield point[0] + right - width / 2, point[1] + down - height / 2, width, height
        side /= math.sqrt(STEP_OVERLAP)


def edge_boxes(edges: Edges, point: tuple[float, float], settings: ProposalSettings, radius: float) -> list[Box]:
    """Returns EdgeBoxes near a click, the best first, see :func:`socl_plugins.top_map.edge_boxes.edge_boxes`.

    Args:
        edges: of the frame.
        point: the click, x, y in pixels.
        settings: how many, and how much they may overlap each other, and the random proposals where there are any.
        radius: in pixels of the frame; the one of the settings is for a frame that is not reduced.
    """
    groups = list(edge_groups(edges))
    found = []
    for window in near_windows(edges.shape, point, radius):
        centered = point[0] - window[2] / 2, point[1] - window[3] / 2, window[2], window[3]
        if settings.random_count and overlap(window, centered) > settings.edge_overlap:
            continue
        # A wide window and a high one often score the same: then the order of the search counts, not the last digit.
        score = round(window_score(groups, window), SCORE_DIGITS)
        if score > 0:
            found.append((score, clip(window, edges.shape)))
    found = sorted(found, key=lambda item: -item[0])[:MOST_WINDOWS]
    scores, boxes = [score for score, _ in found], [box for _, box in found]
    kept = non_maximum_suppression(boxes, scores, settings.edge_overlap, settings.edge_count)
    return large_enough([boxes[index] for index in kept])


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
    near = [
        clip((x, y, width, height), edges.shape)
        for x, y, width, height in np.asarray(search.getBoundingBoxes(strength, orientation)[0], np.float64).tolist()
        if math.hypot(x + width / 2 - point[0], y + height / 2 - point[1]) <= radius
    ]
    return np.array(large_enough(near)).reshape(-1, 4)


def random_proposals(
    point: tuple[float, float], image_size: tuple[int, int], settings: ProposalSettings, seed: int | tuple[int, ...]
) -> list[Box]:
    """Returns boxes centred on a click, see :func:`socl_plugins.top_map.proposals.random_proposals`, one by one.

    Args:
        point: the click, x, y in pixels.
        image_size: the frame's height and width.
        settings: how many, and the ranges of their sides and aspect ratios.
        seed: the same gives the same numbers as there: all sides first, then all aspect ratios.
    """
    rng = np.random.default_rng(seed)
    smallest, largest = (math.log(side) for side in settings.side_range)
    widest = math.log(settings.max_aspect)
    sides = [math.exp(rng.uniform(smallest, largest)) for _ in range(settings.random_count)]
    aspects = [math.exp(rng.uniform(-widest, widest)) for _ in range(settings.random_count)]
    boxes = []
    for side, aspect in zip(sides, aspects):
        area = image_size[0] * image_size[1] * side**2
        width, height = math.sqrt(area * aspect), math.sqrt(area / aspect)
        boxes.append(clip((point[0] - width / 2, point[1] - height / 2, width, height), image_size))
    return large_enough(boxes)


def large_enough(boxes: list[Box]) -> list[Box]:
    """Returns the boxes of which no side is below 4 pixels, or all where none is."""
    return [box for box in boxes if min(box[2], box[3]) >= SMALLEST_SIDE] or boxes


def clip(box: Box, image_size: tuple[int, int]) -> Box:
    """Returns the part of a box that lies in a frame of ``image_size`` (height, width)."""
    left, right = (min(max(x, 0.0), float(image_size[1])) for x in (box[0], box[0] + box[2]))
    top, bottom = (min(max(y, 0.0), float(image_size[0])) for y in (box[1], box[1] + box[3]))
    return left, top, right - left, bottom - top


def overlap(a: Box, b: Box) -> float:
    """Returns the intersection over union of two boxes."""
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    common = max(across, 0.0) * max(down, 0.0)
    return common / (a[2] * a[3] + b[2] * b[3] - common) if common else 0.0


def non_maximum_suppression(
    boxes: np.ndarray | Sequence[Box], scores: np.ndarray | Sequence[float], threshold: float, keep: int
) -> np.ndarray:
    """Returns the kept indices, see :func:`socl_plugins.top_map.proposals.non_maximum_suppression`."""
    listed: list[Box] = [(x, y, width, height) for x, y, width, height in np.asarray(boxes).reshape(-1, 4).tolist()]
    kept: list[int] = []
    for index in sorted(range(len(listed)), key=lambda index: -scores[index]):  # equal ones keep their order
        if len(kept) < keep and all(overlap(listed[index], listed[other]) <= threshold for other in kept):
            kept.append(index)
    return np.array(kept, np.int64)
