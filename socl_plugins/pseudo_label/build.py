"""Makes the pseudo boxes of a whole data set, video by video, on many cores or machines."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
import torch

from pytracking.evaluation.tracker import Tracker
from pytracking.tracker.base import BaseTracker
from socl_plugins.clicks import SparseBoxAnnotated
from socl_plugins.pseudo_label.fuse import Kind, PseudoBoxes, fuse
from socl_plugins.pseudo_label.settings import PseudoBoxSettings
from socl_plugins.pseudo_label.store import PseudoBoxStore, pack
from socl_plugins.pseudo_label.tracks import SparseLabels, track_snippets
from socl_plugins.stores import BuildReport, fill_store

VIDEOS_PER_WRITE = 4  # for each worker


def store_pseudo_boxes(
    dataset: SparseBoxAnnotated,
    store: PseudoBoxStore,
    settings: PseudoBoxSettings,
    jobs: int = -1,
    backend: str | None = None,
    progress: bool = True,
) -> BuildReport:
    """Makes and stores what the store lacks of a data set's pseudo boxes, see :func:`socl_plugins.stores.fill_store`.

    Args:
        dataset: frames, sparse boxes and clicks.
        store: to fill.
        settings: how boxes are made.
        jobs: worker processes; -1: one for each core.
        backend: see :func:`ltr.admin.workers.open_workers`.
        progress: show a bar with videos, rate and time left on standard error.
    """
    return fill_store(
        store.records,
        ((dataset.sequence_name(video), video) for video in range(len(dataset))),
        partial(_make_video, dataset, settings),
        total=len(dataset),
        what="pseudo boxes",
        unit="video",
        tasks_per_write=VIDEOS_PER_WRITE,
        jobs=jobs,
        backend=backend,
        progress=progress,
    )


def sparse_labels(dataset: SparseBoxAnnotated, seq_id: int) -> SparseLabels:
    """Returns the labelled frames of a video."""
    info = dataset.get_sequence_info(seq_id)
    frames = torch.nonzero(info["valid"]).flatten()
    boxes, points = (info[key][frames].double().numpy() for key in ("bbox", "point"))
    return SparseLabels(frames.numpy(), boxes, points)


def video_pseudo_boxes(
    dataset: SparseBoxAnnotated, seq_id: int, settings: PseudoBoxSettings, tracker: BaseTracker | None
) -> PseudoBoxes:
    """Returns a box for each labelled frame of a video.

    Args:
        dataset: frames, sparse boxes and clicks.
        seq_id: number of the video.
        settings: how boxes are made.
        tracker: that the settings name; none where they need none.

    Raises:
        ValueError: no frame of the video has a box.
    """
    labels = sparse_labels(dataset, seq_id)
    if not labels.has_box.any():
        raise ValueError(f"{dataset.name}, video {dataset.sequence_name(seq_id)}: no frame has a box to start from")
    if settings.source == "top_map":
        return _from_top_maps(dataset, seq_id, labels, settings.alpha)
    tracks = []
    if tracker is not None:
        read = lru_cache(maxsize=64)(partial(dataset.load_frame, seq_id))
        for backwards in (False, True) if settings.source == "both" else (False,):
            tracks.append(track_snippets(tracker, read, labels, settings.failure_px, settings.follow_clicks, backwards))
    return fuse(labels, tracks, settings.fuse)


def _from_top_maps(dataset: SparseBoxAnnotated, seq_id: int, labels: SparseLabels, alpha: float) -> PseudoBoxes:
    from socl_plugins.top_map import ObjectnessAnnotated
    from socl_plugins.top_map.box import top_map_box

    maps = ObjectnessAnnotated(dataset.clicks)
    boxes, kinds = labels.boxes.copy(), np.full(len(labels.frames), Kind.HUMAN, int)
    for index in np.flatnonzero(~labels.has_box):
        frame = int(labels.frames[index])
        proposals, _ = maps.propose_frame(seq_id, frame)
        boxes[index], kinds[index] = top_map_box(proposals, alpha), Kind.TOP_MAP
    return PseudoBoxes(boxes, kinds)


def _make_video(dataset: SparseBoxAnnotated, settings: PseudoBoxSettings, seq_id: int) -> bytes:
    named = settings.named_tracker()
    made = video_pseudo_boxes(dataset, seq_id, settings, _tracker(named) if named else None)
    labels = sparse_labels(dataset, seq_id)
    count = len(dataset.get_sequence_info(seq_id)["valid"])
    boxes, kinds = np.full((count, 4), np.nan), np.full(count, Kind.ABSENT, int)
    boxes[labels.frames], kinds[labels.frames] = made.boxes, made.kinds
    return pack(boxes, kinds, labels)


@lru_cache(maxsize=1)
def _tracker(named: Tracker) -> BaseTracker:
    """Returns the process's own tracker, whose network is loaded once."""
    return named.create()
