"""What the page can ask for, whoever asks: videos, clicks, pictures, proposals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from socl_plugins.clicks.clips import Clip, Clips
from socl_plugins.clicks.log import Click, ClickLogError, ClicksError, answers, now, standing
from socl_plugins.clicks.page.asking import order_of_asking, track_both_ways
from socl_plugins.clicks.page.proposals import Known, ProposalThread
from socl_plugins.clicks.told_size import Size

if TYPE_CHECKING:
    from pytracking.tracker.base import BaseTracker
    from socl_plugins.clicks.page.feedback import Feedback

PRESENT_FOR = 120.0  # seconds without a word after which a browser counts as gone
FROM_PAGE = ("id", "frame", "target", "x", "y", "w", "h", "state", "ms", "source", "author", "video")


class NotFoundError(ClicksError):
    """A video or frame that there is not."""


@dataclass
class Asking:
    """The search for the frames to ask about: how far it is, and what came of it."""

    done: int = 0
    of: int = 0
    order: list[int] | None = None
    error: str | None = None


class AnnotationSession:
    """The clips, and who works on which of them; several threads may call it.

    Args:
        clips: to be clicked.
        every: the page asks for a click on each so many frames.
        create: makes the tracker that proposes.
    """

    def __init__(self, clips: Clips, every: int, create: Callable[[], BaseTracker]) -> None:
        self.clips = clips
        self.every = every
        self._create = create
        self._lock = threading.Lock()
        self._present: dict[str, tuple[str, float]] = {}  # by browser: the video, and when it was last heard of
        self._proposals: dict[str, tuple[str, str, ProposalThread]] = {}  # by browser: video, target
        self._asking: dict[tuple[str, str], Asking] = {}
        for clip in clips:
            clips.log(clip)  # a broken log is told before anybody clicks

    def videos(self) -> list[dict[str, Any]]:
        """Returns what is known of each video, its size, and how many of its frames have an answer."""
        return [
            {
                "name": clip.name,
                "split": clip.split,
                "frames": clip.frames,
                "width": clip.width,
                "height": clip.height,
                "fps": clip.fps,
                "answered": len({click.frame for click in standing(self.clips.log(clip).clicks)}),
            }
            for clip in self.clips
        ]

    def clip(self, number: int) -> Clip:
        """Returns a video by its number. Raises NotFoundError if there is none."""
        if not 0 <= number < len(self.clips):
            raise NotFoundError(f"there is no video {number}; there are 0 to {len(self.clips) - 1}")
        return self.clips.videos[number]

    def frame(self, number: int, frame: int) -> tuple[Clip, int]:
        """Returns the video and the frame. Raises NotFoundError if there is none."""
        clip = self.clip(number)
        if not 0 <= frame < clip.frames:
            raise NotFoundError(f"{clip.name} has no frame {frame}; it has 0 to {clip.frames - 1}")
        return clip, frame

    def choose(self, browser: str) -> int:
        """Returns the number of the video that a browser should work on: unfinished, and nobody else's if possible."""
        known = self.videos()
        with self._lock:
            name, _ = self._present.get(browser, ("", 0.0))
            others = {video for other, (video, heard) in self._present.items() if other != browser and _lately(heard)}

        def rank(number: int) -> tuple[bool, bool, bool, int]:
            video = known[number]
            asked = -(-video["frames"] // self.every)
            return video["name"] in others, video["name"] != name, video["answered"] >= asked, number

        return min(range(len(known)), key=rank)

    def open(self, browser: str, number: int, author: str) -> dict[str, Any]:
        """Notes that a browser works on a video, and returns the video's answers and the author's own, in order."""
        clip = self.clip(number)
        with self._lock:
            self._present[browser] = (clip.name, time.monotonic())
        clicks = self.clips.log(clip).clicks
        found = answers(clicks)
        order = {(click.frame, click.target, click.author): place for place, click in enumerate(clicks)}
        own = [click for click in standing(clicks) if click.author == author and click.source != "imported"]
        own.sort(key=lambda click: order[click.frame, click.target, click.author])
        return {
            "number": number,
            "targets": list(found),
            "answers": {
                target: {str(frame): _shown(click) for frame, click in frames.items()}
                for target, frames in found.items()
            },
            "history": [[click.frame, click.target] for click in own],
        }

    def store(self, browser: str, number: int, values: Mapping[str, Any]) -> dict[str, Any]:
        """Stores a click that the page sent and returns the answer that its frame and target then have, or None.

        Raises:
            ClickLogError: it is no click on this video.
            OSError: it cannot be written; it is not stored.
        """
        clip = self.clip(number)
        unknown = [name for name in values if name not in FROM_PAGE]
        if unknown:
            raise ClickLogError(f"unknown field {unknown[0][:40]!r}")
        if values.get("video", clip.name) != clip.name:
            other = str(values["video"])[:80]
            raise ClickLogError(f"video {number} is {clip.name!r}, not {other!r}: load the page again")
        try:
            click = Click(**{**values, "video": clip.name})
        except TypeError as error:
            raise ClickLogError(f"the click lacks a field: {error}") from error
        check_inside(click, clip)
        self.clips.log(clip).append([replace(click, time=now())])
        with self._lock:
            self._present[browser] = (clip.name, time.monotonic())
            video, target, thread = self._proposals.get(browser, ("", "", None))
        same = (video, target) == (clip.name, click.target)
        if thread is not None and same and click.state == "visible" and click.place:
            thread.correct(click.frame, click.place, click.size)
        current = answers(self.clips.log(clip).clicks).get(click.target, {}).get(click.frame)
        return {"answer": None if current is None else _shown(current)}

    def feedback(self, number: int, frame: int, click: tuple[float, float], size: Size | None = None) -> Feedback:
        """Returns what a click becomes, with the target's size if it was told."""
        from socl_plugins.clicks.page.feedback import feedback  # takes seconds to import: the page is shown meanwhile

        clip, frame = self.frame(number, frame)
        return feedback(self.clips.load_frame(clip, frame), click, size)

    def propose(self, browser: str, number: int, target: str, frame: int, on: bool) -> dict[str, Any]:
        """Starts a browser's tracker, asks it for what it has, or stops it; returns its boxes by frame."""
        clip, frame = self.frame(number, frame)
        with self._lock:
            video, of, thread = self._proposals.get(browser, ("", "", None))
            same = thread is not None and (video, of) == (clip.name, target)
            if thread is not None and (not on or not same):
                thread.stop()
                del self._proposals[browser]
            if not on:
                return {"boxes": {}, "error": None}
            if thread is None or not same:
                thread = ProposalThread(*self._tracking(clip), self._known(clip, target), frame)
                self._proposals[browser] = (clip.name, target, thread)
                thread.start()
        found = thread.look_at(frame)
        boxes = {str(n): [_short(value) for value in (*at.box, at.score)] for n, at in found.items()}
        return {"boxes": boxes, "error": thread.error}

    def ask(self, number: int, target: str, begin: bool) -> dict[str, Any]:
        """Begins the search for the frames to ask about, or tells how far it is and, at last, their order."""
        clip = self.clip(number)
        key = (clip.name, target)
        with self._lock:
            asking = self._asking.get(key)
            if begin and (asking is None or asking.order is not None or asking.error is not None):
                asking = self._asking[key] = Asking()
                threading.Thread(target=self._search, args=(clip, target, asking), name="asking", daemon=True).start()
        asking = asking or Asking(error="nothing was asked for")
        return {"done": asking.done, "of": asking.of, "order": asking.order, "error": asking.error}

    def close(self) -> None:
        """Stops the trackers."""
        with self._lock:
            for _, _, thread in self._proposals.values():
                thread.stop()

    def _search(self, clip: Clip, target: str, asking: Asking) -> None:
        def progress(done: int, of: int) -> None:
            asking.done, asking.of = done, of

        try:
            doubt = track_both_ways(*self._tracking(clip), self._known(clip, target), progress)
            answered = answers(self.clips.log(clip).clicks).get(target, {})
            asking.order = order_of_asking(doubt, answered, -(-clip.frames // self.every))
        except Exception as error:  # the page shows it; the server goes on
            asking.error = str(error)

    def _tracking(self, clip: Clip) -> tuple[Callable[[int], np.ndarray], int, Callable[[], BaseTracker]]:
        return lambda frame: self.clips.load_frame(clip, frame), clip.frames, self._create

    def _known(self, clip: Clip, target: str) -> Known:
        found = answers(self.clips.log(clip).clicks).get(target, {})
        seen = {frame: click for frame, click in found.items() if click.state == "visible"}
        places = {frame: click.place for frame, click in seen.items() if click.place}
        return Known(places, {frame: click.size for frame, click in seen.items() if click.size})


def check_inside(click: Click, clip: Clip) -> None:
    """Raises ClickLogError for a click outside its video or frame."""
    if click.frame >= clip.frames:
        raise ClickLogError(f"{clip.name} has no frame {click.frame}; it has 0 to {clip.frames - 1}")
    if click.place and not (0 <= click.place[0] <= clip.width and 0 <= click.place[1] <= clip.height):
        raise ClickLogError(
            f"the click {click.place[0]:g}, {click.place[1]:g} on frame {click.frame} lies outside the frames of "
            f"{clip.name}, which have {clip.width} x {clip.height} pixels"
        )
    if click.size and not (click.size[0] <= 2 * clip.width and click.size[1] <= 2 * clip.height):
        raise ClickLogError(
            f"the size {click.size[0]:g} x {click.size[1]:g} of the target on frame {click.frame} is more than twice "
            f"that of the frames of {clip.name}, {clip.width} x {clip.height} pixels"
        )


def _shown(click: Click) -> dict[str, Any]:
    size = {} if click.size is None else {"w": click.w, "h": click.h}
    return {"x": click.x, "y": click.y, **size, "state": click.state, "source": click.source, "author": click.author}


def _short(value: float) -> float | None:
    return round(value, 2) if np.isfinite(value) else None


def _lately(heard: float) -> bool:
    return time.monotonic() - heard < PRESENT_FOR
