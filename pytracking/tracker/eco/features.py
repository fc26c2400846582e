"""What ECO sees: feature maps of square patches, in blocks of their own cell size.

An extractor is anything with the attributes of :class:`Features`; ECO asks nothing else of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from ltr.models.fold import folded
from pytracking.parameter.params import ParameterError

SideRule = Literal["covering", "nearest"]
"""How long a sample for a network is: :func:`covering_odd_side`, or :func:`odd_side`, which takes less time."""


class Features(Protocol):
    """Feature maps in blocks."""

    @property
    def cells(self) -> Sequence[int]:
        """Side of a block's cell in pixels, for each block."""

    @property
    def dimensions(self) -> Sequence[int]:
        """Channels that a block is projected to, for each block."""

    def sample_side(self, wanted: float) -> int:
        """Returns the side in pixels that patches should have, near ``wanted``."""

    def __call__(self, patches: Tensor) -> list[Tensor]:
        """Returns the maps (N, C, n, n) of every block for RGB patches (N, 3, S, S) in 0..255."""


def normalised(maps: Tensor) -> Tensor:
    """Returns maps (N, C, n, n) brought, each sample by itself, to a mean square of one.

    >>> float(normalised(torch.full((1, 2, 3, 3), 7.0)).square().mean())
    1.0
    """
    square = maps.square().mean(dim=(1, 2, 3), keepdim=True)
    return maps * square.clamp_min(torch.finfo(maps.dtype).tiny).rsqrt()


def odd_side(wanted: float, cell: int) -> int:
    """Returns the odd multiple of ``cell`` that is nearest to ``wanted``: one cell then lies in the middle.

    >>> odd_side(201.2, 16), odd_side(225.0, 16)
    (208, 240)
    """
    return (1 + 2 * round(wanted / (2 * cell))) * cell


def covering_odd_side(wanted: float, cell: int) -> int:
    """Returns an odd multiple of ``cell`` that is one or two cells more than cover ``wanted``.

    It is ``cell (c + 1 + c mod 2)`` with ``c = ceil(wanted / cell)``: the side of a sample in pyCFTrackers' ECO on a
    network, which SoCL's authors build on.

    >>> covering_odd_side(200.0, 16), covering_odd_side(210.0, 16)
    (240, 240)
    """
    cells = math.ceil(wanted / cell)
    return cell * (cells + 1 + cells % 2)


def odd_sides(wanted: float, cells: Sequence[int]) -> int:
    """Returns an odd multiple of the largest cell, or a little more, so that most blocks have an odd number of cells.

    >>> odd_sides(178.9, [4, 6])  # 47 and 31 cells
    188
    """
    largest = max(cells)
    first = odd_side(wanted, largest)
    return max(range(first, first + largest), key=lambda side: (sum(side // cell % 2 for cell in cells), -side))


class NetworkFeatures:
    """Layers of a backbone, such as conv1 and layer3 of a ResNet.

    Args:
        network: a backbone with a method ``extract(images, names)``, or a network with such a ``backbone``.
        layers: names of layers; ``last`` is the backbone's last one.
        dimensions: channels that each layer is projected to.
        device: where to compute.
        autocast: the context in which the network is called, each time; none: as it is.
        side_rule: how long patches are.

    Raises:
        ParameterError: the network has no layers that can be asked for, or not these.
    """

    def __init__(
        self,
        network: nn.Module,
        layers: Sequence[str],
        dimensions: Sequence[int],
        device: torch.device,
        autocast: AbstractContextManager[Any] | None = None,
        side_rule: SideRule = "covering",
    ) -> None:
        self.side_rule = side_rule
        backbone: Any = network if hasattr(network, "extract") else getattr(network, "backbone", None)
        if backbone is None or not hasattr(backbone, "extract"):
            raise ParameterError(
                f"ECO needs a backbone with a method extract(images, layers), or a network that has one; "
                f"{type(network).__name__} is none"
            )
        if len(layers) != len(dimensions) or not layers:
            raise ParameterError(f"ECO needs one dimension for each layer, not {dimensions} for the layers {layers}")
        self.backbone = folded(backbone).to(device, memory_format=torch.channels_last)
        self._autocast = autocast or nullcontext()
        self.layers = [backbone.layers[-1] if name == "last" else name for name in layers]
        self.dimensions = tuple(dimensions)
        probe = torch.zeros(1, 3, 64, 64, device=device)
        try:
            with torch.inference_mode():
                maps = self.backbone.extract(probe, self.layers)
        except ValueError as error:
            raise ParameterError(f"ECO's layers {list(layers)} do not fit: {error}") from error
        self.cells: Sequence[int] = tuple(64 // layer.shape[-1] for layer in maps)

    def sample_side(self, wanted: float) -> int:
        """Returns an odd multiple of the largest stride."""
        rule = covering_odd_side if self.side_rule == "covering" else odd_side
        return rule(wanted, max(self.cells))

    def __call__(self, patches: Tensor) -> list[Tensor]:
        """Returns the normalised outputs (N, C, n, n) of the layers."""
        with self._autocast:
            maps = self.backbone.extract(patches.contiguous(memory_format=torch.channels_last), self.layers)
        return [normalised(layer.float()) for layer in maps]


class JoinedFeatures:
    """The blocks of several extractors, one after the other.

    Args:
        parts: the extractors; the one with the largest cells says which sides patches have.
    """

    def __init__(self, parts: Sequence[Features]) -> None:
        self.parts = parts
        self.cells = tuple(cell for part in parts for cell in part.cells)
        self.dimensions = tuple(count for part in parts for count in part.dimensions)

    def sample_side(self, wanted: float) -> int:
        """Returns the side that the part with the largest cells asks for."""
        return max(self.parts, key=lambda part: max(part.cells)).sample_side(wanted)

    def __call__(self, patches: Tensor) -> list[Tensor]:
        """Returns the maps (N, C, n, n) of every block of every part."""
        return [maps for part in self.parts for maps in part(patches)]
