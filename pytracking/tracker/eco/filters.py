"""ECO's model: a filter and a projection for each block of features, learned from the samples seen.

M. Danelljan et al., ECO: Efficient Convolution Operators for Tracking, CVPR 2017. It takes feature maps and gives
scores; where the maps come from is no business of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pytracking.tracker.eco.conjugate_gradient import Direction, Vector, combined, conjugate_gradient
from pytracking.tracker.eco.continuous import gaussian_label_spectrum, interpolation
from pytracking.tracker.eco.first_frame import FirstFrame, preconditioner, principal_directions, project
from pytracking.tracker.eco.fourier import inner, odd_size, resized, shifted, to_spectrum, total
from pytracking.tracker.eco.memory import ECOMemory
from pytracking.tracker.eco.regularization import Regularization, regularization_filter
from pytracking.tracker.eco.settings import LearningSettings


class FilterModel:
    """Filters (D, m, h) and projections (C, D) of every block of features; :meth:`start` learns the first ones.

    Args:
        cells: cells a side of each block's feature maps.
        dimensions: channels of each block after the projection.
        sample_side: side of the square sample in pixels.
        target: height and width of the target in pixels of the sample.
        settings: how to learn.
        device: where to compute.
        dtype: real type of the computation.
    """

    def __init__(
        self,
        cells: Sequence[int],
        dimensions: Sequence[int],
        sample_side: float,
        target: tuple[float, float],
        settings: LearningSettings = LearningSettings(),
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        def to(values: Tensor) -> Tensor:
            # First to the type: not every device has float64.
            return values.to(dtype.to_complex() if values.is_complex() else dtype).to(device)

        self.settings = settings
        self.dimensions = dimensions
        sizes = [odd_size(count) for count in cells]
        hann = [torch.hann_window(count + 2, periodic=False, dtype=torch.float64)[1:-1] for count in cells]
        self.windows = [to(line[:, None] * line) for line in hann]
        factors = [interpolation(size, settings.interpolation_a) for size in sizes]
        self.interpolations = [to(rows * columns) for rows, columns in factors]
        # Whole pixels of the target: a convention of the authors' code.
        sigma = settings.label_sigma * (int(target[0]) * int(target[1])) ** 0.5 / sample_side
        self.labels = [to(gaussian_label_spectrum(size, sigma)) for size in sizes]
        self.regularize = Regularization(to(regularization_filter(sample_side, target, settings.regularization)))
        self.memory = ECOMemory(settings.samples, settings.learning_rate)
        self.projections: list[Tensor] = []
        self.filters: list[Tensor] = []
        self._energies: list[Tensor] = []
        self._newest: list[Tensor] = []
        self._direction = Direction()

    def start(self, features: Sequence[Tensor], offset: tuple[float, float] = (0.0, 0.0)) -> None:
        """Learns projections and filters from the first sample, and remembers it.

        Args:
            features: maps (C, n, n) of each block.
            offset: rows and columns from where the sample was taken to the target, in parts of the sample's side.
        """
        sample = [shifted(spectrum, *offset) for spectrum in self._spectra(features)]
        first = [principal_directions(maps, count) for maps, count in zip(features, self.dimensions)]
        problem = FirstFrame(sample, self.labels, self.regularize, self.settings)
        self.filters, self.projections = problem.solve(first)
        self._direction = Direction()
        self._newest = [project(x, matrix) for x, matrix in zip(sample, self.projections)]
        self.memory.add(self._newest)
        self._energies = [project(x, matrix).abs().square() for x, matrix in zip(sample, first)]

    def samples(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Returns the projected spectra (N, D, m, h) of feature maps (N, C, n, n)."""
        return self._spectra([project(maps, matrix) for maps, matrix in zip(features, self.projections)])

    def scores(self, samples: Sequence[Tensor]) -> Tensor:
        """Returns the spectra (N, m, h) of the score functions of projected spectra (N, D, m, h)."""
        return total([(x * f).sum(dim=1) for x, f in zip(samples, self.filters)])

    def remember(self, sample: Sequence[Tensor], offset: tuple[float, float]) -> None:
        """Takes a projected sample (D, m, h) into the memory.

        Args:
            sample: spectra of each block.
            offset: see :meth:`start`.
        """
        self._newest = [shifted(spectrum, *offset) for spectrum in sample]
        self.memory.add(self._newest)

    def update(self) -> None:
        """Learns the filters anew from all remembered samples, starting from the present ones."""
        settings = self.settings
        count = self.memory.count
        like = self.windows[0]
        weights = self.memory.weights[:count].to(like.dtype).to(like.device)[:, None, None]
        samples = [spectra[:count] for spectra in self.memory.spectra]
        # As in the public code, only the newest sample of an update enters the preconditioner.
        newest = [x.abs().square() for x in self._newest]
        self._energies = [torch.lerp(old, x, settings.learning_rate) for old, x in zip(self._energies, newest)]
        diagonals = [preconditioner(energy, self.regularize.energy, settings) for energy in self._energies]

        def operator(filters: Vector) -> Vector:
            score = total([(x * f).sum(dim=1) for x, f in zip(samples, filters)]) * weights
            parts = [resized(score, x.shape[-2])[:, None] for x in samples]
            back = [(x.conj() * part).sum(dim=0) for x, part in zip(samples, parts)]
            return combined(back, [self.regularize(f) for f in filters], 1)

        self._direction.forget((1 - settings.learning_rate) ** settings.forgetting)
        self.filters = conjugate_gradient(
            operator,
            [((weights[:, None] * x).sum(dim=0)).conj() * label for x, label in zip(samples, self.labels)],
            self.filters,
            precondition=lambda residual: [r / d for r, d in zip(residual, diagonals)],
            inner=lambda a, b: torch.stack([inner(x, y) for x, y in zip(a, b)]).sum(),
            iterations=settings.update_steps,
            flexible=True,
            state=self._direction,
        )

    def _spectra(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Returns the Fourier coefficients of the interpolated, windowed maps."""
        return [
            to_spectrum(maps * window) * factors
            for maps, window, factors in zip(features, self.windows, self.interpolations)
        ]
