"""Clicks with their proposals on all frames, and boxes where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ltr.dataset.annotation_wrapper import AnnotationWrapper
from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo
from socl_plugins.top_map import ObjectnessAnnotated


class ClicksAndBoxes(AnnotationWrapper):
    """The clicks and proposals of one data set with the boxes (``bbox``) that another shows of the same videos.

    Args:
        clicks: ``point`` and ``proposals``; they say which frames can be used.
        boxes: shows ``bbox``, nan on frames without one.
    """

    def __init__(self, clicks: ObjectnessAnnotated, boxes: BaseVideoDataset) -> None:
        super().__init__(clicks)
        self.boxes = boxes

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
