"""How good pseudo boxes are, where true boxes are at hand, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltr.dataset.base_video_dataset import BaseVideoDataset
from pytracking.metrics.boxes import iou
from socl_plugins.clicks import Cost, SparseBoxAnnotated, annotation_cost, dataset_labels
from socl_plugins.pseudo_label.build import sparse_labels
from socl_plugins.pseudo_label.fuse import Kind
from socl_plugins.pseudo_label.store import PseudoBoxStore


@dataclass(frozen=True)
class PseudoBoxMeasures:
    """Quality and cost of pseudo boxes.

    Attributes:
        frames: with a box.
        machine_frames: those whose box no person drew.
        iou: mean IoU with the true boxes over these; nan if there are none.
        good: share of the machine-made boxes with an IoU above 0.5; nan if there are none.
        all_iou: mean IoU over all frames, as training sees them.
        failure_rate: share of the tracked frames where the tracker had failed; nan if none was tracked.
        cost: of the labels that people gave.
    """

    frames: int
    machine_frames: int
    iou: float
    good: float
    all_iou: float
    failure_rate: float
    cost: Cost


def measure_pseudo_boxes(
    dataset: SparseBoxAnnotated, truth: BaseVideoDataset, store: PseudoBoxStore
) -> PseudoBoxMeasures:
    """Returns the measures of a store's boxes over all frames of a data set that have a true box.

    Args:
        dataset: what the store was made from.
        truth: the same videos with boxes on all frames.
        store: of the boxes.

    Raises:
        StoreError: boxes are missing, or were made from other labels.
    """
    overlaps, kinds = [], []
    for video in range(len(dataset)):
        name, info = dataset.sequence_name(video), truth.get_sequence_info(video)
        boxes, found = store.read(name, sparse_labels(dataset, video))
        known = info["valid"].numpy() & (found != Kind.ABSENT)
        overlaps.append(iou(boxes[known], info["bbox"].double().numpy()[known]))
        kinds.append(found[known])
    overlap, kind = np.concatenate(overlaps), np.concatenate(kinds)
    machine = kind != Kind.HUMAN
    failed, tracked = int((kind == Kind.CORRECTED).sum()), int((kind == Kind.TRACKED).sum())
    return PseudoBoxMeasures(
        frames=len(kind),
        machine_frames=int(machine.sum()),
        iou=float(overlap[machine].mean()) if machine.any() else float("nan"),
        good=float((overlap[machine] > 0.5).mean()) if machine.any() else float("nan"),
        all_iou=float(overlap.mean()) if len(overlap) else float("nan"),
        failure_rate=failed / (failed + tracked) if failed + tracked else float("nan"),
        cost=annotation_cost(dataset_labels(dataset)),
    )
