"""How crops are changed at random, as one set of numbers that a recipe can state."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ltr.data.transforms import Blur, ColorJitter, Compose, Drawn, Grayscale, HorizontalFlip, Stretch, Transform


@dataclass(frozen=True)
class Augmentation:
    """Random changes of an image, in this order; what is 0 is left out.

    >>> Augmentation(flip=1.0).draw(np.random.default_rng(0)).scale
    (-1.0, 1.0)

    Attributes:
        flip: probability that left and right are exchanged.
        stretch: width and height are each scaled by up to this part.
        brightness: factor on the brightness, at most so far from 1.
        contrast: factor on the contrast, at most so far from 1.
        saturation: factor on the saturation, at most so far from 1.
        gray: probability that colors are taken away.
        blur: largest standard deviation of a Gaussian blur, in pixels.
        blur_share: probability of a blur.
    """

    flip: float = 0.0
    stretch: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    gray: float = 0.0
    blur: float = 0.0
    blur_share: float = 0.5

    def __post_init__(self) -> None:
        self._transform  # noqa: B018  # raises ValueError for a number that is out of range

    def draw(self, rng: np.random.Generator) -> Drawn:
        """Returns a random draw."""
        return self._transform.draw(rng)

    @cached_property
    def _transform(self) -> Compose:
        parts: list[Transform] = []
        if self.flip != 0:
            parts.append(HorizontalFlip(self.flip))
        if self.stretch != 0:
            parts.append(Stretch(self.stretch))
        if any(amount != 0 for amount in (self.brightness, self.contrast, self.saturation)):
            parts.append(ColorJitter(self.brightness, self.contrast, self.saturation))
        if self.gray != 0:
            parts.append(Grayscale(self.gray))
        if self.blur != 0:
            parts.append(Blur(self.blur, self.blur_share))
        return Compose(*parts)
