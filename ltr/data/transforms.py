"""Joint transforms: what happens to an image happens to its points, boxes and maps.

A transform is drawn once and then applied, so that several frames, or an image and what was annotated on it, can share
one draw:

>>> rng = np.random.default_rng(0)
>>> drawn = Compose(HorizontalFlip(1.0), Translate(8)).draw(rng)
>>> image, points = np.zeros((32, 48, 3), np.uint8), np.array([[0.0, 5.0]])
>>> drawn.image(image).shape, drawn.points(points, image.shape).shape
((32, 48, 3), (1, 2))

The size of an image stays the same. Boxes stay upright, so a map that is rendered from boxes is transformed exactly by
transforming its boxes; ``Drawn.map`` transforms one that is pixels already. Coordinates are continuous: pixel i covers
[i, i + 1).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

Colour = Callable[[np.ndarray], np.ndarray]

LUMINANCE = np.array([0.299, 0.587, 0.114])  # of R, G, B: ITU-R BT.601


@dataclass(frozen=True)
class Drawn:
    """One draw of a transform: first a place for every pixel, then a change of colours.

    A point ``p`` goes to ``c + scale * (p - c) + shift``, with the image's centre ``c``; a negative scale mirrors.

    Attributes:
        scale: along x and y.
        shift: along x and y, in pixels.
        colours: functions of the image, (H, W, 3) uint8 to the same, applied in this order.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)
    colours: tuple[Colour, ...] = ()

    def then(self, other: Drawn) -> Drawn:
        """Returns this and then the other as one, so that pixels are resampled once. Colours come after all places."""
        scale = (self.scale[0] * other.scale[0], self.scale[1] * other.scale[1])
        shift = (other.scale[0] * self.shift[0] + other.shift[0], other.scale[1] * self.shift[1] + other.shift[1])
        return Drawn(scale, shift, self.colours + other.colours)

    def points(self, points: np.ndarray, image_shape: tuple[int, ...]) -> np.ndarray:
        """Returns where points (..., 2) x, y of an image of shape (H, W, ...) go. They may leave the image."""
        center = np.array([image_shape[1], image_shape[0]]) / 2
        return center + (np.asarray(points, np.float64) - center) * self.scale + self.shift

    def boxes(self, boxes: np.ndarray, image_shape: tuple[int, ...]) -> np.ndarray:
        """Returns where boxes (..., 4) x, y, w, h of an image of shape (H, W, ...) go."""
        boxes = np.asarray(boxes, np.float64)
        one = self.points(boxes[..., :2], image_shape)
        other = self.points(boxes[..., :2] + boxes[..., 2:], image_shape)
        return np.concatenate([np.minimum(one, other), np.abs(other - one)], axis=-1)

    def map(self, values: np.ndarray) -> np.ndarray:
        """Returns an array (H, W) or (H, W, C) with its pixels moved, its border repeated and its values unchanged."""
        if self.shift == (0.0, 0.0) and abs(self.scale[0]) == abs(self.scale[1]) == 1.0:
            return np.ascontiguousarray(values[:: int(self.scale[1]), :: int(self.scale[0])])
        height, width = values.shape[:2]
        # OpenCV counts from the middle of the first pixel: there the centre is (size - 1) / 2.
        center = np.array([width - 1, height - 1]) / 2
        place = center - center * self.scale + self.shift
        matrix = np.array([[self.scale[0], 0, place[0]], [0, self.scale[1], place[1]]])
        return cv2.warpAffine(values, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def image(self, image: np.ndarray) -> np.ndarray:
        """Returns an image, RGB (H, W, 3) uint8, transformed."""
        image = self.map(image)
        for colour in self.colours:
            image = colour(image)
        return image


class Transform(ABC):
    """What can be drawn."""

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> Drawn:
        """Returns a random draw."""

    def __call__(
        self, image: np.ndarray, points: np.ndarray | None, boxes: np.ndarray | None, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Returns an image (H, W, 3) uint8, its points (..., 2) and boxes (..., 4), transformed by one random draw."""
        drawn = self.draw(rng)
        return (
            drawn.image(image),
            None if points is None else drawn.points(points, image.shape),
            None if boxes is None else drawn.boxes(boxes, image.shape),
        )


class Compose(Transform):
    """Several transforms, one after the other."""

    def __init__(self, *transforms: Transform) -> None:
        self.transforms = transforms

    def draw(self, rng: np.random.Generator) -> Drawn:
        drawn = Drawn()
        for transform in self.transforms:
            drawn = drawn.then(transform.draw(rng))
        return drawn


class HorizontalFlip(Transform):
    """Left and right exchanged."""

    def __init__(self, probability: float = 0.5) -> None:
        self.probability = _checked_probability(probability)

    def draw(self, rng: np.random.Generator) -> Drawn:
        return Drawn(scale=(-1.0, 1.0)) if rng.random() < self.probability else Drawn()


class Stretch(Transform):
    """Width and height scaled about the centre, each by its own factor between 1 - amount and 1 + amount."""

    def __init__(self, amount: float) -> None:
        if not 0 <= amount < 1:
            raise ValueError(f"the amount of Stretch is {amount}; it must be at least 0 and below 1")
        self.amount = amount

    def draw(self, rng: np.random.Generator) -> Drawn:
        x, y = rng.uniform(1 - self.amount, 1 + self.amount, 2).tolist()
        return Drawn(scale=(x, y))


class Translate(Transform):
    """Shifted along x and y by up to so many pixels each."""

    def __init__(self, pixels: float) -> None:
        if not pixels >= 0:
            raise ValueError(f"the shift of Translate is {pixels} pixels; it must be at least 0")
        self.pixels = pixels

    def draw(self, rng: np.random.Generator) -> Drawn:
        x, y = rng.uniform(-self.pixels, self.pixels, 2).tolist()
        return Drawn(shift=(x, y))


class ColorJitter(Transform):
    """Brightness, contrast and saturation multiplied, each by a factor between 1 - amount and 1 + amount."""

    def __init__(self, brightness: float = 0.0, contrast: float = 0.0, saturation: float = 0.0) -> None:
        self.amounts = np.array([brightness, contrast, saturation])
        if not ((self.amounts >= 0) & (self.amounts <= 1)).all():
            raise ValueError(f"the amounts of ColorJitter are {self.amounts.tolist()}; each must be between 0 and 1")

    def draw(self, rng: np.random.Generator) -> Drawn:
        brightness, contrast, saturation = rng.uniform(1 - self.amounts, 1 + self.amounts).tolist()

        def jitter(image: np.ndarray) -> np.ndarray:
            # All three are linear in R, G, B, so they are one matrix; contrast turns about the image's mean luminance.
            mean = float(LUMINANCE @ np.array(cv2.mean(image)[:3])) * brightness
            mixing = saturation * np.eye(3) + (1 - saturation) * LUMINANCE
            matrix = np.hstack([brightness * contrast * mixing, np.full((3, 1), (1 - contrast) * mean)])
            return cv2.transform(image, matrix)

        return Drawn(colours=(jitter,))


class Grayscale(Transform):
    """All three channels set to the luminance."""

    def __init__(self, probability: float) -> None:
        self.probability = _checked_probability(probability)

    def draw(self, rng: np.random.Generator) -> Drawn:
        return Drawn(colours=(_to_gray,)) if rng.random() < self.probability else Drawn()


class Blur(Transform):
    """Gaussian blur with a standard deviation up to so many pixels."""

    def __init__(self, max_sigma: float, probability: float = 0.5) -> None:
        if not max_sigma > 0:
            raise ValueError(f"max_sigma of Blur is {max_sigma}; it must be above 0")
        self.max_sigma = max_sigma
        self.probability = _checked_probability(probability)

    def draw(self, rng: np.random.Generator) -> Drawn:
        if rng.random() >= self.probability:
            return Drawn()
        sigma = max(rng.uniform(0, self.max_sigma), 1e-3)
        return Drawn(colours=(lambda image: cv2.GaussianBlur(image, (0, 0), sigma),))


def _to_gray(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def _checked_probability(probability: float) -> float:
    if not 0 <= probability <= 1:
        raise ValueError(f"the probability is {probability}; it must be between 0 and 1")
    return probability
