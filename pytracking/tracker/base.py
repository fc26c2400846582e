"""What a tracker is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytracking.parameter.params import TrackerParams

if TYPE_CHECKING:
    from torch import nn


class BaseTracker:
    """A tracker: two methods that take RGB frames (H, W, 3) uint8. Boxes are x, y, w, h in pixels.

    Derive from this class, or offer the same two methods. A tracker may also have a method ``recenter(center)``, which
    moves the target to a centre x, y that it is told, such as a click, and keeps what it knows of its looks and size.
    One that can go through a video with several targets for less than each alone has ``sibling()`` and
    ``track_many(trackers, image, infos)``: see :mod:`pytracking.tracker.group`.

    Attributes:
        uses_torch: false, of a class that never imports torch, saves the seconds that this takes; torch's random
            numbers are then not seeded.
    """

    uses_torch: ClassVar[bool] = True

    def __init__(self, params: TrackerParams) -> None:
        self.params = params

    def initialize(self, image: np.ndarray, info: Mapping[str, Any]) -> dict[str, Any]:
        """Starts on the first frame.

        Args:
            image: the frame.
            info: holds ``init_bbox``, the target's box.

        Returns:
            A dictionary, which may be empty, or hold ``target_bbox`` and ``score`` as :meth:`track` does.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how to start: it has no method initialize")

    def track(self, image: np.ndarray, info: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Finds the target in the next frame.

        Args:
            image: the frame.
            info: may hold ``previous_output``, what the frame before returned; ``want_score_map``, true where a view
                shows one; ``want_quality``, true where a confidence is told; and, where the search is to widen when the
                target is lost, ``lost_frames`` and ``judge`` (:class:`pytracking.confidence.judged.JudgedTracker`).

        Returns:
            A dictionary with ``target_bbox`` [x, y, w, h], and ``score``, how well the target fits, where it has one.
            If it is wanted, and there is one, ``score_map`` (h, w): where the tracker looked, brighter is better. If it
            is wanted, ``quality``: numbers by their names that say how sure the box is, from which, with the score, a
            confidence can be fitted (:mod:`pytracking.confidence`).
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how to track: it has no method track")


def tracking_network(network: str | Path | nn.Module, onnx_kind: str | None = None) -> nn.Module:
    """Returns the network itself, or that of the checkpoint which a path or a name stands for, ready for images.

    A network that someone else owns, and may be training, keeps the memory order of its weights.

    Args:
        network: itself, or a path or name.
        onnx_kind: of the networks that the tracker takes from ONNX files, too (``NAME.onnx``).

    Raises:
        CheckpointError: there is no such checkpoint, or it cannot be read.
        OnnxError: the same of an ONNX file, or it holds a network of another kind.
    """
    import torch

    if isinstance(network, torch.nn.Module):
        return network
    if Path(network).suffix == ".onnx":
        from pytracking.onnx.network import load_onnx

        return load_onnx(network, onnx_kind)
    from ltr.admin.checkpoint import load_network

    loaded: nn.Module = load_network(network)
    return loaded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def as_rgb(image: np.ndarray) -> np.ndarray:
    """Returns the frame as (H, W, 3) uint8; a grey one (H, W) or (H, W, 1) gets three equal channels.

    Raises ValueError if it is not an 8-bit image.
    """
    if image.ndim == 2:
        image = image[:, :, None]
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3) or image.size == 0:
        raise ValueError(
            f"a frame must be uint8 of shape (height, width, 3), or grey, not {image.dtype} of shape {image.shape}"
        )
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image


def check_initial_box(box: Sequence[float] | np.ndarray, image: np.ndarray) -> np.ndarray:
    """Returns the first box as float64 (4,), x, y, w, h.

    Raises ValueError if it does not have four finite numbers, is empty, or shows nothing of the frame.
    """
    values = np.asarray(box, np.float64).reshape(-1)
    height, width = image.shape[:2]
    if values.shape != (4,):
        raise ValueError(f"the first box must be x, y, w, h; it has {values.size} numbers: {values.tolist()}")
    if not np.isfinite(values).all():
        raise ValueError(f"the first box must be four finite numbers, not {values.tolist()}")
    if (values[2:] <= 0).any():
        raise ValueError(f"the first box must have a positive width and height: {values.tolist()}")
    x, y, w, h = values
    if x >= width or y >= height or x + w <= 0 or y + h <= 0:
        raise ValueError(f"the first box {values.tolist()} lies wholly outside the {width} x {height} frame")
    return values
