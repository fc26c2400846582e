"""From raw frames with clicks and proposals to the crops and TOP maps that the SoCL actor learns from."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ltr.data.crops import crop_square
from ltr.data.tensordict import TensorDict
from ltr.data.transforms import Drawn, Transform
from ltr.registry import PROCESSINGS
from socl_plugins.top_map.proposals import Proposals
from socl_plugins.top_map.render import render_maps

PARTS = ("train", "test")


@dataclass(frozen=True)
class CropSettings:
    """Which part of a frame the network sees.

    Attributes:
        size: side of the crop in pixels.
        search_factor: side of the crop's region over the target's extent, which comes from proposals, not from a box.
        scale_jitter: standard deviation of the log of a random factor on that.
        shift: the target is moved from the crop's centre by up to this part of the crop's side, each way. Large, since
            a padded network otherwise learns the centre instead of the target.
        eta: see :func:`socl_plugins.top_map.render.render`.
        temperature: likewise.
    """

    size: int = 192
    search_factor: float = 3.0
    scale_jitter: float = 0.2
    shift: float = 0.25
    eta: float = 0.1
    temperature: float = 0.25

    def __post_init__(self) -> None:
        for name in ("size", "search_factor", "temperature"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} of the crop is {getattr(self, name)}; it must be positive")
        if not self.scale_jitter >= 0:
            raise ValueError(f"scale_jitter is {self.scale_jitter}; a standard deviation is not negative")
        if not 0 <= self.shift < 0.5:
            raise ValueError(f"shift is {self.shift}; from 0.5 on the target would leave the crop")
        if not 0 < self.eta <= 1:
            raise ValueError(f"eta is {self.eta}; it is a part of the map, in (0, 1]")


@PROCESSINGS.register("soft_contrastive")
class SoftContrastiveProcessing:
    """Makes of each frame a crop around its click, and the TOP map of just that crop on the network's feature cells.

    Args:
        crop: which part of a frame is cut out.
        stride: image pixels for one feature cell.
        border: feature cells that the network drops on each side.
        transform: augmentation of crop, point and boxes together, drawn for each frame.
        joint_transform: likewise, but drawn once for both frames of a pair: a target is not mirrored, or robbed of its
            colour, from one frame to the next, and what stays the same is what a tracker tells it from its like by.
        apart: the share of pairs for which ``joint_transform`` is drawn for each frame all the same.
    """

    def __init__(
        self,
        crop: CropSettings,
        stride: int,
        border: int = 0,
        transform: Transform | None = None,
        joint_transform: Transform | None = None,
        apart: float = 0.0,
    ) -> None:
        if not 0 <= apart <= 1:
            raise ValueError(f"apart is {apart}; it is a share of the pairs, in [0, 1]")
        cells = -(-crop.size // stride) - 2 * border
        if cells < 2:
            raise ValueError(
                f"a crop of {crop.size} pixels leaves {cells} feature cells at stride {stride}; enlarge it"
            )
        self.crop = crop
        self.stride = stride
        self.border = border
        self.cells = cells
        self.transform = transform
        self.joint_transform = joint_transform
        self.apart = apart
        self._border_offset = np.array([border * stride, border * stride, 0, 0], np.float32)

    def __call__(self, data: TensorDict, rng: np.random.Generator) -> TensorDict:
        """Returns, for ``train`` and ``test``: images (3, S, S) uint8, top (h, w) and point (2,) in crop pixels."""
        result = TensorDict(dataset=data["dataset"], seq_id=data["seq_id"])
        joint = self._draw_joint(rng)
        apart = rng.random() < self.apart
        seen = []
        for part in PARTS:
            if apart and part == "test":
                joint = self._draw_joint(rng)
            image, point, proposals = (data[f"{part}_{key}"][0] for key in ("images", "point", "proposals"))
            crop, point, proposals = self._crop(image, point.numpy(), proposals, joint, rng)
            seen.append(Proposals(proposals.boxes - self._border_offset, proposals.scores))
            result[f"{part}_images"] = torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1)))
            result[f"{part}_point"] = torch.from_numpy(point).float()
        maps = render_maps(seen, (self.cells, self.cells), self.stride, self.crop.eta, self.crop.temperature)
        for part, top in zip(PARTS, maps):
            result[f"{part}_top"] = torch.from_numpy(top)
        return result

    def _draw_joint(self, rng: np.random.Generator) -> Drawn:
        return self.joint_transform.draw(rng) if self.joint_transform is not None else Drawn()

    def _crop(
        self, image: np.ndarray, point: np.ndarray, proposals: Proposals, joint: Drawn, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, Proposals]:
        box = proposals.mean_box()
        extent = float(np.sqrt(box[2] * box[3]))
        side = extent * self.crop.search_factor * float(np.exp(rng.normal(0, self.crop.scale_jitter)))
        shift = rng.uniform(-self.crop.shift, self.crop.shift, 2) * side
        crop, region = crop_square(image, tuple(point + shift), side, self.crop.size, fill=cv2.mean(image)[:3])
        points, boxes = region.to_crop(point[None]), region.boxes_to_crop(proposals.boxes)
        drawn = joint.then(self.transform.draw(rng)) if self.transform is not None else joint
        points, boxes = drawn.points(points, crop.shape), drawn.boxes(boxes, crop.shape)
        return drawn.image(crop), points[0], Proposals(boxes.astype(np.float32), proposals.scores)
