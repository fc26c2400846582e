"""A benchmark sequence: frames, read when they are asked for, and the true boxes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from collections.abc import Sequence as AbstractSequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, SupportsIndex, overload

import numpy as np

from ltr.dataset.names import path_below
from ltr.dataset.text import DatasetError
from ltr.registry import near_names

# Keys of a sequence's meta:
FIRST_BOX_ONLY = "first_box_only"  # the benchmark publishes no other true box
POLYGONS = "polygons"  # the true regions (T, 8), corners x1, y1, ..., x4, y4
COVER = "cover"  # (T,) how much of the target shows, 0 to 8

Frame = str | os.PathLike[str] | np.ndarray | Callable[[], np.ndarray]


class SequenceError(DatasetError):
    """A sequence whose frames and boxes do not fit together, or that does not exist."""


@dataclass(eq=False)
class Sequence:
    """A video with the target's true boxes; the first frame's box starts a tracker.

    Attributes:
        name: unique within the data set; also the name of the result file.
        frames: for each frame its file, the RGB image (H, W, 3) itself, or a function that returns the image.
        dataset: name of the data set.
        ground_truth_rect: (T, 4) x, y, w, h in pixels; zeros or NaN where there is no target.
        object_class: what the target is, if known.
        target_visible: (T,) bool; false where the target is flagged to be absent; the protocol says how that counts.
            None: nothing is known of it.
        meta: what else a benchmark knows; an array with a row for each frame is cut with the frames.
        aliases: other names that it has in results of other programs.

    Raises:
        DatasetError: the name cannot be that of a file: results, times, videos and entries of zip files have it.
        SequenceError: no frame, another number of boxes than frames, or a first box that is not finite or is empty.
    """

    name: str
    frames: AbstractSequence[Frame] = field(repr=False)
    dataset: str
    ground_truth_rect: np.ndarray = field(repr=False)
    object_class: str | None = None
    target_visible: np.ndarray | None = field(default=None, repr=False)
    meta: dict[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        boxes = np.asarray(self.ground_truth_rect, np.float64)
        self.ground_truth_rect = boxes
        path_below(Path(), self.name, f"a sequence of {self.dataset!r}")
        where = f"sequence {self.name!r} of {self.dataset!r}"
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise SequenceError(f"{where}: the true boxes must have the shape (frames, 4), not {boxes.shape}")
        if not len(self.frames) or len(self.frames) != len(boxes):
            raise SequenceError(f"{where} has {len(self.frames)} frames and {len(boxes)} true boxes")
        if not np.isfinite(boxes[0]).all() or (boxes[0, 2:] <= 0).any():
            raise SequenceError(f"{where}: its first box, {boxes[0].tolist()}, can start no tracker")
        if self.target_visible is not None:
            self.target_visible = np.asarray(self.target_visible, bool)
            if self.target_visible.shape != (len(boxes),):
                raise SequenceError(f"{where} has {len(boxes)} frames, but visibility for {self.target_visible.shape}")

    def __len__(self) -> int:
        return len(self.frames)

    def frame(self, index: int) -> np.ndarray:
        """Returns the frame as RGB uint8 (H, W, 3). Raises an error that names the file if it cannot be read."""
        frame = self.frames[index]
        if isinstance(frame, np.ndarray):
            return frame
        if callable(frame):
            return frame()
        from ltr.data.image_loader import load_image

        return load_image(frame)

    def init_info(self) -> dict[str, Any]:
        """Returns what a tracker is told in the first frame: ``init_bbox`` [x, y, w, h]."""
        return {"init_bbox": self.ground_truth_rect[0].tolist()}

    def shortened(self, max_frames: int | None) -> Sequence:
        """Returns the sequence's first ``max_frames`` frames, or itself if that is None or not fewer."""
        if max_frames is None or max_frames >= len(self):
            return self
        return self._part(slice(max_frames))

    def without_first(self, count: int) -> Sequence:
        """Returns the sequence without its first ``count`` frames, or itself if that is 0."""
        return self._part(slice(count, None)) if count else self

    def _part(self, part: slice) -> Sequence:
        visible = None if self.target_visible is None else self.target_visible[part]
        boxes = self.ground_truth_rect[part]
        # What is known of each frame is cut alike.
        meta = {
            key: value[part] if isinstance(value, np.ndarray) and len(value) == len(self) else value
            for key, value in self.meta.items()
        }
        return replace(self, frames=self.frames[part], ground_truth_rect=boxes, target_visible=visible, meta=meta)


class SequenceList(list[Sequence]):
    """Sequences, which can also be asked for by name, and added up.

    Raises SequenceError for a name that two sequences of one data set share.
    """

    def __init__(self, sequences: Iterable[Sequence] = ()) -> None:
        super().__init__(sequences)
        seen: set[tuple[str, str]] = set()
        for sequence in self:
            key = (sequence.dataset, sequence.name)
            if key in seen:
                raise SequenceError(f"the data set {sequence.dataset!r} has two sequences named {sequence.name!r}")
            seen.add(key)

    @overload
    def __getitem__(self, item: SupportsIndex | str) -> Sequence: ...

    @overload
    def __getitem__(self, item: slice) -> SequenceList: ...

    def __getitem__(self, item: SupportsIndex | str | slice) -> Sequence | SequenceList:
        if isinstance(item, str):
            for sequence in self:
                if item == sequence.name or item in sequence.aliases:
                    return sequence
            names = [sequence.name for sequence in self]
            raise SequenceError(f"there is no sequence {item!r} among these {len(self)}.{near_names(item, names)}")
        if isinstance(item, slice):
            return SequenceList(super().__getitem__(item))
        return super().__getitem__(item)

    def __add__(self, other: list[Sequence]) -> SequenceList:  # type: ignore[override]
        return SequenceList([*self, *other])

    def copy(self) -> SequenceList:
        """Returns a list of the same sequences."""
        return SequenceList(self)


def from_video_dataset(
    dataset: Any, name: str | None = None, max_frames: int | None = None, sequence_ids: Iterable[int] | None = None
) -> SequenceList:
    """Returns the sequences of a training data set, each from the first frame that shows the target.

    Args:
        dataset: an ``ltr.dataset.BaseVideoDataset`` with boxes. Sequences without any visible frame are left out.
        name: name of the data set in the result; its own by default.
        max_frames: frames of each sequence that are taken at most.
        sequence_ids: those to take; all by default.

    Raises:
        SequenceError: the data set has no boxes, or no frame shows a target.
    """
    title = name or dataset.get_name()
    sequences = []
    ids = range(dataset.get_num_sequences()) if sequence_ids is None else sequence_ids
    for seq_id in ids:
        info = dataset.get_sequence_info(seq_id)
        if "bbox" not in info:
            raise SequenceError(f"the data set {title!r} has no boxes: tracking cannot be scored on it")
        boxes = np.asarray(info["bbox"]).astype(np.float64)
        visible = np.ones(len(boxes), bool)
        for key in ("valid", "visible"):
            if key in info:
                visible &= np.asarray(info[key], bool)
        if not visible.any():
            continue
        first = int(np.argmax(visible))
        last = len(boxes) if max_frames is None else min(first + max_frames, len(boxes))
        frames: list[Frame] = [partial(_dataset_frame, dataset, seq_id, frame) for frame in range(first, last)]
        sequences.append(
            Sequence(f"{title}-{seq_id:04d}", frames, title, boxes[first:last], target_visible=visible[first:last])
        )
    if not sequences:
        raise SequenceError(f"no frame of the data set {title!r} shows a target")
    return SequenceList(sequences)


def _dataset_frame(dataset: Any, seq_id: int, frame_id: int) -> np.ndarray:
    return dataset.get_frames(seq_id, [frame_id])[0][0]
