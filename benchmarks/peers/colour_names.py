"""Colour names as a feature of this project's ECO, out of the table in a checkout of pyCFTrackers.

J. van de Weijer et al., Learning Color Names for Real-World Applications, TIP 2009. The table is not part of this
project; with it, ECO sees here what the original sees.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pytracking.tracker.eco.features import JoinedFeatures, normalised, odd_sides

TABLE = Path("lib") / "eco" / "features" / "lookup_tables" / "CNnorm.pkl"
LEVELS = 32  # of each colour, of which the table has one row each: red changes fastest


class _Arrays(pickle.Unpickler):
    """Reads arrays, and nothing else that could be called."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) != ("_codecs", "encode") and name not in ("_reconstruct", "ndarray", "dtype"):
            raise pickle.UnpicklingError(f"the table of colour names holds {module}.{name}")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read_table(checkout: Path) -> np.ndarray:
    """Returns the table (32768, names) of a checkout."""
    with open(checkout / TABLE, "rb") as file:
        table: np.ndarray = _Arrays(file, encoding="latin1").load()
    return table.astype(np.float32)


class ColourNames:
    """How much of each colour name a cell shows, on average.

    Args:
        table: (32768, names).
        cell: side of a cell in pixels.
        dimension: channels that the names are projected to.
    """

    def __init__(self, table: np.ndarray, cell: int = 4, dimension: int = 3) -> None:
        self.table = torch.from_numpy(table)
        self.cells = (cell,)
        self.dimensions = (dimension,)

    def sample_side(self, wanted: float) -> int:
        """Returns a side with an odd number of cells where possible."""
        return odd_sides(wanted, self.cells)

    def __call__(self, patches: Tensor) -> list[Tensor]:
        """Returns the normalised means (N, names, n, n) of RGB patches (N, 3, S, S) in 0..255."""
        levels = patches.to(torch.int64) // (256 // LEVELS)
        rows = levels[:, 0] + LEVELS * (levels[:, 1] + LEVELS * levels[:, 2])
        names = self.table[rows].permute(0, 3, 1, 2)
        return [normalised(F.avg_pool2d(names, self.cells[0]))]


class WithColourNames(JoinedFeatures):
    """Hand-crafted features together, whose sample's side the original chooses by the cells of all of them."""

    def sample_side(self, wanted: float) -> int:
        """Returns a side with an odd number of cells in as many blocks as possible."""
        return odd_sides(wanted, self.cells)
