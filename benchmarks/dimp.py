"""How fast DiMP tracks, against a plain version with the same results: ``python benchmarks/dimp.py --help``.

Both trackers follow one embedded video in turns, frame by frame, with random weights, which take as long as trained
ones. Every frame is learned from; the target is always found and has no distractor, so that the classifier is updated
every 20th frame, from up to 50 samples.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ltr.admin.random_state import seed_everything
from ltr.dataset.synthetic import SyntheticVideo
from ltr.models.builder import build_network
from pytracking.tracker.dimp import DiMPParams, DiMPTracker
from pytracking.tracker.dimp.reference import PlainDiMPTracker

WARM_UP = 3


def timed(call: Callable[[], Any], device: torch.device) -> tuple[float, Any]:
    """Returns the milliseconds that a call takes, and what it returns."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    result = call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return 1e3 * (time.perf_counter() - start), result


def summary(times: list[float]) -> str:
    """Returns mean, median and minimum."""
    return f"{statistics.fmean(times):8.1f} {statistics.median(times):8.1f} {min(times):8.1f}"


def main() -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="dimpnet18", choices=("dimpnet18", "dimpnet50"))
    parser.add_argument("--frames", type=int, default=62, help="frames to track (default: 62)")
    parser.add_argument("--size", type=int, nargs=2, default=(480, 640), metavar=("H", "W"))
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (default: 2)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    seed_everything(options.seed)
    device = torch.device(options.device)
    network = build_network(options.network).eval().to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    params = DiMPParams(
        network=network,
        device=options.device,
        target_not_found_threshold=-1e9,
        distractor_threshold=1e9,
        hard_negative_threshold=1e9,
    )
    video = SyntheticVideo(1, options.frames + 1, tuple(options.size), seed=options.seed)
    box = video.get_sequence_info(0)["bbox"][0].numpy()
    frames = [video.load_frame(0, number) for number in range(options.frames + 1)]
    trackers = {"fast": DiMPTracker(params), "plain": PlainDiMPTracker(params)}
    starts: dict[str, list[float]] = {name: [] for name in trackers}
    for _ in range(3):
        for name, tracker in trackers.items():
            starts[name].append(timed(lambda: tracker.initialize(frames[0], {"init_bbox": box}), device)[0])  # noqa: B023
    crop = torch.rand(1, 3, 288, 288, device=device).mul(255).contiguous(memory_format=torch.channels_last)
    times: dict[str, list[float]] = {"backbone": [], "fast": [], "plain": []}
    difference = 0.0
    for number, frame in enumerate(frames[1:]):
        found = {}
        for name, tracker in trackers.items():
            milliseconds, output = timed(lambda: tracker.track(frame), device)  # noqa: B023
            found[name] = np.array(output["target_bbox"])
            if number >= WARM_UP:
                times[name].append(milliseconds)
        with torch.no_grad():
            milliseconds, _ = timed(lambda: network.extract_backbone(crop), device)  # type: ignore[operator]
        if number >= WARM_UP:
            times["backbone"].append(milliseconds)
        difference = max(difference, float(np.abs(found["fast"] - found["plain"]).max()))
    print(f"{options.network}, {options.size[1]} x {options.size[0]}, {device}, {options.threads} threads, ms")
    print(f"{'':24}{'mean':>8} {'median':>8} {'fastest':>8}")
    for name in ("fast", "plain"):
        print(f"{'initialize, ' + name:24}{summary(starts[name])}")
    for name in ("fast", "plain", "backbone"):
        print(f"{'track, ' + name if name != 'backbone' else 'backbone alone':24}{summary(times[name])}")
    print(f"fast over plain: {statistics.fmean(times['plain']) / statistics.fmean(times['fast']):.2f} x, ", end="")
    print(f"over the backbone alone: {statistics.fmean(times['fast']) / statistics.fmean(times['backbone']):.2f} x")
    print(f"largest difference of a box's coordinate: {difference:.2e} pixels in {options.frames} frames")
    return 0


if __name__ == "__main__":
    sys.exit(main())
