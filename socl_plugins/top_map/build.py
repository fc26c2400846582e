"""Fills a store with the proposals of a whole data set, on many cores or machines through joblib."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ltr.admin.errors import message_for_people
from socl_plugins.top_map.annotated import ObjectnessAnnotated
from socl_plugins.top_map.store import ProposalWriter, pack

FRAMES_PER_TASK = 4
TASKS_PER_ROUND = 64  # for each worker; after a round, which ends when its last task does, the results are written

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
        backend: joblib's: ``loky`` on this machine; ``ray`` or ``dask`` on the cluster that is connected, or that
            RAY_ADDRESS or DASK_SCHEDULER_ADDRESS names.
        progress: show a bar with frames, rate and time left on standard error.
    """
    from joblib import Parallel, delayed, effective_n_jobs, parallel_config
    from tqdm import tqdm

    report = BuildReport()
    total = sum(len(dataset.visible_frames(video)) for video in range(len(dataset)))
    with (
        _connect(backend),
        parallel_config(backend=backend or "loky"),  # named to Parallel itself, joblib's Dask fails
        tqdm(total=total, desc="TOP maps", unit="frame", disable=not progress) as bar,
        Parallel(n_jobs=jobs) as parallel,
    ):
        workers = effective_n_jobs(jobs)  # on a cluster, its cores count
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
    results: list[tuple[str, bytes | None, str]] = []
    with _one_thread():  # the workers share the cores already
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


def _connect(backend: str | None) -> contextlib.AbstractContextManager[Any]:
    """Returns what joblib needs of a cluster: that which its own variable names, or else one on this machine."""
    if backend == "ray":
        try:
            from ray.util.joblib import register_ray
        except ImportError as error:
            raise ValueError("--backend ray needs Ray, which is not installed here: pip install ray") from error
        register_ray()  # joblib then connects to RAY_ADDRESS
    if backend == "dask":
        try:
            from dask.distributed import Client, get_client
        except ImportError as error:
            message = "--backend dask needs Dask, which is not installed here: pip install dask distributed"
            raise ValueError(message) from error
        try:
            get_client()  # the caller's
        except ValueError:
            return Client()  # of DASK_SCHEDULER_ADDRESS
    return contextlib.nullcontext()


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    import cv2
    import torch

    threads = cv2.getNumThreads(), torch.get_num_threads()
    # Not 1: OpenCV would wait for ever for its pool of threads in a process that was forked from one that used it.
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads[0])
        torch.set_num_threads(threads[1])
