"""What shows each tracked frame, and what its keys ask for."""

from __future__ import annotations

import enum
import math
from typing import Protocol

import cv2
import numpy as np

from pytracking.analysis.drawing import (
    LOST_COLOUR,
    TRACKED_COLOUR,
    TRUE_COLOUR,
    draw_box,
    draw_lost_box,
    draw_text,
    fit,
    line_width,
)
from pytracking.evaluation.tracker import TrackedFrame

KEYS_HELP = "space: pause, n: next frame, r: new box, q: stop"


class PlaybackCommand(enum.Enum):
    """What a person wants to happen after a frame."""

    GO_ON = "go on"
    RESTART = "choose a new box"
    STOP = "stop"


class View(Protocol):
    """Shows frames. A view that pauses just does not return."""

    def show(self, frame: TrackedFrame, true_box: np.ndarray | None = None) -> PlaybackCommand:
        """Shows a frame and returns what to do next."""

    def close(self) -> None:
        """Gives back what the view holds."""


class Keys:
    """Pause, step and stop by keys: space, n, r, q. A press may come from another thread.

    >>> keys = Keys()
    >>> keys.press(" "); keys.take() is None, keys.press("n"), keys.take().name, keys.take() is None
    (True, None, 'GO_ON', True)
    >>> keys.press(" "); keys.take().name
    'GO_ON'
    """

    def __init__(self) -> None:
        self.paused = False
        self._command: PlaybackCommand | None = None

    def press(self, key: str) -> None:
        """Takes a key in; one without a meaning does nothing."""
        if key in (" ", "Space"):
            self.paused = not self.paused
        elif key == "n":
            self.paused, self._command = True, PlaybackCommand.GO_ON
        elif key == "r":
            self._command = PlaybackCommand.RESTART
        elif key in ("q", "Escape"):
            self._command = PlaybackCommand.STOP

    def take(self) -> PlaybackCommand | None:
        """Returns what to do now, or None while nothing is to happen."""
        command, self._command = self._command, None
        return command or (None if self.paused else PlaybackCommand.GO_ON)


def picture(frame: TrackedFrame, size: tuple[int, int], true_box: np.ndarray | None = None) -> np.ndarray:
    """Returns the frame as RGB uint8 of ``size`` (width, height), with its boxes, number, score and speed.

    Where the target is lost, the tracked box is yellow and dashed.
    """
    canvas, scale = fit(frame.image, size)
    thickness = line_width(size[1])
    if true_box is not None and np.isfinite(true_box).all():
        draw_box(canvas, true_box * scale, TRUE_COLOUR, thickness)
    if frame.lost:
        draw_lost_box(canvas, frame.box * scale, LOST_COLOUR, thickness)
    else:
        draw_box(canvas, frame.box * scale, TRACKED_COLOUR, thickness)
    named = {"score": frame.score, "confidence": frame.confidence}
    numbers = "".join(f" {name} {value:.2f}" for name, value in named.items() if math.isfinite(value))
    draw_text(canvas, f"#{frame.index + 1}{numbers}{' LOST' if frame.lost else ''} {1e3 * frame.seconds:.0f} ms")
    return canvas


def heat_map(scores: np.ndarray, height: int) -> np.ndarray:
    """Returns a score map (h, w) as RGB uint8 of that height: the lowest score dark, the highest bright."""
    lowest, highest = np.nanmin(scores), np.nanmax(scores)
    spread = max(float(highest - lowest), 1e-12)
    grey = np.nan_to_num((scores - lowest) / spread * 255).astype(np.uint8)
    width = max(round(height * scores.shape[1] / scores.shape[0]), 1)
    grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
