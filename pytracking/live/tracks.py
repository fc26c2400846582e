"""Several targets tracked through one video, frame by frame, forwards or backwards, and their tracks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytracking.evaluation.tracker import TrackedFrame, checked_box, tracked_frame
from pytracking.live.targets import Target
from pytracking.tracker.base import BaseTracker
from pytracking.tracker.group import TrackerGroup


@dataclass(frozen=True)
class Track:
    """A target in the frames of a video.

    Attributes:
        boxes: (T, 4) x, y, w, h in pixels; that of the frame it was tracked from is the given one, or the click's.
        scores: (T,) the tracker's score; NaN in frames where it gave none.
        seconds: (T,) spent in the tracker; what several targets took together is shared among them evenly.
        confidence: (T,) how likely the box overlaps the true one by more than a half, 0 to 1; NaN without a calibration
            (:mod:`pytracking.confidence`).
        lost: (T,) bool, where the target counts as lost; False without a calibration.
        first: the frame of the first box, from 0.
    """

    boxes: np.ndarray
    scores: np.ndarray
    seconds: np.ndarray
    confidence: np.ndarray
    lost: np.ndarray
    first: int = 0

    def __len__(self) -> int:
        """Returns the number of frames."""
        return len(self.boxes)


@dataclass(frozen=True)
class TrackedTargets:
    """A frame of a video with several targets.

    Attributes:
        index: of the frame, from 0.
        image: RGB uint8 (H, W, 3).
        found: what became of each target that is tracked by then, by its name.
    """

    index: int
    image: np.ndarray
    found: Mapping[str, TrackedFrame]


class TrackLog:
    """The boxes of targets, gathered in any order of frames; images are not kept."""

    def __init__(self, names: Iterable[str]) -> None:
        self._frames: dict[str, dict[int, tuple[np.ndarray, float, float, float, bool]]] = {name: {} for name in names}

    def add(self, tracked: TrackedTargets) -> None:
        """Takes a frame in; of a target that was there before, the later one counts."""
        for name, frame in tracked.found.items():
            of_frame = frame.box, frame.score, frame.seconds, frame.confidence, frame.lost
            self._frames[name][tracked.index] = of_frame

    def boxes(self, index: int) -> dict[str, np.ndarray]:
        """Returns the boxes in a frame, by the targets' names."""
        return {name: frames[index][0] for name, frames in self._frames.items() if index in frames}

    def lost(self, index: int) -> set[str]:
        """Returns the names of the targets that count as lost in a frame."""
        return {name for name, frames in self._frames.items() if index in frames and frames[index][-1]}

    @property
    def first(self) -> int | None:
        """The first frame with a box; None if there is none."""
        return min((min(frames) for frames in self._frames.values() if frames), default=None)

    def tracks(self) -> dict[str, Track]:
        """Returns the track of each target that has a box."""
        found = {}
        for name, frames in self._frames.items():
            if frames:
                boxes, scores, seconds, confidence, lost = zip(*(frames[index] for index in sorted(frames)))
                found[name] = Track(
                    np.stack(boxes),
                    np.array(scores),
                    np.array(seconds),
                    np.array(confidence),
                    np.array(lost, bool),
                    min(frames),
                )
        return found


class TargetTracking:
    """Tracks targets through a video, each by a tracker of its own, in one pass or in two.

    With one target, each box is what :func:`pytracking.evaluation.track_frames` gives, bit for bit. With several it is
    that up to rounding, where the kind of tracker puts them through its network together.

    Args:
        create: makes a new tracker.
        targets: a target is tracked from its frame on; names must differ.
        where: names the video in error messages.
        click_method: makes boxes of clicks; None: the best there is.
        want_score_map: ask the trackers for their score maps.
    """

    def __init__(
        self,
        create: Callable[[], BaseTracker],
        targets: Sequence[Target],
        where: str,
        click_method: str | None = None,
        want_score_map: bool = False,
    ) -> None:
        self.create, self.targets, self.where = create, targets, where
        self.click_method, self.want_score_map = click_method, want_score_map
        self._boxes: dict[str, np.ndarray] = {}  # of the targets in their own frames, the same in each pass

    def through(self, frames: Iterable[tuple[int, np.ndarray]]) -> Iterator[TrackedTargets]:
        """Yields each frame after all targets that have begun by then are tracked in it, by new trackers.

        Args:
            frames: number and image, RGB uint8 (H, W, 3), in the order in which targets are tracked.

        Raises:
            StartError, RegistryError: as :meth:`Target.first_box`.
            TrackingError: a tracker returns no ``target_bbox``, or one that is not four finite numbers.
        """
        group = TrackerGroup(self.create)
        outputs: dict[str, dict[str, Any]] = {}
        for index, image in frames:
            found = self._track(group, outputs, index, image)
            for target in self.targets:
                if target.frame == index:
                    found[target.name] = self._start(group, outputs, target, image)
            yield TrackedTargets(index, image, found)

    def _track(
        self, group: TrackerGroup, outputs: dict[str, dict[str, Any]], index: int, image: np.ndarray
    ) -> dict[str, TrackedFrame]:
        """Tracks what was started in the next frame, and puts what the trackers return into ``outputs``."""
        if not outputs:
            return {}
        infos = [{"previous_output": output, "want_score_map": self.want_score_map} for output in outputs.values()]
        started = time.perf_counter()
        results = group.track(outputs, image, infos)
        seconds = (time.perf_counter() - started) / len(outputs)
        found = {}
        for name, output in zip(list(outputs), results):
            box = checked_box(output, group.tracker(name), f"frame {index + 1} of {self.where}, target {name!r}")
            outputs[name], found[name] = output, tracked_frame(index, image, box, seconds, output)
        return found

    def _start(
        self, group: TrackerGroup, outputs: dict[str, dict[str, Any]], target: Target, image: np.ndarray
    ) -> TrackedFrame:
        if target.name not in self._boxes:
            self._boxes[target.name] = target.first_box(image, self.click_method)
        box = self._boxes[target.name]
        started = time.perf_counter()
        output = outputs[target.name] = group.initialize(target.name, image, {"init_bbox": box.tolist()})
        return tracked_frame(target.frame, image, box, time.perf_counter() - started, output)
