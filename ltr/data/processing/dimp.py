"""From raw frames with boxes to what DiMP learns from: crops, boxes in them, labels, and boxes to judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from ltr.data.augmentation import Augmentation
from ltr.data.jitter import jittered_center, jittered_size
from ltr.data.labels import LabelSettings, gaussian_label
from ltr.data.processing.template_search import CropJitter
from ltr.data.proposals import DensityProposalSettings, IoUProposalSettings, draw_density_proposals, draw_proposals
from ltr.data.target_crops import BorderMode, Region, adaptive_crop
from ltr.data.tensordict import TensorDict
from ltr.data.transforms import Drawn
from ltr.registry import PROCESSINGS

PARTS = ("train", "test")


@dataclass(frozen=True)
class AugmentedCrop:
    """What is seen of a frame.

    Attributes:
        pixels: (S, S, 3) uint8, augmented.
        region: of the frame, before augmentation.
        drawn: the augmentation.
    """

    pixels: np.ndarray
    region: Region
    drawn: Drawn

    def boxes(self, boxes: np.ndarray) -> np.ndarray:
        """Returns boxes (..., 4) x, y, w, h of the frame in crop pixels."""
        return self.drawn.boxes(self.region.boxes_to_crop(boxes), self.pixels.shape)


@PROCESSINGS.register("dimp")
class DiMPProcessing:
    """Cuts a crop around the target out of every train and test frame (DiMP, section 3.6).

    Args:
        train: size of the train frames' crops, and how far their centres and scales are off the target's.
        test: the same of the test frames' crops; ``size`` must be that of ``train``.
        label: what a classifier is to answer.
        proposals: boxes to judge in the test frames, with their overlaps or with their densities.
        transform: augmentation drawn for each frame.
        joint_transform: augmentation drawn once for all frames of a sample.
        crop_type: what a crop does at the frame's border.
        max_scale_change: see :func:`ltr.data.target_crops.adaptive_crop`.
        mode: ``sequence`` for lists of frames; ``pair`` drops the dimension of frames from a sample of one and one.
    """

    def __init__(
        self,
        train: CropJitter,
        test: CropJitter,
        label: LabelSettings = LabelSettings(),
        proposals: IoUProposalSettings | DensityProposalSettings = IoUProposalSettings(),
        transform: Augmentation = Augmentation(),
        joint_transform: Augmentation = Augmentation(),
        crop_type: BorderMode = "replicate",
        max_scale_change: float | None = None,
        mode: Literal["sequence", "pair"] = "sequence",
    ) -> None:
        self.crops = {"train": train, "test": test}
        self.label = label
        self.proposals = proposals
        self.transform = transform
        self.joint_transform = joint_transform
        self.crop_type: BorderMode = crop_type
        self.max_scale_change = max_scale_change
        self.mode = mode

    def __call__(self, data: TensorDict, rng: np.random.Generator) -> TensorDict:
        """Returns the sample's tensors, with one row for each of the I frames of a part.

        ``train_images``, ``test_images`` (I, 3, S, S) uint8; ``train_anno``, ``test_anno`` (I, 4) x, y, w, h in crop
        pixels; ``train_label``, ``test_label`` (I, H, W); ``test_proposals`` (I, P, 4), and what
        :meth:`boxes_to_judge` says of them.
        """
        result = TensorDict(dataset=data["dataset"], seq_id=data["seq_id"])
        joint = self.joint_transform.draw(rng)
        for part in PARTS:
            targets = [box.double().numpy() for box in data[f"{part}_anno"]]
            views = self.views(data[f"{part}_images"], targets, part, joint, rng)
            boxes = np.stack([view.boxes(target) for view, target in zip(views, targets)])
            result[f"{part}_images"] = image_tensor(views)
            result[f"{part}_anno"] = torch.from_numpy(boxes).float()
            label = gaussian_label(boxes, self.label, self.crops[part].size)
            result[f"{part}_label"] = torch.from_numpy(label).float()
        result |= self.boxes_to_judge(boxes, rng)
        return result if self.mode == "sequence" else result.apply(lambda tensor: tensor[0])

    def boxes_to_judge(self, boxes: np.ndarray, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Returns ``test_proposals`` (I, P, 4) for the boxes (I, 4) of the test frames, and how good they are.

        ``proposal_iou`` (I, P) are their overlaps, brought from [0, 1] to [-1, 1], as the IoU network answers; or
        ``proposal_density`` and ``true_density`` (I, P) are those of :class:`ltr.data.proposals.DensityProposals`.
        """
        if isinstance(self.proposals, DensityProposalSettings):
            found = [draw_density_proposals(box, self.proposals, rng) for box in boxes]
            parts = {
                "test_proposals": [each.boxes for each in found],
                "proposal_density": [each.drawn for each in found],
                "true_density": [each.true for each in found],
            }
            return {name: torch.from_numpy(np.stack(part)).float() for name, part in parts.items()}
        drawn = [draw_proposals(box, self.proposals, rng) for box in boxes]
        return {
            "test_proposals": torch.from_numpy(np.stack([proposals for proposals, _ in drawn])).float(),
            "proposal_iou": torch.from_numpy(2 * np.stack([overlaps for _, overlaps in drawn]) - 1).float(),
        }

    def views(
        self,
        images: Sequence[np.ndarray],
        targets: Sequence[np.ndarray],
        part: str,
        joint: Drawn,
        rng: np.random.Generator,
    ) -> list[AugmentedCrop]:
        """Returns the crops around targets (4,) x, y, w, h, each off its target as the part's crops are."""
        return [self._view(image, target, part, joint, rng) for image, target in zip(images, targets)]

    def _view(
        self, image: np.ndarray, target: np.ndarray, part: str, joint: Drawn, rng: np.random.Generator
    ) -> AugmentedCrop:
        settings = self.crops[part]
        height, width = image.shape[:2]
        mean_side = float(np.sqrt(jittered_size(target[2:], settings.scale_jitter, rng).prod()))
        center = jittered_center(target, mean_side * settings.center_jitter, rng)
        side = mean_side * settings.factor
        # However small the frame, some of it stays in the crop.
        reach = max(side / 2 - 2, 0)
        center = (
            min(max(center[0], 1 - reach), width - 1 + reach),
            min(max(center[1], 1 - reach), height - 1 + reach),
        )
        crop, region = adaptive_crop(image, center, side, settings.size, self.crop_type, self.max_scale_change)
        drawn = joint.then(self.transform.draw(rng))
        return AugmentedCrop(np.ascontiguousarray(drawn.image(crop)), region, drawn)


def image_tensor(views: Sequence[AugmentedCrop]) -> torch.Tensor:
    """Returns what is seen as (I, 3, S, S) uint8."""
    return torch.from_numpy(np.stack([view.pixels.transpose(2, 0, 1) for view in views]))
