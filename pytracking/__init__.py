"""Online tracking and evaluation: from a checkpoint to boxes, numbers and pictures.

What lives here: trackers, their named parameter sets, benchmark sequences, the running of trackers over them, the
metrics and tables made of the results, and the command lines for all of that. What never does: anything that learns
offline (that is ``ltr``), and anything that only one plugin needs. :func:`track` and :func:`evaluate` are the way in
for Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as AbstractSequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import numpy as np

    from pytracking.api import Places, Scores, Track

__all__ = ["evaluate", "track"]


@overload
def track(
    video: str | Path | Iterable[np.ndarray],
    tracker: str,
    *,
    box: AbstractSequence[float] | None = None,
    click: tuple[float, float] | None = None,
    overrides: Mapping[str, Any] | None = None,
    workspace: str | Path | None = None,
    plugins: Iterable[str] = (),
) -> Track: ...


@overload
def track(
    video: str | Path | Iterable[np.ndarray],
    tracker: str,
    *,
    boxes: Places | None = None,
    clicks: Places | None = None,
    start: int = 0,
    direction: str = "forwards",
    overrides: Mapping[str, Any] | None = None,
    workspace: str | Path | None = None,
    plugins: Iterable[str] = (),
) -> dict[str, Track]: ...


def track(
    video: str | Path | Iterable[np.ndarray],
    tracker: str,
    *,
    box: AbstractSequence[float] | None = None,
    click: tuple[float, float] | None = None,
    boxes: Places | None = None,
    clicks: Places | None = None,
    start: int = 0,
    direction: str = "forwards",
    overrides: Mapping[str, Any] | None = None,
    workspace: str | Path | None = None,
    plugins: Iterable[str] = (),
) -> Track | dict[str, Track]:
    """Returns where a target is in each frame of a video, or where several are, by their names.

    >>> import pytracking
    >>> from pytracking.evaluation import get_dataset
    >>> sequence = get_dataset("synthetic")[0]
    >>> frames = [sequence.frame(number) for number in range(4)]
    >>> found = pytracking.track(frames, "opencv/kcf", box=sequence.ground_truth_rect[0])
    >>> found.boxes.shape
    (4, 4)
    >>> boxes = {"cat": sequence.ground_truth_rect[2], "hat": (20, 30, 40, 25)}
    >>> found = pytracking.track(frames, "opencv/kcf", boxes=boxes, start=2, direction="both")
    >>> {name: (track.first, len(track)) for name, track in found.items()}
    {'cat': (0, 4), 'hat': (0, 4)}

    Args:
        video: a video file, a folder of frames, or frames, RGB uint8 (H, W, 3), one after the other.
        tracker: ``tracker/parameters``, as ``run_tracker.py --list`` shows them.
        box: the target in the first frame, x, y, w, h in pixels.
        click: x, y of the target's center in the first frame, in pixels, in place of a box.
        boxes: several targets: their boxes by their names, or one after the other, which are then numbered from 1. A
            :class:`pytracking.live.targets.Target` may stand for a box, and names a frame of its own.
        clicks: several targets by their clicks, likewise; both may be given.
        start: the frame, from 0, in which ``boxes`` and ``clicks`` are.
        direction: ``forwards`` to the last frame, ``backwards`` to the first, or ``both``.
        overrides: parameters that differ from those of the parameter set.
        workspace: where the checkpoints of recipes are looked for; by default as configured.
        plugins: modules or Python files to import first.

    Returns:
        With ``box`` or ``click`` the track; with ``boxes`` or ``clicks`` tracks by the targets' names.

    Raises:
        RegistryError: there is no such tracker or parameter set.
        StartError: no target is given, or ``box`` and ``click`` both, a click cannot become a box, two targets have
            one name, or one begins where nothing is left to track.
        VideoError, SequenceError, SourceError: there is no such video, or it has no frames, or not so many.
    """
    from pytracking import api

    how = (overrides or {}, workspace, plugins)
    if boxes is None and clicks is None:
        return api.track_video(video, tracker, api.one_target(box, click, start, direction), *how)
    return api.track_targets_of_video(
        video, tracker, api.several_targets(box, click, boxes, clicks, start), direction, *how
    )


def evaluate(
    tracker: str,
    dataset: str,
    *,
    protocol: str | None = None,
    run_id: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    jobs: int = 1,
    workspace: str | Path | None = None,
    plugins: Iterable[str] = (),
) -> Scores:
    """Runs a tracker over a benchmark, as far as results are missing, and returns how well it tracks.

    >>> import pytracking
    >>> scores = pytracking.evaluate("opencv/kcf", "synthetic", workspace=getfixture("tmp_path"))
    >>> 0 < scores["auc"] < 1, len(scores.per_sequence)
    (True, 8)

    Args:
        tracker: ``tracker/parameters``.
        dataset: a benchmark, or the path of one's own videos.
        protocol: the toolkit that is followed; by default the benchmark's own (docs/metrics.md).
        run_id: number of a repetition, which has random numbers and results of its own.
        overrides: parameters that differ from those of the parameter set.
        jobs: processes that track sequences; -1: one for each core.
        workspace: where results go and checkpoints are looked for; by default as configured.
        plugins: modules or Python files to import first.

    Raises:
        RegistryError: there is no such tracker, parameter set or benchmark.
        EnvironmentError_: the directory of a benchmark is not configured.
        TrackingError: a sequence could not be tracked.
    """
    from pytracking.api import evaluate_tracker

    return evaluate_tracker(tracker, dataset, protocol, run_id, overrides or {}, jobs, workspace, plugins)
