"""What a video data set is to the rest of the framework."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from ltr.data.image_loader import load_image
from ltr.dataset.text import DatasetError

SequenceInfo = dict[str, torch.Tensor]
ImageLoader = Callable[[Path], np.ndarray]


class BaseVideoDataset(ABC):
    """Annotated videos, numbered from 0, of frames numbered from 0.

    A subclass says how many there are, what is known of each, and how a frame is read.

    Args:
        name: the data set's name, as shown in statistics and stored with what is derived from it.
        root: where its files lie, or None if it has none.
        image_loader: reads an image file as RGB (H, W, 3) uint8.
    """

    splits: ClassVar[Sequence[str]] = ()
    """Names of the parts that it can be opened by, as the argument ``split``; empty: it has none, or does not say."""

    def __init__(self, name: str, root: Path | None = None, image_loader: ImageLoader = load_image) -> None:
        self.name = name
        self.root = root
        self.image_loader = image_loader

    @classmethod
    def check_split(cls, split: str) -> None:
        """Raises DatasetError if ``splits`` does not name this part."""
        if split not in cls.splits:
            raise DatasetError(f"unknown split {split!r} of {cls.__name__}; it has {', '.join(cls.splits)}")

    @abstractmethod
    def get_num_sequences(self) -> int:
        """Returns the number of videos."""

    @abstractmethod
    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        """Returns what is known of every frame of a video, as tensors over its T frames.

        ``valid`` (T,) bool: the annotation can be used; ``visible`` (T,) bool: it is valid and the target can be seen.
        ``bbox`` (T, 4) float32 x, y, w, h in pixels, and ``point`` (T, 2) float32 x, y in pixels, are there if the data
        set has them. ``size`` (T, 2) float32 w, h in pixels, nan where it is unknown, is there if people told the size
        of targets that they clicked. ``in_view`` (T,) bool, if there, is what was noted about visibility apart from
        boxes and points.
        The tensors may be shared: do not change them in place.
        """

    @abstractmethod
    def load_frame(self, seq_id: int, frame_id: int) -> np.ndarray:
        """Returns one frame as RGB, (H, W, 3) uint8."""

    def get_frames(
        self, seq_id: int, frame_ids: Sequence[int], anno: SequenceInfo | None = None
    ) -> tuple[list[np.ndarray], dict[str, list[torch.Tensor]], dict[str, Any]]:
        """Returns frames of one video, their annotation, and what is known of the video as a whole.

        Args:
            seq_id: number of the video.
            frame_ids: numbers of the frames, in any order, repeated or not.
            anno: the video's ``get_sequence_info``, if the caller has it at hand.

        Returns:
            frames: RGB, (H, W, 3) uint8 each.
            anno: for every key of ``get_sequence_info`` one tensor a frame.
            meta: at least ``object_class_name`` (str or None) and ``sequence_name``.
        """
        if anno is None:
            anno = self.get_sequence_info(seq_id)
        frames = [self.load_frame(seq_id, frame_id) for frame_id in frame_ids]
        annotation = {key: [value[frame_id].clone() for frame_id in frame_ids] for key, value in anno.items()}
        meta = {"object_class_name": self.get_class_name(seq_id), "sequence_name": self.sequence_name(seq_id)}
        return frames, annotation, meta

    def __len__(self) -> int:
        return self.get_num_sequences()

    def get_name(self) -> str:
        """Returns the data set's name."""
        return self.name

    def is_video_sequence(self) -> bool:
        """Returns whether the sequences are videos, not still images of one frame."""
        return True

    def is_synthetic_video_dataset(self) -> bool:
        """Returns whether the frames are computed, not filmed."""
        return False

    def sequence_name(self, seq_id: int) -> str:
        """Returns a video's name, which stays the same from run to run."""
        return f"{seq_id:06d}"

    def frame_name(self, seq_id: int, frame_id: int) -> str:
        """Returns a frame's name, ``<sequence>/<frame>``, which stays the same from run to run."""
        return f"{self.sequence_name(seq_id)}/{frame_id + 1:08d}"

    def has_class_info(self) -> bool:
        """Returns whether it is known what the targets are."""
        return False

    def get_class_name(self, seq_id: int) -> str | None:
        """Returns what the target of a video is, or None if that is not known."""
        return None

    def get_class_list(self) -> list[str]:
        """Returns the sorted names of what the targets are."""
        names = (self.get_class_name(seq_id) for seq_id in range(self.get_num_sequences()))
        return sorted({name for name in names if name is not None})

    def get_num_classes(self) -> int:
        """Returns how many kinds of target there are."""
        return len(self.get_class_list())

    def get_sequences_in_class(self, class_name: str) -> list[int]:
        """Returns the numbers of the videos whose target is of a class."""
        return [seq_id for seq_id in range(self.get_num_sequences()) if self.get_class_name(seq_id) == class_name]
