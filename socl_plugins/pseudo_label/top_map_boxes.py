"""A data set of clicks that shows boxes made of its TOP maps, for BCE-Siam (SoCL, section 4.2, figure 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ltr.dataset.annotation_wrapper import AnnotationWrapper
from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo
from socl_plugins.clicks.costs import LabelCounts
from socl_plugins.top_map.box import top_map_box
from socl_plugins.top_map.proposals import Proposals


class TopMapBoxAnnotated(AnnotationWrapper):
    """Videos with proposals that shows, in place of clicks and proposals, a pseudo box on each frame (``bbox``).

    It is that of the TOP map; in a video in which second clicks told the target's size, a box of that size around the
    click.

    Args:
        dataset: shows ``proposals``, such as :class:`socl_plugins.top_map.ObjectnessAnnotated`.
        alpha, eta, temperature: see :func:`socl_plugins.top_map.box.top_map_box`.

    Raises:
        ValueError: alpha is out of range.
    """

    labels_given: LabelCounts | None = None
    """What people gave, if the data set is to be learned from: clicks, which it does not show."""

    def __init__(
        self, dataset: BaseVideoDataset, alpha: float = 0.5, eta: float = 0.1, temperature: float = 0.25
    ) -> None:
        super().__init__(dataset)
        if not 0 < alpha <= 1:
            raise ValueError(f"alpha is {alpha}; it is a part of the map's maximum, in (0, 1]")
        self.alpha = alpha
        self.eta = eta
        self.temperature = temperature

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        """Returns ``valid`` and ``visible`` of a video; its boxes are made when frames are asked for."""
        info = self.dataset.get_sequence_info(seq_id)
        return {name: info[name] for name in ("valid", "visible")}

    def get_frames(
        self, seq_id: int, frame_ids: Sequence[int], anno: SequenceInfo | None = None
    ) -> tuple[list[np.ndarray], dict[str, list[Any]], dict[str, Any]]:
        """Returns frames and their ``bbox``, see the base class; nan where a frame has no click."""
        frames, annotation, meta = self.dataset.get_frames(seq_id, frame_ids)
        proposals: list[Proposals | None] = list(annotation["proposals"])  # type: ignore[arg-type]  # no tensors
        sizes = annotation.get("size", [None] * len(proposals))
        boxes = [torch.full((4,), float("nan")) for _ in proposals]
        for box, one, point, size in zip(boxes, proposals, annotation["point"], sizes):
            if size is not None:
                box[:] = torch.cat([point - size / 2, size])
            elif one is not None:
                box[:] = torch.from_numpy(top_map_box(one, self.alpha, self.eta, self.temperature))
        return frames, {"bbox": boxes, "valid": annotation["valid"], "visible": annotation["visible"]}, meta
