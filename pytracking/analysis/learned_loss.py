"""The loss that a DiMP network learned, as a picture: its label, mask and weight (DiMP, figures 3 and S5)."""

from __future__ import annotations

import io
from pathlib import Path

import torch

from ltr.admin.files import write_bytes_atomically
from ltr.models.target_classifier import LossMaps, SteepestDescent
from pytracking.analysis.figures import check_figure_path

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


def plot_learned_loss(optimizer: SteepestDescent, path: Path, start: SteepestDescent | None = None) -> None:
    """Writes a picture: above, the functions by their distance from the target; below, on a score map.

    Args:
        optimizer: the network's ``classifier.filter_optimizer``.
        path: the file, ``.png``, ``.pdf`` or ``.svg``.
        start: that of an untrained network, whose functions are dotted.

    Raises:
        ValueError: matplotlib is missing, or the ending is another one.
        WriteError: the file cannot be written.
    """
    check_figure_path(path)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

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
        below.set(xticks=[], yticks=[])
    buffer = io.BytesIO()
    figure.savefig(buffer, format=path.suffix.lower().lstrip("."), dpi=150)
    write_bytes_atomically(path, buffer.getvalue())
