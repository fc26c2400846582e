"""EdgeBoxes (Zitnick & Dollár, ECCV 2014) for the windows near a click.

A window is likely to hold an object if many contours lie wholly inside it. OpenCV's implementation scores windows all
over the frame; SoCL keeps those whose centre is within 30 pixels of the click. Here only these are scored. For windows
of one size on a grid, "inside" is "inside in x" and "inside in y", so all of them are scored by one matrix product.

Two things are simpler than in the paper: an edge group that crosses the window's border does not weaken the groups that
it touches, and windows are not refined after the search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from socl_plugins.top_map.edges import Edges
from socl_plugins.top_map.proposals import clip_boxes, large_enough, non_maximum_suppression

ORIENTATION_BINS = 8
LEAST_MASS = 1.0  # summed strength; smaller groups are specks
STEP_OVERLAP = 0.65  # IoU of neighbouring windows: alpha in the paper
SIZE_EXPONENT = 1.2  # kappa in the paper, there 1.5, which favours small windows; chosen by recall
SMALLEST_WINDOW = 10.0  # pixels, side
MOST_WINDOWS = 3000  # the best, from which proposals are kept; the thousands of small windows behind them hold none


@dataclass(frozen=True)
class EdgeGroups:
    """Contours: neighbouring edge pixels of about the same orientation.

    Attributes:
        left, top, right, bottom: (G,) bounds in pixels; the pixel at x covers x to x + 1.
        mass: (G,) summed edge strength.
    """

    left: np.ndarray
    top: np.ndarray
    right: np.ndarray
    bottom: np.ndarray
    mass: np.ndarray


def orientation_bins(edges: Edges) -> np.ndarray:
    """Returns the bin (E,) of each edge pixel's orientation.

    Upright, level and diagonal contours, the most common ones, lie in the middle of a bin, where noise does not break
    them.
    """
    return np.floor(edges.orientation * (ORIENTATION_BINS / np.pi) + 0.5).astype(np.int8) % ORIENTATION_BINS


def group_edges(edges: Edges) -> EdgeGroups:
    """Returns the groups of 8-connected edge pixels whose orientations lie in the same of eight bins."""
    count = len(edges.x)
    if count == 0:
        return EdgeGroups(*[np.zeros(0, np.float32)] * 5)
    height, width = edges.shape
    # The number of the edge pixel at each place, in a frame of "none" so that neighbours need no bounds check.
    number = np.full((height + 2) * (width + 2), count, np.int32)
    place = (edges.y + 1) * (width + 2) + edges.x + 1
    number[place] = np.arange(count)
    bins = np.append(orientation_bins(edges), -1)
    pairs = []
    for offset in (1, width + 1, width + 2, width + 3):  # right, and the three below
        neighbour = number[place + offset]
        joined = np.flatnonzero(bins[neighbour] == bins[:count])
        pairs.append((joined, neighbour[joined]))
    first, second = (np.concatenate(part) for part in zip(*pairs))
    graph = coo_matrix((np.ones(len(first), np.int8), (first, second)), shape=(count, count))
    groups, label = connected_components(graph, directed=False)
    mass = np.bincount(label, weights=edges.strength, minlength=groups)
    order = np.argsort(label, kind="stable")
    start = np.searchsorted(label[order], np.arange(groups))
    x, y = edges.x[order], edges.y[order]
    bounds = (
        np.minimum.reduceat(x, start),
        np.minimum.reduceat(y, start),
        np.maximum.reduceat(x, start) + 1,
        np.maximum.reduceat(y, start) + 1,
    )
    large = mass >= LEAST_MASS
    return EdgeGroups(*(values[large].astype(np.float32) for values in (*bounds, mass)))


def window_sizes(image_size: tuple[int, int], max_aspect: float) -> Iterator[tuple[float, float]]:
    """Yields width and height of the search's windows, neighbours overlapping by ``STEP_OVERLAP``."""
    height, width = image_size
    aspect_step = ((1 + STEP_OVERLAP) / (2 * STEP_OVERLAP)) ** 2
    aspects = int(np.log(max_aspect) / np.log(aspect_step))
    side = SMALLEST_WINDOW
    while side <= max(height, width):
        for power in range(-aspects, aspects + 1):
            root = aspect_step ** (power / 2)
            if side * root <= width and side / root <= height:
                yield side * root, side / root
        side *= STEP_OVERLAP**-0.5


def near_windows(
    groups: EdgeGroups,
    point: tuple[float, float],
    image_size: tuple[int, int],
    radius: float,
    most_centered: float = 1.0,
    max_aspect: float = 3.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns windows (N, 4) x, y, w, h whose centre is within ``radius`` of a point, and their scores (N,).

    The score is the summed strength of the groups wholly inside, less of those wholly in the middle half of each side,
    for each unit of (w + h) ** kappa (equation 3 of the paper).

    Args:
        groups: contours of the frame.
        point: x, y in pixels.
        image_size: the frame's height and width.
        radius: in pixels.
        most_centered: windows whose IoU with the one of their size centred on the point is higher are left out.
        max_aspect: largest ratio of the sides.
    """
    step = (1 - STEP_OVERLAP) / (1 + STEP_OVERLAP)
    windows, scores = [np.zeros((0, 4))], [np.zeros(0)]
    for width, height in window_sizes(image_size, max_aspect):
        across, down = _offsets(radius, width * step), _offsets(radius, height * step)
        common = np.outer(1 - np.minimum(np.abs(down) / height, 1), 1 - np.minimum(np.abs(across) / width, 1))
        wanted = (np.hypot(across, down[:, None]) <= radius) & (common / (2 - common) <= most_centered)
        rows, columns = np.nonzero(wanted)
        if len(rows) == 0:
            continue
        corners = across + (point[0] - width / 2), down + (point[1] - height / 2)
        score = _grid_scores(groups, *corners, width, height)[rows, columns]
        sides = np.full(len(rows), width), np.full(len(rows), height)
        windows.append(np.column_stack([corners[0][columns], corners[1][rows], *sides]))
        scores.append(score)
    return np.concatenate(windows), np.concatenate(scores)


def _grid_scores(groups: EdgeGroups, x: np.ndarray, y: np.ndarray, width: float, height: float) -> np.ndarray:
    """Returns the scores (len(y), len(x)) of windows of one size, for each pair of their left and upper bounds."""
    # A window may be a pixel too tight, since an edge lies between pixels.
    reach = (
        (groups.left >= x[0] - 1)
        & (groups.right <= x[-1] + width + 1)
        & (groups.top >= y[0] - 1)
        & (groups.bottom <= y[-1] + height + 1)
    )
    mass, left, right, top, bottom = (
        values[reach] for values in (groups.mass, groups.left, groups.right, groups.top, groups.bottom)
    )
    score = np.zeros((len(y), len(x)), np.float32)
    for sign, part, slack in ((1, 1.0, 1.0 + 1e-6), (-1, 0.5, 1e-6)):  # where bounds meet, rounding does not decide
        first, last = (1 - part) / 2, (1 + part) / 2
        in_x = (left >= x[:, None] + (first * width - slack)) & (right <= x[:, None] + (last * width + slack))
        in_y = (top >= y[:, None] + (first * height - slack)) & (bottom <= y[:, None] + (last * height + slack))
        score += sign * ((in_y * mass) @ in_x.T.astype(np.float32))
    return score / (2 * (width + height) ** SIZE_EXPONENT)


def _offsets(radius: float, step: float) -> np.ndarray:
    count = int(radius / step)
    return np.arange(-count, count + 1) * step


def edge_boxes(
    edges: Edges,
    point: tuple[float, float],
    count: int = 1000,
    radius: float = 30.0,
    overlap: float = 0.45,
    centered: bool = True,
) -> np.ndarray:
    """Returns EdgeBoxes proposals (N, 4) x, y, w, h near a click, clipped to the frame, the best first.

    Args:
        edges: of the frame.
        point: the click, x, y in pixels.
        count: how many at the most.
        radius: distance in pixels, from the click, within which a window's centre must lie.
        overlap: of two windows that overlap more, the lower scored is dropped: beta in the paper, there 0.75 for recall
            at a high overlap. Lower, the same number of windows covers more different sizes and places.
        centered: with windows that overlap, by more than that, with the one of their size that is centred on the click.
            Where there are random proposals, these are covered already.
    """
    most_centered = 1.0 if centered else overlap
    windows, scores = near_windows(group_edges(edges), point, edges.shape, radius, most_centered)
    promising = np.flatnonzero(scores > 0)
    if len(promising) > MOST_WINDOWS:
        promising = promising[np.argsort(-scores[promising], kind="stable")[:MOST_WINDOWS]]
    boxes = clip_boxes(windows[promising], edges.shape)
    kept = non_maximum_suppression(boxes, scores[promising], overlap, count)
    return large_enough(boxes[kept])
