"""GOT-10k's directory layout, with its boxes, with clicks, or with both.

``<root>/<split>/list.txt`` names the videos, one a line. Each is a folder of frames ``00000001.jpg`` ..., in the order
of their numbers, with

- ``groundtruth.txt``: x, y, w, h a line, in pixels; ``nan,nan,nan,nan`` or a size of 0 where there is no box;
- ``points.txt``: x, y a line, in pixels; ``nan,nan`` where there is no click. Not part of GOT-10k;
- ``sizes.txt``: w, h a line, in pixels: the target's size where a second click told it, else ``nan,nan``. Not part of
  GOT-10k, either;
- ``absence.label`` (1: the target is absent) and ``cover.label`` (0 to 8: how much of it is seen), a number a line;
- ``meta_info.ini``: ``object_class`` says what the target is.

Boxes or clicks must be there; the others may be missing. In place of images, ``video.json`` may name a video file
that holds the frames (:mod:`ltr.dataset.video_file`); this is not part of GOT-10k, either.

Source: Huang, Zhao and Huang, "GOT-10k", TPAMI 2021.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ltr.data.image_loader import load_image
from ltr.dataset.base_video_dataset import ImageLoader, SequenceInfo
from ltr.dataset.folders import FolderVideos, Video, box_info, image_names
from ltr.dataset.names import path_below, read_names
from ltr.dataset.text import DatasetError, read_flags, read_json, read_lines, read_table
from ltr.dataset.video_file import read_video_file
from ltr.registry import DATASETS

SPLITS = ("train", "val", "test")
VOT_SPLITS = ("vottrain", "votval")
"""Parts of ``train`` that DiMP's release trains and validates with, so that no video of VOT is among them."""
TRAIN_VIDEOS = 9335  # of GOT-10k
FULLY_VISIBLE = 8  # in cover.label


@DATASETS.register("got10k")
class Got10k(FolderVideos):
    """Videos in GOT-10k's layout.

    Args:
        root: the folder that holds ``train``, ``val`` and ``test``, or one of these.
        split: which of them; by default ``train``, unless ``root`` is a split itself. ``vottrain`` (7,086 videos) and
            ``votval`` (1,249) are parts of ``train``, see :func:`vot_split`.
        image_loader: reads an image file as RGB (H, W, 3) uint8.
        seq_ids: numbers of the lines of ``list.txt`` to keep, counted from 0; by default all.

    Raises:
        DatasetError: there is no such split, or its list is missing or empty. Files of a video are read when they are
            asked for; what is wrong with them is told then, with file and line.
    """

    splits = (*SPLITS, *VOT_SPLITS)

    def __init__(
        self,
        root: str | Path,
        split: str | None = None,
        image_loader: ImageLoader = load_image,
        seq_ids: Sequence[int] | None = None,
    ) -> None:
        if split is not None:
            self.check_split(split)
        part = split if split in VOT_SPLITS else None
        folder = _split_folder(Path(root), "train" if part else split)
        super().__init__("got10k", folder, image_loader)
        self.folder = folder
        names = read_names(folder / "list.txt")
        if part:
            if len(names) != TRAIN_VIDEOS:
                raise DatasetError(
                    f"{part} is a part of the {TRAIN_VIDEOS:,} videos of GOT-10k's train split, but "
                    f"{folder / 'list.txt'} names {len(names)}"
                )
            names = [names[line] for line in vot_split(part)]
        if seq_ids is not None:
            wrong = [number for number in seq_ids if not 0 <= number < len(names)]
            if wrong:
                raise DatasetError(f"seq_ids holds {wrong[:3]}, but {folder / 'list.txt'} names {len(names)} videos")
            names = [names[number] for number in seq_ids]
        self._names = names
        self._classes: dict[int, str | None] = {}

    def get_num_sequences(self) -> int:
        return len(self._names)

    def sequence_name(self, seq_id: int) -> str:
        return self._names[seq_id]

    def frame_name(self, seq_id: int, frame_id: int) -> str:
        return f"{self._names[seq_id]}/{self.frame_path(seq_id, frame_id).stem}"

    def read_video(self, seq_id: int) -> Video:
        return _read_video(self._folder(seq_id))

    def has_class_info(self) -> bool:
        return True

    def get_class_name(self, seq_id: int) -> str | None:
        if seq_id not in self._classes:
            self._classes[seq_id] = _read_class(self._folder(seq_id) / "meta_info.ini")
        return self._classes[seq_id]

    def _folder(self, seq_id: int) -> Path:
        return path_below(self.folder, self._names[seq_id], str(self.folder / "list.txt"))


def vot_split(part: str) -> list[int]:
    """Returns the lines of ``train/list.txt``, from 0, of ``vottrain`` or ``votval``, as DiMP's release has them.

    (The numbers that are left out there are those in the names of the 1,000 videos, which count from 1, taken for lines
    that count from 0; so each video that is left out is the one after the one that was meant. The release's networks
    have learned from these.)
    """
    numbers = read_json(Path(__file__).parent / "data" / "got10k.json")
    if part == "votval":
        return list(numbers["votval"])
    others = {*numbers["votval"], *numbers["left_out"]}
    return [line for line in range(TRAIN_VIDEOS) if line not in others]


def _split_folder(root: Path, split: str | None) -> Path:
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


def _read_video(folder: Path) -> Video:
    if not folder.is_dir():
        raise DatasetError(f"there is no folder {folder}, which {folder.parent / 'list.txt'} names")
    file = read_video_file(folder)
    frames = image_names(folder) if file is None else tuple(f"{n:08d}.jpg" for n in range(1, file.frames + 1))
    boxes, points = folder / "groundtruth.txt", folder / "points.txt"
    if not boxes.exists() and not points.exists():
        raise DatasetError(f"there is neither {boxes} (boxes x,y,w,h) nor {points} (clicks x,y)")
    in_view = np.ones(len(frames), bool)
    if (folder / "absence.label").exists():
        in_view &= read_flags(folder / "absence.label", len(frames)) == 0
    if (folder / "cover.label").exists():
        in_view &= read_flags(folder / "cover.label", len(frames), FULLY_VISIBLE) > 0
    info: SequenceInfo = {}
    if points.exists():
        clicks = read_table(points, 2, len(frames))
        valid = torch.from_numpy(np.isfinite(clicks).all(axis=1))
        seen = torch.from_numpy(in_view)
        info = {"valid": valid, "visible": valid & seen, "in_view": seen}
        info["point"] = torch.from_numpy(clicks.astype(np.float32))
        if (folder / "sizes.txt").exists():
            info["size"] = torch.from_numpy(read_table(folder / "sizes.txt", 2, len(frames)).astype(np.float32))
    if boxes.exists():
        info |= box_info(read_table(boxes, 4, len(frames)), in_view)
    return Video(folder, frames, info, file)


def _read_class(path: Path) -> str | None:
    for line in read_lines(path) if path.exists() else ():
        key, _, value = line.partition(":")
        if key.strip() == "object_class":
            return value.strip() or None
    return None
