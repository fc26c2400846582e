"""The loss that a DiMP network learned, as a picture: its label, mask and weight (DiMP, figures 3 and S5)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ltr.admin.files import write_bytes_atomically
from ltr.models.target_classifier import LossMaps, SteepestDescent
from pytracking.analysis.figures import check_figure_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TARGET_CELLS = 288 / 16 / 5  # DiMP's crops are 288 pixels, a cell is 16, and a crop five times as large as its target
PARTS = {"label": "label y", "mask": "target mask m", "weight": "spatial weight v"}


def loss_curves(optimizer: SteepestDescent, knots: int | None = None) -> tuple[torch.Tensor, LossMaps]:
    """Returns the distances in cells of the first knots (K,), and label, mask and weight at each of them (K,)."""
    count = optimizer.label_map_predictor.in_channels if knots is None else knots
    distance = torch.arange(count) * optimizer.bin_spacing
    return distance, _functions(optimizer, distance)


def loss_maps(optimizer: SteepestDescent, cells: int = 19) -> LossMaps:
    """Returns label, mask and weight (cells, cells) on a score map with the target in its middle."""
    steps = torch.arange(cells) - (cells - 1) / 2
    return _functions(optimizer, torch.hypot(steps[:, None], steps[None]))


@torch.no_grad()
def _functions(optimizer: SteepestDescent, distance: torch.Tensor) -> LossMaps:
    found = optimizer.radial_functions(distance.to(optimizer.filter_reg.device))
    return LossMaps(found.label.cpu(), found.mask.cpu(), found.weight.cpu())


def plot_learned_loss(
    optimizer: SteepestDescent, path: Path, start: SteepestDescent | None = None, target: float = TARGET_CELLS
) -> None:
    """Writes the picture of :func:`loss_figure`.

    Args:
        optimizer: see :func:`loss_figure`.
        path: the file, ``.png``, ``.pdf`` or ``.svg``.
        start: see :func:`loss_figure`.
        target: side of the target in cells.

    Raises:
        ValueError: matplotlib is missing, or the ending is another one.
        WriteError: the file cannot be written.
    """
    check_figure_path(path)
    figure = loss_figure(optimizer, start, target)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=path.suffix.lower().lstrip("."), dpi=150)
    write_bytes_atomically(path, buffer.getvalue())


def loss_figure(
    optimizer: SteepestDescent, start: SteepestDescent | None = None, target: float = TARGET_CELLS
) -> Figure:
    """Returns a picture: above, the functions by their distance from the target; below, on a score map with its box.

    Args:
        optimizer: the network's ``classifier.filter_optimizer``.
        start: the same network's before it learned, whose functions are dotted.
        target: side in cells of the target's box, a square.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure(figsize=(9, 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(PARTS))
    distance, curves = loss_curves(optimizer)
    before = loss_curves(start) if start is not None else None
    maps = loss_maps(optimizer)
    for column, (part, title) in enumerate(PARTS.items()):
        above, below = axes[0, column], axes[1, column]
        above.plot(distance.numpy(), getattr(curves, part).numpy(), marker=".", markersize=3, label="learned")
        if before is not None:
            above.plot(before[0].numpy(), getattr(before[1], part).numpy(), ":", color="0.4", label="start")
            above.legend(fontsize=8)
        above.set(title=title, xlabel="distance (cells)")
        above.grid(alpha=0.3)
        figure.colorbar(below.imshow(getattr(maps, part).numpy(), cmap="viridis"), ax=below)
        corner = (maps.label.shape[-1] - 1 - target) / 2  # a cell's number is its middle
        below.add_patch(Rectangle((corner, corner), target, target, fill=False, edgecolor="red"))
        below.set(xticks=[], yticks=[])
    return figure
