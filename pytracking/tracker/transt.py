"""TransT: the box of the best cell of a search region, fused with the first frame's template by attention.

X. Chen et al., Transformer Tracking, CVPR 2021. Sizes are not smoothed or penalised; only a Hann window speaks for
small moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from ltr.data.crops import Region, context_side, crop_square
from pytracking.parameter.params import ParameterError, TrackerParams, autocast, check_precision
from pytracking.tracker.base import BaseTracker, as_rgb, check_initial_box, tracking_network


@dataclass(kw_only=True)
class TransTParams(TrackerParams):
    """Parameters of TransT; the defaults are those of its authors.

    Attributes:
        network: the network, or the path or name of its checkpoint or ONNX file.
        template_size: side of the template crop in pixels.
        template_factor: side of the template's region over that of a square target; see
            :func:`ltr.data.crops.context_side` for others.
        search_size: side of the search crop in pixels.
        search_factor: as ``template_factor``, of the search region.
        window_influence: weight of the Hann window against the score, 0 to 1.
        min_side: sides of a box in pixels are at least so long.
        precision: of the network's convolutions, ``float32``, ``bfloat16``, or ``auto``: bfloat16 where the CPU has it.
    """

    network: str | Path | nn.Module
    template_size: int = 128
    template_factor: float = 2.0
    search_size: int = 256
    search_factor: float = 4.0
    window_influence: float = 0.49
    min_side: float = 10.0
    precision: str = "float32"

    def __post_init__(self) -> None:
        check_precision(self.precision)
        if not 0 <= self.window_influence <= 1:
            raise ParameterError(f"TransT's window_influence must be between 0 and 1, not {self.window_influence!r}")
        for name in ("template_size", "template_factor", "search_size", "search_factor", "min_side"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"TransT's {name} must be positive, not {getattr(self, name)!r}")


class TransTTracker(BaseTracker):
    """TransT on a given network.

    The box's centre stays inside the frame, and its sides between ``min_side`` and the frame's. Frames may change size;
    grey ones are taken as RGB.
    """

    params: TransTParams

    def __init__(self, params: TransTParams) -> None:
        super().__init__(params)
        network: Any = tracking_network(params.network, onnx_kind="transt")
        if not (hasattr(network, "features") and hasattr(network, "predict")):
            raise ParameterError(
                f"TransT needs a network with the methods features(images) and predict(template, search); "
                f"{type(network).__name__} is none"
            )
        self.device = params.torch_device
        self.network = network.to(self.device).eval()
        self._window = np.ones(1)

    @torch.inference_mode()
    def initialize(self, image: np.ndarray, info: Mapping[str, Any]) -> dict[str, Any]:
        """Takes the template from the box ``info["init_bbox"]``; returns that box and the score 1.

        Raises ValueError if the box is not finite, is empty, or shows nothing of the frame.
        """
        image = as_rgb(image)
        box = check_initial_box(info["init_bbox"], image)
        self.center = box[:2] + box[2:] / 2
        self.size = box[2:].copy()
        self.fill = cv2.mean(image)[:3]
        self.template = self._features(image, self.params.template_factor, self.params.template_size)[0]
        return {"target_bbox": box.tolist(), "score": 1.0}

    @torch.inference_mode()
    def track(self, image: np.ndarray, info: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Returns ``target_bbox`` [x, y, w, h] and ``score``, the chosen cell's probability before the window.

        Where ``info`` says ``want_score_map``, ``score_map`` has the probabilities of all cells.
        """
        image = as_rgb(image)
        search, region = self._features(image, self.params.search_factor, self.params.search_size)
        logits, boxes = self.network.predict(self.template, search)
        scores = logits[0].float().softmax(dim=1)[:, 0].cpu().numpy()
        influence = self.params.window_influence
        best = int(np.argmax((1 - influence) * scores + influence * self._hann(search.shape[-2:])))
        x, y, w, h = (boxes[0, best].cpu().double().numpy() * self.params.search_size).tolist()
        height, width = image.shape[:2]
        self.center = np.clip(region.to_frame(np.array([x, y])), 0, [width, height])
        smallest = min(self.params.min_side, width, height)
        self.size = np.clip(np.array([w, h]) / region.scale, smallest, [width, height])
        box = [*(self.center - self.size / 2).tolist(), *self.size.tolist()]
        output = {"target_bbox": box, "score": float(scores[best])}
        if info and info.get("want_score_map"):
            output["score_map"] = scores.reshape(search.shape[-2:])
        return output

    def recenter(self, center: tuple[float, float]) -> None:
        """Moves the target to a centre x, y, in frame coordinates; what is known of its looks and size stays."""
        self.center = np.asarray(center, np.float64)

    def _features(self, image: np.ndarray, factor: float, output_size: int) -> tuple[Tensor, Region]:
        side = context_side(self.size, factor)
        # As the authors have it, the crop begins at a whole pixel, but its boxes are read as if it began at the corner
        # that was asked for: up to a pixel to the right and below.
        corner = self.center - side / 2
        x, y = (np.floor(corner) + side / 2).tolist()
        crop, shown = crop_square(image, (x, y), side, output_size, self.fill)
        left, top = (corner - np.floor(corner)).tolist()
        region = replace(shown, left=shown.left + left, top=shown.top + top)
        images = torch.from_numpy(crop[None]).to(self.device).permute(0, 3, 1, 2).float()
        with autocast(self.params.precision, self.params.torch_device, self.network):
            features = self.network.features(images)
        return features.float(), region

    def _hann(self, shape: tuple[int, ...]) -> np.ndarray:
        if self._window.size != shape[0] * shape[1]:
            self._window = np.outer(np.hanning(shape[0]), np.hanning(shape[1])).flatten()
        return self._window
