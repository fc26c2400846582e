"""Time of a TOP map by stage, fast against plain, in one run: ``python benchmarks/top_map.py --help``.

Frames are those of the OTB sequences that are configured, or of the embedded videos, resized to 512 x 512, the frame
size of the paper's 0.4 seconds. One thread; everything from the decoded frame and the click to the rendered map counts.

The plain stages take windows one by one, so they are timed on a part of the windows and the time is scaled up.

``--against CHECKOUT`` times whole maps of the version in another checkout, too, frame by frame in turns.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

import ltr  # noqa: E402
from ltr.admin.environment import load_environment  # noqa: E402
from ltr.data.loader import LTRLoader  # noqa: E402
from ltr.data.sampler import TrackingSampler  # noqa: E402
from ltr.dataset import Got10k, SyntheticVideo  # noqa: E402
from ltr.dataset.annotation_wrapper import AnnotationWrapper  # noqa: E402
from ltr.models.tracking import FeatureGrid  # noqa: E402
from ltr.registry import load_plugins  # noqa: E402
from pytracking.evaluation import get_dataset  # noqa: E402
from pytracking.metrics import iou  # noqa: E402
from socl_plugins.clicks import PointAnnotated  # noqa: E402
from socl_plugins.soft_contrastive import processing as soft_contrastive_processing  # noqa: E402
from socl_plugins.soft_contrastive.processing import SoftContrastiveProcessing  # noqa: E402
from socl_plugins.top_map import ObjectnessAnnotated, Proposals, ProposalSettings, propose_target  # noqa: E402
from socl_plugins.top_map.build import store_proposals  # noqa: E402
from socl_plugins.top_map.cues import color_contrast, edge_density, multi_scale_saliency, window_cues  # noqa: E402
from socl_plugins.top_map.edge_boxes import edge_boxes, group_edges, near_windows  # noqa: E402
from socl_plugins.top_map.edges import find_edges  # noqa: E402
from socl_plugins.top_map.map import render, render_maps, score_map  # noqa: E402
from socl_plugins.top_map.objectness import load_likelihoods  # noqa: E402
from socl_plugins.top_map.proposals import non_maximum_suppression, random_proposals  # noqa: E402
from socl_plugins.top_map.store import ProposalReader, proposal_writer  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.oracles import top_map as reference  # noqa: E402

SIDE, MAP = 512, (64, 64)
CELL = SIDE / MAP[0]
PLAIN_WINDOWS = 40
OPENCV = "OpenCV's EdgeBoxes"


class Clock:
    """Times of stages in milliseconds of processor time, so that other programs on the machine do not count."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)

    def __call__(self, stage: str, work: Callable[[], Any], scale: float = 1.0) -> Any:
        start = time.process_time()
        result = work()
        self.times[stage].append(1e3 * scale * (time.process_time() - start))
        return result

    def median(self, stage: str) -> float:
        return float(np.median(self.times[stage]))


def frames(each: int) -> Iterator[tuple[np.ndarray, tuple[float, float], np.ndarray]]:
    """Yields frames of 512 x 512, clicks on the target's centre, and its box."""
    benchmark = "otb" if load_environment().otb_dir else "synthetic"
    for sequence in get_dataset(benchmark):
        for index in np.linspace(0, len(sequence) - 1, each + 2).astype(int)[1:-1].tolist():
            image = sequence.frame(index)
            scale = np.array([SIDE / image.shape[1], SIDE / image.shape[0]] * 2)
            box = np.asarray(sequence.ground_truth_rect[index], np.float64) * scale
            x, y = np.clip(box[:2] + box[2:] / 2, 0, SIDE).tolist()
            yield cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA), (x, y), box


def time_fast(clock: Clock, image: np.ndarray, point: tuple[float, float]) -> None:
    """Times the whole, then its stages apart."""
    clock("whole", lambda: render(propose_target(image, point), MAP, CELL))
    random = clock("random proposals", lambda: random_proposals(point, (SIDE, SIDE), 5000, np.random.default_rng(0)))
    edges = clock("edges", lambda: find_edges(image))
    near = clock("EdgeBoxes", lambda: edge_boxes(edges, point, centered=False))
    boxes = np.concatenate([random, near])
    clock("saliency", lambda: multi_scale_saliency(image, boxes))
    clock("colour contrast", lambda: color_contrast(image, boxes))
    clock("edge density", lambda: edge_density(edges, boxes))
    cues = window_cues(image, edges, boxes)
    scores = clock("objectness", lambda: load_likelihoods().objectness(cues))
    kept = clock("suppression", lambda: non_maximum_suppression(boxes, scores, 0.7, 64))
    found = Proposals(boxes[kept].astype(np.float32), scores[kept].astype(np.float32))
    clock("rendering", lambda: render(found, MAP, CELL))


def time_plain(clock: Clock, image: np.ndarray, point: tuple[float, float]) -> None:
    """Times the plain stages on a part of the windows."""
    edges = find_edges(image)
    random = random_proposals(point, (SIDE, SIDE), 5000, np.random.default_rng(0))
    near = edge_boxes(edges, point, centered=False)
    boxes = np.concatenate([random, near])
    part = boxes[:: len(boxes) // PLAIN_WINDOWS]
    scale = len(boxes) / len(part)
    groups = clock("plain EdgeBoxes", lambda: list(reference.edge_groups(edges)))
    windows, _ = near_windows(group_edges(edges), point, edges.shape, 30)
    some = windows[:: len(windows) // PLAIN_WINDOWS]
    start = time.process_time()
    for window in some:
        reference.window_score(groups, window)
    clock.times["plain EdgeBoxes"][-1] += 1e3 * (time.process_time() - start) * len(windows) / len(some)
    cues = clock("plain cues", lambda: reference.window_cues(image, edges, part), scale)
    scores = load_likelihoods().objectness(window_cues(image, edges, boxes))
    kept = clock("plain suppression", lambda: reference.non_maximum_suppression(boxes, scores, 0.7, 64))
    found = Proposals(boxes[kept].astype(np.float32), scores[kept].astype(np.float32))
    clock("plain rendering", lambda: reference.score_map(found, (SIDE, SIDE)))
    difference = np.abs(cues.columns() - window_cues(image, edges, part).columns()).max()
    clock.times["cue difference"].append(float(difference))


def compare_opencv(clock: Clock, image: np.ndarray, point: tuple[float, float], box: np.ndarray) -> None:
    """Times OpenCV's EdgeBoxes of the whole frame, and compares the maps and the recall that come of them."""
    edges = find_edges(image)
    near = clock(OPENCV, lambda: reference.opencv_edge_boxes(edges, point))
    random = random_proposals(point, (SIDE, SIDE), 5000, np.random.default_rng(0))
    boxes = np.concatenate([random, near])
    scores = load_likelihoods().objectness(window_cues(image, edges, boxes))
    kept = non_maximum_suppression(boxes, scores, 0.7, 64)
    other = Proposals(boxes[kept].astype(np.float32), scores[kept].astype(np.float32))
    own = propose_target(image, point)
    maps = [score_map(found, MAP, CELL).ravel() for found in (own, other)]
    clock.times["correlation"].append(float(np.corrcoef(maps)[0, 1]))
    for name, found in (("own recall", own), ("OpenCV recall", other)):
        clock.times[name].append(float(iou(box, found.boxes.astype(np.float64)).max() >= 0.5))


ANSWER = """
import sys, time
import cv2, numpy, torch
from socl_plugins.top_map import propose_target
from socl_plugins.top_map.map import render
cv2.setNumThreads(1)
torch.set_num_threads(1)
shown = numpy.load(sys.argv[1])
for line in sys.stdin:
    image, point = shown["images"][int(line)], tuple(shown["points"][int(line)].tolist())
    start = time.process_time()
    render(propose_target(image, point), (64, 64), 8.0)
    print(time.process_time() - start, flush=True)
"""


def compare_versions(shown: list[tuple[np.ndarray, tuple[float, float], np.ndarray]], other: Path) -> None:
    """Prints the processor time of a map of this version and of the one in another checkout, in turns."""
    here = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frames.npz"
        np.savez(file, images=np.stack([image for image, _, _ in shown]), points=[point for _, point, _ in shown])
        workers = []
        for place in (here, other.resolve()):
            environment = {**os.environ, "PYTHONPATH": str(place)}
            command = [sys.executable, "-c", ANSWER, str(file)]
            pipe = subprocess.PIPE
            workers.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=place))
        times = []
        for number in (0, *range(len(shown)), *range(len(shown))):  # the first loads what is loaded once
            answers = []
            for worker in workers:
                assert worker.stdin is not None and worker.stdout is not None
                print(number, file=worker.stdin, flush=True)
                answers.append(1e3 * float(worker.stdout.readline()))
            times.append(answers)
        for worker in workers:
            worker.communicate()
    here_ms, other_ms = np.array(times[1:]).T
    ratios = np.median(here_ms / other_ms), here_ms.sum() / other_ms.sum()
    print(f"this version {np.median(here_ms):.2f} ms of processor time a map, the other {np.median(other_ms):.2f}:")
    print(f"  {ratios[0]:.2f} times as long in the median of {len(here_ms)} pairs, {ratios[1]:.2f} in all")


class OneBox(AnnotationWrapper):
    """Clicks with one box for each, in memory, as large as the mean stored proposal: the crops are the same, and no
    proposals are read.
    """

    def __init__(self, dataset: PointAnnotated, store: ProposalReader) -> None:
        super().__init__(dataset)
        self.boxes = {}
        for video in range(len(dataset)):
            for frame in torch.nonzero(dataset.get_sequence_info(video)["visible"]).flatten().tolist():
                x, y = dataset.get_frames(video, [frame])[1]["point"][0].tolist()
                found = store.get(dataset.frame_name(video, frame), (x, y))
                assert found is not None
                self.boxes[video, frame] = Proposals(found.mean_box()[None].astype(np.float32), np.ones(1, np.float32))

    def get_frames(self, seq_id: int, frame_ids: Any, anno: Any = None) -> Any:
        frames, annotation, meta = self.dataset.get_frames(seq_id, frame_ids, anno)
        return frames, {**annotation, "proposals": [self.boxes[seq_id, frame] for frame in frame_ids]}, meta


def training_clicks(folder: Path, videos: int = 12, length: int = 40) -> PointAnnotated:
    """Returns clicks on the first frames of some training videos, written to a folder as JPEG files of 512 x 512.

    GOT-10k's where they are configured, else embedded ones.
    """
    source = load_environment().got10k_dir
    dataset = SyntheticVideo(videos, num_frames=length, seed=1) if source is None else Got10k(source, "train")
    names = []
    for video in range(min(videos, len(dataset))):
        names.append(f"{video:06d}")
        place = folder / "train" / names[-1]
        place.mkdir(parents=True)
        boxes = dataset.get_sequence_info(video)["bbox"][:length].numpy()
        for frame in range(len(boxes)):
            image = dataset.load_frame(video, frame)
            boxes[frame] *= [SIDE / image.shape[1], SIDE / image.shape[0]] * 2
            large = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(place / f"{frame + 1:08d}.jpg"), cv2.cvtColor(large, cv2.COLOR_RGB2BGR))
        np.savetxt(place / "groundtruth.txt", boxes, delimiter=",")
    (folder / "train" / "list.txt").write_text("\n".join(names) + "\n")
    return PointAnnotated(Got10k(folder, "train"))


def build_rates(clicks: PointAnnotated, folder: Path) -> Path:
    """Prints frames a second of a build with one worker and with two, and returns the store."""
    settings = ProposalSettings()
    rates: dict[int, list[float]] = {1: [], 2: []}
    for number, jobs in enumerate((2, *(1, 2) * 3)):  # the first starts the workers, and is not counted
        path = folder / f"{number}.sqlite"
        with proposal_writer(path, clicks.name, settings) as writer:
            start = time.perf_counter()
            report = store_proposals(ObjectnessAnnotated(clicks, settings), writer, jobs, progress=False)
            if number > 0:
                rates[jobs].append(report.made / (time.perf_counter() - start))
    one, two = (float(np.median(rates[jobs])) for jobs in (1, 2))
    print(f"build: {one:.1f} frames/s with one worker, {two:.1f} with two: {two / one:.2f} times")
    print(f"store: {path.stat().st_size / report.made:.0f} bytes a frame")
    return path


def loader_rates(clicks: PointAnnotated, store: Path, samples: int) -> None:
    """Prints pairs a second of the recipe's loader without maps, but the same crops, and with stored ones."""
    reader = ProposalReader(store)
    sources = {
        "without": (OneBox(clicks, reader), lambda seen, shape, *rest: np.zeros((len(seen), *shape), np.float32)),
        "with": (ObjectnessAnnotated(clicks, ProposalSettings(), reader), render_maps),
    }
    recipe = ltr.recipe("socl/socl_res18").scheduled("short")
    seen = recipe.processing.options
    grid = FeatureGrid(18, 8, 24)  # as three cells of border leave
    processing = SoftContrastiveProcessing(seen["crop"], grid, seen["augmentation"])
    rates: dict[str, list[float]] = {name: [] for name in sources}
    for _ in range(5):
        for name, (dataset, drawn) in sources.items():
            with patch.object(soft_contrastive_processing, "render_maps", drawn):
                sampler = TrackingSampler([dataset], None, samples, processing=processing, **recipe.sampler.options)
                loader = LTRLoader("train", sampler, batch_size=12)
                start = time.perf_counter()
                count = 12 * sum(1 for _ in loader)
                rates[name].append(count / (time.perf_counter() - start))
    without, stored = (float(np.median(rates[name])) for name in ("without", "with"))
    print(f"loader: {without:.0f} pairs/s without maps, {stored:.0f} with stored ones: {stored / without:.2f} times")


def main() -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=4, help="frames of each sequence (default: 4)")
    parser.add_argument("--plain", type=int, default=3, help="frames on which the plain stages are timed (default: 3)")
    parser.add_argument("--store", action="store_true", help="also time building a store, and a loader that reads it")
    parser.add_argument("--samples", type=int, default=240, help="pairs that the loader draws each time (default: 240)")
    parser.add_argument("--against", type=Path, help="a checkout of another version: only compare the two")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    load_plugins()
    clock = Clock()
    shown = list(frames(options.frames))
    if options.against is not None:
        compare_versions(shown, options.against)
        return 0
    propose_target(*shown[0][:2])  # what is loaded once is not a stage
    for image, point, _ in shown:
        time_fast(clock, image, point)
    for image, point, box in shown:
        compare_opencv(clock, image, point, box)
    for image, point, _ in shown[:: max(len(shown) // max(options.plain, 1), 1)][: options.plain]:
        time_plain(clock, image, point)
    print(f"{len(shown)} frames of {SIDE} x {SIDE}, one thread; median milliseconds of processor time")
    fast = [name for name in clock.times if name != "whole" and not name.startswith(("plain", "OpenCV"))]
    for name in fast[: fast.index("rendering") + 1]:
        print(f"  {name:20}{clock.median(name):9.2f}")
    print(f"  {'whole':20}{clock.median('whole'):9.2f}   (slowest {max(clock.times['whole']):.2f})")
    for name in (name for name in clock.times if name.startswith("plain")):
        print(f"  {name:20}{clock.median(name):9.0f}")
    if options.plain:
        print(f"  largest difference of a cue from the plain version: {max(clock.times['cue difference']):.1e}")
    means = {name: float(np.mean(clock.times[name])) for name in ("correlation", "own recall", "OpenCV recall")}
    print(f"  OpenCV's EdgeBoxes  {clock.median(OPENCV):9.0f}   with them instead: score map correlates by")
    print(f"    {means['correlation']:.3f}, recall {means['OpenCV recall']:.3f} instead of {means['own recall']:.3f}")
    if options.store:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            clicks = training_clicks(folder)
            loader_rates(clicks, build_rates(clicks, folder), options.samples)
    return 0


if __name__ == "__main__":
    sys.exit(main())
