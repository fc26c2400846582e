"""Fills a store with the proposals of a whole data set, on many cores or machines through joblib."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ltr.admin.errors import message_for_people
from socl_plugins.top_map.annotated import ObjectnessAnnotated
from socl_plugins.top_map.store import ProposalWriter, pack

FRAMES_PER_TASK = 8
TASKS_PER_ROUND = 16  # for each worker; after a round the results are written

Frame = tuple[int, int]  # numbers of a video and of a frame in it


@dataclass
class BuildReport:
    """What a build did: frames computed now, frames that were stored before, and why others could not be read."""

    computed: int = 0
    present: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def build_store(
    dataset: ObjectnessAnnotated,
    writer: ProposalWriter,
    jobs: int = -1,
    backend: str | None = None,
    progress: bool = True,
) -> BuildReport:
    """Computes and stores what the store lacks of a data set's proposals.

    Whatever was written stays when it is stopped at any time, and the same call goes on from there. A frame that
    cannot be read is reported and left out; a later call tries it again.

    Args:
        dataset: clicks and frames; without a store of its own.
        writer: of the store.
        jobs: worker processes; -1: one for each core.
        backend: joblib's: ``loky`` on this machine, ``ray`` or ``dask`` on a cluster that is connected already.
        progress: show a bar with frames, rate and time left on standard error.
    """
    from joblib import Parallel, delayed, effective_n_jobs, parallel_config
    from tqdm import tqdm

    report = BuildReport()
    if backend == "ray":
        _register_ray()
    total = sum(len(dataset.visible_frames(video)) for video in range(len(dataset)))
    with parallel_config(backend=backend or "loky"):  # on a cluster, its cores count
        workers = effective_n_jobs(jobs)
    with (
        tqdm(total=total, desc="TOP maps", unit="frame", disable=not progress) as bar,
        Parallel(n_jobs=jobs, backend=backend) as parallel,
    ):
        tasks = _tasks(_missing(dataset, writer, report, bar))
        while batch := list(islice(tasks, TASKS_PER_ROUND * workers)):
            results = parallel(delayed(_propose_frames)(dataset, frames) for frames in batch)
            done = [record for result in results for record in result]
            writer.add({name: content for name, content, error in done if content is not None})
            for name, content, error in done:
                if content is None:
                    report.failures[name] = error
                    bar.write(f"left out: {error}", file=sys.stderr)
                else:
                    report.computed += 1
            bar.update(len(done))
    return report


def _missing(dataset: ObjectnessAnnotated, writer: ProposalWriter, report: BuildReport, bar: Any) -> Iterator[Frame]:
    for video in range(len(dataset)):
        frames = dataset.visible_frames(video)
        missing = writer.missing(dataset.frame_name(video, frame) for frame in frames)
        report.present += len(frames) - sum(missing)
        bar.update(len(frames) - sum(missing))
        yield from ((video, frame) for frame, absent in zip(frames, missing) if absent)


def _tasks(frames: Iterator[Frame]) -> Iterator[list[Frame]]:
    while task := list(islice(frames, FRAMES_PER_TASK)):
        yield task


def _propose_frames(dataset: ObjectnessAnnotated, frames: list[Frame]) -> list[tuple[str, bytes | None, str]]:
    """Returns for each frame its name, and its packed proposals or what was wrong with it."""
    import cv2
    import torch

    # One thread a worker: the workers share the cores already.
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    results: list[tuple[str, bytes | None, str]] = []
    for video, frame in frames:
        name = dataset.frame_name(video, frame)
        try:
            results.append((name, pack(*dataset.propose_frame(video, frame)), ""))
        except Exception as error:
            message = message_for_people(error)
            if message is None:  # a defect of the program, not of a file
                raise
            results.append((name, None, message))
    return results


def _register_ray() -> None:
    try:
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise ValueError("--backend ray needs Ray, which is not installed here: pip install ray") from error
    register_ray()
