"""Runs a tracker from box to box over a video with sparse boxes and clicks (SoCL, section 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytracking.evaluation.tracker import checked_box
from pytracking.tracker.base import BaseTracker


@dataclass(frozen=True)
class SparseLabels:
    """The labelled frames of one video, in order of time.

    Attributes:
        frames: (n,) numbers of the frames.
        boxes: (n, 4) x, y, w, h where a person drew one, else nan.
        points: (n, 2) x, y of the clicks where there is no box, else nan.
    """

    frames: np.ndarray
    boxes: np.ndarray
    points: np.ndarray

    @property
    def has_box(self) -> np.ndarray:
        """(n,) bool: whether a person drew the box."""
        return np.isfinite(self.boxes).all(axis=1)

    @property
    def centers(self) -> np.ndarray:
        """(n, 2): the click, or the box's centre."""
        return np.where(self.has_box[:, None], self.boxes[:, :2] + self.boxes[:, 2:] / 2, self.points)

    def neighbours(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns for each frame the position of the last box up to it, (n,), and of the first from it on; -1: none."""
        positions = np.arange(len(self.frames))
        before = np.maximum.accumulate(np.where(self.has_box, positions, -1))
        after = np.minimum.accumulate(np.where(self.has_box, positions, len(positions))[::-1])[::-1]
        return before, np.where(after == len(positions), -1, after)


@dataclass(frozen=True)
class SnippetTrack:
    """What a tracker made of a video's labelled frames in one direction.

    Attributes:
        boxes: (n, 4), before any correction; nan in frames that no box starts a snippet for.
        failed: (n,) bool: the tracker's centre was too far from the click.
    """

    boxes: np.ndarray
    failed: np.ndarray


def track_snippets(
    tracker: BaseTracker,
    read_frame: Callable[[int], np.ndarray],
    labels: SparseLabels,
    failure_px: float = 20.0,
    follow_clicks: bool = False,
    backwards: bool = False,
) -> SnippetTrack:
    """Returns what a tracker finds from each box up to the next.

    It starts anew on each box. Where its centre is farther than ``failure_px`` from the click it has failed, and is
    moved to the click.

    Args:
        tracker: any.
        read_frame: number of a frame -> RGB (H, W, 3) uint8.
        labels: of the video.
        failure_px: in pixels of the frame.
        follow_clicks: move it to the click in every frame, failed or not, so that it looks for the size only.
        backwards: from each box back to the one before.

    Raises:
        TrackingError: the tracker returns something other than a box.
    """
    count = len(labels.frames)
    track = SnippetTrack(np.full((count, 4), np.nan), np.zeros(count, bool))
    has_box, started = labels.has_box, False
    output: dict[str, Any] = {}
    for index in reversed(range(count)) if backwards else range(count):
        if not has_box[index] and not started:
            continue
        frame = read_frame(int(labels.frames[index]))
        if has_box[index]:
            output = tracker.initialize(frame, {"init_bbox": labels.boxes[index].tolist()}) or {}
            track.boxes[index] = labels.boxes[index]
            started = True
            continue
        output = tracker.track(frame, {"previous_output": output})
        box = checked_box(output, tracker, f"frame {labels.frames[index] + 1}")
        track.boxes[index] = box
        click = labels.points[index]
        track.failed[index] = np.hypot(*(box[:2] + box[2:] / 2 - click)) > failure_px
        if track.failed[index] or follow_clicks:
            move(tracker, frame, np.concatenate([click - box[2:] / 2, box[2:]]))
    return track


def move(tracker: BaseTracker, frame: np.ndarray, box: np.ndarray) -> None:
    """Moves a tracker to a box: by its ``recenter``, which keeps what it knows, or else by starting it anew there."""
    recenter = getattr(tracker, "recenter", None)
    if recenter is not None:
        center = box[:2] + box[2:] / 2
        recenter((float(center[0]), float(center[1])))
    else:
        tracker.initialize(frame, {"init_bbox": box.tolist()})
