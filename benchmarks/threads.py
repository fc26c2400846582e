"""How fast tracking and training are, alone and beside a busy program, by how torch's threads wait for one another.

    python benchmarks/threads.py

``loop`` is what OpenMP does by itself: a thread that waits for another one spins for milliseconds. ``sleep`` is what
every command of this project sets (``let_waiting_threads_sleep`` in ``ltr/admin/jobs.py``). Each measurement is a
process of its own on all cores that it may use, with random weights; kinds take turns. The busy program is another
process, which multiplies matrices on one thread. Printed are medians over rounds of the median frame or step, in
milliseconds, and as parts of the first column.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ltr.admin.jobs import let_waiting_threads_sleep  # noqa: E402

BUSY = "import torch; torch.set_num_threads(1); x = torch.ones(512, 512)\nwhile True: x @ x"
LEAST = 5  # frames or steps of a measurement, after two that warm up


def tracked(parameters: str) -> Callable[[], object]:
    """Returns what tracks a frame of an embedded video with a parameter set of SiamFC or with a DiMP-18."""
    from ltr.dataset.synthetic import SyntheticVideo
    from ltr.models.builder import build_network
    from ltr.registry import load_plugins
    from pytracking.registry import PARAMETERS, TRACKERS
    from pytracking.tracker.base import BaseTracker
    from pytracking.tracker.dimp import DiMPParams, DiMPTracker

    load_plugins()
    video = SyntheticVideo(1, 2, (480, 640))
    tracker: BaseTracker
    if parameters == "dimp":
        tracker = DiMPTracker(DiMPParams(network=build_network("dimpnet18"), device="cpu"))
    else:
        tracker = TRACKERS[parameters.partition("/")[0]](PARAMETERS[parameters]())
    tracker.initialize(video.load_frame(0, 0), {"init_bbox": video.get_sequence_info(0)["bbox"][0].numpy()})
    frame = video.load_frame(0, 1)
    return lambda: tracker.track(frame)


def trained() -> Callable[[], object]:
    """Returns what takes a step of the network of `socl socl_res18`, forwards and backwards, on 12 pairs."""
    from benchmarks.socl_step import Step

    return Step(pairs=12, size=192, device="cpu", amp=False).without_loss


WORKS: dict[str, Callable[[], Callable[[], object]]] = {
    "SiamFC, ResNet-18, a frame": lambda: tracked("siamfc/untrained_res18"),
    "DiMP-18, a frame": lambda: tracked("dimp"),
    "training, a step of 12 pairs": trained,
}


def measure(name: str, seconds: float) -> float:
    """Returns the median time of a work in milliseconds, in this process."""
    work = WORKS[name]()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < LEAST + 2 or time.perf_counter() < end:
        started = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - started))
    return statistics.median(times[2:])


def in_process(name: str, seconds: float, sleep: bool) -> float:
    """Returns the same, measured in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if key not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, str(Path(__file__)), "--one", name, "--seconds", str(seconds)]
    command += ["--sleep"] if sleep else []
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


@contextlib.contextmanager
def busy_program(wanted: bool) -> Iterator[None]:
    """Runs the busy program meanwhile."""
    process = subprocess.Popen([sys.executable, "-c", BUSY]) if wanted else None
    try:
        yield
    finally:
        if process:
            process.kill()
            process.wait()


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--one", choices=WORKS, help="print one measurement, in this process")
    parser.add_argument("--sleep", action="store_true", help="of that measurement's threads")
    options = parser.parse_args()
    if options.one:
        if options.sleep:
            let_waiting_threads_sleep()
        print(measure(options.one, options.seconds))
        return
    kinds = [(sleep, busy) for busy in (False, True) for sleep in (False, True)]
    heads = [f"{'sleep' if sleep else 'loop'}, {'busy' if busy else 'alone'}" for sleep, busy in kinds]
    print(f"{'ms':30}" + "".join(f"{head:>22}" for head in heads))
    for name in WORKS:
        found: list[list[float]] = [[] for _ in kinds]
        for _ in range(options.rounds):
            for times, (sleep, busy) in zip(found, kinds):
                with busy_program(busy):
                    times.append(in_process(name, options.seconds, sleep))
        medians = [statistics.median(times) for times in found]
        cells = [f"{value:.1f} ({value / medians[0]:.2f})" for value in medians]
        print(f"{name:30}" + "".join(f"{cell:>22}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
