"""What a network sees of a pair of frames: augmented square crops, and where the target is in them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ltr.data.augmentation import Augmentation
from ltr.data.crops import Region, crop_square, template_side
from ltr.data.tensordict import TensorDict
from ltr.data.transforms import Drawn
from ltr.registry import PROCESSINGS

PARTS = ("train", "test")
CONTEXT = 0.5  # of SiamFC's template


@dataclass(frozen=True)
class CropSettings:
    """Which part of a frame the network sees.

    Attributes:
        size: side of the crop in pixels.
        search_factor: side of the crop's region over the target's extent, the square root of its area.
        scale_jitter: standard deviation of the log of a random factor on that.
        shift: the target is moved from the crop's centre by up to this part of the crop's side, each way. Large, since
            a padded network otherwise learns the centre instead of the target.
    """

    size: int = 192
    search_factor: float = 3.0
    scale_jitter: float = 0.2
    shift: float = 0.25

    def __post_init__(self) -> None:
        for name in ("size", "search_factor"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} of the crop is {getattr(self, name)}; it must be positive")
        if not self.scale_jitter >= 0:
            raise ValueError(f"scale_jitter is {self.scale_jitter}; a standard deviation is not negative")
        if not 0 <= self.shift < 0.5:
            raise ValueError(f"shift is {self.shift}; from 0.5 on the target would leave the crop")


@dataclass(frozen=True)
class PairAugmentation:
    """How the two crops of a pair are changed.

    Attributes:
        own: drawn for each frame.
        joint: drawn once for both frames of a pair, such as mirroring and loss of colour, which do not happen from one
            frame to the next: a tracker needs what stays the same to tell the target from similar objects.
        apart: the share of pairs for which ``joint`` is drawn for each frame separately.
    """

    own: Augmentation = Augmentation()
    joint: Augmentation = Augmentation()
    apart: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.apart <= 1:
            raise ValueError(f"apart is {self.apart}; it is a share of the pairs, in [0, 1]")

    def draw(self, rng: np.random.Generator) -> tuple[Drawn, Drawn]:
        """Returns a draw for each frame of a pair."""
        first = second = self.joint.draw(rng)
        if rng.random() < self.apart:
            second = self.joint.draw(rng)
        return first.then(self.own.draw(rng)), second.then(self.own.draw(rng))


def jittered_crop(
    image: np.ndarray, center: np.ndarray, extent: float, crop: CropSettings, rng: np.random.Generator
) -> tuple[np.ndarray, Region]:
    """Returns a crop (S, S, 3) around a target, jittered as ``crop`` says, and its region.

    Args:
        image: (H, W, 3) uint8, RGB.
        center: x, y of the target in the frame.
        extent: square root of the target's area in pixels of the frame.
        crop: which part of the frame.
        rng: source of randomness.
    """
    side = extent * crop.search_factor * float(np.exp(rng.normal(0, crop.scale_jitter)))
    x, y = center + rng.uniform(-crop.shift, crop.shift, 2) * side
    return crop_square(image, (float(x), float(y)), side, crop.size, fill=cv2.mean(image)[:3])


def as_tensor(image: np.ndarray) -> torch.Tensor:
    """Returns an image (H, W, 3) as a tensor (3, H, W) of the same type."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


@PROCESSINGS.register("siamfc")
class SiamFCProcessing:
    """Makes of a pair of frames with boxes a template, as the tracker cuts it, and a search crop, at one magnification.

    Args:
        crop: the search crop.
        template_size: side of the template in pixels.
        augmentation: of both.
    """

    def __init__(
        self, crop: CropSettings, template_size: int = 127, augmentation: PairAugmentation = PairAugmentation()
    ) -> None:
        if not 0 < template_size < crop.size:
            raise ValueError(f"template_size is {template_size}; it must be positive and below the crop's {crop.size}")
        self.crop = crop
        self.template_size = template_size
        self.augmentation = augmentation

    def __call__(self, data: TensorDict, rng: np.random.Generator) -> TensorDict:
        """Returns, for ``train`` (template) and ``test`` (search crop): images (3, S, S) uint8; center (2,), the box's
        centre x, y in pixels of the crop; and scale (), pixels of the crop for one of the frame.
        """
        result = TensorDict(dataset=data["dataset"], seq_id=data["seq_id"])
        for part, drawn in zip(PARTS, self.augmentation.draw(rng)):
            image, box = data[f"{part}_images"][0], data[f"{part}_anno"][0].double().numpy()
            center = box[:2] + box[2:] / 2
            if part == "test":
                crop, region = self.search(image, box, rng)
            else:
                crop, region = self.template(image, box)
            result[f"{part}_images"] = as_tensor(drawn.image(crop))
            moved = drawn.points(region.to_crop(center), crop.shape)
            result[f"{part}_center"] = torch.from_numpy(moved).float()
            result[f"{part}_scale"] = torch.tensor(region.scale)
        return result

    def template(self, image: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, Region]:
        """Returns the template (Z, Z, 3) of a box x, y, w, h in an image (H, W, 3), and its region."""
        x, y = (box[:2] + box[2:] / 2).tolist()
        scale = self.template_size * self.crop.search_factor / self.crop.size
        return crop_square(image, (x, y), _extent(box) * scale, self.template_size, cv2.mean(image)[:3])

    def search(self, image: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, Region]:
        """Returns the search crop (S, S, 3) of a box, jittered as the settings say, and its region."""
        return jittered_crop(image, box[:2] + box[2:] / 2, _extent(box), self.crop, rng)


def _extent(box: np.ndarray) -> float:
    # A template of a square target is twice as long as the target.
    return template_side(box[2:], CONTEXT) / (1 + 2 * CONTEXT)
