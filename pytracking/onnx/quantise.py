"""Networks of 8-bit numbers, by ONNX Runtime's static quantisation: their ranges are those seen on real crops.

``benchmarks/onnx_speed.py`` measures what they cost: more than the aim allows, so the command line does not offer them.
"""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from pytracking.onnx.about import OnnxError, needed
from pytracking.parameter.params import TrackerParams
from pytracking.registry import TRACKERS

if TYPE_CHECKING:
    import onnx

    from pytracking.evaluation import Sequence as VideoSequence
    from pytracking.tracker.siamfc import SiameseNetwork

FRAMES = 48
"""Frames, spread over all videos, from whose template and search crops the ranges are taken."""
QUANTISED = ("Conv", "Add", "MaxPool", "Relu")  # what a backbone consists of; normalisation stays in 32 bits


class CropReader:
    """Gives ONNX Runtime one batch of crops after the other, as its ``CalibrationDataReader`` does."""

    def __init__(self, crops: Sequence[np.ndarray]) -> None:
        self.crops = iter(crops)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Returns the next batch by the name of its input, or None after the last."""
        crops = next(self.crops, None)
        return None if crops is None else {"images": crops}


class Watched:
    """A SiamFC network that keeps the crops which it is given."""

    def __init__(self, network: SiameseNetwork) -> None:
        self.network, self.stride = network, network.stride
        self.crops: list[np.ndarray] = []

    def __call__(self, images: Tensor) -> Tensor:
        """Returns the network's features."""
        self.crops.append(images.cpu().contiguous().numpy().copy())
        return self.network(images)

    def correlate(self, template: Tensor, search: Tensor) -> Tensor:
        """Returns the network's response."""
        return self.network.correlate(template, search)


def crops_of(params: TrackerParams, videos: Sequence[VideoSequence], frames: int) -> list[np.ndarray]:
    """Returns the crops that SiamFC's network sees of true boxes and of the frames after them, each (N, 3, H, W).

    Args:
        params: of SiamFC.
        videos: with true boxes, at least of the first frames.
        frames: about how many to take, evenly from all videos.

    Raises:
        OnnxError: no video has a second frame after a true box.
    """
    tracker: Any = TRACKERS["siamfc"](params)
    watched = tracker.network = Watched(tracker.network)
    for video, index in _chosen(videos, frames):
        tracker.initialize(video.frame(index), {"init_bbox": video.ground_truth_rect[index].tolist()})
        tracker.track(video.frame(index + 1))
    if not watched.crops:
        raise OnnxError("no video to calibrate with has a true box and a frame after it")
    return watched.crops


def _chosen(videos: Sequence[VideoSequence], frames: int) -> Iterator[tuple[VideoSequence, int]]:
    each = math.ceil(frames / max(len(videos), 1))
    for video in videos:
        boxes = np.asarray(video.ground_truth_rect, np.float64)[: len(video) - 1]
        there = np.flatnonzero(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1))
        for index in there[np.unique(np.linspace(0, len(there) - 1, each).round().astype(int))] if len(there) else ():
            yield video, int(index)


def quantised(model: onnx.ModelProto, crops: Sequence[np.ndarray]) -> onnx.ModelProto:
    """Returns a traced backbone with 8-bit weights, one scale an output channel, and 8-bit maps.

    Args:
        model: from ``images`` to ``features``.
        crops: batches (N, 3, H, W) of real crops in 0..255.

    Raises:
        OnnxError: a package is not installed.
    """
    files, quantization = needed("onnx"), needed("onnxruntime.quantization")
    logging.getLogger().addFilter(_not_preprocessed)
    try:
        with tempfile.TemporaryDirectory() as folder:
            plain, small = Path(folder) / "plain.onnx", Path(folder) / "int8.onnx"
            files.save(model, plain)
            quantization.quantize_static(
                plain,
                small,
                CropReader(crops),
                quant_format=quantization.QuantFormat.QDQ,
                op_types_to_quantize=list(QUANTISED),
                per_channel=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
            )
            found: onnx.ModelProto = files.load(small)
    finally:
        logging.getLogger().removeFilter(_not_preprocessed)
    return found


def _not_preprocessed(record: logging.LogRecord) -> bool:
    return "pre-processing" not in record.getMessage()  # batch norms are folded already
