"""The base of data sets whose videos are folders of images, with annotation files that are read when asked for."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch

from ltr.dataset.base_video_dataset import BaseVideoDataset, ImageLoader, SequenceInfo
from ltr.dataset.frames import numbered_images
from ltr.dataset.text import DatasetError
from ltr.dataset.video_file import VideoFrames

CACHED_SEQUENCES = 1024  # a worker that lives long must not hold all of them


@dataclass(frozen=True)
class Video:
    """A video's folder, the names of its images in their order, and what :meth:`get_sequence_info` says of them.

    Where ``file`` is given, the frames are read from it, and the names are those that images of them would have.
    """

    folder: Path
    frames: Sequence[str]
    info: SequenceInfo
    file: VideoFrames | None = None


class PackedNames(Sequence[str]):
    """Names in one piece of memory: some 16 bytes for one of 12 letters, which as an object of its own takes 69."""

    def __init__(self, names: Sequence[str]) -> None:
        encoded = [os.fsencode(name) for name in names]
        self._text = b"".join(encoded)
        self._ends = np.cumsum([len(name) for name in encoded], dtype=np.uint32)

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]  # counts from the end where it is negative, and knows what is out of range
        return os.fsdecode(self._text[int(self._ends[number - 1]) if number else 0 : int(self._ends[number])])


class FolderVideos(BaseVideoDataset):
    """Videos as folders of images; a subclass reads one of them."""

    def __init__(self, name: str, root: Path, image_loader: ImageLoader) -> None:
        super().__init__(name, root, image_loader)
        self._videos: dict[int, Video] = {}

    @abstractmethod
    def read_video(self, seq_id: int) -> Video:
        """Returns a video from its files.

        Raises:
            DatasetError: a file is missing or broken, or there are not as many images as lines.
        """

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        return dict(self._video(seq_id).info)

    def frame_path(self, seq_id: int, frame_id: int) -> Path:
        """Returns the path of a frame's image file."""
        video = self._video(seq_id)
        return video.folder / video.frames[frame_id]

    def load_frame(self, seq_id: int, frame_id: int) -> np.ndarray:
        file = self._video(seq_id).file
        return self.image_loader(self.frame_path(seq_id, frame_id)) if file is None else file.read(frame_id)

    def _video(self, seq_id: int) -> Video:
        if seq_id not in self._videos:
            if len(self._videos) >= CACHED_SEQUENCES:
                del self._videos[next(iter(self._videos))]
            video = self.read_video(seq_id)
            self._videos[seq_id] = replace(video, frames=PackedNames(video.frames))
        return self._videos[seq_id]

    def __getstate__(self) -> dict[str, Any]:
        # A worker reads what it needs of the videos, rather than be sent a thousand of them with each task.
        return {**self.__dict__, "_videos": {}}


def image_names(folder: Path) -> tuple[str, ...]:
    """Returns the names of a folder's images in the order of their numbers.

    Raises:
        DatasetError: there are none, or their order is not known; see :func:`numbered_images`.
    """
    images = numbered_images(folder)
    if not images:
        raise DatasetError(f"there are no images in {folder} whose names end in a number, such as 00000001.jpg")
    return tuple(path.name for path in images.values())


def box_info(boxes: np.ndarray, in_view: np.ndarray | None = None) -> SequenceInfo:
    """Returns what boxes (T, 4), and flags (T,) if there are any, say of frames; a box of no area is none."""
    valid = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1)
    info = {"bbox": boxes.astype(np.float32), "valid": valid, "visible": valid if in_view is None else valid & in_view}
    info = info if in_view is None else {**info, "in_view": in_view}
    return {key: torch.from_numpy(value) for key, value in info.items()}
