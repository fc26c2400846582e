"""Do clicks where the page asks first (Q) serve better than evenly spaced ones? Simulated clicks on videos with boxes.

    python benchmarks/asking.py otb_hard FOLDER... --tracker siamfc/imagenet_res18

A tracker starts at the first frame's click and is put right at each further one, as on the page. Of k clicks, the first
is on the first frame. The others are spread evenly, at random, or asked for: in each of three rounds the tracker goes
through the video both ways with the clicks so far, and the frames in most doubt are clicked. Clicks are true centres
with 2 px of noise. Printed is, over the frames without a click, the mean distance to the true centre in sides of the
target, at most 3, and the part within 20 pixels; then the difference to evenly spaced clicks with a 95% interval of a
bootstrap over videos.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ltr.registry import load_plugins  # noqa: E402
from pytracking.evaluation import Sequence, get_dataset  # noqa: E402
from pytracking.parameter.params import PRECISIONS  # noqa: E402
from pytracking.registry import PARAMETERS, TRACKERS  # noqa: E402
from pytracking.tracker.base import BaseTracker  # noqa: E402
from socl_plugins.clicks.page.asking import order_of_asking, track_both_ways  # noqa: E402
from socl_plugins.clicks.page.proposals import Known, correct, follow, start  # noqa: E402

NOISE, FAR, PRECISE = 2.0, 3.0, 20.0
COUNTS = (3, 5, 9)


class Video:
    """A video's frames, kept, its true boxes, and the click that a person would make in each frame."""

    def __init__(self, sequence: Sequence, seed: int) -> None:
        self.frames = [sequence.frame(number) for number in range(len(sequence))]
        self.boxes = sequence.ground_truth_rect
        self.known = np.isfinite(self.boxes).all(axis=1) & (self.boxes[:, 2:] > 0).all(axis=1)
        self.centers = self.boxes[:, :2] + self.boxes[:, 2:] / 2
        height, width = self.frames[0].shape[:2]
        noise = np.random.default_rng(seed).normal(0, NOISE, self.centers.shape)
        self.clicks = np.clip(self.centers + noise, 0, [width - 1, height - 1])

    def places(self, frames: list[int]) -> Known:
        """Returns the clicks on frames; one without the target gets none, though it was asked."""
        found = {frame: self.clicks[frame] for frame in frames if self.known[frame]}
        return Known({frame: (float(x), float(y)) for frame, (x, y) in found.items()})

    def errors(self, frames: list[int], create: Callable[[], BaseTracker]) -> tuple[float, float]:
        """Returns mean distance and precision over the frames without a click, tracked with these clicks."""
        clicks = self.places(frames)
        tracker = create()
        start(tracker, self.frames[0], clicks, 0)
        distances, precise = [], []
        for number in range(1, len(self.frames)):
            x, y, w, h = follow(tracker, self.frames[number], number).box
            if number in clicks.places:
                correct(tracker, self.frames[number], clicks, number)
            elif self.known[number] and number not in frames:
                distance = float(np.linalg.norm([x + w / 2, y + h / 2] - self.centers[number]))
                distances.append(min(distance / float(np.sqrt(self.boxes[number, 2:].prod())), FAR))
                precise.append(distance <= PRECISE)
        return float(np.mean(distances)), float(np.mean(precise))

    def asked(self, create: Callable[[], BaseTracker], counts: tuple[int, ...] = COUNTS) -> dict[int, list[int]]:
        """Returns the frames that are clicked when the page asks, for each number of clicks, rising."""
        frames, found = [0], {}
        for count in counts:
            read = self.frames.__getitem__
            doubt = track_both_ways(read, len(self.frames), create, self.places(frames))
            frames = frames + order_of_asking(doubt, frames, count - len(frames))
            found[count] = list(frames)
        return found


def evenly(frames: int, count: int) -> list[int]:
    """Returns ``count`` of so many frames, spread evenly from the first on."""
    return [number * frames // count for number in range(count)]


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", help="benchmarks, or folders of videos with boxes")
    parser.add_argument("--tracker", default="siamfc/imagenet_res18")
    parser.add_argument("--videos", type=int, default=40, help="evenly taken, at most")
    parser.add_argument("--frames", type=int, default=100, help="of each video, at most")
    parser.add_argument("--precision", choices=PRECISIONS, help="of the network; default: the tracker's own")
    options = parser.parse_args()
    load_plugins()
    changes: dict[str, Any] = {"precision": options.precision}

    def create() -> BaseTracker:
        params = PARAMETERS[options.tracker]()
        if options.precision and "precision" in params.names():
            params = replace(params, **changes)
        return TRACKERS[options.tracker.partition("/")[0]](params)

    sequences = get_dataset(*options.data)
    places = np.unique(np.linspace(0, len(sequences) - 1, options.videos).astype(int))
    rows: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for number in places.tolist():
        sequence = sequences[number].shortened(options.frames)
        video = Video(sequence, number)
        last = len(video.frames) - 1
        asked = video.asked(create)
        rng = np.random.default_rng(number)
        for count in COUNTS:
            even = evenly(len(video.frames), count)
            random = [0, *rng.choice(np.arange(1, last + 1), count - 1, replace=False).tolist()]
            for how, frames in (("even", even), ("random", random), ("asked", asked[count])):
                rows.setdefault((how, count), []).append(video.errors(frames, create))
        print(f"{sequence.name}: {len(video.frames)} frames", file=sys.stderr, flush=True)
    print(f"{'clicks':8}{'frames':8}{'distance':>10}{'within 20 px':>14}{'difference to even, 95% interval':>36}")
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(places), (10_000, len(places)))
    for (how, count), found in sorted(rows.items(), key=lambda row: row[0][1]):
        values = np.array(found)
        difference = (values - np.array(rows["even", count]))[:, 0]
        low, high = np.percentile(difference[draws].mean(axis=1), [2.5, 97.5])
        told = "" if how == "even" else f"{difference.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
        print(f"{count:<8}{how:8}{values[:, 0].mean():10.3f}{values[:, 1].mean():14.3f}{told:>36}")
    print(f"{len(places)} videos, {options.tracker}, precision: {options.precision or 'its own'}")


if __name__ == "__main__":
    main()
