"""Fills a store with the proposals of a whole data set, on many cores or machines through joblib."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from ltr.admin.errors import message_for_people
from ltr.admin.jobs import cluster, keep_freed_memory, one_thread, run_in_rounds
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
        backend: see :func:`ltr.admin.jobs.cluster`.
        progress: show a bar with frames, rate and time left on standard error.
    """
    from tqdm import tqdm

    report = BuildReport()
    total = sum(len(dataset.visible_frames(video)) for video in range(len(dataset)))
    with cluster(backend), tqdm(total=total, desc="TOP maps", unit="frame", disable=not progress) as bar:
        tasks = _tasks(_missing(dataset, writer, report, bar))
        for results in run_in_rounds(partial(_propose_frames, dataset), tasks, jobs, TASKS_PER_ROUND):
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
    keep_freed_memory()
    with one_thread():
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
