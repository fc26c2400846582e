"""Crops that DiMP looks at, and the augmented ones that it first learns from.

Only what a crop shows is turned to floating point: the frame itself stays bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from ltr.data.target_crops import BorderMode, limit_size, shift_inside


@dataclass(frozen=True)
class Patch:
    """A crop, and where in the frame it lies.

    Attributes:
        pixels: (S, S, 3) float32, in 0..255; or the frame's own pixels, not yet brought to S.
        coordinates: top, left, bottom, right in frame pixels, before they were cut off to whole pixels.
        origin: x, y of the crop's left top corner in frame coordinates.
        scale: frame pixels for one crop pixel along x and y.
    """

    pixels: np.ndarray
    coordinates: np.ndarray
    origin: np.ndarray
    scale: np.ndarray

    def to_frame(self, box: np.ndarray) -> np.ndarray:
        """Returns boxes (..., 4) x, y, w, h of the crop in frame coordinates."""
        return np.concatenate([self.origin + box[..., :2] * self.scale, box[..., 2:] * self.scale], axis=-1)

    def to_crop(self, box: np.ndarray) -> np.ndarray:
        """Returns boxes (..., 4) x, y, w, h of the frame in crop coordinates."""
        return np.concatenate([(box[..., :2] - self.origin) / self.scale, box[..., 2:] / self.scale], axis=-1)


def sample_patch(
    image: np.ndarray,
    center: np.ndarray,
    side: float,
    output_size: int,
    mode: BorderMode = "fixed",
    limit: float | None = None,
    resized: bool = True,
) -> Patch:
    """Returns the square around a pixel.

    A region of twice the output's size or more is first thinned out to every second, third, ... pixel.

    Args:
        image: (H, W, 3) uint8.
        center: x, y of a pixel; what follows the decimal point is dropped.
        side: of the square in frame pixels.
        output_size: side of the crop in pixels.
        mode: what happens at the frame's border.
        limit: how much smaller than asked the square may become for that.
        resized: whether the pixels are brought to the output's size; otherwise they stay the frame's, as they are.
    """
    # In single precision, as public trackers compute it: a size next to a whole number falls to the same side.
    size = np.float32(side)
    if mode in ("inside", "inside_major"):
        height, width = image.shape[:2]
        size = np.floor(limit_size((size, size), (height, width), mode, limit)[0])  # type: ignore[arg-type]
    step = max(int(size / output_size - 0.1), 1)
    middle = np.floor(np.asarray(center, np.float64)[::-1]).astype(int)
    offset = middle % step
    thin = image[offset[0] :: step, offset[1] :: step]
    length = max(round(float(size) / step), 2)
    starts = ((middle - offset) // step - (length - 1) / 2).tolist()
    spans = [(start, start + length + 0.5) for start in starts]
    if mode != "fixed":
        spans = [shift_inside(*span, cells) for span, cells in zip(spans, thin.shape)]
    (top, bottom), (left, right) = ((int(begin), int(end)) for begin, end in spans)
    pixels = _padded(thin, top, bottom, left, right)
    if resized:
        pixels = cv2.resize(pixels.astype(np.float32), (output_size, output_size), interpolation=cv2.INTER_LINEAR)
    shown = np.array([right - left, bottom - top])
    corner = offset[::-1] + 0.5 + step * (np.array([left, top]) - 0.5)
    return Patch(
        pixels=pixels,
        coordinates=step * np.array(spans).T.flatten(),
        origin=corner,
        scale=step * shown / output_size,
    )


def _padded(image: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    """Returns the rows and columns, those outside the image with its border's pixels."""
    height, width = image.shape[:2]
    # A crop wholly outside the frame shows its nearest pixels.
    rows = slice(min(max(top, 0), height - 1), max(min(bottom, height), 1))
    columns = slice(min(max(left, 0), width - 1), max(min(right, width), 1))
    wanted = (bottom - top, right - left)
    before = (min(max(-top, 0), wanted[0] - 1), min(max(-left, 0), wanted[1] - 1))
    inside = image[rows, columns][: wanted[0], : wanted[1]]
    after = (wanted[0] - inside.shape[0] - before[0], wanted[1] - inside.shape[1] - before[1])
    if not (any(before) or any(after)):
        return inside
    return cv2.copyMakeBorder(inside, before[0], after[0], before[1], after[1], cv2.BORDER_REPLICATE)


@dataclass(frozen=True)
class FirstFrameAugmentation:
    """What the first frame's crop is changed to; the crop itself is always a sample, too.

    DiMP, section 3.7, after Bhat et al., Unveiling the Power of Deep Tracking, ECCV 2018.

    Attributes:
        shifts: the target moved by x, y over half of the crop's side, and nothing else.
        mirror: whether it is mirrored.
        blurs: standard deviations of blurs along x and y in pixels.
        rotations: angles in degrees.
        dropouts: samples of which channels of the features are left out.
        dropout_rate: part of the channels that is.
    """

    shifts: tuple[tuple[float, float], ...] = ((0.6, 0.6), (-0.6, 0.6), (0.6, -0.6), (-0.6, -0.6))
    mirror: bool = True
    blurs: tuple[tuple[float, float], ...] = ((3, 1), (1, 3), (2, 2))
    rotations: tuple[float, ...] = (10, -10, 45, -45)
    dropouts: int = 2
    dropout_rate: float = 0.2

    @property
    def samples(self) -> int:
        """Number of samples, the crop itself included."""
        return 1 + len(self.shifts) + self.mirror + len(self.blurs) + len(self.rotations) + self.dropouts

    def crops(
        self, wide: np.ndarray, size: int, random_shift: float, rng: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields crops (S, S, 3), and how many pixels x, y the target has moved in each; what is dropped comes later.

        The crop itself comes first; then it shifted, mirrored, blurred and turned. All but the shifted ones are shifted
        at random.

        Args:
            wide: (W, W, 3) float32, the target in its middle; W - S is even.
            size: S.
            random_shift: largest random shift over half of S.
            rng: where chance comes from.
        """
        margin = (wide.shape[0] - size) // 2

        def cut(image: np.ndarray, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            left, top = (margin - shift).tolist()
            return _padded(np.ascontiguousarray(image), top, top + size, left, left + size), shift

        def little() -> np.ndarray:
            return np.trunc(rng.uniform(-0.5, 0.5, 2) * size * random_shift).astype(int)

        yield cut(wide, np.zeros(2, int))
        for part in self.shifts:
            yield cut(wide, np.trunc(np.array(part) * size / 2).astype(int))
        if self.mirror:
            yield cut(wide[:, ::-1], little())
        for across, along in self.blurs:
            blurred = cv2.GaussianBlur(wide, (0, 0), across, sigmaY=along, borderType=cv2.BORDER_REPLICATE)
            yield cut(blurred, little())
        middle = ((wide.shape[1] - 1) / 2, (wide.shape[0] - 1) / 2)
        for angle in self.rotations:
            matrix = cv2.getRotationMatrix2D(middle, angle, 1.0)
            turned = cv2.warpAffine(wide, matrix, wide.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
            yield cut(turned, little())
