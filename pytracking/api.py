"""What :func:`pytracking.track` and :func:`pytracking.evaluate` do and return."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from ltr.admin.environment import using_workspace
from ltr.data.image_loader import load_image
from ltr.dataset.video_sources import SourceError, find_sources
from ltr.registry import load_plugins, near_names
from pytracking.analysis.tables import evaluate
from pytracking.evaluation import Tracker, TrackingError, get_dataset, run_dataset, track_frames
from pytracking.evaluation.own_videos import folder_frames
from pytracking.live.session import StartError
from pytracking.live.source import open_video
from pytracking.live.targets import BACKWARDS, DIRECTIONS, FORWARDS, Target, check_targets, named
from pytracking.live.tracks import TargetTracking, Track, TrackLog


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


Place: TypeAlias = Sequence[float] | np.ndarray | Target
Places: TypeAlias = Mapping[str, Place] | Iterable[Place]
"""Boxes or clicks of several targets, by their names or one after the other."""


def one_target(box: Sequence[float] | None, click: tuple[float, float] | None, start: int, direction: str) -> Target:
    """Returns the target of :func:`pytracking.track`'s ``box`` or ``click``.

    Raises:
        StartError: none is given, or both, or what is for several targets.
    """
    if (box is None) == (click is None):
        raise StartError(f"give {'either box or click' if box is None else 'box or click, not both'}")
    if start or direction != FORWARDS:
        raise StartError("start and direction are for boxes= and clicks=, which may hold one target, too")
    if box is not None:
        return _box_target("target", _numbers(box), 0)
    assert click is not None
    return _click_target("target", _numbers(click), 0)


def several_targets(
    box: Sequence[float] | None,
    click: tuple[float, float] | None,
    boxes: Places | None,
    clicks: Places | None,
    start: int,
) -> list[Target]:
    """Returns the targets of :func:`pytracking.track`'s ``boxes`` and ``clicks``.

    Raises:
        StartError: ``box`` or ``click`` is given, too, or a click is not two numbers.
    """
    if box is not None or click is not None:
        raise StartError("give box or click for one target, or boxes and clicks for several, not both")
    if isinstance(start, bool) or not isinstance(start, int) or start < 0:
        raise StartError(f"start is {start!r}; frames are whole numbers from 0 on")
    given = (("boxes", boxes, _box_target), ("clicks", clicks, _click_target))
    return [
        target for what, places, made in given if places is not None for target in _places(what, places, start, made)
    ]


def _places(
    what: str, places: Places, start: int, target: Callable[[str, tuple[float, ...], int], Target]
) -> Iterator[Target]:
    one = {"boxes": "box", "clicks": "click"}[what]
    pairs = places.items() if isinstance(places, Mapping) else (("", place) for place in places)
    for name, place in pairs:
        if not isinstance(name, str):
            raise StartError(f"{what}= names a target {name!r}; a name is a text")
        if np.ndim(place) == 0 and not isinstance(place, Target):  # type: ignore[arg-type]
            raise StartError(f"{what}= holds one place for each target: give [{one}], or {{name: {one}}}")
        if isinstance(place, Target):
            yield replace(place, name=name or place.name)
        else:
            yield target(name, _numbers(place), start)


def _box_target(name: str, box: tuple[float, ...], frame: int) -> Target:
    return Target(name, box=box, frame=frame)


def _click_target(name: str, click: tuple[float, ...], frame: int) -> Target:
    if len(click) != 2:
        raise StartError(f"the click of target {name!r} must be x, y; it has {len(click)} numbers")
    return Target(name, click=(click[0], click[1]), frame=frame)


def _numbers(values: Sequence[float] | np.ndarray) -> tuple[float, ...]:
    try:
        return tuple(float(value) for value in values)
    except (TypeError, ValueError) as error:
        raise StartError(f"a box or click is made of numbers, not {values!r:.60}") from error


def track_video(
    video: str | Path | Iterable[np.ndarray],
    tracker: str,
    target: Target,
    overrides: Mapping[str, Any],
    workspace: str | Path | None,
    plugins: Iterable[str],
) -> Track:
    """Returns where a target is in each frame; arguments and errors are those of :func:`pytracking.track`."""
    load_plugins(plugins)
    with using_workspace(workspace):
        created = named_tracker(tracker, overrides=overrides).create()
        images, name = _frames(video)
        first = next(images, None)
        if first is None:
            raise StartError(f"{name} has no frames")
        start = target.first_box(first)
        frames = list(
            track_frames(created, chain([first], images), {"init_bbox": [float(value) for value in start]}, name)
        )
    return Track(
        np.stack([frame.box for frame in frames]),
        np.array([frame.score for frame in frames]),
        np.array([frame.seconds for frame in frames]),
        np.array([frame.confidence for frame in frames]),
        np.array([frame.lost for frame in frames], bool),
    )


def track_targets_of_video(
    video: str | Path | Iterable[np.ndarray],
    tracker: str,
    targets: Iterable[Target],
    direction: str,
    overrides: Mapping[str, Any],
    workspace: str | Path | None,
    plugins: Iterable[str],
) -> dict[str, Track]:
    """Returns where targets are, by their names; arguments and errors are those of :func:`pytracking.track`."""
    if direction not in DIRECTIONS:
        raise StartError(f"the direction is {direction!r}.{near_names(direction, DIRECTIONS)} Known: {DIRECTIONS}")
    found = named(targets)
    load_plugins(plugins)
    with using_workspace(workspace):
        made = named_tracker(tracker, overrides=overrides)
        where = str(video) if isinstance(video, (str, Path)) else "the video"
        tracking = TargetTracking(partial(made.create, made.parameters()), found, where)
        log = TrackLog(target.name for target in found)
        first, last = min(target.frame for target in found), max(target.frame for target in found)
        number = -1
        forwards, backwards = _both_ways(video, direction)
        if direction != FORWARDS:
            for tracked in tracking.through(backwards(last)):
                log.add(tracked)
            number = last
        if direction != BACKWARDS:
            for tracked in tracking.through(forwards(first)):
                log.add(tracked)
                number = tracked.index
        check_targets(found, number + 1, direction, where)
    return log.tracks()


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
        one = named_tracker(tracker, run_id, overrides)
        one.check_names()  # an unknown name is told before any data set is read,
        dataset = get_dataset(name)  # and a data set that is not there before any network is downloaded
        report = run_dataset(dataset, [one], threads=0 if jobs == 1 else jobs)
        if report.failures:
            raise TrackingError(f"{len(report.failures)} sequences could not be tracked: {report.failures[0].error}")
        # What was tracked is one pass; VOT's own numbers come of its resets.
        (score,) = evaluate([one], dataset, protocol, one_pass=True)
    per_sequence = {sequence: one.values for sequence, one in score.per_sequence.items()}
    return Scores(score.overall.values, per_sequence, score.frames_per_second, score.metric.heading)


def named_tracker(name: str, run_id: int | None = None, overrides: Mapping[str, Any] = MappingProxyType({})) -> Tracker:
    """Returns the tracker of a name such as ``siamfc/socl_res18``.

    Raises:
        ValueError: it has no slash. Whether there is such a tracker is not looked up.
    """
    family, slash, parameters = name.partition("/")
    if not slash:
        raise ValueError(f"the tracker is {name!r}; name it with its parameter set, such as siamfc/socl_res18")
    return Tracker(family, parameters, run_id, overrides={key: str(value) for key, value in overrides.items()})


def _frames(video: str | Path | Iterable[np.ndarray]) -> tuple[Iterator[np.ndarray], str]:
    if not isinstance(video, (str, Path)):
        return iter(video), "the video"
    path = Path(video).expanduser()
    if path.is_dir():
        return map(load_image, folder_frames(path)), str(path)
    return open_video(path).frames(), str(path)


Numbered = Callable[[int], Iterator[tuple[int, np.ndarray]]]


def _both_ways(video: str | Path | Iterable[np.ndarray], direction: str) -> tuple[Numbered, Numbered]:
    """Returns what yields number and image of the frames from a number on, forwards, and backwards."""
    if isinstance(video, (str, Path)):
        sources = find_sources([str(Path(video).expanduser())])
        if len(sources) > 1:
            raise SourceError(f"{video} holds {len(sources)} videos, such as {sources[0].path}; name one of them")
        return sources[0].numbered, sources[0].backwards
    frames = enumerate(video)
    kept = None if direction == FORWARDS else list(frames)

    def forwards(first: int) -> Iterator[tuple[int, np.ndarray]]:
        return (pair for pair in (frames if kept is None else kept) if pair[0] >= first)

    def backwards(last: int) -> Iterator[tuple[int, np.ndarray]]:
        assert kept is not None
        return iter(kept[last::-1])

    return forwards, backwards
