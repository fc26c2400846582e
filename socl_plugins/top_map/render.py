"""From kept proposals to a TOP map at any crop, flip and stride (SoCL, sections 3.1 and K)."""

from __future__ import annotations

import numpy as np

from socl_plugins.top_map.proposals import Proposals


def score_map(proposals: Proposals, shape: tuple[int, int], cell: float = 1.0) -> np.ndarray:
    """Returns the score map (h, w): at each cell, the summed scores of the proposals that cover it.

    A cell that a box covers in part gets that part of its score, so the map is exact at every stride: the map of a
    coarse grid is the cell mean of the map of a fine one.

    Args:
        proposals: boxes in pixels of the image that the map lies on.
        shape: height and width of the map in cells.
        cell: side of a cell in pixels.
    """
    rows = coverage(proposals.boxes[:, 1], proposals.boxes[:, 3], shape[0], cell)
    columns = coverage(proposals.boxes[:, 0], proposals.boxes[:, 2], shape[1], cell)
    return (rows * proposals.scores[:, None]).T @ columns


def coverage(start: np.ndarray, length: np.ndarray, cells: int, cell: float) -> np.ndarray:
    """Returns (K, cells): the part of each cell that the interval from ``start`` of ``length`` covers."""
    edges = np.arange(cells + 1) * cell
    first = np.asarray(start, np.float64)[:, None]
    last = first + np.asarray(length, np.float64)[:, None]
    return np.clip(np.minimum(last, edges[1:]) - np.maximum(first, edges[:-1]), 0, None) / cell


def clip_threshold(proposals: Proposals, eta: float, cells: int = 64) -> float:
    """Returns the mean of the top ``eta`` of the score map, over the square of four times the target's extent.

    The paper takes the top tenth of a score map and does not say of which image region. Taken over a region that
    scales with the target, it depends on the proposals alone, so every crop of a frame is clipped alike.
    """
    box = proposals.mean_box()
    side = 4 * float(np.sqrt(box[2] * box[3]))
    corner = box[:2] + box[2:] / 2 - side / 2
    shifted = Proposals(proposals.boxes - [*corner, 0, 0], proposals.scores)
    values = np.sort(score_map(shifted, (cells, cells), side / cells), axis=None)[::-1]
    return float(values[: max(round(eta * values.size), 1)].mean())


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
    scores = np.minimum(score_map(proposals, shape, cell), clip_threshold(proposals, eta)) / temperature
    weights = np.exp(scores - scores.max())
    return (weights / weights.sum()).astype(np.float32)
