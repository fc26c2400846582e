"""Makes the pseudo boxes of a whole data set, video by video, on many cores or machines."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import lru_cache, partial

import numpy as np
import torch

from ltr.admin.errors import message_for_people
from ltr.admin.jobs import cluster, one_thread, run_in_rounds
from ltr.registry import load_plugins
from pytracking.evaluation.tracker import Tracker
from pytracking.tracker.base import BaseTracker
from socl_plugins.clicks import SparseBoxAnnotated
from socl_plugins.pseudo_label.fuse import Kind, PseudoBoxes, fuse
from socl_plugins.pseudo_label.settings import PseudoBoxSettings
from socl_plugins.pseudo_label.store import PseudoBoxStore
from socl_plugins.pseudo_label.tracks import SparseLabels, track_snippets

VIDEOS_PER_ROUND = 4  # for each worker; after a round, which ends when its last video does, the results are written


@dataclass
class BuildReport:
    """What a build did: videos made now, videos that were there before, and why others could not be made."""

    made: int = 0
    present: int = 0
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Made:
    video: int
    labels: SparseLabels | None = None
    boxes: np.ndarray | None = None
    kinds: np.ndarray | None = None
    error: str = ""


def build_store(
    dataset: SparseBoxAnnotated,
    store: PseudoBoxStore,
    settings: PseudoBoxSettings,
    jobs: int = -1,
    backend: str | None = None,
    progress: bool = True,
) -> BuildReport:
    """Makes and stores what the store lacks of a data set's pseudo boxes.

    Each video's file is whole or absent, so the same call goes on where one was stopped. A video that cannot be read is
    reported and left out; a later call tries it again.

    Args:
        dataset: frames, sparse boxes and clicks.
        store: to fill.
        settings: how boxes are made.
        jobs: worker processes; -1: one for each core.
        backend: see :func:`ltr.admin.jobs.cluster`.
        progress: show a bar with videos, rate and time left on standard error.
    """
    from tqdm import tqdm

    report = BuildReport()
    missing = [video for video in range(len(dataset)) if not store.has(dataset.sequence_name(video))]
    report.present = len(dataset) - len(missing)
    plugins = tuple(plugin.name for plugin in load_plugins() if plugin.source == "--plugin" and not plugin.error)
    make = partial(_make_video, dataset, settings, plugins)
    total, present = len(dataset), report.present
    with (
        cluster(backend),
        tqdm(total=total, initial=present, desc="pseudo boxes", unit="video", disable=not progress) as bar,
    ):
        for results in run_in_rounds(make, missing, jobs, VIDEOS_PER_ROUND):
            for made in results:
                name = dataset.sequence_name(made.video)
                if made.labels is None or made.boxes is None or made.kinds is None:
                    report.failures[name] = made.error
                    bar.write(f"left out: {made.error}", file=sys.stderr)
                else:
                    store.write(name, made.boxes, made.kinds, made.labels)
                    report.made += 1
            bar.update(len(results))
    return report


def sparse_labels(dataset: SparseBoxAnnotated, seq_id: int) -> SparseLabels:
    """Returns the labelled frames of a video."""
    info = dataset.get_sequence_info(seq_id)
    frames = torch.nonzero(info["valid"]).flatten()
    boxes, points = (info[key][frames].double().numpy() for key in ("bbox", "point"))
    return SparseLabels(frames.numpy(), boxes, points)


def pseudo_boxes(
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


def _make_video(
    dataset: SparseBoxAnnotated, settings: PseudoBoxSettings, plugins: tuple[str, ...], seq_id: int
) -> _Made:
    load_plugins(plugins)  # a new process knows nothing of --plugin
    named = settings.named_tracker()
    with one_thread():
        try:
            made = pseudo_boxes(dataset, seq_id, settings, _tracker(named) if named else None)
        except Exception as error:
            message = message_for_people(error)
            if message is None:  # a defect of the program, not of a file
                raise
            return _Made(seq_id, error=message)
    labels = sparse_labels(dataset, seq_id)
    count = len(dataset.get_sequence_info(seq_id)["valid"])
    boxes, kinds = np.full((count, 4), np.nan), np.full(count, Kind.ABSENT, int)
    boxes[labels.frames], kinds[labels.frames] = made.boxes, made.kinds
    return _Made(seq_id, labels, boxes, kinds)


@lru_cache(maxsize=1)
def _tracker(named: Tracker) -> BaseTracker:
    """Returns the process's own tracker, whose network is loaded once."""
    return named.create()
