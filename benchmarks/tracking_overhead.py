"""Time that everything but the tracker takes: ``python benchmarks/tracking_overhead.py --help``.

A tracker that does nothing is run over a sequence of JPEG files, from the named tracker to the saved result, as
run_tracker.py does it. The time that decoding takes is measured apart, on the same files, and taken off: it is the
price of the format, whatever program reads it. What is left is the overhead of a frame.

The second part takes the search region of a 1080p frame as the trackers here do, cut out first and only then turned
into floats, and in the other order.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

from ltr.admin.files import write_bytes_atomically  # noqa: E402
from ltr.admin.path_variables import using_paths  # noqa: E402
from ltr.data.crops import crop_square  # noqa: E402
from ltr.data.image_loader import load_image  # noqa: E402
from ltr.dataset.text import read_lines  # noqa: E402
from pytracking.evaluation import Sequence, Tracker, run_dataset  # noqa: E402
from pytracking.parameter.params import TrackerParams  # noqa: E402
from pytracking.registry import PARAMETERS, TRACKERS  # noqa: E402
from pytracking.tracker.base import BaseTracker  # noqa: E402

LIMIT = 3.0  # milliseconds a frame
SIDE, OUTPUT = 400.0, 288  # of the search region: pixels of the frame, pixels of the crop


@TRACKERS.register("nothing")
class Nothing(BaseTracker):
    """Returns the first box for ever."""

    def initialize(self, image: np.ndarray, info: Mapping[str, Any]) -> dict[str, Any]:
        """Keeps the box."""
        self.output = {"target_bbox": info["init_bbox"], "score": 1.0}
        return self.output

    def track(self, image: np.ndarray, info: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Returns the box."""
        return self.output


PARAMETERS.register("nothing/plain")(TrackerParams)


def noise(height: int, width: int) -> np.ndarray:
    """Returns a frame whose JPEG is as large as a photograph's."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def timed(work: Callable[[], Any], repeats: int) -> float:
    """Returns the median time in milliseconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return float(np.median(times))


def overhead(frames: int, repeats: int) -> dict[str, float]:
    """Returns milliseconds a frame of the whole run, of decoding, of the tracker, and of the rest."""
    encoded = cv2.imencode(".jpg", noise(480, 640))[1].tobytes()
    rows = []
    with tempfile.TemporaryDirectory() as folder, using_paths({"results_dir": folder}):
        files = [Path(folder) / f"{index:04d}.jpg" for index in range(frames)]
        for file in files:
            file.write_bytes(encoded)
        sequence = Sequence("frames", files, "benchmark", np.tile([100.0, 100, 50, 50], (frames, 1)))
        tracker = Tracker("nothing", "plain")
        for _ in range(repeats):  # interleaved, so that a busy machine disturbs both alike
            start = time.perf_counter()
            for file in files:
                load_image(file)
            decoded = time.perf_counter()
            report = run_dataset([sequence], [tracker], overwrite=True, say=lambda line: None)
            whole = time.perf_counter() - decoded
            if report.failures:
                raise RuntimeError(report.failures[0].error)
            inside = sum(map(float, read_lines(tracker.results_dir / "time" / "frames.txt")))
            rows.append([whole, decoded - start, inside, whole - (decoded - start) - inside])
    names = ("whole run", "decoding JPEG", "the tracker", "overhead")
    return dict(zip(names, (1e3 / frames * np.median(rows, axis=0)).tolist()))


def crops(repeats: int) -> dict[str, float]:
    """Returns milliseconds of taking a search region out of a 1080p frame as a float tensor, in both orders."""
    image = noise(1080, 1920)
    center = (960.0, 540.0)

    def crop_first() -> torch.Tensor:
        crop = crop_square(image, center, SIDE, OUTPUT)[0]
        return torch.from_numpy(crop).permute(2, 0, 1).float()

    def float_first() -> torch.Tensor:
        frame = torch.from_numpy(image).permute(2, 0, 1).float()
        left, top = (round(value - SIDE / 2) for value in center)
        region = frame[None, :, top : top + int(SIDE), left : left + int(SIDE)]
        return torch.nn.functional.interpolate(region, (OUTPUT, OUTPUT), mode="bilinear")[0]

    difference = float((crop_first() - float_first()).abs().max())
    assert difference <= 1, f"the two orders give different crops: {difference} grey levels"
    return {"crop, then float": timed(crop_first, repeats), "float, then crop": timed(float_first, repeats)}


def main() -> int:
    """Runs the command line; the exit status is 1 if the overhead is not below the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=300, help="of the sequence, 640 x 480 each (default: 300)")
    parser.add_argument("--repeats", type=int, default=7, help="the median of so many runs counts (default: 7)")
    parser.add_argument("--out", type=Path, help="write the numbers to this JSON file, too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    run = overhead(options.frames, options.repeats)
    print(f"milliseconds a frame at 640 x 480, one thread, median of {options.repeats} runs of {options.frames} frames")
    for name, value in run.items():
        print(f"  {name:20}{value:8.3f}")
    print(f"the overhead must be below {LIMIT:g} ms: {'it is' if run['overhead'] < LIMIT else 'IT IS NOT'}")
    crop = crops(10 * options.repeats)
    print(
        f"\nmilliseconds for a search region of {SIDE:g} pixels of a 1080p frame as a {OUTPUT} x {OUTPUT} float tensor"
    )
    for name, value in crop.items():
        print(f"  {name:20}{value:8.3f}")
    print(f"cutting out first is {crop['float, then crop'] / crop['crop, then float']:.0f} times faster")
    if options.out:
        content = {"overhead_ms": run, "limit_ms": LIMIT, "crop_ms": crop}
        write_bytes_atomically(options.out, (json.dumps(content, indent=1) + "\n").encode())
    return 0 if run["overhead"] < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
