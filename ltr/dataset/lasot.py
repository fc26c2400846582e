"""LaSOT's directory layout (H. Fan et al., LaSOT, CVPR 2019).

``<root>/<class>/<class>-<number>/img/00000001.jpg`` ...; beside ``img``: ``groundtruth.txt``, x,y,w,h a line; and
``full_occlusion.txt`` and ``out_of_view.txt``, one line of 0 and 1 with commas between them, 1 where the target is not
seen. The videos that LaSOT tests on are known, and are not part of the training split.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ltr.data.image_loader import load_image
from ltr.dataset.base_video_dataset import ImageLoader
from ltr.dataset.folders import FolderVideos, Video, box_info, image_names
from ltr.dataset.text import DatasetError, read_flags, read_json, read_table
from ltr.registry import DATASETS


def lasot_test_split() -> dict[str, list[int]]:
    """Returns the numbers of each class's videos that LaSOT tests on."""
    file = Path(__file__).parent / "data" / "lasot.json"
    numbers: dict[str, list[int]] = read_json(file)["test"]
    return numbers


@DATASETS.register("lasot")
class Lasot(FolderVideos):
    """Videos in LaSOT's layout.

    Args:
        root: the folder that holds the classes' folders.
        split: ``train`` or ``test``.
        image_loader: reads an image file as RGB (H, W, 3) uint8.

    Raises:
        DatasetError: there is no such split, or no video of it. What is wrong with a video's files is told when they
            are read.
    """

    splits = ("train", "test")

    def __init__(self, root: str | Path, split: str = "train", image_loader: ImageLoader = load_image) -> None:
        self.check_split(split)
        super().__init__("lasot", Path(root), image_loader)
        self.folder = Path(root)
        tested = {f"{kind}-{number}" for kind, numbers in lasot_test_split().items() for number in numbers}
        found = (path.parent.name for path in self.folder.glob("[!.]*/[!.]*/groundtruth.txt"))
        self._names = sorted(name for name in found if (name in tested) == (split == "test"))
        if not self._names:
            raise DatasetError(
                f"{self.folder} holds no video of LaSOT's {split} split (<class>/<class>-1/groundtruth.txt); set "
                "lasot_dir to the folder that holds airplane/, basketball/, ..."
            )

    def get_num_sequences(self) -> int:
        return len(self._names)

    def sequence_name(self, seq_id: int) -> str:
        return self._names[seq_id]

    def has_class_info(self) -> bool:
        return True

    def get_class_name(self, seq_id: int) -> str:
        return self._names[seq_id].rpartition("-")[0]

    def read_video(self, seq_id: int) -> Video:
        folder = self.folder / self.get_class_name(seq_id) / self._names[seq_id]
        frames = image_names(folder / "img")
        in_view = np.ones(len(frames), bool)
        for name in ("full_occlusion.txt", "out_of_view.txt"):
            if (folder / name).exists():
                in_view &= read_flags(folder / name, len(frames)) == 0
        return Video(folder / "img", frames, box_info(read_table(folder / "groundtruth.txt", 4, len(frames)), in_view))
