"""One's own videos as sequences: a folder of frames, or a video file, with a ground-truth file.

The ground truth has a box x, y, w, h or a polygon of four corners a line, for each frame in order; NaN, or a box
without size, where the target is absent: the protocol says how such frames count. Frames of a folder are ordered by the
number that their names end in; numbers may be left out. Files and folders that begin with a dot do not count.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ltr.dataset.frames import numbered_images
from pytracking.evaluation.ground_truth import read_regions
from pytracking.evaluation.layout import Rules, make_sequence
from pytracking.evaluation.sequence import Frame, Sequence, SequenceError, SequenceList
from pytracking.evaluation.video_files import VIDEO_SUFFIXES, open_capture

IMAGE_FOLDERS = ("img", "color", "frames", "")  # inside a sequence's folder; the last is the folder itself
BOX_FILES = ("groundtruth.txt", "groundtruth_rect.txt", "gt.txt")


def own_videos(path: Path, ground_truth: Path | None = None) -> SequenceList:
    """Returns the sequence at ``path``, or those in the folder ``path``.

    Args:
        path: a video file; a folder of frames, which may lie in ``img``, ``color`` or ``frames``; or a folder of these.
        ground_truth: the file of boxes, where ``path`` is one sequence. Default: ``groundtruth.txt``,
            ``groundtruth_rect.txt`` or ``gt.txt`` in its folder, or ``<name>.txt`` beside it.

    Raises:
        FileNotFoundError: there is no such path, no frame, or no ground truth.
        DatasetError, VideoError: a file is broken, or frames and boxes differ in number.
    """
    path = path.absolute()  # "." has no name
    if not path.exists():
        raise FileNotFoundError(f"there is neither a video nor a folder of frames {path}")
    if ground_truth is not None or _is_sequence(path):
        return SequenceList([_read(path, ground_truth)])
    found = [inner for inner in sorted(path.iterdir()) if _is_sequence(inner)] if path.is_dir() else []
    if not found:
        kinds = ", ".join(VIDEO_SUFFIXES)
        raise FileNotFoundError(f"{path} is no video file ({kinds}), and holds no frames such as 0001.jpg, nor videos")
    return SequenceList(_read(inner, None, dataset=path.name) for inner in found)


def folder_frames(path: Path) -> list[Path]:
    """Returns the frames of a folder in their order; they may lie in ``img``, ``color`` or ``frames``.

    Raises:
        FileNotFoundError: there are none.
    """
    folder = _image_folder(path)
    if folder is None:
        raise FileNotFoundError(f"{path} holds no frames such as 0001.jpg")
    return list(numbered_images(folder).values())


def _is_sequence(path: Path) -> bool:
    if path.name.startswith("."):  # such as macOS leaves beside a video
        return False
    return path.suffix.lower() in VIDEO_SUFFIXES if path.is_file() else _image_folder(path) is not None


def _image_folder(path: Path) -> Path | None:
    return next((path / name for name in IMAGE_FOLDERS if numbered_images(path / name)), None)


def _read(path: Path, ground_truth: Path | None, dataset: str | None = None) -> Sequence:
    beside = path.with_name(f"{path.stem if path.is_file() else path.name}.txt")
    if ground_truth is None:
        candidates = [*(path / name for name in BOX_FILES if path.is_dir()), beside]
        # What is no file is refused by the reader, which says what it is.
        ground_truth = next((file for file in candidates if file.exists()), None)
        if ground_truth is None:
            names = ", ".join(str(file) for file in candidates)
            raise FileNotFoundError(f"{path} has no ground truth; looked for {names}")
    regions = read_regions(ground_truth, polygons=True, missing=True)
    frames: list[Frame]
    if path.is_dir():
        frames = [str(image) for image in folder_frames(path)]
    else:
        frames = [partial(video_frame, str(path), index) for index in range(_count_frames(path))]
    name = beside.stem
    sequence = make_sequence(name, dataset or name, frames, regions, ground_truth, Rules(polygons=True, missing=True))
    # NaN compares false.
    sequence.target_visible = np.all(sequence.ground_truth_rect[:, 2:] > 0, axis=1)
    return sequence


_open: tuple[str, Any, int] | None = None  # the last file, and the number of its next frame


def video_frame(path: str, index: int) -> np.ndarray:
    """Returns frame ``index`` of a video file as RGB uint8 (H, W, 3); frames in order are read without seeking.

    Raises:
        VideoError: the file cannot be opened.
        SequenceError: it ends before.
    """
    global _open
    if _open is None or _open[0] != path or _open[2] > index:
        _open = (path, open_capture(Path(path)), 0)
    _, capture, position = _open
    # Seeking is not exact in all formats, so what lies between is decoded.
    read = all(capture.grab() for _ in range(index - position + 1))
    image = capture.retrieve()[1] if read else None
    _open = (path, capture, index + 1)
    if image is None:
        _open = None
        raise SequenceError(f"{path} has no frame {index + 1}; the file is cut off or broken")
    rgb: np.ndarray = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return rgb


def _count_frames(path: Path) -> int:
    """Returns the number of frames, counted: what a file's head says is not always true."""
    capture = open_capture(path)
    count = 0
    while capture.grab():
        count += 1
    return count
