"""Learning filter and projection together from the first frame.

M. Danelljan et al., ECO: Efficient Convolution Operators for Tracking, CVPR 2017, section 3.1 and its supplement:
Gauss-Newton on the label's error, with conjugate gradients for each linear problem.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ltr.admin.devices import double_device
from pytracking.tracker.eco.conjugate_gradient import Vector, combined, conjugate_gradient
from pytracking.tracker.eco.fourier import inner, resized, total
from pytracking.tracker.eco.regularization import Regularization
from pytracking.tracker.eco.settings import LearningSettings


def principal_directions(maps: Tensor, count: int) -> Tensor:
    """Returns the ``count`` directions of largest variance over the cells of ``maps`` (C, n, n), as columns (C, count).

    The sign of a direction means nothing; here its largest entry is positive.
    """
    cells = maps.flatten(1).to(double_device(maps.device)).double()
    cells = cells - cells.mean(dim=1, keepdim=True)
    directions = torch.linalg.eigh(cells @ cells.T)[1].flip(1)[:, :count]
    largest = directions.gather(0, directions.abs().argmax(dim=0, keepdim=True))
    return (directions * largest.sign()).to(maps.dtype).to(maps.device)


def project(maps: Tensor, projection: Tensor) -> Tensor:
    """Returns maps or spectra (..., C, m, h) in the channels of ``projection`` (C, D): (..., D, m, h)."""
    real = torch.view_as_real(maps).flatten(-2) if maps.is_complex() else maps
    projected = (projection.T @ real.flatten(-2)).unflatten(-1, real.shape[-2:])
    return torch.view_as_complex(projected.unflatten(-1, (-1, 2))) if maps.is_complex() else projected


def preconditioner(energy: Tensor, regularization: float, settings: LearningSettings) -> Tensor:
    """Returns an approximate diagonal of a filter's normal equations (C, m, h).

    Args:
        energy: squared modulus of the samples (C, m, h).
        regularization: sum of the squared coefficients of the regularization window.
        settings: the parts of the three terms.
    """
    data = torch.lerp(energy.mean(dim=0).expand_as(energy), energy, settings.precondition_data)
    part = settings.precondition_regularization
    return (1 - part) * data + part * regularization


class FirstFrame:
    """The least-squares problem of the first frame: filters and projections that give the label on one sample.

    Args:
        sample: spectra (C, m, h) of each block, before the projection.
        labels: the label in the size of each block (m, h).
        regularize: the regularization's part of the normal equations.
        settings: how to learn.
    """

    def __init__(
        self, sample: Sequence[Tensor], labels: Sequence[Tensor], regularize: Regularization, settings: LearningSettings
    ) -> None:
        self.sample = sample
        self.labels = labels
        self.regularize = regularize
        self.settings = settings
        channels = sum(len(spectrum) for spectrum in sample)
        # What an entry of a projection adds to the diagonal of the normal equations, roughly.
        self.projection_energies = [2 * float(label.square().sum()) / channels for label in labels]
        # How much a coefficient counts in the gradient of a projection. In a sum over both halves of a spectrum all but
        # the first column would count twice. pyCFTrackers, whose results we reproduce, counts the first column twice as
        # well, and leaves out as many coefficients at the end (in its order; at the start in ours).
        self._counted = []
        for spectrum in sample:
            counted = 2 * torch.view_as_real(spectrum.flatten(1))
            counted[:, : spectrum.shape[-2]] = 0
            self._counted.append(counted.flatten(1))

    def solve(self, projections: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Returns filters (D, m, h) and projections (C, D) of all blocks, from projections to start with."""
        projections = list(projections)
        blocks = len(projections)
        settings = self.settings
        projected = [project(x, matrix) for x, matrix in zip(self.sample, projections)]
        diagonals = [preconditioner(p.abs().square(), self.regularize.energy, settings) for p in projected]
        diagonals += [
            matrix.new_tensor(settings.precondition_projection * (energy + settings.projection_regularization))
            for matrix, energy in zip(projections, self.projection_energies)
        ]
        filters = [x.new_zeros(matrix.shape[1], *x.shape[1:]) for x, matrix in zip(self.sample, projections)]
        for _ in range(self.settings.gauss_newton_steps):
            unknown = filters + [torch.zeros_like(matrix) for matrix in projections]
            unknown = self._step(filters, projections, diagonals, unknown)
            filters, moves = unknown[:blocks], unknown[blocks:]
            projections = combined(projections, moves, 1)
        return filters, projections

    def _step(self, filters: list[Tensor], projections: list[Tensor], diagonals: Vector, start: Vector) -> Vector:
        """Returns the new filters, and what to add to the projections: the solution of the linearised problem."""
        blocks, settings = len(filters), self.settings
        decay = settings.projection_regularization
        projected = [project(x, matrix) for x, matrix in zip(self.sample, projections)]

        def back(scores: Sequence[Tensor]) -> Vector:
            """Returns what scores (m, h) of each block say about filters and projections."""
            to_filters = [p.conj() * score for p, score in zip(projected, scores)]
            weighted = [torch.view_as_real(f.conj() * score).flatten(1) for f, score in zip(filters, scores)]
            to_projections = [x @ w.T for x, w in zip(self._counted, weighted)]
            return to_filters + to_projections

        def operator(unknown: Vector) -> Vector:
            new_filters, moves = unknown[:blocks], unknown[blocks:]
            parts = []
            for k in range(blocks):
                moved = project(self.sample[k], moves[k])
                parts.append((new_filters[k] * projected[k] + filters[k] * moved).sum(dim=0))
            score = total(parts)
            result = back([resized(score, part.shape[-2]) for part in parts])
            added = [self.regularize(f) for f in new_filters] + [decay * move for move in moves]
            return combined(result, added, 1)

        def product(a: Vector, b: Vector) -> Tensor:
            of_filters = [inner(x, y) for x, y in zip(a[:blocks], b[:blocks])]
            return torch.stack(of_filters + [torch.sum(x * y) for x, y in zip(a[blocks:], b[blocks:])]).sum()

        right = back(self.labels)
        right[blocks:] = combined(right[blocks:], projections, -decay)
        return conjugate_gradient(
            operator,
            right,
            start,
            precondition=lambda residual: [r / d for r, d in zip(residual, diagonals)],
            inner=product,
            iterations=settings.steps_each,
        )
