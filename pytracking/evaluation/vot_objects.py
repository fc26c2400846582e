"""Several objects of one video, each with a tracker of its own, as VOT's toolkits hand them over and ask for them.

An object begins as a box, a polygon, whose bounding box is tracked, or a point, which becomes a box as a click does. An
object that began as a point is answered by a point: the one that lies where it lay in the first box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pytracking.evaluation.tracker import Tracker, TrackingError, checked_box, seed_run
from pytracking.tracker.base import BaseTracker, tracking_network

NO_MASKS = (
    "the toolkit handed over a mask, and this tracker takes boxes, polygons and points: use a stack of such, or, with "
    "the toolkit's python protocol, let it convert masks by `convert = rectangle` in trackers.ini"
)


@dataclass(frozen=True)
class Start:
    """Where an object is in the frame in which it begins.

    Attributes:
        box: x, y, w, h in pixels.
        point: of an object that began as a point, its place in the box, in parts of width and height.
    """

    box: tuple[float, float, float, float]
    point: tuple[float, float] | None = None

    def answer(self, box: np.ndarray) -> tuple[float, ...]:
        """Returns a tracked box (4,) in the form that the object began with: four numbers, or the two of a point."""
        x, y, w, h = map(float, box)
        return (x, y, w, h) if self.point is None else (x + self.point[0] * w, y + self.point[1] * h)


def start_of(region: Any, image: np.ndarray) -> Start:
    """Returns where an object begins.

    Args:
        region: x, y, w, h of a box, x, y of a point, or a list of the points of a polygon, in pixels.
        image: the frame, RGB (H, W, 3) uint8.

    Raises:
        TrackingError: it is a mask, or none of these.
        StartError: the point is outside the frame.
    """
    if _is_mask(region):
        raise TrackingError(NO_MASKS)
    try:
        numbers = np.asarray(region, np.float64)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape == (4,):
        return Start(tuple(numbers.tolist()))
    if numbers.ndim == 2 and numbers.shape[1] == 2 and len(numbers) > 2:
        low, high = numbers.min(axis=0), numbers.max(axis=0)
        return Start((*low.tolist(), *(high - low).tolist()))
    if numbers.shape == (2,):
        from pytracking.live.session import click_to_box

        point = (float(numbers[0]), float(numbers[1]))
        box = click_to_box(image, point)
        place = (np.asarray(point) - box[:2]) / box[2:]
        return Start(tuple(box.tolist()), (float(place[0]), float(place[1])))
    raise TrackingError(f"an object must begin as a box, a polygon or a point, not as {str(region)[:200]}")


class TrackedObjects:
    """The objects of a video, one tracker each, in the order in which they came.

    Args:
        tracker: by its name; its parameters and its network are read once.

    Raises:
        RegistryError, ParameterError, CheckpointError: there is no such tracker, parameter or network.
    """

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        params = tracker.parameters()
        network = getattr(params, "network", None)
        if isinstance(network, (str, Path)):  # read once, and not for each object and each start
            params = replace(params, network=tracking_network(network))  # type: ignore[call-arg]
        self.params = params
        self.starts = 0
        self._objects: list[tuple[BaseTracker, Start]] = []
        self._outputs: list[dict[str, Any]] = []

    def start(self, image: np.ndarray, regions: Sequence[Any]) -> list[tuple[tuple[float, ...], dict[str, float]]]:
        """Begins a video: forgets the objects of the one before, and returns the answers for the new ones.

        Args:
            image: the frame, RGB (H, W, 3) uint8.
            regions: one for each object, see :func:`start_of`.
        """
        self.starts += 1
        seed_run(self.tracker, self.params, self.tracker.run_id or 0, f"start {self.starts}")
        self._objects, self._outputs = [], []
        return self.frame(image, regions)

    def frame(self, image: np.ndarray, new: Sequence[Any] = ()) -> list[tuple[tuple[float, ...], dict[str, float]]]:
        """Returns for each object its place, as it began, and what is told with it: ``confidence``, where there is one.

        Args:
            image: the frame, RGB (H, W, 3) uint8.
            new: regions of objects that begin in this frame; they come after the earlier ones.

        Raises:
            TrackingError: no object has begun, a tracker gives no box of four finite numbers, or as :func:`start_of`.
        """
        begins = [start_of(region, image) for region in new]  # before any tracker sees the frame
        if not self._objects and not begins:
            raise TrackingError("the client sent a frame before it started the tracker")
        boxes = []
        for number, (tracker, _) in enumerate(self._objects):
            output = self._outputs[number] = tracker.track(image, {"previous_output": self._outputs[number]})
            boxes.append(checked_box(output, tracker, f"object {number + 1}"))
        for start in begins:
            tracker = self.tracker.create(self.params)
            self._outputs.append(tracker.initialize(image, {"init_bbox": list(start.box)}) or {})
            self._objects.append((tracker, start))
            boxes.append(np.asarray(start.box))
        answers = []
        for (_, start), box, output in zip(self._objects, boxes, self._outputs):
            score = output.get("confidence", output.get("score"))
            answers.append((start.answer(box), {} if score is None else {"confidence": float(score)}))
        return answers


def _is_mask(region: Any) -> bool:
    """Returns whether a region is a raster of zeros and ones: an array or list of rows, which no polygon is."""
    if isinstance(region, np.ndarray):
        return region.ndim == 2 and (region.shape[1] != 2 or region.dtype.kind in "bu")
    return isinstance(region, list) and len(region) > 0 and all(isinstance(row, list) for row in region)
