"""The embedded data set."""

from __future__ import annotations

import numpy as np
import torch

from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo
from ltr.dataset.synthetic.render import render, target_boxes
from ltr.dataset.synthetic.scene import Scene, draw_scene
from ltr.dataset.synthetic.textures import FAMILIES
from ltr.registry import DATASETS

STREAM = 1937006964  # keeps these random numbers apart from other uses of a run's seed
CACHED_SCENES = 32
VISIBLE_SHARE = 0.5


@DATASETS.register("synthetic")
class SyntheticVideo(BaseVideoDataset):
    """Computed videos of a textured shape that moves, turns, scales and deforms among others of its kind.

    Frame t of video s is a function of the seed, s, t, the frame size and the difficulty alone: neither of the number
    of videos and frames nor of what was asked for before. The box is exact around the part of the target inside the
    frame; a target that is mostly hidden, by a passing bar or the frame's border, is not visible.

    Args:
        num_sequences: number of videos.
        num_frames: frames of each.
        size: height and width of a frame in pixels.
        seed: other seeds give other videos.
        difficulty: between 0 and 1.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(
        self,
        num_sequences: int,
        num_frames: int = 40,
        size: tuple[int, int] = (240, 320),
        seed: int = 0,
        difficulty: float = 0.6,
    ) -> None:
        if num_sequences < 1 or num_frames < 1:
            raise ValueError(f"num_sequences is {num_sequences} and num_frames {num_frames}; each must be at least 1")
        if min(size) < 32:
            raise ValueError(f"size is {size}; height and width must be at least 32 pixels")
        if not 0 <= difficulty <= 1:
            raise ValueError(f"difficulty is {difficulty}; it must be between 0 and 1")
        if seed < 0:
            raise ValueError(f"seed is {seed}; it must be at least 0")
        super().__init__("synthetic")
        self.num_sequences = num_sequences
        self.num_frames = num_frames
        self.size = size
        self.seed = seed
        self.difficulty = difficulty
        self._scenes: dict[int, Scene] = {}
        self._infos: dict[int, SequenceInfo] = {}

    def get_num_sequences(self) -> int:
        return self.num_sequences

    def is_synthetic_video_dataset(self) -> bool:
        return True

    def sequence_name(self, seq_id: int) -> str:
        return f"synthetic_{self.seed}_{seq_id:05d}"

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        if seq_id not in self._infos:
            boxes, seen = target_boxes(self._scene(seq_id), self.num_frames)
            valid = (boxes[:, 2:] > 0).all(axis=1)
            in_view = seen > VISIBLE_SHARE
            info = {"bbox": boxes, "valid": valid, "visible": valid & in_view, "in_view": in_view}
            self._infos[seq_id] = {key: torch.from_numpy(value) for key, value in info.items()}
        return dict(self._infos[seq_id])

    def load_frame(self, seq_id: int, frame_id: int) -> np.ndarray:
        if not 0 <= frame_id < self.num_frames:
            raise IndexError(f"video {seq_id} has the frames 0 to {self.num_frames - 1}, but not {frame_id}")
        noise = np.random.default_rng((STREAM, self.seed, seq_id, frame_id, 1))
        return render(self._scene(seq_id), frame_id, noise)

    def has_class_info(self) -> bool:
        return True

    def get_class_name(self, seq_id: int) -> str:
        return self._scene(seq_id).family

    def get_class_list(self) -> list[str]:
        return list(FAMILIES)

    def _scene(self, seq_id: int) -> Scene:
        if not 0 <= seq_id < self.num_sequences:
            raise IndexError(f"there are the videos 0 to {self.num_sequences - 1}, but not {seq_id}")
        if seq_id not in self._scenes:
            if len(self._scenes) >= CACHED_SCENES:
                del self._scenes[next(iter(self._scenes))]
            rng = np.random.default_rng((STREAM, self.seed, seq_id))
            self._scenes[seq_id] = draw_scene(rng, self.size, self.difficulty)
        return self._scenes[seq_id]
