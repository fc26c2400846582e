"""Where the target is by a score map, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pytracking.tracker.dimp.params import DiMPParams

State = Literal["normal", "hard_negative", "uncertain", "not_found"]


@dataclass(frozen=True)
class Location:
    """A peak of a score map.

    Attributes:
        cell: its x, y.
        score: its height.
        state: ``normal``; ``hard_negative``, there is a distractor to learn from; ``uncertain``, one that may be the
            target; ``not_found``, no peak is high enough.
    """

    cell: np.ndarray
    score: float
    state: State


def locate(scores: np.ndarray, expected: np.ndarray, target_cells: np.ndarray, params: DiMPParams) -> Location:
    """Returns the target's peak.

    If a second peak is about as high, the one nearer to where the target was is taken, if only one is near. With
    ``window_output`` the first peak is sought, and measured, under a Hann window; a second one without it.

    Args:
        scores: (H, W).
        expected: x, y of the cell where the target was.
        target_cells: its width and height in cells.
        params: thresholds.
    """
    first, score = _peak(scores * hann(scores.shape) if params.window_output else scores)
    if score < params.target_not_found_threshold:
        return Location(first, score, "not_found")
    rest = scores.copy()
    reach = params.target_neighborhood_scale * target_cells / 2
    start = np.maximum(np.round(first - reach), 0).astype(int)
    end = np.round(first + reach + 1).astype(int)
    rest[start[1] : end[1], start[0] : end[0]] = 0
    second, second_score = _peak(rest)
    if second_score > params.distractor_threshold * score:
        near = params.displacement_scale * np.sqrt(scores.size) / 2
        moved = [float(np.linalg.norm(cell - expected)) for cell in (first, second)]
        if moved[0] < near < moved[1]:
            return Location(first, score, "hard_negative")
        if moved[1] < near < moved[0]:
            return Location(second, second_score, "hard_negative")
        return Location(first, score, "uncertain")
    learn = second_score > max(params.hard_negative_threshold * score, params.target_not_found_threshold)
    return Location(first, score, "hard_negative" if learn else "normal")


def hann(shape: tuple[int, ...]) -> np.ndarray:
    """Returns a Hann window of a shape (H, W) that nowhere is 0."""
    rows, columns = (np.hanning(length + 2)[1:-1] for length in shape)
    return np.outer(rows, columns)


def _peak(scores: np.ndarray) -> tuple[np.ndarray, float]:
    row, column = np.unravel_index(np.argmax(scores), scores.shape)
    return np.array([column, row], np.float64), float(scores[row, column])
