"""Videos without files, for tests of what draws from them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo


class Clips(BaseVideoDataset):
    """Videos of 8x8 frames, whose pixels say which frame of which video they are."""

    def __init__(self, visible: list[list[bool]], name: str, still: bool, point: bool) -> None:
        super().__init__(name)
        self.visible = visible
        self.still = still
        self.point = point
        self.infos_read = 0

    def get_num_sequences(self) -> int:
        return len(self.visible)

    def is_video_sequence(self) -> bool:
        return not self.still

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        self.infos_read += 1
        visible = torch.tensor(self.visible[seq_id], dtype=torch.bool)
        info = {"valid": torch.ones_like(visible), "visible": visible}
        ids = torch.arange(len(visible), dtype=torch.float32)
        if self.point:
            return info | {"point": torch.stack([ids, ids + 0.5], dim=-1)}
        return info | {"bbox": torch.stack([ids, ids, ids + 1, ids + 2], dim=-1)}

    def load_frame(self, seq_id: int, frame_id: int) -> np.ndarray:
        return np.full((8, 8, 3), (seq_id % 256, frame_id % 256, 7), np.uint8)


@pytest.fixture
def make_clips() -> Callable[..., Clips]:
    """Makes videos from lists that say in which frames the target is visible, or of so many frames each."""

    def make(*videos: list[bool] | int, name: str = "clips", still: bool = False, point: bool = False) -> Clips:
        return Clips([[True] * video if isinstance(video, int) else video for video in videos], name, still, point)

    return make
