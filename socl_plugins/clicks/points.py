"""Single-point annotations: the click on the target's centre that SoCL learns from (sections 3.1 and 4.7)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ltr.admin.files import write_bytes_atomically
from ltr.dataset.annotation_wrapper import AnnotationWrapper
from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo
from ltr.dataset.names import path_below
from socl_plugins.clicks.told_size import size_at, told_sizes


class PointError(ValueError):
    """A click that is missing or lies outside its frame."""


class PointAnnotated(AnnotationWrapper):
    """A data set that shows a click on each frame and hides the boxes.

    Where the data set holds clicks of its own (``point``), these are shown. Otherwise they are made from the boxes: the
    centre, moved by ``noise_px`` in a random direction, and back into the frame if that is outside. Nothing else that
    was made from a box passes: only ``point``, ``valid`` and ``visible``, and ``size`` and ``size_told`` of a video in
    which second clicks told the target's size.

    Args:
        dataset: holds boxes or clicks.
        noise_px: length of the shift in pixels; the paper's noisy annotators are 20 px off.
        seed: of the directions.
        told_sizes: on so many frames of each video, evenly spread, a second click on a corner of the target's box tells
            its size; it errs as the first one does.

    Raises:
        ValueError: ``noise_px`` is negative or not finite, or ``told_sizes`` is negative.
    """

    def __init__(self, dataset: BaseVideoDataset, noise_px: float = 0.0, seed: int = 0, told_sizes: int = 0) -> None:
        super().__init__(dataset)
        if not 0 <= noise_px < float("inf"):
            raise ValueError(f"noise_px is {noise_px}; the shift of a click is a length in pixels, not negative")
        if told_sizes < 0:
            raise ValueError(f"told_sizes is {told_sizes}; it is a number of frames of a video, not negative")
        self.noise_px = noise_px
        self.seed = seed
        self.told_sizes = told_sizes

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        """Returns ``point`` (T, 2), ``valid`` and ``visible`` (T,) of a video.

        If people told the target's size on some frames, these are in ``size_told`` (T,), and ``size`` (T, 2) has w, h
        of every frame, see :func:`socl_plugins.clicks.told_size.size_at`.

        Raises:
            PointError: the data set has neither clicks nor boxes, or clicks of its own and noise was asked for.
        """
        info = self.dataset.get_sequence_info(seq_id)
        if "point" in info:
            if self.noise_px:
                raise PointError(
                    f"noise_px is {self.noise_px:g}, but {self.name}, video {self.sequence_name(seq_id)}, holds clicks "
                    "of its own: set it to 0, or take points.txt away to have clicks made from boxes"
                )
            if self.told_sizes:
                raise PointError(
                    f"told_sizes is {self.told_sizes}, but {self.name}, video {self.sequence_name(seq_id)}, holds "
                    "clicks of its own: set it to 0; the sizes that people told there are in its sizes.txt"
                )
            point = info["point"]
            valid = torch.isfinite(point).all(dim=1)
        elif "bbox" in info:
            point, valid = self._simulate(info["bbox"], seq_id), info["valid"]
            if self.told_sizes:
                info = {**info, "size": self._simulate_sizes(info["bbox"], point, valid, seq_id)}
        else:
            raise PointError(f"{self.name}, video {self.sequence_name(seq_id)}: there are neither clicks nor boxes")
        in_view = info["in_view"] if "in_view" in info else info["visible"]
        told = _sizes(info["size"]) if "size" in info else {}
        return {"point": point, "valid": valid, "visible": valid & in_view, **told}

    def get_frames(
        self, seq_id: int, frame_ids: Sequence[int], anno: SequenceInfo | None = None
    ) -> tuple[list[np.ndarray], dict[str, list[torch.Tensor]], dict[str, Any]]:
        """Returns frames and their clicks, see the base class.

        Raises:
            PointError: a click of the data set's own lies outside its frame.
        """
        frames, annotation, meta = super().get_frames(seq_id, frame_ids, anno)
        given = "point" in self.dataset.get_sequence_info(seq_id)
        for position, (frame, frame_id) in enumerate(zip(frames, frame_ids)):
            point = annotation["point"][position]
            inside = move_inside(point, frame.shape[:2])
            if given and not torch.equal(inside, point) and bool(annotation["valid"][position]):
                raise PointError(
                    f"{self.root or self.name}, video {self.sequence_name(seq_id)}, frame {frame_id + 1}: the click "
                    f"({float(point[0]):g}, {float(point[1]):g}) lies outside the frame of {frame.shape[1]} x "
                    f"{frame.shape[0]} pixels; correct it, or write nan,nan where there is no click"
                )
            annotation["point"][position] = inside
        return frames, annotation, meta

    def _simulate(self, boxes: torch.Tensor, seq_id: int) -> torch.Tensor:
        centers = boxes[:, :2] + boxes[:, 2:] / 2
        return centers + random_shifts(len(boxes), self.noise_px, self.seed, self.sequence_name(seq_id))

    def _simulate_sizes(
        self, boxes: torch.Tensor, points: torch.Tensor, valid: torch.Tensor, seq_id: int
    ) -> torch.Tensor:
        frames = torch.nonzero(valid).flatten()
        asked = frames[((torch.arange(self.told_sizes) + 0.5) * len(frames) / self.told_sizes).long()].unique()
        shifts = random_shifts(len(boxes), self.noise_px, self.seed + 1, self.sequence_name(seq_id))
        corners = boxes[:, :2] + boxes[:, 2:] + shifts
        sizes = torch.full_like(points, float("nan"))
        sizes[asked] = (2 * (corners - points).abs()[asked]).clamp(min=1.0)
        return sizes


def _sizes(shown: torch.Tensor) -> SequenceInfo:
    told = told_sizes(shown.double().numpy())
    sizes = [size for frame in range(len(shown)) if (size := size_at(told, frame))]
    if not sizes:
        return {}
    return {"size": torch.tensor(sizes), "size_told": torch.tensor([frame in told for frame in range(len(shown))])}


def random_shifts(count: int, length: float, seed: int, video: str) -> torch.Tensor:
    """Returns shifts (T, 2) of one length in random directions, the errors of a person who labels a video.

    Args:
        count: T, the number of frames.
        length: in pixels; at 0 nothing is drawn.
        seed: of the directions.
        video: its name, not its number, so that a subset of the videos gets the same labels.
    """
    if length == 0:
        return torch.zeros(count, 2)
    rng = np.random.default_rng((seed, zlib.crc32(video.encode())))
    angle = rng.uniform(0, 2 * np.pi, count)
    return torch.from_numpy(length * np.stack([np.cos(angle), np.sin(angle)], axis=1)).float()


def move_inside(point: torch.Tensor, frame_size: tuple[int, int]) -> torch.Tensor:
    """Returns the nearest point (2,) x, y of a frame of (height, width) pixels; a missing click stays nan."""
    limit = torch.tensor([frame_size[1], frame_size[0]], dtype=point.dtype)
    return torch.minimum(point.clamp(min=0), limit)


def write_points(dataset: PointAnnotated, directory: Path) -> None:
    """Writes the clicks of each video to ``<directory>/<video>/points.txt``: x,y a line, nan,nan where there is none.

    The numbers read back exactly. Beside a GOT-10k folder's images they make a point-annotated data set of it, with or
    without boxes.

    Args:
        dataset: the clicks.
        directory: the folder that holds the videos' folders.
    """
    for seq_id in range(dataset.get_num_sequences()):
        info = dataset.get_sequence_info(seq_id)
        # All frames of a GOT-10k video have one size.
        frame_size = dataset.load_frame(seq_id, 0).shape[:2]
        lines = []
        for point, valid in zip(info["point"], info["valid"]):
            x, y = move_inside(point, frame_size).tolist() if bool(valid) else (float("nan"), float("nan"))
            lines.append(f"{x!r},{y!r}\n")
        target = path_below(directory, dataset.sequence_name(seq_id), f"the data set {dataset.name!r}") / "points.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(target, "".join(lines).encode())
