"""SiamFC: the target is where the search region's features are most like the first frame's template.

L. Bertinetto et al., Fully-Convolutional Siamese Networks for Object Tracking, ECCV Workshops 2016, in the improved
form of its authors (three scales, Hann window). Works on any network that has a stride and a correlation.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from ltr.data.crops import crop_square, template_side
from ltr.models.fold import folded
from pytracking.parameter.params import WHEN_LOST, ParameterError, TrackerParams, autocast, check_precision
from pytracking.tracker.base import BaseTracker, as_rgb, check_initial_box, tracking_network
from pytracking.tracker.quality import likeness, peak_shape
from pytracking.tracker.search import search_centers

Square = tuple[np.ndarray, float]
"""A place to look at: its centre x, y in the frame, and its size over that of the search region."""


class SiameseNetwork(Protocol):
    """What the tracker asks of a network, of which it makes a copy: :func:`ltr.models.fold.folded`."""

    stride: int

    def __call__(self, images: Tensor) -> Tensor:
        """Returns the features (N, C, h, w) of RGB images (N, 3, H, W) in 0..255."""

    def correlate(self, template: Tensor, search: Tensor) -> Tensor:
        """Returns the response (N, 1, h, w) of a template (1, C, h, w) in search features (N, C, h, w)."""


@dataclass(kw_only=True)
class SiamFCParams(TrackerParams):
    """Parameters of SiamFC; the defaults are those of the improved version of its authors (SiamFC-3s).

    Attributes:
        network: the network, or the path or name of its checkpoint or ONNX file.
        exemplar_size: side of the template crop in pixels.
        search_size: side of the search crop in pixels, at the same magnification as the template.
        context: margin around the target in the template, as a part of its mean side times two.
        scale_num: number of scales that are searched; odd.
        scale_step: ratio of neighbouring scales.
        scale_penalty: factor on the response of every scale but the unchanged one.
        scale_lr: how fast the size follows the chosen scale (0 never, 1 at once).
        window_influence: weight of the Hann window in the response, 0 to 1.
        response_up: how many times the response is enlarged (bicubic) before its peak is sought.
        template_lr: how much of the new appearance enters the template in each frame; 0 keeps the first frame's.
        fill: what a crop shows outside the frame: ``mean``, the first frame's mean colour, ``replicate``, the border.
        min_side: sides in pixels under which the box does not shrink (a smaller first box keeps its own size).
        precision: of the network's convolutions, ``float32``, ``bfloat16``, or ``auto``: bfloat16 where the CPU has it.
        widen_when_lost: search in a grid of windows that grows while the target is lost, and keep size and template as
            they are; needs a calibration (:mod:`pytracking.confidence`).
    """

    network: str | Path | nn.Module
    exemplar_size: int = 127
    search_size: int = 255
    context: float = 0.5
    scale_num: int = 3
    scale_step: float = 1.0375
    scale_penalty: float = 0.9745
    scale_lr: float = 0.59
    window_influence: float = 0.176
    response_up: int = 16
    template_lr: float = 0.0
    fill: str = "mean"
    min_side: float = 10.0
    precision: str = "float32"
    widen_when_lost: bool = field(default=False, metadata=WHEN_LOST)

    def __post_init__(self) -> None:
        check_precision(self.precision)
        rules = {
            "scale_num": (self.scale_num >= 1 and self.scale_num % 2 == 1, "an odd number, 1 or more"),
            "scale_step": (self.scale_step > 1, "more than 1"),
            "scale_penalty": (0 < self.scale_penalty <= 1, "more than 0 and at most 1"),
            "scale_lr": (0 <= self.scale_lr <= 1, "between 0 and 1"),
            "template_lr": (0 <= self.template_lr <= 1, "between 0 and 1"),
            "window_influence": (0 <= self.window_influence <= 1, "between 0 and 1"),
            "response_up": (self.response_up >= 1, "1 or more"),
            "exemplar_size": (0 < self.exemplar_size <= self.search_size, "positive and at most search_size"),
            "fill": (self.fill in ("mean", "replicate"), "'mean' or 'replicate'"),
        }
        for name, (holds, wanted) in rules.items():
            if not holds:
                raise ParameterError(f"SiamFC's {name} must be {wanted}, not {getattr(self, name)!r}")


class SiamFCTracker(BaseTracker):
    """SiamFC on a given network.

    The box keeps the first box's aspect ratio. Its centre stays inside the frame, and its sides between
    ``min_side`` and the frame's (a first box beyond either limit keeps its own size as the limit), so a target that
    leaves the frame is waited for at the border. Frames may change size; grey ones are taken as RGB.
    """

    params: SiamFCParams
    crops_at_once = {"cpu": 3, "cuda": 96}
    """Crops that :meth:`track_many` gives the network in one pass. More cost memory, and on a CPU time: what the
    network computes no longer fits its caches (``benchmarks/many_targets.py``)."""

    def __init__(self, params: SiamFCParams) -> None:
        super().__init__(params)
        network = tracking_network(params.network, onnx_kind="siamfc")
        if not (hasattr(network, "stride") and hasattr(network, "correlate")):
            raise ParameterError(
                f"SiamFC needs a network with a stride and a method correlate(template, search); "
                f"{type(network).__name__} is none"
            )
        self.device = params.torch_device
        own: nn.Module = folded(network).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network = cast(SiameseNetwork, own)
        half = params.scale_num // 2
        self.scales = params.scale_step ** np.arange(-half, half + 1, dtype=np.float64)
        self._window = np.ones((1, 1))

    @torch.inference_mode()
    def initialize(self, image: np.ndarray, info: Mapping[str, Any]) -> dict[str, Any]:
        """Takes the template from the box ``info["init_bbox"]``; returns that box and the score 1.

        Raises ValueError if the box is not finite, is empty, or shows nothing of the frame.
        """
        image = as_rgb(image)
        box = check_initial_box(info["init_bbox"], image)
        self.center = self._last_seen = box[:2] + box[2:] / 2
        self.size = box[2:].copy()
        self.initial_size = box[2:].copy()
        self.fill = np.asarray(cv2.mean(image)[:3]) if self.params.fill == "mean" else None
        self.template = self._features(image, [(self.center, 1.0)], self.params.exemplar_size)
        return {"target_bbox": box.tolist(), "score": 1.0}

    @torch.inference_mode()
    def track(self, image: np.ndarray, info: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Returns ``target_bbox`` [x, y, w, h] and ``score``, the peak of the network's response before the window.

        Where ``info`` says ``want_score_map``, ``score_map`` is that response, at the scale that was chosen. Where it
        says ``want_quality``, ``quality`` has numbers of how sure the box is: :meth:`_quality`. Where it says for how
        many frames the target is lost (``lost_frames``), it is looked for in a grid of windows around where it was.
        Size and template stay as they are then, and where ``judge`` says that it is lost now.
        """
        image = as_rgb(image)
        squares = self._squares(image, info)
        search = self._features(image, squares, self.params.search_size)
        return self._located(image, squares, search, self._response_maps(search), info)

    def sibling(self) -> SiamFCTracker:
        """Returns a tracker for another target, to be initialized, that shares this one's network.

        What a tracker knows of its target is replaced in each frame and never changed in place, so no more is shared.
        """
        return copy.copy(self)

    @staticmethod
    @torch.inference_mode()
    def track_many(
        trackers: Sequence[SiamFCTracker], image: np.ndarray, infos: Sequence[Mapping[str, Any] | None]
    ) -> list[dict[str, Any]]:
        """Returns what :meth:`track` of each sibling would, up to rounding: the network sees their crops together.

        Templates differ, so each is compared with its own target's search features only. On a CPU one comparison after
        the other is faster than the one grouped convolution that would do the same.

        Raises ValueError if the trackers do not share one network.
        """
        first = trackers[0]
        if any(tracker.network is not first.network for tracker in trackers):
            raise ValueError("trackers of several targets must share one network: make them with sibling()")
        image = as_rgb(image)
        squares = [each._squares(image, info) for each, info in zip(trackers, infos)]
        crops = np.concatenate(
            [each._crops(image, own, each.params.search_size) for each, own in zip(trackers, squares)]
        )
        most = first.crops_at_once.get(first.device.type, len(crops))
        passes = [first._features_of(crops[start : start + most]) for start in range(0, len(crops), most)]
        searches = torch.cat(passes).split([len(own) for own in squares])
        maps = torch.cat([each._response_maps(search) for each, search in zip(trackers, searches)]).cpu()
        responses = maps.split([len(own) for own in squares])
        found = zip(trackers, squares, searches, responses, infos)
        return [each._located(image, own, search, maps, info) for each, own, search, maps, info in found]

    def _located(
        self,
        image: np.ndarray,
        squares: Sequence[Square],
        search: Tensor,
        maps: Tensor,
        info: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        """Moves the target to where the response is highest, and returns what :meth:`track` does.

        Args:
            image: the frame.
            squares: N places that were looked at.
            search: features (N, C, h, w) of them.
            maps: responses (N, h, w) in these.
            info: see :meth:`track`.
        """
        params, wanted = self.params, info or {}
        lost = bool(wanted.get("lost_frames", 0))
        responses = self._enlarged(maps.cpu().numpy())
        peaks = responses.max(axis=(1, 2))
        best = self._most_alike(search, responses) if lost else select_scale(peaks, params.scale_penalty)
        score = float(peaks[best])
        response = responses[best] if lost else self._windowed(responses[best])
        row, column = np.unravel_index(np.argmax(response), response.shape)
        cell = (np.array([column, row]) + 0.5) / params.response_up - 0.5
        quality = self._quality(search[best], responses[best], cell) if wanted.get("want_quality") else None
        sizes = np.array(responses.shape[:0:-1]) / params.response_up
        zero = [self._response_center(size) for size in sizes]
        moved = (cell - zero) * self.network.stride  # pixels of the search crop
        middle, scale = squares[best]
        side = self._template_side() * params.search_size / params.exemplar_size * scale
        height, width = image.shape[:2]
        self.center = np.clip(middle + moved * side / params.search_size, 0, [width, height])
        output: dict[str, Any] = {"score": score} if quality is None else {"score": score, "quality": quality}
        held = "judge" not in wanted or not wanted["judge"](output)
        if held:
            self._resize(1 + params.scale_lr * (scale - 1), width, height)
        if params.template_lr > 0 and held and not lost:
            seen = self._features(image, [(self.center, 1.0)], params.exemplar_size)
            self.template = torch.lerp(self.template, seen, params.template_lr)
        box = [*(self.center - self.size / 2).tolist(), *self.size.tolist()]
        if wanted.get("want_score_map"):
            output["score_map"] = responses[best]
        return {"target_bbox": box, **output}

    def recenter(self, center: tuple[float, float]) -> None:
        """Moves the target to a centre x, y, in frame coordinates; what is known of its looks and size stays."""
        self.center = self._last_seen = np.asarray(center, np.float64)

    def _template_side(self) -> float:
        """Side in frame pixels of the square that the template shows at the current size."""
        return template_side(self.size, self.params.context)

    def _squares(self, image: np.ndarray, info: Mapping[str, Any] | None) -> list[Square]:
        """Returns where to look: at the target at each scale or, while it is lost, ever farther from where it was."""
        lost_frames = int((info or {}).get("lost_frames", 0))
        if lost_frames:
            return self._wider(lost_frames, image)
        self._last_seen = self.center
        return [(self.center, scale) for scale in self.scales]

    def _wider(self, lost_frames: int, image: np.ndarray) -> list[Square]:
        """Returns centres of squares around where the target was found, as far apart as each one's response reaches."""
        params = self.params
        step = self._template_side() * max(params.search_size / params.exemplar_size - 1, 0.25)
        centers = search_centers(self._last_seen, step, lost_frames, (image.shape[1], image.shape[0]))
        return [(center, 1.0) for center in centers]

    def _most_alike(self, search: Tensor, responses: np.ndarray) -> int:
        """Returns which square's peak is most like the template: responses grow with contrast, likeness does not."""
        alike = []
        for features, response in zip(search, responses):
            row, column = np.unravel_index(np.argmax(response), response.shape)
            cell = (np.array([column, row]) + 0.5) / self.params.response_up - 0.5
            alike.append(likeness(self.template, self._seen(features, cell)))
        return int(np.argmax(alike))

    def _seen(self, search: Tensor, cell: np.ndarray) -> Tensor:
        """Returns what a template at a cell (column, row) of the response covers of search features (C, h, w)."""
        rows, columns = self.template.shape[-2:]
        column, row = np.clip(np.round(cell), 0, [search.shape[-1] - columns, search.shape[-2] - rows]).astype(int)
        return search[:, row : row + rows, column : column + columns]

    def _features(self, image: np.ndarray, squares: Sequence[Square], output_size: int) -> Tensor:
        """Returns the features (N, C, h, w) of square crops."""
        return self._features_of(self._crops(image, squares, output_size))

    def _crops(self, image: np.ndarray, squares: Sequence[Square], output_size: int) -> np.ndarray:
        """Returns square crops (N, output_size, output_size, 3) uint8."""
        side = self._template_side() * output_size / self.params.exemplar_size
        crops = [
            crop_square(image, (float(x), float(y)), side * scale, output_size, self.fill)[0]
            for (x, y), scale in squares
        ]
        return np.stack(crops)

    def _features_of(self, crops: np.ndarray) -> Tensor:
        """Returns the features (N, C, h, w) of crops (N, H, W, 3) uint8."""
        # (N, H, W, 3) seen as (N, 3, H, W) is in channels_last order already: nothing is moved but bytes to floats.
        images = torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2).float()
        with autocast(self.params.precision, self.params.torch_device, self.network):
            features = self.network(images)
        return features.float()  # responses in bfloat16 would have steps as large as what tells two scales apart

    def _response_maps(self, search: Tensor) -> Tensor:
        """Returns the response (scales, h, w) at every scale, in the search features (scales, C, h, w)."""
        return self.network.correlate(self.template, search)[:, 0].float()

    def _enlarged(self, maps: np.ndarray) -> np.ndarray:
        """Returns response maps (scales, h, w), each ``response_up`` times as large."""
        up = self.params.response_up
        size = (maps.shape[2] * up, maps.shape[1] * up)
        return np.stack([cv2.resize(response, size, interpolation=cv2.INTER_CUBIC) for response in maps])

    def _quality(self, search: Tensor, response: np.ndarray, cell: np.ndarray) -> dict[str, float]:
        """Returns how like the template the box's place is (``likeness``), and how its peak stands out.

        Args:
            search: features (C, h, w) at the chosen scale.
            response: the enlarged response there.
            cell: column and row of the box's centre in the response before it is enlarged.
        """
        rows, columns = self.template.shape[-2:]
        up = self.params.response_up
        # Half the target's side: the template shows its context, too.
        around = (max(rows // 4, 1) * up, max(columns // 4, 1) * up)
        middle = np.clip(np.round((cell + 0.5) * up - 0.5), 0, [response.shape[1] - 1, response.shape[0] - 1])
        shape = peak_shape(response, (int(middle[1]), int(middle[0])), around)
        return {"likeness": likeness(self.template, self._seen(search, cell)), **shape}

    def _windowed(self, response: np.ndarray) -> np.ndarray:
        """Returns the response, brought to zero minimum and unit sum, mixed with a Hann window of unit sum."""
        if self._window.shape != response.shape:
            window = np.outer(np.hanning(response.shape[0]), np.hanning(response.shape[1]))
            self._window = window / window.sum()
        # Whatever range a network answers in (logits, cosines), the window then weighs the same.
        response = response - response.min()
        total = float(response.sum())
        influence = self.params.window_influence
        if total <= 0:  # flat, so that only the window speaks
            return self._window
        return (1 - influence) / total * response + influence * self._window

    def _response_center(self, cells: float) -> float:
        return response_center(cells, self.network.stride, self.params.search_size, self.params.exemplar_size)

    def _resize(self, factor: float, width: int, height: int) -> None:
        """Multiplies the size by ``factor``, within the limits."""
        scale = self.size[0] / self.initial_size[0] * factor
        smallest = min(1.0, self.params.min_side / self.initial_size.min())
        largest = max(1.0, float((np.array([width, height]) / self.initial_size).min()))
        self.size = self.initial_size * min(max(scale, smallest), largest)


def select_scale(peaks: np.ndarray, penalty: float) -> int:
    """Returns the index of the highest peak, after every scale but the middle one is made worse by ``penalty``.

    A negative peak is divided by the penalty: times it, it would become better.

    >>> select_scale(np.array([1.0, 1.0, 1.02]), 0.97), select_scale(np.array([-1.0, -1.01, -2.0]), 0.97)
    (1, 1)
    """
    penalties = np.full(len(peaks), penalty)
    penalties[len(peaks) // 2] = 1.0
    return int(np.argmax(np.where(peaks > 0, peaks * penalties, peaks / penalties)))


def response_center(cells: float, stride: int, search_size: int, exemplar_size: int) -> float:
    """Returns the response cell, counted from 0, that stands for a target in the middle of the search crop.

    Cell k compares the template with the part of the search crop that starts k * stride pixels from its corner, so
    the middle is (search - exemplar) / 2 / stride, plus a whole number of cells if the network trims its template
    more than its search features. The whole number is the one that lies nearest to the middle of the response.

    >>> response_center(17, stride=8, search_size=255, exemplar_size=127)
    8.0
    >>> response_center(27, stride=8, search_size=255, exemplar_size=127)  # five cells a side trimmed off the template
    13.0
    >>> response_center(17, stride=8, search_size=251, exemplar_size=127)
    7.75
    """
    middle = (search_size - exemplar_size) / 2 / stride
    return middle + math.ceil((cells - 1) / 2 - middle - 0.5)
