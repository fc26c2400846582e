"""A tracker that goes ahead of the person: its boxes are proposals, and each click puts it right."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from socl_plugins.clicks.told_size import Size, box_around, size_at

if TYPE_CHECKING:
    from pytracking.tracker.base import BaseTracker

LOOK_AHEAD = 60  # frames that are tracked beyond the one that the person looks at

ReadFrame = Callable[[int], np.ndarray]
Place = tuple[float, float]


@dataclass(frozen=True)
class Proposal:
    """A tracker's box x, y, w, h in a frame, in pixels, and its score; NaN if it gives none."""

    box: tuple[float, float, float, float]
    score: float


@dataclass(frozen=True)
class Known:
    """What a person said about a target.

    Attributes:
        places: of the clicks on it, by frame.
        sizes: by frame, where a second click told it.
    """

    places: Mapping[int, Place]
    sizes: Mapping[int, Size] = field(default_factory=dict)

    def size_at(self, frame: int) -> Size | None:
        """Returns the target's size in a frame, from those that were told, or None."""
        return size_at(self.sizes, frame)


def start(tracker: BaseTracker, image: np.ndarray, known: Known, frame: int) -> None:
    """Starts a tracker on the target that was clicked in a frame; without a size, on the box of the click."""
    from pytracking.live.session import click_to_box  # takes seconds to import, which the page does not wait for

    click, size = known.places[frame], known.size_at(frame)
    box = click_to_box(image, _inside(click, image)) if size is None else box_around(click, size)
    tracker.initialize(image, {"init_bbox": box.tolist()})


def correct(tracker: BaseTracker, image: np.ndarray, known: Known, frame: int) -> None:
    """Tells a tracker where its target is; one that cannot be told, or does not know the size, is started anew."""
    recenter = getattr(tracker, "recenter", None)
    if recenter is None or frame in known.sizes:
        start(tracker, image, known, frame)
    else:
        recenter(known.places[frame])


def follow(tracker: BaseTracker, image: np.ndarray, frame: int) -> Proposal:
    """Returns what a tracker makes of the next frame."""
    from pytracking.evaluation.tracker import checked_box

    output = tracker.track(image, {})
    x, y, w, h = (float(value) for value in checked_box(output, tracker, f"frame {frame}"))
    score = output.get("score")
    return Proposal((x, y, w, h), float("nan") if score is None else float(score))


def _inside(click: Place, image: np.ndarray) -> Place:
    """A click on the frame's very border belongs to its last pixel."""
    height, width = image.shape[:2]
    return min(click[0], width - 0.01), min(click[1], height - 0.01)


class ProposalThread(threading.Thread):
    """Tracks a target from its last click before a frame on, in the background.

    Args:
        read: gives a frame (H, W, 3) by its number.
        frames: how many there are.
        create: makes a tracker.
        known: the clicks on the target; one at or before ``frame`` is needed.
        frame: that the person looks at.

    Raises:
        ValueError: there is no click to start from.
    """

    def __init__(
        self, read: ReadFrame, frames: int, create: Callable[[], BaseTracker], known: Known, frame: int
    ) -> None:
        super().__init__(name="proposals", daemon=True)
        before = [number for number in known.places if number <= frame]
        if not before:
            raise ValueError("the tracker needs a click to start from: click the target in this frame, or before it")
        self._read, self._frames, self._create = read, frames, create
        self._places, self._sizes = dict(known.places), dict(known.sizes)
        self._known = Known(self._places, self._sizes)
        self._first = self._position = max(before)
        self._wanted = frame
        self._restart: int | None = None
        self._stopped = False
        self._changed = threading.Condition()
        self._found: dict[int, Proposal] = {}
        self.error: str | None = None

    def look_at(self, frame: int) -> dict[int, Proposal]:
        """Says which frame the person looks at, and returns the proposals so far."""
        with self._changed:
            self._wanted = max(self._wanted, frame)
            self._changed.notify()
            return dict(self._found)

    def correct(self, frame: int, click: Place, size: Size | None = None) -> None:
        """Takes a click: what was tracked beyond it is dropped, and the tracker goes on from there."""
        with self._changed:
            self._places[frame] = click
            if size is not None:
                self._sizes[frame] = size
            if frame <= self._position:
                self._restart = frame
                self._found = {number: found for number, found in self._found.items() if number <= frame}
                self._changed.notify()

    def stop(self) -> None:
        """Ends the thread soon."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def run(self) -> None:
        """Tracks until it is stopped or fails; the error's message is kept."""
        try:
            self._track()
        except Exception as error:  # the page shows it; the server goes on
            self.error = f"the tracker stopped: {error}"

    def _track(self) -> None:
        tracker = self._create()
        start(tracker, self._read(self._first), self._known, self._first)
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work)
                if self._stopped:
                    return
                restart, self._restart = self._restart, None
                if restart is not None:
                    self._position = restart
                frame = self._position + 1
            if restart is not None:
                correct(tracker, self._read(restart), self._known, restart)
                continue
            image = self._read(frame)
            found = follow(tracker, image, frame)
            with self._changed:
                if self._is_corrected():
                    continue
                self._position = frame
                self._found[frame] = found
                clicked = frame in self._places
            if clicked:
                correct(tracker, image, self._known, frame)

    def _is_corrected(self) -> bool:
        return self._restart is not None

    def _has_work(self) -> bool:
        ahead = self._position < min(self._wanted + LOOK_AHEAD, self._frames - 1)
        return self._stopped or self._restart is not None or ahead
