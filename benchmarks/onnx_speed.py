"""SiamFC on torch, on torch compiled, and on ONNX Runtime: ``python benchmarks/onnx_speed.py --help``.

One parameter set is exported with 32-bit numbers and with 8-bit ones, and tracks the same sequences with each; the four
take turns, sequence by sequence, so that what else the machine does weighs on all of them. For each: AUC, precision at
20 pixels, frames a second, and how far its boxes are from torch's.

The sequences are those of OTB that ``--otb`` or the environment's ``otb_dir`` holds. What 8 bits are calibrated on
should be none of them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from ltr.admin.files import write_bytes_atomically
from ltr.admin.path_variables import set_paths
from ltr.registry import load_plugins
from pytracking.evaluation import get_dataset
from pytracking.evaluation.tracker import SequenceResult, track_sequence
from pytracking.metrics import ope
from pytracking.onnx.export import export_onnx
from pytracking.onnx.named import named_network
from pytracking.onnx.quantise import FRAMES, crops_of, quantised
from pytracking.tracker.siamfc import SiamFCTracker

TORCH = "torch"


def trackers(name: str, calibrate: str, folder: Path) -> dict[str, SiamFCTracker]:
    """Returns a tracker of each kind, and prints what was exported."""
    named = named_network(name, {"device": "cpu"})
    params: Any = named.params
    crops = crops_of(params, get_dataset(calibrate), FRAMES)
    print(f"{name}, calibrated on {sum(map(len, crops))} crops of {calibrate}")
    made = {TORCH: SiamFCTracker(params), "torch, compiled": SiamFCTracker(params)}
    network: Any = made["torch, compiled"].network
    network.forward = torch.compile(network.forward, dynamic=False)
    for title, quantise in {"ONNX Runtime": None, "ONNX Runtime, int8": partial(quantised, crops=crops)}.items():
        file = export_onnx(named.network, named.about, folder / f"{len(made)}.onnx", quantise)
        print(f"{title}: {file.size / 1e6:.2f} MB, largest difference of an output from torch's {file.difference:.1e}")
        made[title] = SiamFCTracker(replace(params, network=file.path))
    return made


def distances(results: Mapping[str, SequenceResult], other: Mapping[str, SequenceResult]) -> np.ndarray:
    """Returns the largest difference in pixels of a number of each frame's box, over all frames."""
    return np.concatenate([np.abs(results[name].boxes - other[name].boxes).max(axis=1) for name in results])


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parameters", default="siamfc/imagenet_res18", metavar="SIAMFC/NAME")
    parser.add_argument("--otb", type=Path, help="folder of OTB sequences; default: otb_dir of the environment")
    parser.add_argument("--sequences", nargs="+", help="names of the sequences; default: all")
    parser.add_argument("--frames", type=int, help="only so many frames of each sequence")
    parser.add_argument("--calibrate", default="got10k_val", help="as of the export; default: %(default)s")
    parser.add_argument("--threads", type=int, default=1, help="of each; default: %(default)s")
    parser.add_argument("--out", type=Path, help="JSON file for the numbers")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    load_plugins()
    if options.otb:
        set_paths({"otb_dir": options.otb})
    sequences = [sequence.shortened(options.frames) for sequence in get_dataset("otb")]
    sequences = [s for s in sequences if not options.sequences or s.name in options.sequences]
    results: dict[str, dict[str, SequenceResult]] = {}
    with tempfile.TemporaryDirectory() as folder:
        made = trackers(options.parameters, options.calibrate, Path(folder))
        for tracker in made.values():  # what is done once is not counted
            track_sequence(tracker, sequences[0].shortened(3))
        for sequence in sequences:
            for title, tracker in made.items():
                results.setdefault(title, {})[sequence.name] = track_sequence(tracker, sequence)
    frames = sum(map(len, sequences))
    print(f"\n{len(sequences)} sequences, {frames} frames, {options.threads} threads")
    print(f"{'':20s}   AUC  DP@20      FPS  of torch's   median FPS  of torch's   px from torch: median, largest")
    rows: dict[str, dict[str, Any]] = {}
    for title, found in results.items():
        scores = [ope(found[s.name].boxes, s.ground_truth_rect, protocol="pysot") for s in sequences]
        seconds = np.concatenate([result.times[1:] for result in found.values()])
        apart = distances(found, results[TORCH])
        row: dict[str, Any] = {
            "auc": float(np.mean([score.auc for score in scores])),
            "dp20": float(np.mean([score.dp20 for score in scores])),
            "fps": float(1 / seconds.mean()),
            "median_fps": float(1 / np.median(seconds)),
            "px_median": float(np.median(apart)),
            "px_largest": float(apart.max()),
            "per_sequence_auc": {s.name: round(score.auc, 4) for s, score in zip(sequences, scores)},
        }
        rows[title] = row
        first = rows[TORCH]
        print(
            f"{title:20s} {row['auc']:.4f} {row['dp20']:.4f} {row['fps']:8.1f} {row['fps'] / first['fps']:10.2f} "
            f"{row['median_fps']:12.1f} {row['median_fps'] / first['median_fps']:10.2f} "
            f"{row['px_median']:17.3f} {row['px_largest']:8.3f}",
            flush=True,
        )
    if options.out:
        write_bytes_atomically(options.out, json.dumps(rows, indent=1).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
