"""Histograms of oriented gradients, as feature maps for ECO.

P. Felzenszwalb et al., Object Detection with Discriminatively Trained Part Based Models, PAMI 2010, section 6, without
its PCA: 31 channels. Where the paper leaves something open we follow P. Dollar's toolbox, which trackers use: pixels
vote for one orientation each, cells at the border are made up for the votes that they miss, and have the
normalisation of their neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from pytracking.parameter.params import ParameterError
from pytracking.tracker.eco.features import normalised, odd_sides

ORIENTATIONS = 9  # of edges; gradients, which have a sign, have twice as many
CHANNELS = 3 * ORIENTATIONS + 4
CLIP = 0.2
TEXTURE = 0.2357  # as in the authors' code; 18 orientations of one energy give about 1
LEAST_ENERGY = 2.5e-5


def fhog(images: Tensor, cell: int) -> Tensor:
    """Returns histograms of oriented gradients (N, 31, H // cell, W // cell) of images (N, C, H, W) in 0..255.

    The channels are 18 directions of gradients, 9 of edges, and 4 of texture: the gradients' sum under each of the
    four normalisations.

    Args:
        images: of at least two cells a side.
        cell: side of a cell in pixels.

    >>> fhog(torch.rand(1, 3, 20, 33), 4).shape
    torch.Size([1, 31, 5, 8])
    """
    directed = _votes(*_gradients(images), cell)
    edges = directed[:, :ORIENTATIONS] + directed[:, ORIENTATIONS:]
    # The energy of the four blocks of 2 x 2 cells that a cell is in.
    energy = 4 * F.avg_pool2d(edges.square().sum(dim=1, keepdim=True), 2, stride=1)
    gains = F.pad((energy + LEAST_ENERGY).rsqrt(), (1, 1, 1, 1), mode="replicate")
    height, width = edges.shape[-2:]
    shifts = [(y, x) for x in (1, 0) for y in (1, 0)]
    four = torch.stack([gains[..., y : y + height, x : x + width] for y, x in shifts], dim=1)  # (N, 4, 1, h, w)
    directed, edges = ((four * part[:, None]).clamp_max(CLIP) for part in (directed, edges))
    return torch.cat([directed.sum(dim=1) / 2, edges.sum(dim=1) / 2, TEXTURE * directed.sum(dim=2)], dim=1)


def _gradients(images: Tensor) -> tuple[Tensor, Tensor]:
    """Returns length and orientation (N, 1, H, W) of each pixel's gradient, in the colour where it is longest.

    Orientations are numbers 0 to 17: multiples of 20 degrees, from the right downwards.
    """
    rows, columns = torch.gradient(images, dim=(-2, -1))
    squares = rows.square() + columns.square()
    colour = squares.argmax(dim=1, keepdim=True)
    rows, columns, square = (part.gather(1, colour) for part in (rows, columns, squares))
    turns = torch.atan2(rows, columns) / (2 * torch.pi)
    # Right between two numbers, as 90 degrees are, the next one is meant, whatever the rounding.
    number = torch.floor(2 * ORIENTATIONS * turns + (0.5 + 1e-5)).long() % (2 * ORIENTATIONS)
    return square.sqrt(), number


def _votes(length: Tensor, orientation: Tensor, cell: int) -> Tensor:
    """Returns histograms (N, 18, h, w): what gradients (N, 1, H, W) add to the cells whose centres are around them."""
    count, _, height, width = length.shape
    rows, columns = height // cell, width // cell
    inside = (..., slice(rows * cell), slice(columns * cell))
    planes = length.new_zeros(count, 2 * ORIENTATIONS, rows * cell, columns * cell)
    planes.scatter_(1, orientation[inside], length[inside])
    return _shares(rows, cell, length) @ planes @ _shares(columns, cell, length).T


def _shares(cells: int, cell: int, like: Tensor) -> Tensor:
    """Returns the part (cells, cells * cell) of its vote that a pixel gives to each cell, along one axis."""
    position = (torch.arange(cells * cell, dtype=like.dtype, device=like.device) + 0.5) / cell - 0.5
    centre = torch.arange(cells, dtype=like.dtype, device=like.device)[:, None]
    shares = (1 - (position - centre).abs()).clamp_min(0)
    shares[[0, -1]] *= 8 / 7  # of the votes that a cell inside gets, one at the border lacks an eighth
    return shares


class HogFeatures:
    """Histograms of oriented gradients in one or more sizes of cells, each normalised as :func:`normalised` says.

    Args:
        cells: side of a cell in pixels, for each block.
        dimensions: channels that each block is projected to.

    Raises:
        ParameterError: these are not equally many.
    """

    def __init__(self, cells: Sequence[int] = (4,), dimensions: Sequence[int] = (10,)) -> None:
        self.cells = tuple(cells)
        self.dimensions = tuple(dimensions)
        if len(self.cells) != len(self.dimensions):
            raise ParameterError(f"there are {len(self.cells)} sizes of cells, but {len(self.dimensions)} dimensions")

    def sample_side(self, wanted: float) -> int:
        """Returns a side with an odd number of cells where possible."""
        return odd_sides(wanted, self.cells)

    def __call__(self, patches: Tensor) -> list[Tensor]:
        """Returns the normalised histograms (N, 31, n, n) of every size of cells."""
        return [normalised(fhog(patches, cell)) for cell in self.cells]
