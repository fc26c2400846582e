"""Sparse boxes: a box on every so many frames and a click on the others (SoCL, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ltr.dataset.annotation_wrapper import AnnotationWrapper
from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo
from socl_plugins.clicks.points import PointAnnotated


class SparseBoxAnnotated(AnnotationWrapper):
    """A data set that shows the box of every T-th frame, clicks on the frames between, and hides the other boxes.

    Frames without a target count for nothing: the first frame that shows it has a box, and so has every T-th from there
    that does. A frame shows a box or a click, never both; ``has_box`` says which.

    Args:
        dataset: holds boxes, and may hold clicks of its own, see :class:`PointAnnotated`.
        period: T, the frames from one box to the next. None: every box that the data set holds is shown, for one that
            was annotated sparsely; its clicks must then be its own.
        noise_px: shift of the clicks that are made from boxes.
        seed: of its directions.

    Raises:
        ValueError: ``period`` is below one, or ``noise_px`` is negative.
    """

    def __init__(
        self, dataset: BaseVideoDataset, period: int | None = 10, noise_px: float = 0.0, seed: int = 0
    ) -> None:
        super().__init__(dataset)
        if period is not None and period < 1:
            raise ValueError(f"period is {period}; there is a box on every so many frames, from 1 on")
        self.period = period
        self.noise_px = noise_px
        self.seed = seed
        self.clicks = PointAnnotated(dataset, noise_px, seed)

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        """Returns what is known of a video's T frames.

        ``bbox`` (T, 4) and ``point`` (T, 2), nan where a frame does not show it; ``has_box``, ``valid`` and ``visible``
        (T,) bool.

        Raises:
            ValueError: the data set holds no boxes.
            PointError: as :class:`PointAnnotated`.
        """
        info = self.dataset.get_sequence_info(seq_id)
        if "bbox" not in info:
            raise ValueError(
                f"{self.name}, video {self.sequence_name(seq_id)}: sparse boxes need boxes (groundtruth.txt), on "
                "some frames at least"
            )
        bbox, clicks = info["bbox"], self.clicks.get_sequence_info(seq_id)
        drawn = torch.isfinite(bbox).all(dim=1) & (bbox[:, 2:] > 0).all(dim=1)
        valid = drawn | clicks["valid"]
        has_box = drawn
        if self.period is not None:
            number = torch.cumsum(valid, dim=0) - 1  # of the frames that show the target
            has_box = drawn & (number % self.period == 0)
        nothing = float("nan")
        in_view = info["in_view"] if "in_view" in info else info["visible"] | ~info["valid"]
        return {
            "bbox": torch.where(has_box[:, None], bbox, nothing),
            "point": torch.where((valid & ~has_box)[:, None], clicks["point"], nothing),
            "has_box": has_box,
            "valid": valid,
            "visible": valid & in_view,
        }

    def get_frames(
        self, seq_id: int, frame_ids: Sequence[int], anno: SequenceInfo | None = None
    ) -> tuple[list[np.ndarray], dict[str, list[torch.Tensor]], dict[str, Any]]:
        """Returns frames with their boxes or clicks, see the base class; clicks are checked as those alone are."""
        anno = self.get_sequence_info(seq_id) if anno is None else anno
        frames, clicks, meta = self.clicks.get_frames(seq_id, frame_ids, self.clicks.get_sequence_info(seq_id))
        annotation = {key: [value[frame_id].clone() for frame_id in frame_ids] for key, value in anno.items()}
        for place, point in enumerate(clicks["point"]):
            if torch.isfinite(annotation["point"][place]).all():
                annotation["point"][place] = point
        return frames, annotation, meta
