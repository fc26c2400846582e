"""A window on this machine's screen."""

from __future__ import annotations

import os
import sys

import cv2
import numpy as np

from pytracking.analysis.render import even_size
from pytracking.evaluation.tracker import TrackedFrame
from pytracking.live.views import KEYS_HELP, Keys, PlaybackCommand, picture

TALLEST = 720  # pixels
_ESCAPE = 27


def has_display() -> bool:
    """Returns whether a window can be shown: there is a screen, and this OpenCV can draw on it."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        cv2.namedWindow("probe")
        cv2.destroyWindow("probe")
    except cv2.error:  # a build without windows
        return False
    return True


class WindowView:
    """Shows frames in a window; see :data:`KEYS_HELP` for its keys."""

    def __init__(self, title: str) -> None:
        self.title = f"{title}  ({KEYS_HELP})"
        self.keys = Keys()

    def show(self, frame: TrackedFrame, true_box: np.ndarray | None = None) -> PlaybackCommand:
        """Shows the frame; waits while it is paused. A closed window means stop."""
        size = even_size(frame.image, min(frame.image.shape[0], TALLEST))
        cv2.imshow(self.title, cv2.cvtColor(picture(frame, size, true_box), cv2.COLOR_RGB2BGR))
        while True:
            code = cv2.waitKey(30 if self.keys.paused else 1) & 0xFF
            self.keys.press("Escape" if code == _ESCAPE else chr(code))
            if cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) < 1:
                return PlaybackCommand.STOP
            command = self.keys.take()
            if command is not None:
                return command

    def select_box(self, image: np.ndarray) -> np.ndarray | None:
        """Returns the box (4,) that a person draws on the frame, or None if the person gives up (c, then Enter)."""
        scale = min(1.0, TALLEST / image.shape[0])
        shown = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
        title = "draw a box around the target, then Enter (c: give up)"
        box = cv2.selectROI(title, cv2.cvtColor(shown, cv2.COLOR_RGB2BGR), showCrosshair=False)
        cv2.destroyWindow(title)
        return np.asarray(box, np.float64) / scale if box[2] > 0 and box[3] > 0 else None

    def close(self) -> None:
        """Closes the window."""
        cv2.destroyAllWindows()
