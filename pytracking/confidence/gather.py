"""Frames to fit and to measure confidences on: a tracker run over videos with boxes, as they are and made harder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pytracking.analysis.render import has_true_box
from pytracking.confidence.calibration import CalibrationError
from pytracking.confidence.features import SCORE, Evidence, feature_names, numbers_of
from pytracking.confidence.fit import Frames
from pytracking.confidence.made import covered, with_cut
from pytracking.evaluation.sequence import FIRST_BOX_ONLY, Sequence
from pytracking.evaluation.tracker import checked_box
from pytracking.metrics import iou
from pytracking.tracker.base import BaseTracker

MOST_COVERED = 20  # frames
SHORTEST = 12  # frames of a video that something is made of
Progress = Callable[[str, int, int], None]  # name of a video, how many are done, of how many


@dataclass(frozen=True)
class TrackedVideo:
    """A video as a tracker saw it, without its first frame.

    Attributes:
        video: its name; what was made of it has the same.
        made: it is not the video as it is.
        numbers: what the tracker said of each frame.
        overlaps: (T - 1,) of its box with the true one; 0 where the target is not to be seen.
    """

    video: str
    made: bool
    numbers: list[dict[str, float]]
    overlaps: np.ndarray


def with_covered(sequences: Iterable[Sequence]) -> Iterator[tuple[Sequence, str, bool]]:
    """Yields each video, its name and false, and, if long enough, it with its target covered, its name and true."""
    for sequence in sequences:
        yield sequence, sequence.name, False
        if (made := cover_middle(sequence)) is not None:
            yield made, sequence.name, True


def cover_middle(sequence: Sequence) -> Sequence | None:
    """Returns the video with its target covered for at most 20 frames in the middle; None: it is too short."""
    if len(sequence) < SHORTEST:
        return None
    count = min(MOST_COVERED, len(sequence) // 3)
    return covered(sequence, (len(sequence) - count) // 2, count)


def cut_middle(sequence: Sequence) -> Sequence | None:
    """Returns the video without the half in its middle, or 30 frames of it; None: it is too short."""
    if len(sequence) < SHORTEST:
        return None
    count = min(30, len(sequence) // 2)
    return with_cut(sequence, (len(sequence) - count) // 2, count)


def track_video(tracker: BaseTracker, sequence: Sequence, video: str, made: bool) -> TrackedVideo:
    """Returns what the tracker says of a video's frames, and how far it is right.

    Raises:
        CalibrationError: the true boxes of the video are not public.
        TrackingError: the tracker returns no box.
    """
    if sequence.meta.get(FIRST_BOX_ONLY):
        raise CalibrationError(f"{sequence.name} of {sequence.dataset!r} has one true box, its first: name other data")
    numbers, overlaps = [], []
    output = tracker.initialize(sequence.frame(0), sequence.init_info()) or {}
    for index in range(1, len(sequence)):
        output = tracker.track(sequence.frame(index), {"previous_output": output, "want_quality": True})
        box = checked_box(output, tracker, f"frame {index + 1} of {sequence.name}")
        numbers.append(numbers_of(output))
        seen = has_true_box(sequence, index)
        overlaps.append(float(iou(box, sequence.ground_truth_rect[index])) if seen else 0.0)
    return TrackedVideo(video, made, numbers, np.array(overlaps))


def gather(
    tracker: BaseTracker, videos: Iterable[tuple[Sequence, str, bool]], total: int, progress: Progress | None = None
) -> list[TrackedVideo]:
    """Returns what the tracker made of each of ``total`` videos, given with its name and whether it was made."""
    tracked = []
    for number, (sequence, name, made) in enumerate(videos):
        if progress is not None:
            progress(sequence.name, number, total)
        tracked.append(track_video(tracker, sequence, name, made))
    return tracked


def frames_of(tracked: Iterable[TrackedVideo], numbers: tuple[str, ...] | None = None) -> Frames:
    """Returns the frames of videos that were tracked, with the features of these numbers; by default, all there are."""
    videos = [each for each in tracked if len(each.overlaps)]
    if numbers is None:
        numbers = _all_numbers(frame for each in videos for frame in each.numbers)
    features = []
    for each in videos:
        evidence = Evidence(numbers)
        features += [evidence.add(frame) for frame in each.numbers]
    return Frames(
        numbers,
        np.array(features).reshape(len(features), len(feature_names(numbers))),
        np.concatenate([each.overlaps for each in videos] or [np.zeros(0)]),
        np.repeat([each.video for each in videos], [len(each.overlaps) for each in videos]),
        np.repeat([each.made for each in videos], [len(each.overlaps) for each in videos]).astype(bool),
    )


def _all_numbers(frames: Iterable[Mapping[str, float]]) -> tuple[str, ...]:
    found = dict.fromkeys(name for frame in frames for name in frame)
    return tuple(sorted(found, key=lambda name: (name != SCORE, name)))
