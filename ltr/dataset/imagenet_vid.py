"""ImageNet VID's directory layout (O. Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, 2015).

``<root>/Data/VID/train/<part>/<video>/000000.JPEG`` ..., and for each frame
``<root>/Annotations/VID/train/<part>/<video>/000000.xml`` with the objects in it; ``val`` has no parts.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from ltr.data.image_loader import load_image
from ltr.dataset.base_video_dataset import ImageLoader
from ltr.dataset.folders import FolderVideos, Video, box_info, image_names
from ltr.dataset.text import DatasetError, read_xml
from ltr.registry import DATASETS

CORNERS = ("xmin", "ymin", "xmax", "ymax")


@DATASETS.register("imagenet")
class ImageNetVid(FolderVideos):
    """ImageNet's videos; the target of each is the object that is in most of its frames.

    Args:
        root: the folder that holds ``Data`` and ``Annotations``.
        split: ``train`` or ``val``.
        image_loader: reads an image file as RGB (H, W, 3) uint8.

    Raises:
        DatasetError: there is no such split, or no video of it. What is wrong with a video's files is told when they
            are read.
    """

    splits = ("train", "val")

    def __init__(self, root: str | Path, split: str = "train", image_loader: ImageLoader = load_image) -> None:
        self.check_split(split)
        super().__init__("imagenet", Path(root), image_loader)
        self.folder = Path(root) / "Data" / "VID" / split
        self.annotations = Path(root) / "Annotations" / "VID" / split
        pattern = "[!.]*/[!.]*" if split == "train" else "[!.]*"
        self._names = sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(pattern) if path.is_dir())
        if not self._names:
            raise DatasetError(
                f"{self.folder} holds no videos; set imagenet_dir to the folder that holds Data/VID and Annotations/VID"
            )

    def get_num_sequences(self) -> int:
        return len(self._names)

    def sequence_name(self, seq_id: int) -> str:
        return Path(self._names[seq_id]).name

    def read_video(self, seq_id: int) -> Video:
        name = self._names[seq_id]
        frames = image_names(self.folder / name)
        objects = [_objects(self.annotations / name / f"{Path(frame).stem}.xml") for frame in frames]
        seen = Counter(track for each in objects for track in each)
        if not seen:
            raise DatasetError(f"{self.annotations / name} names no object in any of its frames")
        target = min(seen, key=lambda track: (-seen[track], track))
        boxes = np.array([each[target][0] if target in each else [0.0] * 4 for each in objects])
        in_view = np.array([target in each and not each[target][1] for each in objects])
        return Video(self.folder / name, frames, box_info(boxes, in_view))


def _objects(file: Path) -> dict[str, tuple[list[float], bool]]:
    """Returns the box x, y, w, h of each object of a frame by its track, and whether it is occluded."""
    found = {}
    for item in read_xml(file).iter("object"):
        track = item.findtext("trackid", "")
        texts = [item.findtext(f"bndbox/{corner}", "") for corner in CORNERS]
        try:
            left, top, right, bottom = map(float, texts)
        except ValueError:
            raise DatasetError(
                f"{file}: the bndbox of the object with trackid {track!r} is {dict(zip(CORNERS, texts))}; "
                "each has to be a number"
            ) from None
        found[track] = ([left, top, right - left, bottom - top], item.findtext("occluded", "0").strip() == "1")
    return found
