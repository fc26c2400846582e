"""What :func:`pytracking.track` and :func:`pytracking.evaluate` do and return."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ltr.admin.environment import using_workspace
from ltr.data.image_loader import load_image
from ltr.registry import load_plugins, near_names
from pytracking.analysis.tables import evaluate
from pytracking.evaluation import Tracker, TrackingError, get_dataset, run_dataset, track_frames
from pytracking.evaluation.own_videos import folder_frames
from pytracking.live.session import StartError, click_to_box
from pytracking.live.source import open_video
from pytracking.tracker.base import check_initial_box


@dataclass(frozen=True)
class Track:
    """A target in the frames of a video.

    Attributes:
        boxes: (T, 4) x, y, w, h in pixels; the first one is the given box, or the click's.
        scores: (T,) the tracker's confidence; NaN in frames where it gave none.
        seconds: (T,) spent in the tracker.
    """

    boxes: np.ndarray
    scores: np.ndarray
    seconds: np.ndarray

    def __len__(self) -> int:
        """Returns the number of frames."""
        return len(self.boxes)


@dataclass(frozen=True)
class Scores:
    """How well a tracker tracks a benchmark, by the numbers of the benchmark's own toolkit.

    Attributes:
        values: by name, such as ``auc`` and ``precision20``, or ``ao``, ``sr50`` and ``sr75`` of GOT-10k, 0 to 1.
        per_sequence: the same of each sequence.
        frames_per_second: of the tracker, reading of frames not included.
        heading: which toolkit and protocol these numbers are.
    """

    values: Mapping[str, float]
    per_sequence: Mapping[str, Mapping[str, float]]
    frames_per_second: float
    heading: str

    def __getitem__(self, name: str) -> float:
        """Returns one number over all sequences.

        Raises:
            KeyError: the benchmark's toolkit has no such number.
        """
        if name not in self.values:
            known = ", ".join(self.values)
            raise KeyError(f"{self.heading} has no {name!r}.{near_names(name, self.values)} Known: {known}")
        return self.values[name]


def track_video(
    video: str | Path | Iterable[np.ndarray],
    tracker: str,
    box: Sequence[float] | None,
    click: tuple[float, float] | None,
    overrides: Mapping[str, Any],
    workspace: str | Path | None,
    plugins: Iterable[str],
) -> Track:
    """Returns where a target is in each frame; arguments and errors are those of :func:`pytracking.track`."""
    if (box is None) == (click is None):
        raise StartError(f"give {'either box or click' if box is None else 'box or click, not both'}")
    load_plugins(plugins)
    with using_workspace(workspace):
        created = _named(tracker, None, overrides).create()
        images, name = _frames(video)
        first = next(images, None)
        if first is None:
            raise StartError(f"{name} has no frames")
        start = check_initial_box(box, first) if box is not None else click_to_box(first, click or (0.0, 0.0))
        frames = list(
            track_frames(created, _chained(first, images), {"init_bbox": [float(value) for value in start]}, name)
        )
    return Track(
        np.stack([frame.box for frame in frames]),
        np.array([frame.score for frame in frames]),
        np.array([frame.seconds for frame in frames]),
    )


def evaluate_tracker(
    tracker: str,
    name: str,
    protocol: str | None,
    run_id: int | None,
    overrides: Mapping[str, Any],
    jobs: int,
    workspace: str | Path | None,
    plugins: Iterable[str],
) -> Scores:
    """Returns how well a tracker tracks; arguments and errors are those of :func:`pytracking.evaluate`."""
    load_plugins(plugins)
    with using_workspace(workspace):
        named = _named(tracker, run_id, overrides)
        named.check_names()  # an unknown name is told before any data set is read,
        dataset = get_dataset(name)  # and a data set that is not there before any network is downloaded
        report = run_dataset(dataset, [named], threads=0 if jobs == 1 else jobs)
        if report.failures:
            raise TrackingError(f"{len(report.failures)} sequences could not be tracked: {report.failures[0].error}")
        # What was tracked is one pass; VOT's own numbers come of its resets.
        (score,) = evaluate([named], dataset, protocol, one_pass=True)
    per_sequence = {sequence: one.values for sequence, one in score.per_sequence.items()}
    return Scores(score.overall.values, per_sequence, score.frames_per_second, score.metric.heading)


def _named(tracker: str, run_id: int | None, overrides: Mapping[str, Any]) -> Tracker:
    family, slash, parameters = tracker.partition("/")
    if not slash:
        raise ValueError(f"the tracker is {tracker!r}; name it with its parameter set, such as siamfc/socl_res18")
    return Tracker(family, parameters, run_id, overrides={key: str(value) for key, value in overrides.items()})


def _frames(video: str | Path | Iterable[np.ndarray]) -> tuple[Iterator[np.ndarray], str]:
    if not isinstance(video, (str, Path)):
        return iter(video), "the video"
    path = Path(video).expanduser()
    if path.is_dir():
        return map(load_image, folder_frames(path)), str(path)
    return open_video(path).frames(), str(path)


def _chained(first: np.ndarray, rest: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    yield first
    yield from rest
