"""The DiMP tracker.

G. Bhat et al., Learning Discriminative Model Prediction for Tracking, ICCV 2019, section 3.7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ltr.data.target_crops import BorderMode
from ltr.models.bbreg import Modulation
from ltr.models.fold import folded
from ltr.models.graphed import graphed
from ltr.models.target_classifier import LossMaps
from ltr.models.tracking import DiMPNet
from pytracking.parameter.params import ParameterError, autocast, number_type
from pytracking.tracker.base import BaseTracker, as_rgb, check_initial_box, tracking_network
from pytracking.tracker.dimp.localization import Location, locate
from pytracking.tracker.dimp.memory import DiMPMemory, Samples
from pytracking.tracker.dimp.overlap import IoUPredictor
from pytracking.tracker.dimp.params import DiMPParams
from pytracking.tracker.dimp.refinement import Ascent, best_box, refine_boxes, refine_on_whole_crop, starting_boxes
from pytracking.tracker.dimp.sampling import Patch, sample_patch

P = ParamSpec("P")
R = TypeVar("R")

INSIDE_RATIO = 0.2
"""How much of the target's width and height stays inside the frame."""


class DiMPTracker(BaseTracker):
    """DiMP on a given network.

    A target that is not found is waited for where it was. Frames may change size; grey ones are taken as RGB.
    """

    params: DiMPParams

    def __init__(self, params: DiMPParams) -> None:
        super().__init__(params)
        network = tracking_network(params.network)
        if not isinstance(network, DiMPNet):
            raise ParameterError(f"DiMP needs a DiMP network; {type(network).__name__} is none")
        if network.box_branch == "density" and params.box_refinement_space != "relative":
            raise ParameterError(
                "the network's box branch learned a density, as SuperDiMP's does, but box_refinement_space is "
                f"{params.box_refinement_space!r}: track with the parameter set dimp super_dimp"
            )
        self.device = params.torch_device
        self.network = self._prepare(network).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        classifier = self.network.classifier
        self._kind = torch.float32 if params.features is not None else number_type(params.precision, self.device)
        self._precision = nullcontext() if params.features is not None else autocast(params.precision, self.device)
        self._backbone = self._recorded(self._extract_backbone)
        self._extract = self._recorded(self._extract_for_classifier)
        if params.features is not None:
            from pytracking.onnx.network import load_dimp_features

            file = load_dimp_features(params.features, network, params.image_sample_size)
            self._backbone, self._extract = file.backbone, file.extract
        self._classify = self._recorded(classifier.classify)
        self._loss_maps = self._recorded(classifier.filter_optimizer.loss_maps)

    @torch.no_grad()
    def initialize(self, image: np.ndarray, info: Mapping[str, Any]) -> dict[str, Any]:
        """Learns the target in the box ``info["init_bbox"]``; returns that box and the score 1.

        Raises ValueError if the box is not finite, is empty, or shows nothing of the frame.
        """
        image = as_rgb(image)
        box = check_initial_box(info["init_bbox"], image)
        self.rng = np.random.default_rng(self.params.seed)
        self.frame = 1
        self.center = box[:2] + box[2:] / 2
        self.size = box[2:].copy()
        self.side = float(np.sqrt(self.size.prod()))
        """Mean side of the target, to which crops are scaled. It stays when the box's change is doubtful."""
        self.initial_side = self.side
        crops, boxes = self._first_crops(image, box)
        backbone = self._extract_backbone(self._images(crops))
        first = self._upload(boxes[0])
        reference = (backbone["layer2"][:1], backbone["layer3"][:1])
        self._set_target_modulation(self.network.bb_regressor.modulation(reference, first[None]))
        self._learn_first(self._extract_for_classifier(backbone["layer3"]), boxes)
        return {"target_bbox": box.tolist(), "score": 1.0}

    @torch.no_grad()
    def track(self, image: np.ndarray, info: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Returns ``target_bbox`` [x, y, w, h] and ``score``, the height of the target's peak.

        Where ``info`` says ``want_score_map``, ``score_map`` is the classifier's, without a window.
        """
        image = as_rgb(image)
        self.frame += 1
        params = self.params
        patch = self._patch(image, params.image_sample_size, params.border_mode, self.device.type != "cuda")
        backbone = self._backbone(self._images(patch.pixels[None]))
        features = self._extract(backbone["layer3"])
        scores = self._classify(self.filter, features[:, None])[0, 0].float().cpu().numpy()
        location, middle = self._locate(scores, patch)
        if location.state != "not_found":
            height, width = image.shape[:2]
            limit = (INSIDE_RATIO - 0.5) * self.size
            self.center = np.clip(middle, limit, np.array([width, height]) - limit)
            if params.box_refinement_iter > 0:
                resize = location.state != "uncertain" or params.update_scale_when_uncertain
                self._refine(backbone, patch, (width, height), resize)
        if location.state in ("normal", "hard_negative"):
            self._learn(features, patch, location.state == "hard_negative")
        box = [*(self.center - self.size / 2).tolist(), *self.size.tolist()]
        output = {"target_bbox": box, "score": location.score}
        return output | {"score_map": scores} if info and info.get("want_score_map") else output

    def recenter(self, center: tuple[float, float]) -> None:
        """Moves the target to a centre x, y, in frame coordinates; what is known of its looks and size stays."""
        self.center = np.asarray(center, np.float64)

    def _prepare(self, network: DiMPNet) -> DiMPNet:
        """Returns the network to track with, which is the tracker's own."""
        return folded(network)

    def _extract_backbone(self, images: Tensor) -> dict[str, Tensor]:
        with self._precision:
            found = self.network.extract_backbone(images)
        return {name: layer.float() for name, layer in found.items()}

    def _extract_for_classifier(self, layer3: Tensor) -> Tensor:
        with self._precision:
            found = self.network.classifier.extract(layer3)
        return found.float()

    def _recorded(self, function: Callable[P, R]) -> Callable[P, R]:
        """Returns the function as the frames after the first are to call it."""
        return graphed(function)

    # ---- where the target is ----------------------------------------------------------------------------------------

    def _patch(self, image: np.ndarray, size: int, mode: BorderMode, resized: bool = True) -> Patch:
        """Returns the crop around the target in ``size`` pixels, at the crops' magnification: more pixels show more.

        If it is not ``resized``, :meth:`_images` does that.
        """
        params = self.params
        side = self.side * params.search_area_scale * size / params.image_sample_size
        return sample_patch(image, self.center - 0.5, side, size, mode, params.border_limit, resized)

    def _locate(self, scores: np.ndarray, patch: Patch) -> tuple[Location, np.ndarray]:
        """Returns the target's peak, and its place x, y in the frame."""
        # Cell k of the scores of an even filter is k cells from the crop's corner, that of an odd one half a cell more.
        half = self.filter.shape[-1] % 2 / 2
        box = np.concatenate([self.center, self.size])
        target = patch.to_crop(box) / self.network.stride
        location = locate(scores, target[:2] - half, target[2:], self.params)
        cell = (location.cell + half) * self.network.stride
        return location, patch.to_frame(np.concatenate([cell, np.zeros(2)]))[:2]

    def _refine(self, backbone: Mapping[str, Tensor], patch: Patch, frame: tuple[int, int], resize: bool) -> None:
        """Fits the box, and, if asked to ``resize``, the size of the next frames' crops."""
        params = self.params
        box = patch.to_crop(np.concatenate([self.center - self.size / 2, self.size]))
        starts = starting_boxes(
            box, params.num_init_random_boxes, params.box_jitter_pos, params.box_jitter_sz, self.rng
        )
        boxes, overlaps = self._refined_boxes(backbone, self._upload(starts))
        refined = torch.cat([boxes, overlaps[:, None]], dim=1).cpu().numpy().astype(np.float64)
        found = best_box(refined[:, :4], refined[:, 4], params.iounet_k, params.maximal_aspect_ratio)
        if found is not None:
            box = patch.to_frame(found)
            self.center, self.size = box[:2] + box[2:] / 2, box[2:]
        if found is not None and resize:
            smallest = min(1.0, params.min_side / self.initial_side) * self.initial_side
            largest = max(np.sqrt(frame[0] * frame[1]), self.initial_side)
            self.side = float(np.clip(np.sqrt(self.size.prod()), smallest, largest))

    def _set_target_modulation(self, modulation: Modulation) -> None:
        """Takes in what the IoU network knows of the target."""
        self.judge = IoUPredictor(self.network.bb_regressor, modulation, self._kind)
        judge, ascent = self.judge, self._ascent

        def refined(near: Tensor, far: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
            return refine_on_whole_crop(judge, (near, far), boxes, ascent)

        self._refined = self._recorded(refined)

    def _refined_boxes(self, backbone: Mapping[str, Tensor], boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns refined boxes (N, 4) x, y, w, h in crop pixels and their predicted overlaps (N,)."""
        if self.device.type == "cuda":
            return self._refined(backbone["layer2"], backbone["layer3"], boxes)
        return refine_boxes(self.judge, (backbone["layer2"], backbone["layer3"]), boxes, self._ascent)

    @property
    def _ascent(self) -> Ascent:
        params = self.params
        return Ascent(
            params.box_refinement_iter,
            params.box_refinement_step_length,
            params.box_refinement_step_decay,
            params.box_refinement_space,
        )

    # ---- what the target looks like ---------------------------------------------------------------------------------

    def _first_crops(self, image: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the first frame's crops (I, S, S, 3) and the target's box (I, 4) in each."""
        params = self.params
        size = params.image_sample_size
        if not params.use_augmentation:
            patch = self._patch(image, size, "fixed")
            return patch.pixels[None], patch.to_crop(box)[None]
        margin = round(size * (params.augmentation_expansion_factor - 1) / 2)
        wide = self._patch(image, size + 2 * margin, "fixed")
        inside = wide.to_crop(box) - np.array([margin, margin, 0, 0])
        crops, shifts = zip(*params.augmentation.crops(wide.pixels, size, params.random_shift_factor, self.rng))
        return np.stack(crops), inside + np.pad(np.stack(shifts), ((0, 0), (0, 2)))

    def _learn_first(self, features: Tensor, boxes: np.ndarray) -> None:
        """Makes the filter and the memory from the first frame's samples."""
        params, classifier = self.params, self.network.classifier
        if params.use_augmentation:
            count, rate = params.augmentation.dropouts, params.augmentation.dropout_rate
            generator = torch.Generator().manual_seed(params.seed)
            kept = torch.rand(count, features.shape[1], 1, 1, generator=generator) >= rate
            features = torch.cat([features, features[:1] * kept.to(features) / (1 - rate)])
            boxes = np.concatenate([boxes, np.repeat(boxes[:1], count, axis=0)])
        targets = self._upload(boxes)[:, None]
        self.filter = classifier.filter_initializer(features[:, None], targets)
        maps = self._maps(targets, features)
        self.memory = DiMPMemory(params.sample_memory_size, features, maps, params.init_samples_minimum_weight)
        self.filter = self._descend(self.memory.samples, params.net_opt_iter)

    def _learn(self, features: Tensor, patch: Patch, hard_negative: bool) -> None:
        """Stores the frame, and updates the filter if it is time, or if there is a distractor."""
        params = self.params
        if params.train_skipping is None:
            return
        box = patch.to_crop(np.concatenate([self.center - self.size / 2, self.size]))
        target = self._upload(box)[None, None]
        if params.model_averaging_rate is not None:
            path = self.network.classifier.get_filter(features[:, None], target, iterations=params.net_opt_iter)
            self.filter = torch.lerp(self.filter, path.filters[-1], params.model_averaging_rate)
            return
        rate = params.hard_negative_learning_rate if hard_negative else params.learning_rate
        self.memory.add(features, self._maps(target, features), rate)
        if hard_negative:
            self.filter = self._descend(self.memory.samples, params.net_opt_hn_iter)
        elif (self.frame - 1) % params.train_skipping == 0:
            self.filter = self._descend(self.memory.samples, params.net_opt_update_iter)

    def _descend(self, samples: Samples, iterations: int) -> Tensor:
        """Returns the filter after so many recursions of the optimizer on the samples."""
        optimizer = self.network.classifier.filter_optimizer
        path = optimizer.descend(self.filter, samples.features, samples.maps, samples.weights, iterations)
        return path.filters[-1]

    def _maps(self, targets: Tensor, features: Tensor) -> LossMaps:
        kernel = (int(self.filter.shape[-2]), int(self.filter.shape[-1]))
        size = (int(features.shape[-2]), int(features.shape[-1]))
        return self._loss_maps(targets, size, kernel)

    def _images(self, crops: np.ndarray) -> Tensor:
        # (N, H, W, 3) seen as (N, 3, H, W) is in channels_last order already.
        images = torch.from_numpy(np.ascontiguousarray(crops)).to(self.device, non_blocking=True).permute(0, 3, 1, 2)
        size = self.params.image_sample_size
        if images.shape[-2:] == (size, size) and images.is_floating_point():
            return images
        # What a GPU gets are the frame's bytes: fewer than the crop's numbers.
        return F.interpolate(images.float(), (size, size), mode="bilinear")

    def _upload(self, numbers: np.ndarray) -> Tensor:
        # The numbers are copied before this returns; what the device still has to do is not waited for.
        return torch.from_numpy(numbers).float().to(self.device, non_blocking=True)
