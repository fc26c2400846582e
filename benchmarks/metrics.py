"""Measures what a table costs: ten trackers on a hundred sequences, from result files to mean scores.

python benchmarks/metrics.py [--trackers 10] [--sequences 100] [--frames 590]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402

from ltr.admin.path_variables import using_paths  # noqa: E402
from pytracking.analysis.tables import evaluate  # noqa: E402
from pytracking.evaluation import Sequence, SequenceList, SequenceResult, Tracker  # noqa: E402
from pytracking.evaluation.results import save_result  # noqa: E402
from pytracking.metrics import PROTOCOLS, mean_ope, ope, vot_supervised  # noqa: E402

IMAGE = np.zeros((4, 4, 3), np.uint8)


class Stopwatch:
    """Prints the seconds that a block took, by the clock and of the processor (a busy machine parts the two)."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        self.started = time.perf_counter(), time.process_time()

    def __exit__(self, *exception: object) -> None:
        clock, processor = time.perf_counter() - self.started[0], time.process_time() - self.started[1]
        print(f"{self.what:42s} {clock:6.2f} s, processor {processor:6.2f} s")


def walk(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Returns boxes (frames, 4) that wander over a frame."""
    sizes = rng.uniform(20, 80, 2) + rng.normal(0, 0.2, (frames, 2)).cumsum(axis=0)
    corner = 150 + rng.normal(0, 1.0, (frames, 2)).cumsum(axis=0)
    return np.concatenate([corner, np.maximum(sizes, 5)], axis=1)


def main() -> None:
    """Prints the seconds of each step."""
    parser = argparse.ArgumentParser(description="Measures the metrics.")
    parser.add_argument("--trackers", type=int, default=10)
    parser.add_argument("--sequences", type=int, default=100)
    parser.add_argument("--frames", type=int, default=590, help="frames of a sequence (OTB-100's mean: 590)")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    truths = [walk(rng, options.frames) for _ in range(options.sequences)]
    guesses = [
        [np.concatenate([truth[:1], truth[1:] + rng.normal(0, 8, truth[1:].shape)]) for truth in truths]
        for _ in range(options.trackers)
    ]
    count = f"{options.trackers} trackers, {options.sequences} sequences of {options.frames} frames"
    print(f"{count}, one core\n")

    for protocol in PROTOCOLS:
        with Stopwatch(f"{protocol}: curves and means"):
            for boxes in guesses:
                mean_ope(ope(guess, truth, protocol) for guess, truth in zip(boxes, truths))

    frames = [IMAGE] * options.frames
    dataset = SequenceList(Sequence(f"s{i:03d}", frames, "made", truth) for i, truth in enumerate(truths))
    with tempfile.TemporaryDirectory() as folder, using_paths({"results_dir": folder}):
        trackers = [Tracker("made", "up", run_id) for run_id in range(options.trackers)]
        for tracker, boxes in zip(trackers, guesses):
            for sequence, guess in zip(dataset, boxes):
                save_result(tracker.results_dir, sequence, SequenceResult(guess, np.full(len(guess), 0.01)))
        with Stopwatch("pysot: table from result files"):
            evaluate(trackers, dataset)

    truth = np.array([[100.0, 90, 140, 110, 120, 170, 80, 150]] * 356)
    runs = [[[[1.0], *(truth[1:] + rng.normal(0, 4, truth[1:].shape))]] for _ in range(60)]
    with Stopwatch("vot, pysot: 60 sequences of 356, polygons"):
        vot_supervised(runs, [truth] * 60, [(640, 480)] * 60)


if __name__ == "__main__":
    main()
