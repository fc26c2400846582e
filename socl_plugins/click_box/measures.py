"""How near the box of a click comes to the true box, on the first frames of videos."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import track_frames
from pytracking.metrics import iou, ope
from pytracking.metrics.ope import OPE
from pytracking.tracker.base import BaseTracker

ClickToBox = Callable[[np.ndarray, tuple[float, float]], np.ndarray]
DIRECTIONS = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) / np.sqrt(2)
GOOD = 0.3
TWO_CLICKS = "two clicks"  # the centre, and a corner of the target
CORNER_ERROR = 5.0  # pixels that the second click is off, in each of four directions


@dataclass(frozen=True)
class ClickBoxMeasures:
    """Of one method on the first frames of some videos.

    Attributes:
        exact: mean IoU with the true box of the boxes of exact clicks.
        good: the part of these above .3.
        shifted: mean IoU where the click is some pixels off, in four directions.
        seconds: for a click, the median.
        frames: how many videos there are.
    """

    exact: float
    good: float
    shifted: float
    seconds: float
    frames: int


def measure_methods(
    videos: Iterable[Sequence],
    methods: Mapping[str, ClickToBox],
    shift: float = 10.0,
) -> dict[str, ClickBoxMeasures]:
    """Returns the measures of each method.

    Args:
        videos: with a box in their first frame.
        methods: by name.
        shift: in pixels of the frame.

    Returns:
        By name; ``two clicks`` is what a person tells by a second click on a corner, five pixels off.
    """
    names = [*methods, TWO_CLICKS]
    exact: dict[str, list[float]] = {name: [] for name in names}
    shifted: dict[str, list[float]] = {name: [] for name in names}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    count = 0
    for video in videos:
        image, truth = video.frame(0), video.ground_truth_rect[0]
        count += 1
        for name, method in methods.items():
            for number, way in enumerate([np.zeros(2), *DIRECTIONS]):
                click = truth[:2] + truth[2:] / 2 + shift * way
                x, y = np.clip(click, 0, [image.shape[1] - 0.01, image.shape[0] - 0.01]).tolist()
                start = time.perf_counter()
                box = method(image, (x, y))
                seconds[name].append(time.perf_counter() - start)
                (shifted if number else exact)[name].append(float(iou(box, truth)))
        for number, way in enumerate([np.zeros(2), *DIRECTIONS]):
            boxes = two_click_boxes(truth, truth[:2] + truth[2:] / 2 + shift * way)
            (shifted if number else exact)[TWO_CLICKS] += [float(iou(box, truth)) for box in boxes]
            seconds[TWO_CLICKS].append(0.0)
    if not count:
        raise ValueError("there is no video to measure on")
    return {
        name: ClickBoxMeasures(
            exact=float(np.mean(exact[name])),
            good=float(np.mean(np.array(exact[name]) > GOOD)),
            shifted=float(np.mean(shifted[name])),
            seconds=float(np.median(seconds[name])),
            frames=count,
        )
        for name in names
    }


def two_click_boxes(truth: np.ndarray, center: np.ndarray) -> np.ndarray:
    """Returns the boxes (4, 4) of a click (2,) and of a second one on the lower right corner, off in each direction."""
    half = np.maximum(np.abs(truth[:2] + truth[2:] + CORNER_ERROR * DIRECTIONS - center), 1.0)
    return np.hstack([center - half, 2 * half])


def tracked_from(video: Sequence, method: ClickToBox | None, tracker: BaseTracker) -> OPE:
    """Returns how well a tracker does that starts from the box of an exact click on the first frame.

    Args:
        video: with a box in its first frame.
        method: from a click to a box; None: the true box.
        tracker: just made.
    """
    image, truth = video.frame(0), video.ground_truth_rect[0]
    center = np.clip(truth[:2] + truth[2:] / 2, 0, [image.shape[1] - 0.01, image.shape[0] - 0.01])
    box = truth if method is None else method(image, (float(center[0]), float(center[1])))
    images = (video.frame(number) for number in range(len(video)))
    tracked = [frame.box for frame in track_frames(tracker, images, {"init_bbox": box.tolist()}, video.name)]
    return ope(np.array(tracked), video.ground_truth_rect)
