"""What a confidence is computed from: a frame's score and quality, by themselves and beside the frames before."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

SCORE = "score"
FIRST_FRAMES = 3  # tracked frames that say what a tracker's numbers are while it holds its target
RATIOS = (SCORE, "sharpness")  # numbers without a scale of their own: compared by their ratio, others by difference
LIMIT = 3.0  # of ratios
NAMES = ("{}", "{} beside the first frames", "{} beside the median")


def numbers_of(output: Mapping[str, Any]) -> dict[str, float]:
    """Returns a tracked frame's numbers: its ``score`` and what is in ``quality``, as far as the tracker gave them."""
    score = output.get("score")
    found = {} if score is None else {SCORE: float(score)}
    return {**found, **{name: float(value) for name, value in (output.get("quality") or {}).items()}}


def feature_names(numbers: Sequence[str]) -> list[str]:
    """Returns the names of the features of numbers of these names, in the order of :class:`Evidence`.

    >>> feature_names(["score"])
    ['score', 'score beside the first frames', 'score beside the median']
    """
    return [name.format(number) for number in numbers for name in NAMES]


class Evidence:
    """Turns the numbers of a sequence's frames into features, frame by frame.

    Each number counts as it is, beside its mean in the first tracked frames, and beside its median so far: what a score
    is worth depends on the target, and how it was when tracking began is known.

    Args:
        names: of the numbers that count.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._ratio = np.array([name in RATIOS for name in names])
        self._first: list[np.ndarray] = []
        self._sorted: list[list[float]] = [[] for _ in self.names]

    def add(self, numbers: Mapping[str, float]) -> np.ndarray:
        """Returns the features (3 * names,) of the next tracked frame; NaN where the tracker left a number out."""
        now = np.array([numbers.get(name, np.nan) for name in self.names])
        if len(self._first) < FIRST_FRAMES:
            self._first.append(now)
        for values, value in zip(self._sorted, now):  # kept in order: a median of all would cost more with each frame
            insort(values, math.inf if np.isnan(value) else float(value))
        with np.errstate(invalid="ignore", divide="ignore"):
            references = [np.mean(self._first, axis=0), np.array([_median(values) for values in self._sorted])]
            beside = [np.where(self._ratio, self._ratio_to(now, each), now - each) for each in references]
        return np.stack([now, *beside], axis=1).ravel()

    def _ratio_to(self, now: np.ndarray, reference: np.ndarray) -> np.ndarray:
        ratio = now / np.where(reference == 0, np.nan, np.abs(reference))
        return np.where(np.isnan(now), np.nan, np.clip(np.nan_to_num(ratio, nan=0.0), -LIMIT, LIMIT))


def _median(values: Sequence[float]) -> float:
    """Returns the median of numbers in order; NaN where one of them is infinite, which stands for one left out."""
    if math.isinf(values[-1]):
        return math.nan
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2
