"""The benchmark that needs no download: synthetic videos whose seed no training uses."""

from __future__ import annotations

from pytracking.evaluation.sequence import SequenceList, from_video_dataset

TEST_SEED = 90210  # training and validation seeds are small numbers


def synthetic(num_sequences: int = 8, num_frames: int = 60) -> SequenceList:
    """Returns synthetic test videos, the same in every run."""
    from ltr.dataset import SyntheticVideo

    return from_video_dataset(SyntheticVideo(num_sequences, num_frames=num_frames, seed=TEST_SEED), name="synthetic")
