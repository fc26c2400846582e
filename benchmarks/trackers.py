"""AUC, DP@20 and frames a second of trackers in one run: ``python benchmarks/trackers.py --help``.

Without any learning from video: SiamFC and ECO on an untrained ResNet-18 and on ImageNet's, beside OpenCV's CSRT and
KCF. ``--checkpoints`` adds trained networks in both trackers. For ECO, the time of each stage is printed as well.

The sequences are those of OTB that ``--otb`` or the environment's ``otb_dir`` holds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from ltr.admin.checkpoint import load_network
from ltr.admin.files import write_bytes_atomically
from ltr.admin.path_variables import set_paths
from ltr.registry import load_plugins
from pytracking.evaluation import Sequence, get_dataset
from pytracking.evaluation.tracker import track_sequence
from pytracking.metrics import ope
from pytracking.parameter.params import TrackerParams
from pytracking.registry import PARAMETERS, TRACKERS
from pytracking.tracker.base import BaseTracker
from pytracking.tracker.eco import tracker as eco
from pytracking.tracker.eco.filters import FilterModel
from pytracking.tracker.eco.params import ECOParams
from pytracking.tracker.siamfc import SiamFCParams

DEFAULT = (
    "siamfc/untrained_res18",
    "siamfc/imagenet_res18",
    "eco/untrained_res18",
    "eco/res18_cf",
    "eco/res18_cf_network_only",
    "eco/hog",
    "opencv/csrt",
    "opencv/kcf",
)


class StageClock:
    """Seconds spent in the stages of ECO's ``track``, while it is open."""

    STAGES = (
        (eco.ECOTracker, "_features", "crops and network"),
        (FilterModel, "samples", "projection and transform"),
        (FilterModel, "scores", "scores"),
        (eco, "find_peak", "peak"),
        (FilterModel, "remember", "memory"),
        (FilterModel, "update", "update"),
    )

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.frames = 0
        self._originals: list[tuple[Any, str, Callable[..., Any]]] = []

    def __enter__(self) -> StageClock:
        for owner, name, stage in self.STAGES:
            self._originals.append((owner, name, getattr(owner, name)))
            setattr(owner, name, self._timed(getattr(owner, name), stage))
        return self

    def __exit__(self, *_: object) -> None:
        for owner, name, original in self._originals:
            setattr(owner, name, original)

    def _timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            result = function(*args, **kwargs)
            self.seconds[stage] += time.perf_counter() - started
            return result

        return timed

    def report(self) -> str:
        """Returns milliseconds a frame of each stage. The first frame's crop and network are among them."""
        return ", ".join(f"{stage} {1000 * value / self.frames:.1f}" for stage, value in self.seconds.items())


def measure(name: str, tracker: BaseTracker, sequences: list[Sequence]) -> dict[str, Any]:
    """Returns what a tracker reaches on sequences, and prints it in a line."""
    results, times = {}, []
    with StageClock() as clock:
        for sequence in sequences:
            result = track_sequence(tracker, sequence)
            results[sequence.name] = ope(result.boxes, sequence.ground_truth_rect, protocol="pysot")
            times.append(result.times[1:])
            clock.frames += len(sequence) - 1
    seconds = np.concatenate(times)
    row = {
        "auc": float(np.mean([result.auc for result in results.values()])),
        "dp20": float(np.mean([result.dp20 for result in results.values()])),
        "fps": float(1 / seconds.mean()),
        "median_fps": float(1 / np.median(seconds)),
        "per_sequence_auc": {key: round(result.auc, 4) for key, result in results.items()},
    }
    print(f"{name:34s} {row['auc']:.3f} {row['dp20']:.3f} {row['fps']:8.1f} {row['median_fps']:8.1f}", flush=True)
    if clock.seconds:
        row["stages_ms"] = {stage: 1000 * value / clock.frames for stage, value in clock.seconds.items()}
        print(f"    ms a frame: {clock.report()}", flush=True)
    return row


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--otb", type=Path, help="folder of OTB sequences; default: otb_dir of the environment")
    parser.add_argument("--sequences", nargs="+", help="names of the sequences; default: all")
    parser.add_argument("--frames", type=int, help="only so many frames of each sequence")
    parser.add_argument("--trackers", nargs="*", default=DEFAULT, metavar="TRACKER/PARAM", help="default: %(default)s")
    parser.add_argument(
        "--checkpoints", nargs="+", default=(), help="trained SiamFC networks, tracked with by SiamFC and by ECO"
    )
    parser.add_argument(
        "--precision", choices=("float32", "bfloat16"), help="of the networks; default: the trackers' own"
    )
    parser.add_argument("--threads", type=int, default=2, help="of torch and OpenCV; default: %(default)s")
    parser.add_argument("--out", type=Path, help="JSON file for the numbers")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    load_plugins()
    if options.otb:
        set_paths({"otb_dir": options.otb})
    sequences = [sequence.shortened(options.frames) for sequence in get_dataset("otb")]
    if options.sequences:
        sequences = [sequence for sequence in sequences if sequence.name in options.sequences]
    rows: dict[str, TrackerParams] = {name: PARAMETERS[name]() for name in options.trackers}
    for name in options.checkpoints:
        network = load_network(name)
        rows[f"siamfc, {name}"] = SiamFCParams(network=network)
        if hasattr(getattr(network, "backbone", None), "extract"):  # an AlexNet has no layers to choose from
            rows[f"eco, {name}"] = ECOParams(network=network, layers=("conv1", "last"))
    changes: dict[str, Any] = {"precision": options.precision}
    for name, params in rows.items():
        if options.precision and "precision" in params.names():
            rows[name] = replace(params, **changes)
    print(f"{len(sequences)} sequences, {options.threads} threads")
    print(f"{'tracker':34s} AUC   DP@20      FPS   median FPS", flush=True)
    found = {}
    for name, params in rows.items():
        tracker = TRACKERS[name.split("/")[0].split(",")[0]](params)
        found[name] = measure(name, tracker, sequences)
    if options.out:
        write_bytes_atomically(options.out, json.dumps(found, indent=1).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
