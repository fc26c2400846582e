"""Histograms of oriented gradients, as feature maps for ECO.

P. Felzenszwalb et al., Object Detection with Discriminatively Trained Part Based Models, PAMI 2010, section 6, without
its PCA: 31 channels. Where the paper leaves something open we follow P. Dollar's toolbox, which trackers use: pixels
vote for one orientation each, cells at the border are made up for the votes that they miss, and have the
normalisation of their neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

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
    directed, edges = ((four * part[:, None]).clamp_max_(CLIP) for part in (directed, edges))
    return torch.cat([directed.sum(dim=1) / 2, edges.sum(dim=1) / 2, TEXTURE * directed.sum(dim=2)], dim=1)


def _gradients(images: Tensor) -> tuple[Tensor, Tensor]:
    """Returns length and orientation (N, 1, H, W) of each pixel's gradient, in the colour where it is longest.

    Orientations are numbers 0 to 17: multiples of 20 degrees, from the right downwards.
    """
    images = images.contiguous()  # each colour in one piece
    rows, columns = (_difference(images, axis) for axis in (-2, -1))
    squares = rows.square().addcmul_(columns, columns)
    # One colour after the other: to search along an axis of three, and to gather what is found, takes far longer.
    down, right, longest = rows[:, :1], columns[:, :1], squares[:, :1]
    for colour in range(1, images.shape[1]):
        here = slice(colour, colour + 1)
        longer = squares[:, here] > longest
        down, right = torch.where(longer, rows[:, here], down), torch.where(longer, columns[:, here], right)
        longest = torch.maximum(longest, squares[:, here])
    turns = torch.atan2(down, right) / (2 * torch.pi)
    # Right between two numbers, as 90 degrees are, the next one is meant, whatever the rounding.
    number = torch.floor(2 * ORIENTATIONS * turns + (0.5 + 1e-5))
    number = torch.where(number < 0, number + 2 * ORIENTATIONS, number)  # a remainder of whole numbers is slow
    return longest.sqrt(), number.long()


def _difference(images: Tensor, axis: int) -> Tensor:
    """Returns the central difference along an axis, one-sided at its ends: that of torch.gradient, in half the time."""
    size = images.shape[axis]
    result = torch.empty_like(images)
    inner = result.narrow(axis, 1, size - 2)
    torch.sub(images.narrow(axis, 2, size - 2), images.narrow(axis, 0, size - 2), out=inner)
    inner /= 2
    for place, first in ((0, 0), (size - 1, size - 2)):
        torch.sub(images.narrow(axis, first + 1, 1), images.narrow(axis, first, 1), out=result.narrow(axis, place, 1))
    return result


def _votes(length: Tensor, orientation: Tensor, cell: int) -> Tensor:
    """Returns histograms (N, 18, h, w): what gradients (N, 1, H, W) add to the cells whose centres are around them."""
    rows, columns = (side // cell for side in length.shape[-2:])
    inside = (..., slice(rows * cell), slice(columns * cell))
    # A GPU would count in another order each time, and so round otherwise.
    count = _counted if length.device.type == "cpu" else _multiplied
    return count(length[inside], orientation[inside], cell)


def _counted(length: Tensor, orientation: Tensor, cell: int) -> Tensor:
    """Returns the votes (N, 18, h, w) of gradients (N, 1, h * cell, w * cell), pixel by pixel, for four cells each."""
    images, _, height, width = length.shape
    rows, columns = height // cell, width // cell
    cells, shares = _nearest(rows, columns, cell, length.dtype)
    histogram = 2 * ORIENTATIONS * torch.arange(images)[:, None, None] + orientation.reshape(images, 1, -1)
    places = histogram.mul_(rows * columns) + cells
    votes = length.reshape(images, 1, -1) * shares
    total = torch.bincount(places.flatten(), votes.flatten(), images * 2 * ORIENTATIONS * rows * columns)
    return total.view(images, 2 * ORIENTATIONS, rows, columns)


def _multiplied(length: Tensor, orientation: Tensor, cell: int) -> Tensor:
    """Returns what :func:`_counted` does, as two products of matrices."""
    images, _, height, width = length.shape
    planes = length.new_zeros(images, 2 * ORIENTATIONS, height, width).scatter_(1, orientation, length)
    down, across = (_shares(side // cell, cell, length.dtype).to(length.device) for side in (height, width))
    return down @ planes @ across.T


@lru_cache(maxsize=32)
def _shares(cells: int, cell: int, dtype: torch.dtype) -> Tensor:
    """Returns the part (cells, cells * cell) of its vote that a pixel gives to each cell, along one axis."""
    position = (torch.arange(cells * cell, dtype=dtype) + 0.5) / cell - 0.5
    shares = (1 - (position - torch.arange(cells, dtype=dtype)[:, None]).abs()).clamp_min(0)
    shares[[0, -1]] *= 8 / 7  # of the votes that a cell inside gets, one at the border lacks an eighth
    return shares


@lru_cache(maxsize=8)  # some megabytes each
def _nearest(rows: int, columns: int, cell: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Returns, for each of P pixels, the numbers (4, P) of the cells around it, and their shares (4, P) of its vote."""
    (below, down), (beside, across) = (_shares(cells, cell, dtype).topk(2, dim=0)[::-1] for cells in (rows, columns))
    cells = below[:, None, :, None] * columns + beside[None, :, None, :]
    return cells.reshape(4, -1), (down[:, None, :, None] * across[None, :, None, :]).reshape(4, -1)


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
