"""The base of everything that changes what is known of the frames of another data set."""

from __future__ import annotations

import numpy as np

from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo


class AnnotationWrapper(BaseVideoDataset):
    """The videos of another data set under other annotations: a subclass changes what is known of them.

    Args:
        dataset: whose frames, names and classes it shows.
        name: by default the data set's own.
    """

    def __init__(self, dataset: BaseVideoDataset, name: str | None = None) -> None:
        super().__init__(name or dataset.name, dataset.root, dataset.image_loader)
        self.dataset = dataset

    def get_num_sequences(self) -> int:
        return self.dataset.get_num_sequences()

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        return self.dataset.get_sequence_info(seq_id)

    def load_frame(self, seq_id: int, frame_id: int) -> np.ndarray:
        return self.dataset.load_frame(seq_id, frame_id)

    def is_video_sequence(self) -> bool:
        return self.dataset.is_video_sequence()

    def is_synthetic_video_dataset(self) -> bool:
        return self.dataset.is_synthetic_video_dataset()

    def sequence_name(self, seq_id: int) -> str:
        return self.dataset.sequence_name(seq_id)

    def frame_name(self, seq_id: int, frame_id: int) -> str:
        return self.dataset.frame_name(seq_id, frame_id)

    def has_class_info(self) -> bool:
        return self.dataset.has_class_info()

    def get_class_name(self, seq_id: int) -> str | None:
        return self.dataset.get_class_name(seq_id)
