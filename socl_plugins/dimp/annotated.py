"""Clicks with their proposals on all frames, and boxes where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch

from ltr.admin.environment import Environment
from ltr.dataset.annotation_wrapper import AnnotationWrapper
from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo
from ltr.registry import LABELS
from socl_plugins.clicks import LabelCounts, SparseBoxAnnotated, dataset_labels
from socl_plugins.pseudo_label.training_boxes import training_boxes
from socl_plugins.top_map import ObjectnessAnnotated
from socl_plugins.top_map.propose import ProposalSettings
from socl_plugins.top_map.training_clicks import DEFAULT_STORE, with_proposals


class ClicksAndBoxes(AnnotationWrapper):
    """The clicks and proposals of one data set with the boxes (``bbox``) that another shows of the same videos.

    Args:
        clicks: ``point`` and ``proposals``; they say which frames can be used.
        boxes: shows ``bbox``, nan on frames without one.
    """

    def __init__(self, clicks: ObjectnessAnnotated, boxes: BaseVideoDataset) -> None:
        super().__init__(clicks)
        self.boxes = boxes
        self.labels_given: LabelCounts | None = None
        """What people gave, of which not all is shown."""

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        """Returns ``point`` (T, 2), ``bbox`` (T, 4), nan where there is none, ``valid`` and ``visible`` (T,) bool."""
        return {**self.dataset.get_sequence_info(seq_id), "bbox": self.boxes.get_sequence_info(seq_id)["bbox"]}

    def get_frames(
        self, seq_id: int, frame_ids: Sequence[int], anno: SequenceInfo | None = None
    ) -> tuple[list[np.ndarray], dict[str, list[torch.Tensor]], dict[str, Any]]:
        """Returns frames, clicks, ``proposals`` and ``bbox``, see the base class."""
        frames, annotation, meta = self.dataset.get_frames(seq_id, frame_ids)
        boxes = (self.get_sequence_info(seq_id) if anno is None else anno)["bbox"]
        return frames, {**annotation, "bbox": [boxes[frame_id].clone() for frame_id in frame_ids]}, meta


@LABELS.register("clicks_and_boxes")
def clicks_and_boxes(
    dataset: BaseVideoDataset,
    env: Environment,
    period: int = 10,
    noise_px: float = 0.0,
    boxes: Literal["pseudo", "sparse"] = "pseudo",
    method: str = "fused",
    proposals: ProposalSettings = ProposalSettings(),
    store: str = DEFAULT_STORE,
    prepare_frames: int = 20_000,
) -> ClicksAndBoxes:
    """Clicks with proposals on all frames for a classifier, and boxes for a box branch, of people or of a tracker.

    Args:
        dataset: the training videos.
        env: where stores lie.
        period: T, the frames from one box that a person draws to the next.
        noise_px: shift of the clicks in pixels.
        boxes: ``pseudo`` boxes of all frames, or the ``sparse`` ones of people alone.
        method: how pseudo boxes are made, see ``python -m socl_plugins.pseudo_label --help``.
        proposals: what TOP maps are made of.
        store: folder of stored proposals; ``none``: no store is read.
        prepare_frames: in a data set of so many frames at most, proposals are computed before training.

    Raises:
        StoreError: the store of pseudo boxes is not there or not complete.
    """
    sparse = SparseBoxAnnotated(dataset, period, noise_px)
    given = dataset_labels(sparse)
    shown: BaseVideoDataset = sparse
    if boxes == "pseudo":  # first: a store that is missing is noticed at once, and proposals take minutes
        shown = training_boxes(env, sparse, method)
    else:
        given = replace(given, tracked_frames=0)
    both = ClicksAndBoxes(with_proposals(sparse.clicks, env, proposals, noise_px, store, prepare_frames), shown)
    both.labels_given = given
    return both
