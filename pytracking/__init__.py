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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from pytracking.api import Scores, Track

__all__ = ["evaluate", "track"]


def track(
    video: str | Path | Iterable[np.ndarray],
    tracker: str,
    *,
    box: AbstractSequence[float] | None = None,
    click: tuple[float, float] | None = None,
    overrides: Mapping[str, Any] | None = None,
    workspace: str | Path | None = None,
    plugins: Iterable[str] = (),
) -> Track:
    """Returns where a target is in each frame of a video.

    >>> import pytracking
    >>> from pytracking.evaluation import get_dataset
    >>> sequence = get_dataset("synthetic")[0]
    >>> frames = [sequence.frame(number) for number in range(4)]
    >>> found = pytracking.track(frames, "opencv/kcf", box=sequence.ground_truth_rect[0])
    >>> found.boxes.shape
    (4, 4)

    Args:
        video: a video file, a folder of frames, or frames, RGB uint8 (H, W, 3), one after the other.
        tracker: ``tracker/parameters``, as ``run_tracker.py --list`` shows them.
        box: the target in the first frame, x, y, w, h in pixels.
        click: x, y of the target's center in the first frame, in pixels, in place of a box.
        overrides: parameters that differ from those of the parameter set.
        workspace: where the checkpoints of recipes are looked for; by default as configured.
        plugins: modules or Python files to import first.

    Raises:
        RegistryError: there is no such tracker or parameter set.
        StartError: neither box nor click is given, or both, or the click cannot become a box.
        VideoError, SequenceError: there is no such video, or it has no frames.
    """
    from pytracking.api import track_video

    return track_video(video, tracker, box, click, overrides or {}, workspace, plugins)


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
