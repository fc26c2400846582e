"""What of a data set is learned from, by name (``LABELS``): here, its own boxes."""

from __future__ import annotations

from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.registry import LABELS


@LABELS.register("boxes")
def boxes(dataset: BaseVideoDataset) -> BaseVideoDataset:
    """The boxes of all frames, as the data set has them."""
    return dataset
