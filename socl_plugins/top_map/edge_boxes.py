"""EdgeBoxes (Zitnick & Dollár, ECCV 2014) for the windows near a click.

A window is likely to hold an object if many contours lie wholly inside it. OpenCV's implementation scores windows all
over the frame; SoCL keeps those whose centre is within 30 pixels of the click. Here only these are scored. Of windows
of one size on a grid, those that hold a contour are a rectangle of the grid, so all of them are scored by what changes
at the corners of rectangles: two cumulative sums.

Three things are simpler than in the paper: an edge group that crosses the window's border does not weaken the groups
that it touches, groups that are small beside a window do not count in it, and windows are not refined after the search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from socl_plugins.top_map.edges import Edges
from socl_plugins.top_map.proposals import best_first, clip_boxes, large_enough, non_maximum_suppression

ORIENTATION_BINS = 8
LEAST_MASS = 1.0  # summed strength; smaller groups are specks
LEAST_SHARE = 0.01  # of w + h: groups of less mass are specks beside such a window, and count in smaller ones
STEP_OVERLAP = 0.65  # IoU of neighbouring windows: alpha in the paper
SIZE_EXPONENT = 1.2  # kappa in the paper, there 1.5, which favours small windows; chosen by recall
SMALLEST_WINDOW = 10.0  # pixels, side
MOST_WINDOWS = 1000  # the best, from which proposals are kept; with 3000 of them recall is the same


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
    large = mass >= LEAST_MASS
    if not large.any():
        return EdgeGroups(*[np.zeros(0, np.float32)] * 5)
    member = np.flatnonzero(large[label])
    label = (np.cumsum(large, dtype=np.int32) - 1)[label[member]]
    # The pixels of a group in one piece. Numbers of 16 bits are sorted by counting, in a fraction of the time.
    order = np.argsort(label.astype(np.uint16) if len(mass) < 2**16 else label, kind="stable")
    start = np.searchsorted(label[order], np.arange(label.max() + 1))
    x, y = edges.x[member[order]], edges.y[member[order]]
    bounds = (
        np.minimum.reduceat(x, start),
        np.minimum.reduceat(y, start),
        np.maximum.reduceat(x, start) + 1,
        np.maximum.reduceat(y, start) + 1,
    )
    return EdgeGroups(*(values.astype(np.float32) for values in (*bounds, mass[large])))


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


@dataclass(frozen=True)
class Search:
    """The windows of a search around a point: for each of S sizes a grid, of which those near enough are wanted.

    Attributes:
        sizes: (S, 2) width and height.
        steps: (S, 2) from window to window, across and down.
        reach: (S, 2) int: windows on each side of the middle one, across and down.
        columns: (S,) int, of a grid, and one for what changes behind its last window; there is such a row, too.
        middle: (S,) int, place of the middle window in an array (M,) of all grids, row by row, one after the other.
        turned: (M,) int, the places in that array in another order: of each grid column by column.
        windows: (N, 4) x, y, w, h of the wanted windows, x and y less the point's.
        place: (N,) int, their places in the turned order.
        normalisation: (N,), what the mass in a window is divided by.
    """

    sizes: np.ndarray
    steps: np.ndarray
    reach: np.ndarray
    columns: np.ndarray
    middle: np.ndarray
    turned: np.ndarray
    windows: np.ndarray
    place: np.ndarray
    normalisation: np.ndarray


@lru_cache(maxsize=32)
def plan_search(image_size: tuple[int, int], radius: float, most_centered: float, max_aspect: float) -> Search:
    """Returns the search of :func:`near_windows`, which is the same for all frames of a size."""
    sizes = np.array(list(window_sizes(image_size, max_aspect))).reshape(-1, 2)
    steps = sizes * ((1 - STEP_OVERLAP) / (1 + STEP_OVERLAP))
    reach = (radius / steps).astype(np.intp)
    columns, rows = (2 * reach + 2).T
    start = np.cumsum(rows * columns) - rows * columns
    turned, windows, places = [np.zeros(0, np.intp)], [np.zeros((0, 4))], [np.zeros(0, np.intp)]
    for number, (width, height) in enumerate(sizes):
        across, down = (np.arange(-most, most + 1) * step for most, step in zip(reach[number], steps[number]))
        common = np.outer(1 - np.minimum(np.abs(down) / height, 1), 1 - np.minimum(np.abs(across) / width, 1))
        wanted = (np.hypot(across, down[:, None]) <= radius) & (common / (2 - common) <= most_centered)
        row, column = np.nonzero(wanted)
        sides = np.full(len(row), width), np.full(len(row), height)
        windows.append(np.column_stack([across[column] - width / 2, down[row] - height / 2, *sides]))
        grid = np.arange(rows[number] * columns[number]).reshape(rows[number], columns[number])
        turned.append(start[number] + grid.T.ravel())
        places.append(start[number] + column * rows[number] + row)
    wanted_windows = np.concatenate(windows)
    # A wide window and a high one that hold the same contours score the same, whatever the last digits of their sides.
    normalisation = np.round(2 * wanted_windows[:, 2:].sum(axis=1) ** SIZE_EXPONENT, 9)
    return Search(
        sizes,
        steps,
        reach,
        columns,
        start + reach[:, 1] * columns + reach[:, 0],
        np.concatenate(turned),
        wanted_windows,
        np.concatenate(places),
        normalisation,
    )


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
    for each unit of (w + h) ** kappa (equation 3 of the paper). Groups count that have ``LEAST_SHARE`` of w + h.

    Args:
        groups: contours of the frame.
        point: x, y in pixels.
        image_size: the frame's height and width.
        radius: in pixels.
        most_centered: windows whose IoU with the one of their size centred on the point is higher are left out.
        max_aspect: largest ratio of the sides.
    """
    search = plan_search(image_size, float(radius), float(most_centered), float(max_aspect))
    bounds = np.array([groups.left, groups.top, groups.right, groups.bottom], np.float64)
    bounds -= np.array([*point, *point])[:, None]
    # Each group counts in all windows of a rectangle of a grid, which is written as what changes at its corners.
    mass = groups.mass.astype(np.float64)
    held = _holding_windows(search, bounds, *_near_groups(search, bounds, mass))
    inner = _holding_windows(search, bounds, *held[:2], middle=True)
    outer_mass, inner_mass = mass[held[1]], mass[inner[1]]
    places = np.concatenate([*_corners(search, held[0], held[2]), *_corners(search, inner[0], inner[2])])
    changes = np.concatenate([outer_mass, -outer_mass, -outer_mass, outer_mass])
    changes = np.concatenate([changes, -inner_mass, inner_mass, inner_mass, -inner_mass])
    # Nothing is rounded, since a mass is a float32 of at least 1, and so a whole number of 2 ** -23. So each row and
    # column of changes comes to exactly nothing at its end, and the sums can run on over all grids.
    total = np.bincount(places, changes, minlength=len(search.turned))
    score = total.cumsum()[search.turned].cumsum()[search.place]
    windows = search.windows.copy()
    for axis in (0, 1):
        windows[:, axis] += point[axis]
    return windows, score / search.normalisation


def _near_groups(search: Search, bounds: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns size (P,) and group (P,) of the pairs, in the order of sizes, of which some window may hold the group."""
    most = search.reach * search.steps + search.sizes / 2 + (1 + 1e-6)
    near = mass >= LEAST_SHARE * search.sizes.sum(axis=1, keepdims=True)
    near &= bounds[0] >= -most[:, :1]
    near &= bounds[1] >= -most[:, 1:]
    near &= bounds[2] <= most[:, :1]
    near &= bounds[3] <= most[:, 1:]
    size = np.repeat(np.arange(len(most)), np.count_nonzero(near, axis=1))
    return size, np.flatnonzero(near) - size * bounds.shape[1]


def _holding_windows(
    search: Search, bounds: np.ndarray, size: np.ndarray, group: np.ndarray, middle: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns which windows wholly hold which groups.

    Args:
        search: of S sizes.
        bounds: (4, G) left, top, right and bottom of the groups, less the point's.
        size, group: (P,) pairs that come into question, in the order of sizes.
        middle: hold them in the middle half of each side.

    Returns:
        (Q,) size and (Q,) group of pairs, and (4, Q): first column and row, last column and row of the windows that
        hold the group, counted from the middle one.
    """
    # A window may be a pixel too tight, since an edge lies between pixels. Where bounds meet, rounding does not decide.
    half = search.sizes / 4 + 1e-6 if middle else search.sizes / 2 + (1 + 1e-6)
    found = np.empty((4, len(size)))
    for axis, (first, last) in enumerate(((found[0], found[2]), (found[1], found[3]))):
        step, limit, reach = (values[:, axis].take(size) for values in (search.steps, half, search.reach))
        np.subtract(bounds[axis + 2].take(group), limit, out=first)
        np.add(bounds[axis].take(group), limit, out=last)
        for end in (first, last):
            end /= step
        np.maximum(np.ceil(first, out=first), -reach, out=first)
        np.minimum(np.floor(last, out=last), reach, out=last)
    held = np.flatnonzero((found[0] <= found[2]) & (found[1] <= found[3]))
    return size.take(held), group.take(held), found.take(held, axis=1)


def _corners(search: Search, size: np.ndarray, ranges: np.ndarray) -> list[np.ndarray]:
    """Returns the four places (Q,), upper left and right, lower left and right, where rectangles of grids change."""
    left, top, right, bottom = ranges.astype(np.intp)
    columns = search.columns.take(size)
    middle = search.middle.take(size)
    upper = top * columns + middle
    lower = (bottom + 1) * columns + middle
    right += 1
    return [upper + left, upper + right, lower + left, lower + right]


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
        promising = promising[best_first(scores[promising], MOST_WINDOWS)]
    boxes = clip_boxes(windows[promising], edges.shape)
    kept = non_maximum_suppression(boxes, scores[promising], overlap, count)
    return large_enough(boxes[kept])
