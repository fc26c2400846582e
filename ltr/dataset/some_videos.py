"""A part of the videos of a data set."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ltr.dataset.annotation_wrapper import AnnotationWrapper
from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo


class SomeVideos(AnnotationWrapper):
    """Some videos of another data set, as they are.

    Args:
        dataset: all videos.
        videos: numbers of those that are shown, in their order.
    """

    def __init__(self, dataset: BaseVideoDataset, videos: Sequence[int]) -> None:
        super().__init__(dataset)
        self._videos = list(videos)

    def get_num_sequences(self) -> int:
        return len(self._videos)

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        return self.dataset.get_sequence_info(self._videos[seq_id])

    def load_frame(self, seq_id: int, frame_id: int) -> np.ndarray:
        return self.dataset.load_frame(self._videos[seq_id], frame_id)

    def sequence_name(self, seq_id: int) -> str:
        return self.dataset.sequence_name(self._videos[seq_id])

    def frame_name(self, seq_id: int, frame_id: int) -> str:
        return self.dataset.frame_name(self._videos[seq_id], frame_id)

    def get_class_name(self, seq_id: int) -> str | None:
        return self.dataset.get_class_name(self._videos[seq_id])


def share_of_videos(dataset: BaseVideoDataset, share: float, seed: int) -> BaseVideoDataset:
    """Returns a data set with a share of the videos, at least one, drawn at random (DiMP, supplement, Fig. S4).

    A larger share has all the videos of a smaller one with the same seed. A share of 1 is the data set itself.

    Raises:
        ValueError: the share is not in (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; it is a part of the videos, in (0, 1]")
    if share == 1:
        return dataset
    kept = random_order(dataset, seed)[: max(round(share * len(dataset)), 1)]
    return SomeVideos(dataset, sorted(kept))


def random_order(dataset: BaseVideoDataset, seed: int) -> list[int]:
    """Returns the numbers of all videos in a random order: by their names, so that a subset of them is in the same."""
    return sorted(range(len(dataset)), key=lambda video: name_rank(seed, dataset.sequence_name(video)))


@lru_cache(maxsize=100_000)
def name_rank(seed: int, name: str) -> int:
    """Returns a random number that depends on the seed and a video's name alone."""
    return int(np.random.SeedSequence((seed, zlib.crc32(name.encode()))).generate_state(1)[0])
