"""Benchmarks and the running of trackers over them.

What lives here: sequences and their readers, the runner, its result files, the held-out score. What never does: the
metrics' arithmetic and the presentation of results (``pytracking.analysis``).
"""

from __future__ import annotations

from pytracking.evaluation.datasets import get_dataset
from pytracking.evaluation.results import ResultError, load_result
from pytracking.evaluation.running import RunReport, run_dataset
from pytracking.evaluation.sequence import Sequence, SequenceError, SequenceList, from_video_dataset
from pytracking.evaluation.tracker import (
    Judgement,
    SequenceResult,
    TrackedFrame,
    Tracker,
    TrackingError,
    track_frames,
    track_sequence,
    trackerlist,
)

__all__ = [
    "Judgement",
    "ResultError",
    "RunReport",
    "Sequence",
    "SequenceError",
    "SequenceList",
    "SequenceResult",
    "TrackedFrame",
    "Tracker",
    "TrackingError",
    "from_video_dataset",
    "get_dataset",
    "load_result",
    "run_dataset",
    "track_frames",
    "track_sequence",
    "trackerlist",
]
