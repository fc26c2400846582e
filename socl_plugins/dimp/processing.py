"""From raw frames with clicks, proposals and perhaps boxes to what DiMP learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from ltr.data.augmentation import Augmentation
from ltr.data.labels import LabelSettings, gaussian_label
from ltr.data.processing.dimp import PARTS, AugmentedCrop, DiMPProcessing, image_tensor
from ltr.data.processing.template_search import CropJitter
from ltr.data.proposals import IoUProposalSettings
from ltr.data.tensordict import TensorDict
from ltr.registry import PROCESSINGS
from socl_plugins.top_map.map import render_maps
from socl_plugins.top_map.proposals import Proposals


@dataclass(frozen=True)
class SoftLabelSettings:
    """What a classifier is to answer where only a click is known. SoCL says nothing of DiMP: this is our choice.

    Attributes:
        softness: how far the TOP map, brought to values from 0 to 1, takes part. The label is DiMP's Gaussian at the
            click times (1 - softness + softness map): where the map is low, the click is believed less, and what is
            far from the click stays background, which the hinge of the loss needs.
        eta: share of the places, those with the highest scores, whose mean score is the map's upper limit.
        temperature: of the softmax over places; lower ones make the map steeper.
        extent: how large a clicked target is taken to be: as the mean box of its ``top_map``, or as the ``box`` that
            the box branch has for the frame, where there is one.
    """

    softness: float = 0.3
    eta: float = 0.1
    temperature: float = 0.25
    extent: Literal["top_map", "box"] = "top_map"

    def __post_init__(self) -> None:
        if not (0 <= self.softness <= 1 and 0 < self.eta <= 1 and self.temperature > 0):
            raise ValueError(f"{self}: softness and eta are parts, up to 1, and the temperature is positive")


@PROCESSINGS.register("weak_dimp")
class WeakDiMPProcessing(DiMPProcessing):
    """Cuts crops around clicked targets: centred on the click, as large as ``soft.extent`` says.

    Args:
        train: crops of the train frames, and how far off they are.
        test: crops of the test frames; of the same size.
        label: the Gaussian that the classifier's label is made of.
        proposals: boxes to judge in the test frames.
        transform: augmentation drawn for each frame.
        joint_transform: augmentation drawn once for all frames of a sample.
        soft: how the label of a click differs from a box's.
    """

    def __init__(
        self,
        train: CropJitter,
        test: CropJitter,
        label: LabelSettings = LabelSettings(),
        proposals: IoUProposalSettings = IoUProposalSettings(),
        transform: Augmentation = Augmentation(),
        joint_transform: Augmentation = Augmentation(),
        soft: SoftLabelSettings = SoftLabelSettings(),
    ) -> None:
        super().__init__(train, test, label, proposals, transform, joint_transform)
        self.soft = soft

    def __call__(self, data: TensorDict, rng: np.random.Generator) -> TensorDict:
        """Returns what :class:`DiMPProcessing` does, a click's box being :func:`clicked_box`, and for the box branch:

        ``train_box``, ``test_box`` (I, 4), those of the click where there is no other; ``train_has_box``,
        ``test_has_box`` (I,) say where there is. Proposals are drawn around ``test_box``. ``train_scale``,
        ``test_scale`` (I,) say how many pixels of the crop one of the frame is.
        """
        result = TensorDict(dataset=data["dataset"], seq_id=data["seq_id"])
        joint = self.joint_transform.draw(rng)
        for part in PARTS:
            proposals: list[Proposals] = data[f"{part}_proposals"]
            frame_boxes = [box.double().numpy() for box in data[f"{part}_anno"]]
            targets = [
                clicked_box(point.numpy(), found, box if self.soft.extent == "box" else None)
                for point, found, box in zip(data[f"{part}_point"], proposals, frame_boxes)
            ]
            views = self.views(data[f"{part}_images"], targets, part, joint, rng)
            clicked = np.stack([view.boxes(target) for view, target in zip(views, targets)])
            given = np.stack([view.boxes(box) for view, box in zip(views, frame_boxes)])
            known = np.isfinite(given).all(axis=1)
            boxes = np.where(known[:, None], given, clicked)
            label = soft_label(clicked, views, proposals, self.label, self.soft, self.crops[part].size)
            result[f"{part}_images"] = image_tensor(views)
            result[f"{part}_anno"] = torch.from_numpy(clicked).float()
            result[f"{part}_label"] = torch.from_numpy(label).float()
            result[f"{part}_box"] = torch.from_numpy(boxes).float()
            result[f"{part}_has_box"] = torch.from_numpy(known)
            result[f"{part}_scale"] = torch.tensor([view.region.scale for view in views])
        result |= self.boxes_to_judge(boxes, rng)
        return result if self.mode == "sequence" else result.apply(lambda tensor: tensor[0])


def clicked_box(point: np.ndarray, proposals: Proposals, box: np.ndarray | None = None) -> np.ndarray:
    """Returns the box (4,) x, y, w, h around a click (2,), as large as a box (4,), or as the mean of its proposals.

    A box that is not finite counts as none.
    """
    size = proposals.mean_box()[2:].astype(np.float64) if box is None or not np.isfinite(box).all() else box[2:]
    return np.concatenate([point - size / 2, size])


def soft_label(
    boxes: np.ndarray,
    views: Sequence[AugmentedCrop],
    proposals: Sequence[Proposals],
    label: LabelSettings,
    soft: SoftLabelSettings,
    crop_size: int,
) -> np.ndarray:
    """Returns the labels (I, H, W), each 1 at the most: a Gaussian at each box's centre, weighted by its TOP map.

    Args:
        boxes: (I, 4) x, y, w, h in crop pixels.
        views: of the frames.
        proposals: in frame pixels.
        label: of the Gaussian, and the map's cells.
        soft: how much the map counts.
        crop_size: side of the crop in pixels.
    """
    gaussian = gaussian_label(boxes, label, crop_size)
    cell = crop_size / label.cells
    # The score of an even filter belongs to the corner of four feature cells.
    shift = np.array([cell / 2, cell / 2, 0, 0]) * (label.filter_size % 2 == 0)
    moved = [
        Proposals((view.boxes(found.boxes.astype(np.float64)) + shift).astype(np.float32), found.scores)
        for view, found in zip(views, proposals)
    ]
    maps = render_maps(moved, gaussian.shape[1:], cell, soft.eta, soft.temperature)
    maps -= maps.min(axis=(1, 2), keepdims=True)
    maps /= np.maximum(maps.max(axis=(1, 2), keepdims=True), 1e-12)
    weighted: np.ndarray = gaussian * (1 - soft.softness + soft.softness * maps)
    return weighted
