"""From raw frames with boxes to what DiMP learns from: crops, boxes in them, labels, and boxes to judge."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from ltr.data.jitter import jittered_box
from ltr.data.labels import LabelSettings, gaussian_label
from ltr.data.processing.template_search import CropJitter
from ltr.data.proposals import ProposalSettings, draw_proposals
from ltr.data.target_crops import BorderMode, crop_target
from ltr.data.tensordict import TensorDict
from ltr.data.transforms import Compose, Drawn, Transform
from ltr.registry import PROCESSINGS

PARTS = ("train", "test")


@PROCESSINGS.register("dimp")
class DiMPProcessing:
    """Cuts a crop around the target out of every train and test frame (DiMP, section 3.6).

    Args:
        train: crops of the train frames, and how far off they are.
        test: likewise; of the same size.
        label: what a classifier is to answer.
        proposals: boxes to judge in the test frames.
        transform: augmentation drawn for each frame.
        joint_transform: augmentation drawn once for all frames of a sample.
        crop_type: what a crop does at the frame's border.
        max_scale_change: see :func:`ltr.data.target_crops.crop_target`.
        mode: ``sequence`` for lists of frames; ``pair`` drops the dimension of frames from a sample of one and one.
    """

    def __init__(
        self,
        train: CropJitter,
        test: CropJitter,
        label: LabelSettings = LabelSettings(),
        proposals: ProposalSettings = ProposalSettings(),
        transform: Transform = Compose(),
        joint_transform: Transform = Compose(),
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
        pixels; ``train_label``, ``test_label`` (I, H, W); ``test_proposals`` (I, P, 4), and ``proposal_iou`` (I, P),
        their overlaps, brought from [0, 1] to [-1, 1], as the IoU network answers.
        """
        result = TensorDict(dataset=data["dataset"], seq_id=data["seq_id"])
        joint = self.joint_transform.draw(rng)
        for part in PARTS:
            seen = [self._crop(*frame, part, joint, rng) for frame in zip(data[f"{part}_images"], data[f"{part}_anno"])]
            boxes = np.stack([box for _, box in seen])
            result[f"{part}_images"] = torch.from_numpy(np.stack([crop.transpose(2, 0, 1) for crop, _ in seen]))
            result[f"{part}_anno"] = torch.from_numpy(boxes).float()
            label = gaussian_label(boxes, self.label, self.crops[part].size)
            result[f"{part}_label"] = torch.from_numpy(label).float()
        drawn = [draw_proposals(box, self.proposals, rng) for box in boxes]
        result["test_proposals"] = torch.from_numpy(np.stack([proposals for proposals, _ in drawn])).float()
        result["proposal_iou"] = torch.from_numpy(2 * np.stack([overlaps for _, overlaps in drawn]) - 1).float()
        return result if self.mode == "sequence" else result.apply(lambda tensor: tensor[0])

    def _crop(
        self, image: np.ndarray, box: torch.Tensor, part: str, joint: Drawn, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        settings, target = self.crops[part], box.double().numpy()
        height, width = image.shape[:2]
        center, side = jittered_box(target, settings.center_jitter, settings.scale_jitter, rng)
        side *= settings.factor
        # However small the frame, some of it stays in the crop.
        reach = max(side / 2 - 2, 0)
        center = (
            min(max(center[0], 1 - reach), width - 1 + reach),
            min(max(center[1], 1 - reach), height - 1 + reach),
        )
        crop, region = crop_target(image, center, side, settings.size, self.crop_type, self.max_scale_change)
        drawn = joint.then(self.transform.draw(rng))
        return np.ascontiguousarray(drawn.image(crop)), drawn.boxes(region.boxes_to_crop(target), crop.shape)
