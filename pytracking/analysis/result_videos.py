"""Stored results of benchmarks as tracked videos, to be exported."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from pytracking.analysis.track_exports import ExportedTrack, TrackedVideo
from pytracking.evaluation.results import MissingResultError, load_result
from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import Tracker


def result_videos(tracker: Tracker, dataset: Iterable[Sequence]) -> list[TrackedVideo]:
    """Returns each sequence that the tracker has a result of, with its boxes; the others are named and left out.

    The target is called as its class, or ``target`` where that is unknown. Benchmarks have no frame rate: it is 0.

    Raises:
        ResultError: a result is damaged, or of another sequence.
    """
    videos = []
    for sequence in dataset:
        try:
            result = load_result(tracker, sequence)
        except MissingResultError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        height, width = sequence.frame(0).shape[:2]
        track = ExportedTrack(sequence.object_class or "target", 0, result.boxes, result.scores, result.judged)
        videos.append(TrackedVideo(sequence.name, len(sequence), width, height, 0.0, 1, [track]))
    return videos
