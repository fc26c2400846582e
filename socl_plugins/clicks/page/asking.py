"""Which frames to ask about: those where a tracker is least sure, and where it disagrees with itself.

The target is tracked through the video forwards and backwards, put right at each click. Where the score is lowest and
the two ways lie farthest apart, a click changes most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from socl_plugins.clicks.page.proposals import Known, ReadFrame, correct, follow, start

if TYPE_CHECKING:
    from pytracking.tracker.base import BaseTracker


@dataclass(frozen=True)
class Doubt:
    """What tracking both ways says of T frames.

    Attributes:
        score: (T,) the lower of the two trackers' scores; NaN where no tracker came by.
        disagreement: (T,) distance of the two centres, in mean sides of the box; NaN where only one came by.
    """

    score: np.ndarray
    disagreement: np.ndarray


def track_both_ways(
    read: ReadFrame,
    frames: int,
    create: Callable[[], BaseTracker],
    known: Known,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Doubt:
    """Returns the doubt of a tracker that starts at the first click and goes forwards, and at the last, and goes back.

    Args:
        read: gives a frame (H, W, 3) by its number.
        frames: how many there are.
        create: makes a tracker.
        known: the clicks on the target.
        progress: called with the number of frames that are done, and how many there are in all.

    Raises:
        ValueError: there is no click.
    """
    clicks = known.places
    if not clicks:
        raise ValueError("there is no click to start from: click the target in one frame")
    first, last = min(clicks), max(clicks)
    ways = [range(first, frames), range(last, -1, -1)]
    total, done = sum(map(len, ways)), 0
    boxes, scores = np.full((2, frames, 4), np.nan), np.full((2, frames), np.nan)
    for way, numbers in enumerate(ways):
        tracker = create()
        for frame in numbers:
            image = read(frame)
            if frame == numbers[0]:
                start(tracker, image, known, frame)
            else:
                found = follow(tracker, image, frame)
                boxes[way, frame], scores[way, frame] = found.box, found.score
                if frame in clicks:
                    correct(tracker, image, known, frame)
            done += 1
            progress(done, total)
    centers = boxes[..., :2] + boxes[..., 2:] / 2
    side = np.sqrt(boxes[..., 2] * boxes[..., 3]).mean(axis=0)
    distance = np.linalg.norm(centers[0] - centers[1], axis=1) / np.maximum(side, 1.0)
    return Doubt(np.fmin(scores[0], scores[1]), distance)


def order_of_asking(doubt: Doubt, answered: Iterable[int], count: int) -> list[int]:
    """Returns ``count`` frames without an answer, the ones in most doubt first, not all in one place.

    A frame's doubt is the mean of its ranks by score and by disagreement; it counts less the nearer an answered or
    chosen frame is, up to half the spacing of as many frames spread evenly.
    """
    frames = len(doubt.score)
    taken = set(answered)
    ranks = (_ranks(-doubt.score) + _ranks(doubt.disagreement)) / 2
    distance = np.full(frames, np.inf)
    for frame in taken:
        distance = np.minimum(distance, abs(np.arange(frames) - frame))
    reach = max(frames / max(count + len(taken), 1) / 2, 1.0)
    chosen: list[int] = []
    while len(chosen) < min(count, frames - len(taken)):
        worth = (ranks + 1e-6) * np.minimum(distance / reach, 1.0)
        best = int(np.argmax(worth))
        if worth[best] <= 0:
            break
        chosen.append(best)
        distance = np.minimum(distance, abs(np.arange(frames) - best))
    return chosen


def _ranks(values: np.ndarray) -> np.ndarray:
    """Returns the ranks (T,) in 0..1 of values; equal ones share theirs, and what is not known lies in the middle."""
    from scipy.stats import rankdata

    known = np.isfinite(values)
    ranks = np.full(len(values), 0.5)
    if known.sum() > 1:
        ranks[known] = (rankdata(values[known]) - 1) / (known.sum() - 1)
    return ranks
