from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytracking.analysis import Report, make_report
from pytracking.evaluation import Sequence, SequenceList, SequenceResult, Tracker
from pytracking.evaluation.results import save_result

GOOD, BAD = Tracker("a", "good", display_name="the <good> one"), Tracker("b", "bad_50%")


def video(name: str, frames: int, *attributes: str) -> Sequence:
    boxes = np.array([[10 + 5 * t, 30, 40, 30] for t in range(frames)], float)
    pictures = [np.full((120, 160, 3), 40, np.uint8)] * frames
    return Sequence(name, pictures, "mine", boxes, meta={"attributes": list(attributes)})


def save(tracker: Tracker, sequence: Sequence, shift: float) -> None:
    boxes = sequence.ground_truth_rect.copy()
    boxes[1:, 0] += shift
    save_result(tracker.results_dir, sequence, SequenceResult(boxes, np.full(len(sequence), 0.02)))


@pytest.fixture
def sequences(workspace: Path) -> SequenceList:
    """Three videos with attributes; the good tracker is worst on Dog, the bad one is lost on all."""
    videos = SequenceList([video("Car", 8, "blur"), video("Dog", 6, "blur", "occlusion"), video("Owl", 12)])
    for sequence, shift in zip(videos, (1, 20, 0)):
        save(GOOD, sequence, shift)
        save(BAD, sequence, 60)
    return videos


@pytest.fixture
def report(sequences: SequenceList) -> Report:
    return make_report([BAD, GOOD], sequences, "Mine & yours")
