"""Tracking of frames as they come: the first box, the views, and what is written at the end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from collections.abc import Sequence as AbstractSequence
from dataclasses import replace

import numpy as np

from pytracking.evaluation.tracker import TrackedFrame, track_frames
from pytracking.live.views import PlaybackCommand, View
from pytracking.registry import CLICK_TO_BOX
from pytracking.tracker.base import BaseTracker, check_initial_box

DEFAULT_METHOD = "default"  # of ways from a click to a box: the one that is taken where none is named


class StartError(ValueError):
    """Nothing says where the target is in the first frame."""


def click_to_box(image: np.ndarray, click: tuple[float, float], method: str | None = None) -> np.ndarray:
    """Returns the box (4,) x, y, w, h around the target that was clicked.

    Args:
        image: RGB uint8 (H, W, 3).
        click: x, y in pixels.
        method: a name in ``CLICK_TO_BOX``; None: ``default``, or the only one there is.

    Raises:
        RegistryError: there is no such method.
        StartError: no plugin brings a method, there are several and none is named, or the click is outside the frame.
    """
    height, width = image.shape[:2]
    if not (0 <= click[0] < width and 0 <= click[1] < height):
        raise StartError(f"the click {click[0]:g}, {click[1]:g} is outside the frame of {width} x {height} pixels")
    known = CLICK_TO_BOX.names()
    if method is None and DEFAULT_METHOD in known:
        method = DEFAULT_METHOD
    if method is None and len(known) != 1:
        raise StartError(
            f"choose a way from a click to a box with --click-method: {', '.join(known)}"
            if known
            else "no plugin brings a way from a click to a box (the registry CLICK_TO_BOX); give a box instead"
        )
    box = CLICK_TO_BOX[known[0] if method is None else method](image, click)
    return check_initial_box(box, image)


def live_frames(
    create: Callable[[], BaseTracker],
    images: Iterator[np.ndarray],
    first_box: Callable[[np.ndarray], np.ndarray],
    views: AbstractSequence[View] = (),
    new_box: Callable[[np.ndarray], np.ndarray | None] | None = None,
    name: str = "the video",
) -> Iterator[TrackedFrame]:
    """Yields each frame after it is tracked and shown, until the images end or a view asks to stop.

    Args:
        create: makes a new tracker.
        images: RGB uint8 (H, W, 3).
        first_box: chooses the box (4,) in the first frame.
        views: show the frames.
        new_box: chooses another box where a view asks for it, or None, to stop; without it nothing is chosen anew.
        name: of the video, for error messages.
    """
    count = 0
    image = next(images, None)
    box = None if image is None else first_box(image)
    while image is not None and box is not None:
        restart = False
        info = {"init_bbox": box.tolist()}
        for frame in track_frames(create(), itertools.chain([image], images), info, name, bool(views)):
            frame = replace(frame, index=count)
            count += 1
            commands = {view.show(frame) for view in views}
            yield frame
            if PlaybackCommand.STOP in commands:
                return
            restart = PlaybackCommand.RESTART in commands and new_box is not None
            if restart:
                break
        if not restart or new_box is None:
            return
        image = next(images, None)
        box = None if image is None else new_box(image)
