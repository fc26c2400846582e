"""A term on the tracker's response: the click is where the other frame's template answers most.

Not in the paper. SoCL compares pooled vectors, whereas a Siamese tracker compares maps: features that are alike all
over a target serve the loss and blur the response. This term asks for a peak, and needs nothing but the two clicks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ltr.models.tracking import FeatureGrid


@dataclass(frozen=True)
class ResponseSettings:
    """What is asked of the response.

    Attributes:
        weight: of the term beside the contrastive loss; 0 leaves it out.
        template_cells: side of the template in feature cells. SiamFC's template of 127 pixels has 16 at stride 8, less
            three on each side that the network drops.
        sigma: standard deviation in cells of the Gaussian around the click that the response is to be like.
        temperature: of the softmax over the response.
    """

    weight: float = 0.0
    template_cells: int = 10
    sigma: float = 1.0
    temperature: float = 0.05

    def __post_init__(self) -> None:
        if not 0 <= self.weight < float("inf"):
            raise ValueError(f"weight of the response is {self.weight}; it must be 0 or more")
        if self.template_cells < 1:
            raise ValueError(f"template_cells is {self.template_cells}; a template has one at the least")
        for name in ("sigma", "temperature"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} of the response is {getattr(self, name)}; it must be positive")


Correlation = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Template features (N, C, t, t) and search features (N, C, h, w) to responses (N, 1, h - t + 1, w - t + 1)."""


def response_loss(
    features: torch.Tensor, points: torch.Tensor, grid: FeatureGrid, correlate: Correlation, settings: ResponseSettings
) -> torch.Tensor:
    """Returns the cross-entropy between responses and Gaussians around the clicks, averaged over the 2N frames.

    Of each frame a template is cut out around the click, as far as the map reaches, and compared with the whole map of
    the other frame of the pair. Where the target lies nowhere in the response, that counts as 0: so the mean over
    the processes of a distributed run is the loss of one process with the whole batch.

    Args:
        features: (2N, C, h, h); frames q and q + N show the same target.
        points: (2N, 2), the clicks x, y in pixels of the crops.
        grid: where the feature cells lie in the crops.
        correlate: the network's own comparison.
        settings: see :class:`ResponseSettings`.

    Raises:
        ValueError: the map is not larger than a template.
    """
    cells, half = settings.template_cells, len(features) // 2
    places = features.shape[-1] - cells + 1
    if places < 2:
        raise ValueError(
            f"feature maps of {features.shape[-1]} cells leave no room to look for a template of {cells}: "
            "lower template_cells, or enlarge the crop"
        )
    centers = (points - grid.start) / grid.stride - 0.5
    starts = (centers - (cells - 1) / 2).round().long().clamp(0, places - 1)
    response = correlate(_windows(features, starts, cells), features.roll(half, dims=0))[:, 0]
    wanted = centers.roll(half, dims=0) - (centers - starts)  # the place of the template that shows the other click
    inside = ((wanted > -0.5) & (wanted < places - 0.5)).all(dim=1)
    place = torch.arange(places, device=features.device)
    along = (place - wanted[..., None]).square()  # (2N, 2, places)
    distance = along[:, 0, None, :] + along[:, 1, :, None]
    label = (distance.flatten(1) / (-2 * settings.sigma**2)).softmax(dim=1)
    cross_entropy = -(label * (response.flatten(1) / settings.temperature).log_softmax(dim=1)).sum(dim=1)
    return torch.where(inside, cross_entropy, 0).mean()


def _windows(features: torch.Tensor, starts: torch.Tensor, cells: int) -> torch.Tensor:
    """Returns square windows (M, C, cells, cells) of maps (M, C, h, w) that start at the cells x, y (M, 2)."""
    offsets = torch.arange(cells, device=features.device)
    columns, rows = (starts[:, axis, None] + offsets for axis in (0, 1))
    index = (rows[:, :, None] * features.shape[-1] + columns[:, None, :]).flatten(1)
    taken = features.flatten(2).gather(2, index[:, None].expand(-1, features.shape[1], -1))
    return taken.unflatten(2, (cells, cells))
