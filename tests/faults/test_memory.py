"""Long videos: the memory of a tracker does not grow."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from ltr.registry import load_plugins
from pytracking.registry import PARAMETERS, TRACKERS
from tests.faults.harness import Counts, Outcome, Started

WHAT = "20,000 frames in flat memory"
WARM = 1 / 10  # the part of the frames after which the memory should be what it is going to be
ALLOWED = 0.02
# Small crops: what is measured is memory, not accuracy.
SMALL = {
    "siamfc/untrained_res18": {"search_size": 135, "exemplar_size": 71, "scale_num": 1, "response_up": 2},
    "eco/hog": {"smallest_side": 60.0, "largest_side": 60.0},
}


def track(arguments: Sequence[str]) -> int:
    """Tracks so many frames of a moving square, and prints the growth of the memory since it was warm."""
    name, frames = arguments[0], int(arguments[1])
    torch.set_num_threads(1)
    load_plugins()
    tracker = TRACKERS[name.partition("/")[0]](dataclasses.replace(PARAMETERS[name](), **SMALL[name]))
    texture = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)

    def frame(number: int) -> np.ndarray:
        image = np.roll(texture, number, axis=1).copy()
        x, y = int(60 + 40 * np.sin(number / 50)), int(40 + 20 * np.cos(number / 70))
        image[y : y + 24, x : x + 24] = (250, number % 200, 30)
        return image

    tracker.initialize(frame(0), {"init_bbox": [60.0, 60.0, 24.0, 24.0]})
    process, warm, most = psutil.Process(), 0, 0
    for number in range(1, frames):
        tracker.track(frame(number), {})
        if number % max(frames // 200, 1) == 0:
            resident = process.memory_info().rss
            if number < frames * WARM:
                warm = max(warm, resident)
            most = max(most, resident)
    print(f"growth {most / warm - 1:.4f}")
    return 0


def measure(frames: int, folder: Path, counts: Counts) -> None:
    started = [Started(track, [name, frames], folder / f"{n}.log") for n, name in enumerate(SMALL)]
    for name, each in zip(SMALL, started):
        outcome: Outcome = each.wait(1500)
        fault = outcome.fault([0])
        if fault is None:
            growth = float(outcome.output.rpartition("growth ")[2])
            fault = f"grows by {growth:.1%}" if growth > ALLOWED else None
        counts.add(WHAT, f"{name}: {fault}" if fault else None)
    counts.check(WHAT)


@pytest.mark.campaign
def test_campaign_of_memory(folder: Path, counts: Counts) -> None:
    measure(20_000, folder, counts)
