"""TrackingNet's directory layout (M. Müller et al., TrackingNet, ECCV 2018).

``<root>/TRAIN_0`` to ``TRAIN_11``; in each, ``frames/<video>/0.jpg``, ``1.jpg``, ... and ``anno/<video>.txt`` with
x,y,w,h a line, one line a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ltr.data.image_loader import load_image
from ltr.dataset.base_video_dataset import ImageLoader
from ltr.dataset.folders import FolderVideos, Video, box_info, image_names
from ltr.dataset.text import DatasetError, read_table
from ltr.registry import DATASETS


@DATASETS.register("trackingnet")
class TrackingNet(FolderVideos):
    """The training videos of TrackingNet.

    Args:
        root: the folder that holds ``TRAIN_0`` and so on.
        split: ``train``, the only one with boxes, or ``parts0to3``, the four of its twelve parts that DiMP's and
            TransT's releases train with.
        image_loader: reads an image file as RGB (H, W, 3) uint8.
        parts: numbers of the parts to read; by default all that are there.

    Raises:
        DatasetError: there is no such split, or no video in it. What is wrong with a video's files is told when they
            are read.
    """

    splits = ("train", "parts0to3")

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        image_loader: ImageLoader = load_image,
        parts: Sequence[int] | None = None,
    ) -> None:
        self.check_split(split)
        if split == "parts0to3" and parts is None:
            parts = range(4)
        super().__init__("trackingnet", Path(root), image_loader)
        folders = [Path(root) / f"TRAIN_{number}" for number in (range(12) if parts is None else parts)]
        files = (file for folder in folders for file in sorted((folder / "anno").glob("[!.]*.txt")))
        self._places = [(file.parent.parent, file.stem) for file in files]
        if not self._places:
            raise DatasetError(
                f"{root} holds no boxes (TRAIN_0/anno/<video>.txt); set trackingnet_dir to the folder above TRAIN_0"
            )

    def get_num_sequences(self) -> int:
        return len(self._places)

    def sequence_name(self, seq_id: int) -> str:
        return self._places[seq_id][1]

    def read_video(self, seq_id: int) -> Video:
        part, name = self._places[seq_id]
        folder = part / "frames" / name
        frames = image_names(folder)
        return Video(folder, frames, box_info(read_table(part / "anno" / f"{name}.txt", 4, len(frames))))
