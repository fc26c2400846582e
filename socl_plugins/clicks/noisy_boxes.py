"""Boxes drawn in the wrong place, which the noise-robust loss is for (PUL, supplement, section D)."""

from __future__ import annotations

import torch

from ltr.dataset.annotation_wrapper import AnnotationWrapper
from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo
from ltr.registry import LABELS
from socl_plugins.clicks.points import random_shifts


class NoisyBoxes(AnnotationWrapper):
    """A data set whose boxes have their size, but are shifted by so many pixels in a random direction.

    Args:
        dataset: holds boxes.
        noise_px: length of the shift in pixels.
        seed: of the directions.

    Raises:
        ValueError: ``noise_px`` is negative or not finite.
    """

    def __init__(self, dataset: BaseVideoDataset, noise_px: float, seed: int = 0) -> None:
        super().__init__(dataset)
        if not 0 <= noise_px < float("inf"):
            raise ValueError(f"noise_px is {noise_px}; the shift of a box is a length in pixels, not negative")
        self.noise_px = noise_px
        self.seed = seed

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        """Returns what the data set does, with other boxes."""
        info = self.dataset.get_sequence_info(seq_id)
        box = info["bbox"]
        shift = random_shifts(len(box), self.noise_px, self.seed, self.sequence_name(seq_id))
        return {**info, "bbox": torch.cat([box[:, :2] + shift, box[:, 2:]], dim=1)}


@LABELS.register("noisy_boxes")
def noisy_boxes(dataset: BaseVideoDataset, noise_px: float = 20.0) -> NoisyBoxes:
    """Boxes that are drawn in the wrong place.

    Args:
        dataset: shows boxes.
        noise_px: shift of each box in a random direction, in pixels of the frame, the same in every run.
    """
    return NoisyBoxes(dataset, noise_px)
