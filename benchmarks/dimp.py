"""How fast DiMP tracks, against a plain version with the same results: ``python benchmarks/dimp.py --help``.

Both trackers follow one embedded video in turns, frame by frame, with random weights, which take as long as trained
ones. Every frame is learned from; the target is always found and has no distractor, so that the classifier is updated
every 20th frame, from up to 50 samples. On a machine that does other things, too, look at the ratios and at the
processor time: all that is timed in turns is slowed down alike. On a GPU, TF32 is off unless asked for: random weights
make small differences grow.

Frames are timed whole: the GPU is waited for once, at their end. The backbone alone takes the crop of the first frame,
in turns with them: ``plain`` is the network as it was built, called as one calls a network, ``folded`` the tracker's
own, whose batch norms are in its convolutions, and ``recorded``, on a GPU, the latter as a CUDA graph, which is how the
tracker calls it. ``coarse`` is the fast tracker in the ``--precision`` that is asked for. What the stages of a frame
take comes from a second pass, since each of them is waited for there. Each pass ends after its part of ``--seconds``,
whatever the number of frames.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ltr.dataset.synthetic import SyntheticVideo
from ltr.engine.random_state import seed_everything
from ltr.models.builder import build_network
from pytracking.tracker.dimp import DiMPParams, DiMPTracker

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.oracles.dimp import PlainDiMPTracker  # noqa: E402

WARM_UP = 2
WATCHED = 0.25  # of the seconds: the pass that times the stages


class Clock:
    """Collects what calls take by name, in milliseconds: ``wall`` time, and ``cpu`` time of all threads.

    Args:
        device: that is waited for before and after a call.
        what: runs there, said in each line.
    """

    def __init__(self, device: torch.device, what: str) -> None:
        self.device = device
        self.what = what
        self.wall: dict[str, list[float]] = {}
        self.cpu: dict[str, list[float]] = {}

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Returns a function that calls ``call`` and takes its time."""

        @wraps(call)
        def measured(*arguments: Any, **named: Any) -> Any:
            self._wait()
            wall, cpu = time.perf_counter(), time.process_time()
            result = call(*arguments, **named)
            self._wait()
            self.wall.setdefault(name, []).append(1e3 * (time.perf_counter() - wall))
            self.cpu.setdefault(name, []).append(1e3 * (time.process_time() - cpu))
            return result

        return measured

    def row(self, name: str) -> str:
        """Returns mean, median and minimum of the wall time, and mean and minimum of the processor time."""
        wall, cpu = self.wall[name], self.cpu[name]
        values = (statistics.fmean(wall), statistics.median(wall), min(wall), statistics.fmean(cpu), min(cpu))
        return f"{name:26}" + "".join(f"{value:9.1f}" for value in values) + f"  {self.what}"

    def over(self, name: str, other: str) -> str:
        """Returns how many times as long one takes as another, by medians of wall and processor time."""
        wall, cpu = (statistics.median(t[name]) / statistics.median(t[other]) for t in (self.wall, self.cpu))
        return f"{name} over {other}: {wall:.2f} x (processor time: {cpu:.2f} x)  {self.what}"

    def forget(self) -> None:
        """Drops what was collected."""
        self.wall.clear()
        self.cpu.clear()

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def watch_stages(tracker: DiMPTracker, clock: Clock) -> list[str]:
    """Makes the parts of a tracker's frame report to a clock, and returns their names."""
    stages = {
        "crop": (tracker, "_patch"),
        "backbone": (tracker, "_backbone"),
        "classification features": (tracker, "_extract"),
        "scores": (tracker, "_classify"),
        "box refinement": (tracker, "_refine"),
        "learning": (tracker, "_learn"),
    }
    for name, (owner, method) in stages.items():
        setattr(owner, method, clock.timed(name, getattr(owner, method)))
    return list(stages)


def backbone_calls(fast: DiMPTracker, plain: DiMPTracker, frame: np.ndarray) -> dict[str, Callable[[], object]]:
    """Returns, by name, calls of the backbone alone on the crop around the target, for trackers that know one."""
    params = fast.params
    images = fast._images(fast._patch(frame, params.image_sample_size, params.border_mode).pixels[None])
    calls = {"plain": plain.network.extract_backbone, "folded": fast.network.extract_backbone}
    if images.is_cuda:
        calls["recorded"] = fast._backbone
    return {f"backbone alone, {name}": without_gradients(call, images) for name, call in calls.items()}


def without_gradients(call: Callable[[torch.Tensor], object], images: torch.Tensor) -> Callable[[], object]:
    """Returns a function that calls ``call`` as a tracker does."""

    @torch.no_grad()
    def called() -> object:
        return call(images)

    return called


def frames_until(end: float, video: SyntheticVideo, most: int, clock: Clock) -> Iterator[np.ndarray]:
    """Yields the frames after the first, and lets the clock forget those that warm up; at least one is kept."""
    for number in range(most):
        if number > WARM_UP and time.perf_counter() >= end:
            return
        if number <= WARM_UP:
            clock.forget()
        yield video.load_frame(0, number + 1)


def main() -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="dimpnet18", choices=("dimpnet18", "dimpnet50"))
    parser.add_argument("--frames", type=int, default=42, help="frames to track at most (default: 42)")
    parser.add_argument("--seconds", type=float, default=80, help="stop after so many seconds (default: 80)")
    parser.add_argument("--size", type=int, nargs=2, default=(480, 640), metavar=("H", "W"))
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (default: 2)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tf32", action="store_true", help="on a GPU, calculate as coarsely as torch does by itself")
    parser.add_argument("--precision", default="bfloat16", help="of a third tracker in turns (default: bfloat16)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    seed_everything(options.seed)
    device = torch.device(options.device)
    if not options.tf32:
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    params = DiMPParams(
        network=build_network(options.network).to(device),
        device=options.device,
        target_not_found_threshold=-1e9,
        distractor_threshold=1e9,
        hard_negative_threshold=1e9,
    )
    video = SyntheticVideo(1, options.frames + 1, tuple(options.size), seed=options.seed)
    first, box = video.load_frame(0, 0), video.get_sequence_info(0)["bbox"][0].numpy()
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    clock = Clock(device, f"{options.network}, {where}")
    fast, plain = DiMPTracker(params), PlainDiMPTracker(params)
    coarse = DiMPTracker(replace(params, precision=options.precision))
    trackers: dict[str, DiMPTracker] = {"fast": fast, "plain": plain, "coarse": coarse}
    begin = time.perf_counter()
    for _ in range(2):
        for name, tracker in trackers.items():
            clock.timed(f"initialize, {name}", tracker.initialize)(first, {"init_bbox": box})
    print(f"{clock.what}, {options.size[1]} x {options.size[0]}, {options.threads} threads, ms")
    print(f"{'':26}{'wall':>9}{'median':>9}{'least':>9}{'cpu':>9}{'least':>9}")
    print("\n".join(clock.row(f"initialize, {name}") for name in trackers), flush=True)

    backbones = backbone_calls(fast, plain, first)
    difference, number = 0.0, 0
    for frame in frames_until(begin + (1 - WATCHED) * options.seconds, video, options.frames, clock):
        boxes = [np.array(clock.timed(name, one.track)(frame)["target_bbox"]) for name, one in trackers.items()]
        for name, call in backbones.items():
            clock.timed(name, call)()
        difference = max(difference, float(np.abs(boxes[0] - boxes[1]).max()))
        number += 1
    for name in (*trackers, *backbones):
        print(clock.row(name))

    watch = Clock(device, clock.what)
    stages = watch_stages(fast, watch)
    fast.initialize(first, {"init_bbox": box})
    for frame in frames_until(begin + options.seconds, video, options.frames, watch):
        watch.timed("fast, stages waited for", fast.track)(frame)
    print("a second pass:")
    for name in ("fast, stages waited for", *stages):
        print(watch.row(name))
    print(clock.over("plain", "fast"))
    print(clock.over("fast", "coarse"))
    for name in backbones:
        print(clock.over("fast", name))
    print(f"largest difference of a box's coordinate: {difference:.2e} pixels in {number} frames  {clock.what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
