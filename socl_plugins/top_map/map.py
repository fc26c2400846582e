"""From kept proposals to a TOP map at any crop, flip and stride (SoCL, sections 3.1 and K)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from socl_plugins.top_map.proposals import Proposals, mean_boxes

CLIP_CELLS = 32  # the clip threshold is taken on a grid of 32 x 32 cells; of 64, it differs by 0.5% at the most


def score_map(proposals: Proposals, shape: tuple[int, int], cell: float = 1.0) -> np.ndarray:
    """Returns the score map (h, w): at each cell, the summed scores of the proposals that cover it.

    A cell that a box covers in part gets that part of its score, so the map is exact at every stride: the map of a
    coarse grid is the cell mean of the map of a fine one.

    Args:
        proposals: boxes in pixels of the image that the map lies on.
        shape: height and width of the map in cells.
        cell: side of a cell in pixels.
    """
    return _score_maps(proposals.boxes.T.astype(np.float64) / cell, proposals.scores, shape)


def _score_maps(boxes: np.ndarray, scores: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Returns the score maps (..., h, w) of boxes (4, ..., K) in cells, with scores (..., K)."""
    columns, rows = coverage(boxes[:2], boxes[2:], max(shape))  # both at once: small arrays cost by the call
    return (rows[..., : shape[0]] * scores[..., None]).swapaxes(-1, -2) @ columns[..., : shape[1]]


def coverage(start: np.ndarray, length: np.ndarray, cells: int) -> np.ndarray:
    """Returns (..., cells): the part of each unit cell that the intervals from ``start`` of ``length`` (...) cover."""
    edges = np.arange(cells + 1.0)
    first = start[..., None]
    covered = np.minimum(first + length[..., None], edges[1:])
    covered -= np.maximum(first, edges[:-1])
    return np.maximum(covered, 0, out=covered)


def clip_thresholds(boxes: np.ndarray, scores: np.ndarray, eta: float) -> np.ndarray:
    """Returns the mean of the top ``eta`` of each score map (...,), over the square of four times the target's extent.

    The paper takes the top tenth of a score map and does not say of which image region. Taken over a region that
    scales with the target, it depends on the proposals alone, so every crop of a frame is clipped alike.

    Args:
        boxes: (4, ..., K) x, y, w, h of the proposals.
        scores: (..., K).
        eta: share of the map's cells, in (0, 1].
    """
    target = mean_boxes(boxes, scores)
    side = 4 * np.sqrt(target[2] * target[3])
    corner = target[:2] + (target[2:] - side) / 2
    moved = boxes.copy()
    moved[:2] -= corner[..., None]
    moved *= (CLIP_CELLS / side)[..., None]
    values = _score_maps(moved, scores, (CLIP_CELLS, CLIP_CELLS)).reshape(*side.shape, -1)
    values.sort(axis=-1)
    return values[..., -max(round(eta * CLIP_CELLS**2), 1) :].mean(axis=-1)


def render(
    proposals: Proposals, shape: tuple[int, int], cell: float = 1.0, eta: float = 0.1, temperature: float = 0.25
) -> np.ndarray:
    """Returns the TOP map (h, w), float32, which sums to 1: the softmax over locations of the clipped score map.

    Args:
        proposals: boxes in pixels of the image that the map lies on, such as a crop.
        shape: height and width of the map in cells.
        cell: side of a cell in pixels, such as the stride of the features.
        eta: scores above the mean of the top ``eta`` are clipped to it (section K).
        temperature: the score map is divided by it before the softmax. The paper names no scale for its scores; with
            ours, 0.25 puts most of the map on the target. Lower ones leave less on the background of small targets,
            whose scores are lower, and so follow the target's size better.
    """
    return render_maps([proposals], shape, cell, eta, temperature)[0]


def render_maps(
    proposals: Sequence[Proposals],
    shape: tuple[int, int],
    cell: float = 1.0,
    eta: float = 0.1,
    temperature: float = 0.25,
) -> np.ndarray:
    """Returns the TOP maps (N, h, w) of N images, see :func:`render`; in less time than one by one."""
    most = max(map(len, proposals))
    boxes, scores = np.zeros((4, len(proposals), most)), np.zeros((len(proposals), most))  # a score of 0 counts nothing
    for number, found in enumerate(proposals):
        boxes[:, number, : len(found)], scores[number, : len(found)] = found.boxes.T, found.scores
    thresholds = clip_thresholds(boxes, scores, eta)[:, None, None]
    weights = np.minimum(_score_maps(boxes / cell, scores, shape), thresholds)
    weights = np.exp((weights - weights.max(axis=(1, 2), keepdims=True)) / temperature)
    weights /= weights.sum(axis=(1, 2), keepdims=True)
    return weights.astype(np.float32)
