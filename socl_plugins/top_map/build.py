"""Fills a store with the proposals of a whole data set."""

from __future__ import annotations

from functools import partial

from socl_plugins.stores import BuildReport, RecordStore, fill_store
from socl_plugins.top_map.annotated import ObjectnessAnnotated
from socl_plugins.top_map.store import pack

FRAMES_PER_TASK = 4
TASKS_PER_WRITE = 64

Frame = tuple[int, int]  # numbers of a video and of a frame in it


def store_proposals(
    dataset: ObjectnessAnnotated, store: RecordStore, jobs: int = -1, backend: str | None = None, progress: bool = True
) -> BuildReport:
    """Computes and stores what the store lacks of a data set's proposals, see :func:`socl_plugins.stores.fill_store`.

    Args:
        dataset: clicks and frames; without a store of its own.
        store: to fill, see :func:`socl_plugins.top_map.store.proposal_writer`.
        jobs: worker processes; -1: one for each core.
        backend: see :func:`ltr.admin.workers.open_workers`.
        progress: show a bar with frames, rate and time left on standard error.
    """
    videos = range(len(dataset))
    return fill_store(
        store,
        (
            (dataset.frame_name(video, frame), (video, frame))
            for video in videos
            for frame in dataset.visible_frames(video)
        ),
        partial(_propose_frame, dataset),
        total=sum(len(dataset.visible_frames(video)) for video in videos),
        what="TOP maps",
        unit="frame",
        per_task=FRAMES_PER_TASK,
        tasks_per_write=TASKS_PER_WRITE,
        jobs=jobs,
        backend=backend,
        progress=progress,
    )


def _propose_frame(dataset: ObjectnessAnnotated, frame: Frame) -> bytes:
    return pack(*dataset.propose_frame(*frame))
