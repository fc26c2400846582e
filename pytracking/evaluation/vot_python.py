"""A tracker for the ``python`` protocol of VOT's toolkit (0.9 and later), which runs it in a process of its own.

In the toolkit's trackers.ini::

    [SoCL]
    label = SoCL
    protocol = python
    command = pytracking.evaluation.vot_python:create_tracker
    arg_tracker = siamfc/socl_res18
    arg_device = cpu

Every other ``arg_...`` is a parameter of the tracker, as ``--set`` takes it. This project must be installed beside the
toolkit; where the two want different builds of OpenCV, use TraX (``run_vot.py``), which keeps them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from ltr.admin.errors import message_for_people
from ltr.admin.path_files import user_path
from ltr.admin.path_variables import set_paths
from ltr.data.image_loader import load_image
from ltr.registry import load_plugins
from pytracking.evaluation.tracker import Tracker, TrackingError
from pytracking.evaluation.vot_objects import TrackedObjects
from pytracking.tracker.base import as_rgb

R = TypeVar("R")
COLOR = "color"  # what VOT calls the channel of pictures in color; others are depth and infrared

State = tuple[tuple[float, ...], dict[str, float]]
"""An object's place, x, y, w, h of a box or x, y of a point, and what is told with it."""


def _told(function: Callable[..., R]) -> Callable[..., R]:
    """Lets every error leave as one that the toolkit hands on: of others it would wait for an answer in vain."""

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> R:
        try:
            return function(*arguments, **named)
        except Exception as error:
            message = message_for_people(error) or f"{type(error).__name__}: {error}"
            raise TrackingError(message) from error

    return call


class VOTTracker:
    """What the toolkit calls: ``init`` in the first frame, ``update`` in the others.

    Args:
        tracker: by its name.
    """

    multiobject = True
    """Objects come as a list, and are answered by one."""

    def __init__(self, tracker: Tracker) -> None:
        self.objects = TrackedObjects(tracker)

    @_told
    def init(self, frame: Any, new: Sequence[Any], properties: Mapping[str, Any]) -> list[State]:
        """Begins a video and returns the state of each object.

        Args:
            frame: the path of an image, or images by their channels.
            new: region and properties of each object; the region is x, y, w, h, or x, y, or a list of points.
            properties: of the video; not used.

        Raises:
            TrackingError: a region is a mask, or the frame or an object cannot be used.
        """
        return self.objects.start(image_of(frame), [region for region, _ in new])

    @_told
    def update(self, frame: Any, new: Sequence[Any], properties: Mapping[str, Any]) -> list[State]:
        """Returns the state of each object in the next frame; arguments and errors are those of :meth:`init`."""
        return self.objects.frame(image_of(frame), [region for region, _ in new])


@_told
def create_tracker(
    tracker: str, workspace: str | None = None, plugin: str = "", run_id: str | None = None, **overrides: str
) -> VOTTracker:
    """Returns the tracker that a section of trackers.ini describes.

    Args:
        tracker: ``tracker/parameters``, such as ``siamfc/socl_res18``.
        workspace: where checkpoints are looked for (default: as configured).
        plugin: modules or Python files to import first, with commas between.
        run_id: number of a repetition, which has random numbers of its own.
        overrides: parameters of the tracker, such as ``device=cpu``.

    Raises:
        TrackingError: there is no such tracker or parameter, or its network cannot be read.
    """
    family, slash, parameters = tracker.partition("/")
    if not slash:
        raise ValueError(f"arg_tracker is {tracker!r}: name the parameter set, too, such as siamfc/socl_res18")
    if workspace is not None:
        set_paths({"workspace_dir": user_path(workspace)})
    load_plugins([name.strip() for name in plugin.split(",") if name.strip()])
    number = None if run_id is None else int(run_id)
    return VOTTracker(Tracker(family, parameters, number, overrides=overrides))


def image_of(frame: Any) -> np.ndarray:
    """Returns a frame as RGB (H, W, 3) uint8: of several channels that in color.

    Raises:
        TrackingError: it has no such channel.
    """
    if isinstance(frame, Mapping):
        if COLOR not in frame:
            raise TrackingError(f"the frame has no channel {COLOR!r}, but {', '.join(map(str, frame)) or 'none'}")
        frame = frame[COLOR]
    return as_rgb(frame) if isinstance(frame, np.ndarray) else load_image(frame)
