"""A filter along scales: how much larger or smaller the target has become.

M. Danelljan et al., Discriminative Scale Space Tracking (fDSST), PAMI 2017, sections 4.2 and 5. Its projection of the
samples onto as many directions as there are scales changes no inner product, so there is none here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from ltr.admin.devices import double_device
from pytracking.parameter.params import ParameterError
from pytracking.tracker.eco.hog import fhog


@dataclass(frozen=True)
class ScaleFilterSettings:
    """How scales are searched; the defaults are those of ECO's hand-crafted variant.

    Attributes:
        scales: how many sizes are looked at; odd.
        finer: how many scores are interpolated from theirs; odd.
        step: ratio of neighbouring interpolated scales.
        label_sigma: standard deviation of the label as a part of the range of scales.
        learning_rate: weight of a new frame.
        regularization: added to the energy of the samples.
        area: pixels that the target is reduced to, if it has more.
        cell: side in pixels of the cells of the histograms of gradients.
    """

    scales: int = 17
    finer: int = 33
    step: float = 1.02
    label_sigma: float = 1 / 16
    learning_rate: float = 0.025
    regularization: float = 1e-2
    area: int = 512
    cell: int = 4

    def __post_init__(self) -> None:
        if not (0 < self.scales <= self.finer and self.scales % 2 and self.finer % 2):
            raise ParameterError(
                f"scales is {self.scales} and finer {self.finer}; both must be odd, and finer not below scales"
            )


def reduced_size(size: np.ndarray, settings: ScaleFilterSettings) -> tuple[int, int]:
    """Returns width and height in pixels that a target of the given width and height is looked at in.

    >>> reduced_size(np.array([40.0, 50.0]), ScaleFilterSettings())
    (20, 25)
    """
    factor = min(1.0, math.sqrt(settings.area / size.prod()))
    width, height = (max(int(side * factor), 2 * settings.cell) for side in size)
    return width, height


class ScaleFilter:
    """Correlates targets of many sizes, as :meth:`update` saw them, with those of a new frame.

    Args:
        size: width and height of the target in the first frame.
        looked_at: width and height in pixels that it is resized to, such as :func:`reduced_size` gives.
        settings: how scales are searched.
        device: where to compute, in float64; in place of ``mps``, which has none, the CPU.
    """

    def __init__(
        self,
        size: np.ndarray,
        looked_at: tuple[int, int],
        settings: ScaleFilterSettings = ScaleFilterSettings(),
        device: torch.device | str = "cpu",
    ) -> None:
        self.size = size
        self.looked_at = looked_at
        self.settings = settings
        self.device = double_device(device)
        half = settings.scales // 2
        exponents = np.arange(-half, half + 1) * settings.finer / settings.scales
        self.factors = settings.step**exponents
        label = np.exp(-0.5 * (exponents / (settings.label_sigma * settings.finer)) ** 2)
        self.label = torch.from_numpy(np.fft.rfft(np.fft.ifftshift(label)).real).to(self.device)
        self.window = torch.hann_window(settings.scales, periodic=False, dtype=torch.float64, device=self.device)
        self.samples: Tensor | None = None  # (features, scales), a weighted mean of those seen
        self.energy: Tensor | None = None  # (scales // 2 + 1,), of the windowed samples

    def find(self, image: np.ndarray, center: np.ndarray, scale: float) -> float:
        """Returns the factor by which the target has grown since ``scale``, or, of a sudden change, a part of it.

        Args:
            image: (H, W, 3) uint8.
            center: x, y of the target, as pixel indices.
            scale: the target's sides as multiples of those in the first frame.
        """
        assert self.samples is not None and self.energy is not None, "the filter has not seen any frame"
        settings = self.settings
        known, new = (torch.fft.rfft(x * self.window) for x in (self.samples, self._sample(image, center, scale)))
        spectrum = self.label * (known.conj() * new).sum(dim=0) / (self.energy + settings.regularization)
        scores = torch.fft.fftshift(torch.fft.irfft(spectrum, settings.finer)).cpu().numpy()
        half = settings.finer // 2
        best = int(scores.argmax())
        factors = settings.step ** np.arange(-half, half + 1.0)
        if not 0 < best < settings.finer - 1:
            return float(factors[best])
        # The vertex of the parabola through the best score and its neighbours.
        smaller, larger = np.diff(factors[best - 1 : best + 2])
        rise, fall = np.diff(scores[best - 1 : best + 2]) / (smaller, larger)
        curvature = (fall - rise) / (smaller + larger)
        slope = (rise * larger + fall * smaller) / (smaller + larger)
        return float(factors[best] - slope / (2 * curvature)) if curvature < 0 else float(factors[best])

    def update(self, image: np.ndarray, center: np.ndarray, scale: float) -> None:
        """Learns from a frame; for the arguments see :meth:`find`."""
        sample = self._sample(image, center, scale)
        energy = torch.fft.rfft(sample * self.window).abs().square().sum(dim=0)
        if self.samples is None or self.energy is None:
            self.samples, self.energy = sample, energy
        else:
            self.samples = torch.lerp(self.samples, sample, self.settings.learning_rate)
            self.energy = torch.lerp(self.energy, energy, self.settings.learning_rate)

    def _sample(self, image: np.ndarray, center: np.ndarray, scale: float) -> Tensor:
        """Returns the histograms (features, scales) of the target in every size; the frame's border is repeated."""
        sides = np.maximum((self.size * (scale * self.factors)[:, None]).astype(int), 1)
        first = np.floor(center).astype(int) - sides // 2
        patches = []
        for (left, top), (right, bottom) in zip(first.tolist(), (first + sides).tolist()):
            patch = part_of(image, left, right, top, bottom)
            patches.append(cv2.resize(patch, self.looked_at, interpolation=cv2.INTER_LINEAR))
        images = torch.from_numpy(np.stack(patches)).to(self.device).permute(0, 3, 1, 2).float()
        return fhog(images, self.settings.cell).flatten(1).T.double()


def part_of(image: np.ndarray, left: int, right: int, top: int, bottom: int) -> np.ndarray:
    """Returns the pixels (bottom - top, right - left, C) of an image (H, W, C), whose border is repeated outside.

    Where nothing is outside, they are a view: the index of every pixel takes longer to make than the rest together.
    """
    height, width = image.shape[:2]
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return image[top:bottom, left:right]
    rows, columns = (
        np.clip(np.arange(*ends), 0, count - 1) for *ends, count in ((top, bottom, height), (left, right, width))
    )
    repeated: np.ndarray = image[rows[:, None], columns]
    return repeated
