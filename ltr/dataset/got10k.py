"""GOT-10k's directory layout, with its boxes, with clicks, or with both.

``<root>/<split>/list.txt`` names the videos, one a line. Each is a folder of frames ``00000001.jpg`` ... with

- ``groundtruth.txt``: x, y, w, h a line, in pixels; ``nan,nan,nan,nan`` or a size of 0 where there is no box;
- ``points.txt``: x, y a line, in pixels; ``nan,nan`` where there is no click. Not part of GOT-10k;
- ``absence.label`` (1: the target is absent) and ``cover.label`` (0 to 8: how much of it is seen), a number a line;
- ``meta_info.ini``: ``object_class`` says what the target is.

Of the first two one must be there; the others may be missing. Source: Huang, Zhao and Huang, "GOT-10k", TPAMI 2021.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ltr.data.image_loader import load_image
from ltr.dataset.base_video_dataset import BaseVideoDataset, ImageLoader, SequenceInfo
from ltr.dataset.tables import DatasetError, read_table
from ltr.registry import DATASETS

SPLITS = ("train", "val", "test")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
CACHED_SEQUENCES = 1024


@dataclass(frozen=True)
class _Sequence:
    frames: tuple[str, ...]
    info: SequenceInfo


@DATASETS.register("got10k")
class Got10k(BaseVideoDataset):
    """Videos in GOT-10k's layout.

    Args:
        root: the folder that holds ``train``, ``val`` and ``test``, or one of these.
        split: which of them; by default ``train``, unless ``root`` is a split itself.
        image_loader: reads an image file as RGB (H, W, 3) uint8.
        seq_ids: numbers of the lines of ``list.txt`` to keep, counted from 0; by default all.

    Raises:
        DatasetError: there is no such split, or its list is missing or empty. Files of a video are read when they are
            asked for; what is wrong with them is told then, with file and line.
    """

    def __init__(
        self,
        root: str | Path,
        split: str | None = None,
        image_loader: ImageLoader = load_image,
        seq_ids: Sequence[int] | None = None,
    ) -> None:
        folder = _split_folder(Path(root), split)
        super().__init__("got10k", folder, image_loader)
        self.folder = folder
        names = _read_list(folder / "list.txt")
        if seq_ids is not None:
            wrong = [number for number in seq_ids if not 0 <= number < len(names)]
            if wrong:
                raise DatasetError(f"seq_ids holds {wrong[:3]}, but {folder / 'list.txt'} names {len(names)} videos")
            names = [names[number] for number in seq_ids]
        self._names = names
        self._sequences: dict[int, _Sequence] = {}
        self._classes: dict[int, str | None] = {}

    def get_num_sequences(self) -> int:
        return len(self._names)

    def sequence_name(self, seq_id: int) -> str:
        return self._names[seq_id]

    def frame_name(self, seq_id: int, frame_id: int) -> str:
        stem, _, _ = self._sequence(seq_id).frames[frame_id].rpartition(".")
        return f"{self._names[seq_id]}/{stem}"

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        return dict(self._sequence(seq_id).info)

    def frame_path(self, seq_id: int, frame_id: int) -> Path:
        """Returns the path of a frame's image file."""
        return self.folder / self._names[seq_id] / self._sequence(seq_id).frames[frame_id]

    def load_frame(self, seq_id: int, frame_id: int) -> np.ndarray:
        return self.image_loader(self.frame_path(seq_id, frame_id))

    def has_class_info(self) -> bool:
        return True

    def get_class_name(self, seq_id: int) -> str | None:
        if seq_id not in self._classes:
            self._classes[seq_id] = _read_class(self.folder / self._names[seq_id] / "meta_info.ini")
        return self._classes[seq_id]

    def _sequence(self, seq_id: int) -> _Sequence:
        if seq_id not in self._sequences:
            if len(self._sequences) >= CACHED_SEQUENCES:  # a worker that lives long must not hold 10,000 of them
                del self._sequences[next(iter(self._sequences))]
            self._sequences[seq_id] = _read_sequence(self.folder / self._names[seq_id])
        return self._sequences[seq_id]


def _split_folder(root: Path, split: str | None) -> Path:
    if split is not None and split not in SPLITS:
        raise DatasetError(f"unknown split {split!r} of GOT-10k; it has {', '.join(SPLITS)}")
    if not root.is_dir():
        raise DatasetError(f"there is no folder {root}; set got10k_dir to the folder that holds train/ and val/")
    if (root / "list.txt").is_file():
        if split is not None and root.name in SPLITS and root.name != split:
            raise DatasetError(f"{root} is the split {root.name!r}, not {split!r}; give the folder above it")
        return root
    folder = root / (split or "train")
    if not (folder / "list.txt").is_file():
        videos = folder if folder.is_dir() else root
        raise DatasetError(
            f"there is neither {root / 'list.txt'} nor {folder / 'list.txt'}: give the folder that holds train/ and "
            "val/, or one of these, with a list.txt that names its videos, one a line. If the videos are there and "
            f"only their list is missing: cd {shlex.quote(str(videos))} && ls -d */ | tr -d / > list.txt"
        )
    return folder


def _read_list(path: Path) -> list[str]:
    names = [
        line.strip() for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines() if line.strip()
    ]
    if not names:
        raise DatasetError(f"{path} is empty; it must name the videos' folders, one a line")
    return names


def _read_sequence(folder: Path) -> _Sequence:
    if not folder.is_dir():
        raise DatasetError(f"there is no folder {folder}, which {folder.parent / 'list.txt'} names")
    frames = tuple(sorted(path.name for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES))
    if not frames:
        raise DatasetError(f"there are no images (*.jpg) in {folder}")
    boxes, points = folder / "groundtruth.txt", folder / "points.txt"
    if not boxes.is_file() and not points.is_file():
        raise DatasetError(f"there is neither {boxes} (boxes x,y,w,h) nor {points} (clicks x,y)")
    in_view = np.ones(len(frames), bool)
    if (folder / "absence.label").is_file():
        in_view &= read_table(folder / "absence.label", 1, len(frames))[:, 0] == 0
    if (folder / "cover.label").is_file():
        in_view &= read_table(folder / "cover.label", 1, len(frames))[:, 0] > 0
    info: SequenceInfo = {}
    valid = np.ones(len(frames), bool)
    if points.is_file():
        clicks = read_table(points, 2, len(frames))
        info["point"] = torch.from_numpy(clicks)
        valid = np.isfinite(clicks).all(axis=1)
    if boxes.is_file():
        table = read_table(boxes, 4, len(frames))
        info["bbox"] = torch.from_numpy(table)
        valid = np.isfinite(table).all(axis=1) & (table[:, 2:] > 0).all(axis=1)
    info["valid"] = torch.from_numpy(valid)
    info["visible"] = torch.from_numpy(valid & in_view)
    info["in_view"] = torch.from_numpy(in_view)
    return _Sequence(frames, info)


def _read_class(path: Path) -> str | None:
    if not path.is_file():
        return None
    for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "object_class":
            return value.strip() or None
    return None
