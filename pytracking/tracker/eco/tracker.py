"""The ECO tracker.

M. Danelljan et al., ECO: Efficient Convolution Operators for Tracking, CVPR 2017. The filter is learned in
:mod:`pytracking.tracker.eco.filters`; here is what happens in a frame.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltr.data.crops import crop_square
from ltr.registry import RegistryError
from pytracking.parameter.params import ParameterError, autocast
from pytracking.registry import ECO_FEATURES
from pytracking.tracker.base import BaseTracker, as_rgb, check_initial_box, tracking_network
from pytracking.tracker.eco.features import Features, JoinedFeatures, NetworkFeatures
from pytracking.tracker.eco.filters import FilterModel
from pytracking.tracker.eco.fourier import to_map
from pytracking.tracker.eco.localization import find_peak
from pytracking.tracker.eco.params import ECOParams
from pytracking.tracker.eco.scale_filter import ScaleFilter, reduced_size
from pytracking.tracker.quality import likeness, peak_shape, target_patch
from pytracking.tracker.search import search_centers


class ECOTracker(BaseTracker):
    """ECO on given features.

    The box keeps the first box's aspect ratio. Its centre stays inside the frame, and its sides between ``min_side``
    and the frame's (a first box beyond either limit keeps its own size as the limit), so a target that leaves the
    frame is waited for at the border. Frames may change size; grey ones are taken as RGB.

    Args:
        params: the parameters.
        features: an extractor to use instead of the one that the parameters describe.

    Raises:
        ParameterError: there are no features, or they do not fit the network.
    """

    params: ECOParams

    def __init__(self, params: ECOParams, features: Features | None = None) -> None:
        super().__init__(params)
        self.device = params.torch_device
        self.features = features if features is not None else _features_of(params, self.device)
        half = params.scale_num // 2
        self.scales = params.scale_step ** np.arange(-half, half + 1, dtype=np.float64)

    @torch.inference_mode()
    def initialize(self, image: np.ndarray, info: Mapping[str, Any]) -> dict[str, Any]:
        """Learns the filter from the box ``info["init_bbox"]``; returns that box and the score 1.

        Raises ValueError if the box is not finite, is empty, or shows nothing of the frame.
        """
        params = self.params
        image = as_rgb(image)
        box = check_initial_box(info["init_bbox"], image)
        self.initial_size = box[2:].copy()
        # The index of the pixel in the middle: between two pixels it ends in a half.
        self.center = self._found = box[:2] + (box[2:] - 1) / 2
        side = math.sqrt(box[2:].prod()) * params.search_area
        self.scale = side / min(max(side, params.smallest_side), params.largest_side)
        target = box[2:] / self.scale
        self.side = self.features.sample_side(side / self.scale)
        self.first_scale = self.scale
        corner = np.floor(self.center + 0.5)
        maps = self._features(image, [(corner, 1.0)])
        self.model = FilterModel(
            [part.shape[-1] for part in maps],
            self.features.dimensions,
            self.side,
            (float(target[1]), float(target[0])),
            params.learning,
            device=self.device,
        )
        self.model.start([part[0] for part in maps], self._offset(corner, self.scale))
        self.template = self._target([part[0] for part in maps], self._offset(corner, self.scale), self.scale)
        self._frames_since_update = 0
        if params.scale_filter is not None:
            looked_at = reduced_size(box[2:], params.scale_filter)
            self.scale_filter = ScaleFilter(self.initial_size, looked_at, params.scale_filter, self.device)
            self.scale_filter.update(image, self.center, 1.0)
        return {"target_bbox": box.tolist(), "score": 1.0}

    @torch.inference_mode()
    def track(self, image: np.ndarray, info: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Returns ``target_bbox`` [x, y, w, h] and ``score``, the peak of the filter's response, about 1 for a fit.

        Where ``info`` says ``want_score_map``, ``score_map`` is that response, at the scale that was chosen, with the
        sample's centre in the middle. Where it says ``want_quality``, ``quality`` has numbers of how sure the box is:
        :meth:`_quality`. Where it says for how many frames the target is lost (``lost_frames``), it is looked for in a
        grid of samples around where it was. Nothing is learned then, nor where ``judge`` says that it is lost now.
        """
        image = as_rgb(image)
        height, width = image.shape[:2]
        wanted = info or {}
        lost = int(wanted.get("lost_frames", 0))
        if not lost:
            self._found = self.center
        squares = self._wider(lost, image) if lost else [(np.floor(self.center + 0.5), scale) for scale in self.scales]
        maps = self._features(image, squares)
        samples = self.model.samples(maps)
        responses = self.model.scores(samples)
        peak = find_peak(responses, self.params.newton_steps)
        corner, relative_scale = squares[peak.scale]
        sample_scale = self.scale * relative_scale
        moved = np.array([peak.columns, peak.rows]) * self.side * sample_scale
        self.center = np.clip(corner + moved, 0, [width - 1, height - 1])
        output: dict[str, Any] = {"score": peak.score}
        if wanted.get("want_score_map") or wanted.get("want_quality"):
            score_map = np.fft.fftshift(to_map(responses[peak.scale]).cpu().numpy())
        if wanted.get("want_score_map"):
            output["score_map"] = score_map
        if wanted.get("want_quality"):
            seen = self._target([part[peak.scale] for part in maps], (peak.rows, peak.columns), sample_scale)
            output["quality"] = self._quality(seen, score_map, (peak.rows, peak.columns))
        held = "judge" not in wanted or not wanted["judge"](output)
        if held:
            self._resize(relative_scale, width, height)
        if held and not lost:
            # The sample is shown at the scale where it was found, moved so that the target is at its origin.
            self._learn(image, [part[peak.scale] for part in samples], self._offset(corner, sample_scale))
        size = self.initial_size * (self.scale / self.first_scale)
        return {"target_bbox": [*(self.center - (size - 1) / 2).tolist(), *size.tolist()], **output}

    def recenter(self, center: tuple[float, float]) -> None:
        """Moves the target to a centre x, y, in frame coordinates; what is known of its looks and size stays."""
        self.center = self._found = np.asarray(center, np.float64) - 0.5

    def _learn(self, image: np.ndarray, sample: list[Tensor], offset: tuple[float, float]) -> None:
        """Takes a sample into the memory, updates the filter when it is due, and finds and learns the size."""
        height, width = image.shape[:2]
        self.model.remember(sample, offset)
        self._frames_since_update += 1
        if self._frames_since_update >= self.params.update_every:
            self._frames_since_update = 0
            self.model.update()
        if self.params.scale_filter is not None:
            self._resize(self.scale_filter.find(image, self.center, self.scale / self.first_scale), width, height)
            self.scale_filter.update(image, self.center, self.scale / self.first_scale)

    def _wider(self, lost_frames: int, image: np.ndarray) -> list[tuple[np.ndarray, float]]:
        """Returns whole pixels around where the target was found, half a sample apart: windows hide the outer half."""
        step = self.side * self.scale / 2
        centers = search_centers(self._found, step, lost_frames, (image.shape[1], image.shape[0]))
        return [(np.floor(center + 0.5), 1.0) for center in centers]

    def _target(self, maps: list[Tensor], offset: tuple[float, float], scale: float) -> list[Tensor]:
        """Returns the features (C, 8, 8) of the target's box in each block's maps (C, n, n) of a sample.

        Args:
            maps: of the sample.
            offset: rows and columns from the middle of the sample to the target, in parts of its side.
            scale: frame pixels for one pixel of the sample.
        """
        size = self.initial_size * (self.scale / self.first_scale) / (self.side * scale)
        row, column = offset[0] + 0.5, offset[1] + 0.5
        return [target_patch(part, (row, column), (float(size[1]), float(size[0]))) for part in maps]

    def _quality(self, seen: list[Tensor], score_map: np.ndarray, offset: tuple[float, float]) -> dict[str, float]:
        """Returns how like the first frame's the target's features are (``likeness``), and how its peak stands out.

        Args:
            seen: features of the box in each block.
            score_map: the response, the sample's centre in the middle.
            offset: rows and columns from there to the target, in parts of the response's side.
        """
        cells = score_map.shape[0]
        row, column = (int(np.clip(round(cells // 2 + part * cells), 0, cells - 1)) for part in offset)
        around = max(round(cells / self.params.search_area / 2), 1)  # half the target's side
        alike = [likeness(first, now) for first, now in zip(self.template, seen)]
        return {"likeness": float(np.mean(alike)), **peak_shape(score_map, (row, column), (around, around))}

    def _features(self, image: np.ndarray, squares: Sequence[tuple[np.ndarray, float]]) -> list[Tensor]:
        """Returns the features (N, C, n, n) of square patches, each around a whole pixel, at a scale."""
        patches = []
        for corner, scale in squares:
            side = max(round(self.side * self.scale * scale), 2)
            middle = corner - (side + 1) // 2 + side / 2
            patches.append(crop_square(image, (float(middle[0]), float(middle[1])), side, self.side)[0])
        # (N, H, W, 3) seen as (N, 3, H, W) is in channels_last order already: nothing is moved but bytes to floats.
        return self.features(torch.from_numpy(np.stack(patches)).to(self.device).permute(0, 3, 1, 2).float())

    def _offset(self, corner: np.ndarray, scale: float) -> tuple[float, float]:
        """Returns rows and columns from the middle of a sample to the target, in parts of the sample's side."""
        x, y = (self.center - corner) / (self.side * scale)
        return float(y), float(x)

    def _resize(self, factor: float, width: int, height: int) -> None:
        """Multiplies the scale by ``factor``, within the limits."""
        relative = self.scale / self.first_scale * factor
        smallest = min(1.0, self.params.min_side / self.initial_size.min())
        largest = max(1.0, float((np.array([width, height]) / self.initial_size).min()))
        self.scale = self.first_scale * min(max(relative, smallest), largest)


def _features_of(params: ECOParams, device: torch.device) -> Features:
    """Returns the features that the parameters name: hand-crafted ones first, then the network's layers."""
    try:
        parts: list[Features] = [ECO_FEATURES[name]() for name in params.hand_crafted]
    except RegistryError as error:
        raise ParameterError(str(error)) from error
    if params.network is not None:
        network = tracking_network(params.network)
        cast = autocast(params.precision, params.torch_device)
        parts.append(NetworkFeatures(network, params.layers, params.dimensions, device, cast, params.side_rule))
    if not parts:
        raise ParameterError("ECO has no features: give it a network, or hand-crafted ones")
    return parts[0] if len(parts) == 1 else JoinedFeatures(parts)
