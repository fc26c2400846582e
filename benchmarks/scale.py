"""What 1.4 million frames cost, from 1,000 to 100,000 of them: ``python benchmarks/scale.py``.

The frames are a folder in GOT-10k's layout in which all images of a video are one small JPEG file under many names, so
that every name and annotation is there and no room is needed; records of TOP maps are drawn at random, so that what is
measured is everything around their computation. From the largest folder follow the lines for GOT-10k and ten times as
many frames, at the prices that are given.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import torch

from ltr.data.loader import LTRLoader
from ltr.data.sampler import TrackingSampler
from ltr.data.tensordict import TensorDict
from ltr.dataset import Got10k
from socl_plugins.clicks import PointAnnotated
from socl_plugins.stores import fill_store
from socl_plugins.top_map import ObjectnessAnnotated, Proposals, ProposalSettings
from socl_plugins.top_map.store import open_reader, pack, proposal_writer, store_name, store_path

FRAMES_PER_VIDEO = 150  # of GOT-10k's 9,335 videos for training
GOT10K_FRAMES = 1_400_000
PAIRS = 9335 * 1000  # of the paper's schedule


@dataclass(frozen=True)
class Row:
    """What was measured of so many frames."""

    frames: int
    store_bytes: int
    records_per_second: float
    again_seconds: float
    open_seconds: float
    visit_seconds: float
    memory_mb: float
    worker_mb: float
    first_batch_seconds: float


def write_videos(folder: Path, frames: int) -> None:
    """Writes a data set in GOT-10k's layout, of one file a video."""
    train = folder / "train"
    names = [f"GOT-10k_Train_{number:06d}" for number in range(1, frames // FRAMES_PER_VIDEO + 2)]
    image = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8))[1].tobytes()
    left = frames
    for name in names[:]:
        count = min(FRAMES_PER_VIDEO, left)
        left -= count
        if count == 0:
            names.remove(name)
            continue
        place = train / name
        place.mkdir(parents=True)
        first = place / "00000001.jpg"
        first.write_bytes(image)
        for number in range(2, count + 1):
            os.link(first, place / f"{number:08d}.jpg")
        (place / "groundtruth.txt").write_text("40.0000,30.0000,50.0000,40.0000\n" * count)
        (place / "absence.label").write_text("0\n" * count)
        (place / "cover.label").write_text("8\n" * count)
    (train / "list.txt").write_text("".join(f"{name}\n" for name in names))


def record(frame: int) -> bytes:
    """Returns a record of 64 proposals."""
    rng = np.random.default_rng(frame)
    boxes = rng.uniform(1, 100, (64, 4)).astype(np.float32)
    return pack(Proposals(boxes, rng.uniform(0, 1, 64).astype(np.float32)), (65.0, 50.0))


def first_of(data: TensorDict, rng: np.random.Generator) -> TensorDict:
    """Returns of a sample what a batch can hold: its first frame, reduced, and the proposals' number."""
    small = torch.from_numpy(data["train_images"][0][::4, ::4].copy())
    return TensorDict(image=small, count=len(data["train_proposals"][0].boxes))


def measure(folder: Path, frames: int) -> Row:
    """Returns what so many frames cost; to be called in a fresh process, whose memory is measured."""
    settings = ProposalSettings()
    before = _memory()
    begun = time.perf_counter()
    dataset = ObjectnessAnnotated(PointAnnotated(Got10k(folder, split="train")), settings)
    opened = time.perf_counter() - begun
    begun = time.perf_counter()
    total = sum(len(dataset.visible_frames(video)) for video in range(len(dataset)))
    visited = time.perf_counter() - begun
    assert total == frames
    name = store_name(dataset)
    path = store_path(folder, name, settings)

    def items() -> Any:
        number = 0
        for video in range(len(dataset)):
            for frame in dataset.visible_frames(video):
                yield dataset.frame_name(video, frame), number
                number += 1

    spent = []
    for _ in range(2):
        with proposal_writer(path, name, settings) as store:
            begun = time.perf_counter()
            options = {"total": total, "what": "", "unit": "", "per_task": 4, "tasks_per_write": 64}
            fill_store(store, items(), record, jobs=1, progress=False, **options)  # type: ignore[arg-type]
            spent.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    dataset.store = open_reader(folder, name, settings)
    opened += time.perf_counter() - begun
    sampler = TrackingSampler([dataset], samples_per_epoch=100_000, processing=first_of)
    for index in range(min(4 * len(dataset), 4000)):
        sampler._draw(0, np.random.default_rng(index))  # until most videos that are kept were seen
    memory = _memory() - before
    loader = LTRLoader("train", sampler, batch_size=16, num_workers=1)
    begun = time.perf_counter()
    batches = iter(loader)
    next(batches)
    first = time.perf_counter() - begun
    own = psutil.Process().children()
    worker = max((child.memory_full_info().uss for child in own), default=0) / 1e6
    batches.close()  # type: ignore[attr-defined]
    return Row(frames, path.stat().st_size, frames / spent[0], spent[1], opened, visited, memory, worker, first)


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--map-ms", type=float, default=19.7, help="a TOP map on one core, see benchmarks/top_map.py")
    parser.add_argument("--pairs", type=float, default=105.0, help="a second and core, see benchmarks/loading.py")
    parser.add_argument("--cores", type=int, default=64, help="of all machines together")
    parser.add_argument("--core-hour", type=float, default=0.04, help="dollars")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(asdict(measure(options.folder, options.one))))
        return
    rows = []
    for frames in options.frames:
        with tempfile.TemporaryDirectory() as place:
            write_videos(Path(place), frames)
            command = [sys.executable, __file__, "--one", str(frames), "--folder", place]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append(Row(**json.loads(done.stdout.splitlines()[-1])))
    _print(rows, options)


def _print(rows: list[Row], options: argparse.Namespace) -> None:
    heads = ("frames", "store", "records/s", "a full store again", "open", "read all annotation", "memory")
    table = [[*heads, "of a worker", "first batch"]]
    for row in rows:
        table.append(
            [
                f"{row.frames:,}",
                f"{row.store_bytes / 1e6:,.1f} MB, {row.store_bytes / row.frames:.0f} B a frame",
                f"{row.records_per_second:,.0f}",
                f"{row.again_seconds:.2f} s",
                f"{1000 * row.open_seconds:.0f} ms",
                f"{row.visit_seconds:.2f} s",
                f"{row.memory_mb:.1f} MB",
                f"{row.worker_mb:.0f} MB",
                f"{row.first_batch_seconds:.2f} s",
            ]
        )
    _print_table(table)
    last = rows[-1]
    table = [["frames", "store", "TOP maps", "writing them", "a full store again", "reading the paper's pairs"]]
    for frames in (GOT10K_FRAMES, 10 * GOT10K_FRAMES):
        share = frames / last.frames
        maps, pairs = frames * options.map_ms / 3.6e6, PAIRS / options.pairs / 3600
        table.append(
            [
                f"{frames:,}",
                f"{last.store_bytes * share / 1e9:.1f} GB",
                _cost(maps, options),
                f"{frames / last.records_per_second / 60:.0f} min of one core",
                f"{last.again_seconds * share / 60:.1f} min",
                _cost(pairs, options),
            ]
        )
    _print_table(table)


def _print_table(table: list[list[str]]) -> None:
    lines = [f"| {' | '.join(cells)} |" for cells in table]
    print("\n".join([lines[0], "|---" * len(table[0]) + "|", *lines[1:]]), end="\n\n")


def _cost(core_hours: float, options: argparse.Namespace) -> str:
    hours, dollars = core_hours / options.cores, core_hours * options.core_hour
    return f"{core_hours:.0f} core hours: {hours:.1f} h on {options.cores} cores, ${dollars:,.2f}"


def _memory() -> float:
    """Returns the process's own memory in MB."""
    return float(psutil.Process().memory_full_info().uss / 1e6)


if __name__ == "__main__":
    main()
