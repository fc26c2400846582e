"""Time of several targets in one video against the time of one: ``python benchmarks/many_targets.py --help``.

SiamFC tracks 1, 4 and 16 targets through the same frames, in turn, so that a busy machine disturbs all alike. They are
tracked together, as ``run_video.py`` does it, with as few passes of the network over all search crops of a frame as the
device is best at, and by as many calls of ``track``, one after the other. Ratios are of medians of one run. "Beside the
network" is what is left with a network that costs next to nothing: crops, enlarged responses, peaks.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltr.admin.files import write_bytes_atomically
from pytracking.evaluation import Tracker
from pytracking.tracker.base import BaseTracker
from pytracking.tracker.group import TrackerGroup
from pytracking.tracker.siamfc import SiamFCParams, SiamFCTracker

COUNTS = (1, 4, 16)
HEIGHT, WIDTH = 480, 640
AIM = 4.0  # times as long as one target, for 16


class Cheap(nn.Module):
    """Features that are means of 8 x 8 pixels: the least that a network can be."""

    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor) -> Tensor:
        """Returns features (N, 3, h, w)."""
        return F.avg_pool2d(images, self.stride)

    def correlate(self, template: Tensor, search: Tensor) -> Tensor:
        """Returns the response (N, 1, h, w)."""
        return F.conv2d(search, template)


def frames(count: int) -> list[np.ndarray]:
    """Returns frames of coarse noise that moves by a pixel a frame."""
    coarse = np.random.default_rng(0).integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    image = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
    return [np.roll(image, shift, axis=1) for shift in range(count)]


def first_boxes(count: int) -> dict[str, list[float]]:
    """Returns boxes of targets, spread over the frame."""
    places = [(x, y) for y in (60, 160, 260, 360) for x in (80, 220, 360, 500)]
    return {str(place): [float(x), float(y), 48.0, 40.0] for place, (x, y) in enumerate(places[:count])}


def together(create: Callable[[], BaseTracker], images: list[np.ndarray], count: int) -> tuple[float, np.ndarray]:
    """Returns milliseconds a frame of targets that are tracked together, and their boxes (T, count, 4)."""
    group, boxes = TrackerGroup(create), []
    names = first_boxes(count)
    for name, box in names.items():
        group.initialize(name, images[0], {"init_bbox": box})
    times = []
    for image in images[1:]:
        started = time.perf_counter()
        outputs = group.track(names, image, [{}] * count)
        times.append(1e3 * (time.perf_counter() - started))
        boxes.append([output["target_bbox"] for output in outputs])
    return float(np.median(times)), np.array(boxes)


def one_by_one(create: Callable[[], BaseTracker], images: list[np.ndarray], count: int) -> tuple[float, np.ndarray]:
    """Returns the same of as many calls of ``track``."""
    made = create()
    trackers = [made, *(made.sibling() for _ in range(count - 1))] if isinstance(made, SiamFCTracker) else [made]
    for tracker, box in zip(trackers, first_boxes(count).values()):
        tracker.initialize(images[0], {"init_bbox": box})
    times, boxes = [], []
    for image in images[1:]:
        started = time.perf_counter()
        boxes.append([tracker.track(image, {})["target_bbox"] for tracker in trackers])
        times.append(1e3 * (time.perf_counter() - started))
    return float(np.median(times)), np.array(boxes)


def measure(options: argparse.Namespace) -> dict[str, dict[int, float]]:
    """Returns milliseconds a frame by way of tracking and number of targets, and pixels that boxes differ by."""
    images = frames(options.frames + 1)
    real = Tracker("siamfc", options.parameters, overrides={"device": options.device})
    params = real.parameters()

    def cheap() -> BaseTracker:
        return SiamFCTracker(SiamFCParams(network=Cheap(), device=options.device))

    rows: dict[str, dict[int, list[float]]] = {}
    apart: dict[int, float] = {}
    for _ in range(options.repeats):
        for count in COUNTS:
            ways = {
                "together": together(lambda: real.create(params), images, count),
                "one by one": one_by_one(lambda: real.create(params), images, count),
                "beside the network": together(cheap, images, count),
            }
            for way, (milliseconds, _) in ways.items():
                rows.setdefault(way, {}).setdefault(count, []).append(milliseconds)
            difference = np.abs(ways["together"][1] - ways["one by one"][1]).max()
            apart[count] = max(float(difference), apart.get(count, 0.0))
    times = {way: {count: float(np.median(found)) for count, found in each.items()} for way, each in rows.items()}
    return {**times, "boxes differ by, pixels": apart}


def main() -> int:
    """Runs the command line; the exit status is 1 if 16 targets take more than 4 times as long as one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parameters", default="untrained_res18", help="of siamfc (default: untrained_res18)")
    parser.add_argument("--device", default="cpu", help="default: cpu")
    parser.add_argument("--frames", type=int, default=10, help="of 640 x 480 pixels (default: 10)")
    parser.add_argument("--repeats", type=int, default=3, help="the median of so many runs counts (default: 3)")
    parser.add_argument("--out", type=Path, help="write the numbers to this JSON file, too")
    options = parser.parse_args()
    numbers = measure(options)
    apart = numbers.pop("boxes differ by, pixels")
    one = numbers["together"][1]
    print(f"siamfc {options.parameters} on {options.device}: times of one target's frame, {one:.1f} ms here")
    print(f"{'':22}" + "".join(f"{count:>12}" for count in COUNTS))
    for way, found in numbers.items():
        print(f"{way:22}" + "".join(f"{found[count] / one:12.2f}" for count in COUNTS))
    print(f"{'boxes differ by, px':22}" + "".join(f"{apart[count]:12.2g}" for count in COUNTS))
    ratio = numbers["together"][max(COUNTS)] / one
    print(f"{max(COUNTS)} targets take {ratio:.1f} times as long as one (aim: {AIM:g})")
    if options.out:
        content = {"milliseconds": numbers, "pixels_apart": apart}
        write_bytes_atomically(options.out, (json.dumps(content, indent=1) + "\n").encode())
    return 0 if ratio <= AIM else 1


if __name__ == "__main__":
    raise SystemExit(main())
