"""COCO (T.-Y. Lin et al., Microsoft COCO, ECCV 2014) as still images: each annotated object is a video of one frame.

``<root>/annotations/instances_train2017.json`` and ``<root>/train2017/000000000009.jpg``, or, as pytracking has them,
``<root>/images/train2017/...``; 2014's files are read as well. Of the JSON file ``images`` (``id``, ``file_name``),
``categories`` (``id``, ``name``) and ``annotations`` (``id``, ``image_id``, ``category_id``, ``bbox`` x, y, w, h, and
``iscrowd``, 0 if it is missing) are used.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ltr.data.image_loader import load_image
from ltr.dataset.base_video_dataset import BaseVideoDataset, ImageLoader, SequenceInfo
from ltr.dataset.folders import box_info
from ltr.dataset.names import path_below
from ltr.dataset.text import DatasetError, read_json
from ltr.registry import DATASETS

YEARS = ("2017", "2014")


@DATASETS.register("coco")
class Coco(BaseVideoDataset):
    """The objects of COCO; crowds and boxes without an area are left out.

    Args:
        root: the folder that holds ``annotations``.
        split: ``train`` or ``val``.
        image_loader: reads an image file as RGB (H, W, 3) uint8.

    Raises:
        DatasetError: there is no such split or file, or the file is damaged or names no object.
    """

    splits = ("train", "val")

    def __init__(self, root: str | Path, split: str = "train", image_loader: ImageLoader = load_image) -> None:
        self.check_split(split)
        super().__init__("coco", Path(root), image_loader)
        files = [Path(root) / "annotations" / f"instances_{split}{year}.json" for year in YEARS]
        file = next((file for file in files if file.is_file()), None)
        if file is None:
            raise DatasetError(
                f"there is neither {files[0]} nor {files[1]}; set coco_dir to the folder above annotations/"
            )
        name = file.stem.removeprefix("instances_")
        folders = [Path(root) / "images" / name, Path(root) / name]
        self.folder = next((folder for folder in folders if folder.is_dir()), folders[-1])
        content = read_json(file)
        try:
            names = {image["id"]: image["file_name"] for image in content["images"]}
            kinds = {kind["id"]: kind["name"] for kind in content["categories"]}
            objects = [one for one in content["annotations"] if not one.get("iscrowd", 0) and _has_area(one, file)]
            # Arrays of numbers, not 860,000 dicts, go to the workers.
            self._boxes = np.array([one["bbox"] for one in objects], np.float32).reshape(-1, 4)
            self._images = [names[one["image_id"]] for one in objects]
            self._kinds = [kinds[one["category_id"]] for one in objects]
            self._ids = np.array([one["id"] for one in objects], np.int64)
            for image in dict.fromkeys(self._images):
                path_below(self.folder, image, str(file), folders=True)
        except KeyError as error:
            raise DatasetError(f"{file} names {error} somewhere, but has no such key or id; is it COCO's?") from None
        except (AttributeError, TypeError) as error:
            raise DatasetError(f"{file} is not in COCO's form ({error}); download COCO's annotations again") from error
        if not objects:
            raise DatasetError(f"{file} names no object with a box")

    def get_num_sequences(self) -> int:
        return len(self._images)

    def is_video_sequence(self) -> bool:
        return False

    def sequence_name(self, seq_id: int) -> str:
        return f"{self._ids[seq_id]:012d}"

    def frame_name(self, seq_id: int, frame_id: int) -> str:
        return f"{self.sequence_name(seq_id)}/{Path(self._images[seq_id]).stem}"

    def has_class_info(self) -> bool:
        return True

    def get_class_name(self, seq_id: int) -> str:
        return self._kinds[seq_id]

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        return box_info(self._boxes[seq_id, None])

    def load_frame(self, seq_id: int, frame_id: int) -> np.ndarray:
        return self.image_loader(
            path_below(self.folder, self._images[seq_id], "COCO's file of annotations", folders=True)
        )


def _has_area(annotation: dict[str, Any], file: Path) -> bool:
    """Returns whether an annotation's box has an area; raises DatasetError if it is no box."""
    box = annotation.get("bbox")
    number = isinstance(box, list) and all(isinstance(value, (int, float)) and math.isfinite(value) for value in box)
    if not isinstance(box, list) or len(box) != 4 or not number:
        raise DatasetError(
            f"{file}: the annotation {annotation.get('id')} has the bbox {box!r:.60}, which is not four numbers x, y, "
            "w, h; correct it, or take the annotation out"
        )
    return bool(min(box[2:]) > 0)
