"""From two raw frames with boxes to a template crop, a search crop and the box in it, for box regressors."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ltr.data.augmentation import Augmentation
from ltr.data.crops import context_side, crop_square
from ltr.data.jitter import jittered_center, jittered_size
from ltr.data.tensordict import TensorDict
from ltr.registry import PROCESSINGS


@dataclass(frozen=True)
class CropJitter:
    """A square crop around a box, and how far off it is.

    Attributes:
        size: side of the crop in pixels.
        factor: side of the crop's region over that of a square box. What it is for other boxes, and what
            ``center_jitter`` is a multiple of, each processing says.
        center_jitter: the centre is off by up to half of this times the side of a square box, along each axis; 0 keeps
            it.
        scale_jitter: standard deviation of the log of the factors on width and height; 0 keeps the size.
    """

    size: int
    factor: float
    center_jitter: float = 0.0
    scale_jitter: float = 0.0

    def __post_init__(self) -> None:
        if self.size < 1 or not 0 < self.factor < float("inf"):
            raise ValueError(f"a crop of {self.size} pixels with the factor {self.factor}: both must be positive")
        if self.center_jitter < 0 or self.scale_jitter < 0:
            raise ValueError(
                f"center_jitter {self.center_jitter} and scale_jitter {self.scale_jitter} must be 0 or more"
            )


@PROCESSINGS.register("template_search")
class TemplateSearchProcessing:
    """Cuts a template out of the train frame and a search region out of the test frame, as TransT's authors do.

    A region's side is that of :func:`ltr.data.crops.context_side`; its centre is off by up to half of ``center_jitter``
    times the mean of width and height. Outside of the frame a crop shows the frame's mean colour, as the tracker does
    it.

    Args:
        template: of the train frame.
        search: of the test frame.
        transform: augmentation drawn for each crop.
        joint_transform: augmentation drawn once for both crops.
    """

    def __init__(
        self,
        template: CropJitter,
        search: CropJitter,
        transform: Augmentation = Augmentation(),
        joint_transform: Augmentation = Augmentation(),
    ) -> None:
        self.crops = {"train": template, "test": search}
        self.transform = transform
        self.joint_transform = joint_transform

    def __call__(self, data: TensorDict, rng: np.random.Generator) -> TensorDict:
        """Returns, for ``train`` and ``test``: images (3, S, S) uint8 and anno (4,), x, y, w, h in crop pixels."""
        result = TensorDict(dataset=data["dataset"], seq_id=data["seq_id"])
        joint = self.joint_transform.draw(rng)
        for part, settings in self.crops.items():
            image, box = data[f"{part}_images"][0], data[f"{part}_anno"][0].double().numpy()
            size = jittered_size(box[2:], settings.scale_jitter, rng)
            center = jittered_center(box, float(size.mean()) * settings.center_jitter, rng)
            side = context_side(size, settings.factor)
            crop, region = crop_square(image, center, side, settings.size, cv2.mean(image)[:3])
            drawn = joint.then(self.transform.draw(rng))
            seen = drawn.boxes(region.boxes_to_crop(box), crop.shape)
            result[f"{part}_images"] = torch.from_numpy(np.ascontiguousarray(drawn.image(crop).transpose(2, 0, 1)))
            result[f"{part}_anno"] = torch.from_numpy(seen).float()
        return result
