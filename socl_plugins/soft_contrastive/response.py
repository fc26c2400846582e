"""A term on the tracker's response: the click is where the other frame's template answers most.

Not in the paper. SoCL compares pooled vectors, whereas a Siamese tracker compares maps: features that are alike all
over a target serve the loss and blur the response. This term asks for a peak, and needs nothing but the two clicks.
"""

from __future__ import annotations

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


def response_loss(
    features: torch.Tensor, points: torch.Tensor, grid: FeatureGrid, factor: float, settings: ResponseSettings
) -> torch.Tensor:
    """Returns the cross-entropy between responses and Gaussians around the clicks, averaged over the 2N frames.

    Of each frame a template is cut out around the click, as far as the map reaches, and compared with the whole map of
    the other frame of the pair. Where the target lies nowhere in the response, that counts as 0: so the mean over
    the processes of a distributed run is the loss of one process with the whole batch.

    Args:
        features: (2N, C, h, h); frames q and q + N show the same target.
        points: (2N, 2), the clicks x, y in pixels of the crops.
        grid: where the feature cells lie in the crops.
        factor: on the sum over the template, see :meth:`ltr.models.tracking.SiamFCNet.response_factor`.
        settings: see :class:`ResponseSettings`.

    Raises:
        ValueError: the map is not larger than a template.
    """
    cells, half, side = settings.template_cells, len(features) // 2, features.shape[-1]
    places = side - cells + 1
    if places < 2:
        raise ValueError(
            f"feature maps of {side} cells leave no room to look for a template of {cells}: "
            "lower template_cells, or enlarge the crop"
        )
    centers = (points - grid.start) / grid.stride - 0.5
    starts = (centers - (cells - 1) / 2).round().long().clamp(0, places - 1)
    response = factor * _responses(features, starts, cells)
    wanted = centers.roll(half, dims=0) - (centers - starts)  # the place of the template that shows the other click
    inside = ((wanted > -0.5) & (wanted < places - 0.5)).all(dim=1)
    place = torch.arange(places, device=features.device)
    along = (place - wanted[..., None]).square()  # (2N, 2, places)
    distance = along[:, 0, None, :] + along[:, 1, :, None]
    label = (distance.flatten(1) / (-2 * settings.sigma**2)).softmax(dim=1)
    cross_entropy = -(label * (response / settings.temperature).log_softmax(dim=1)).sum(dim=1)
    return torch.where(inside, cross_entropy, 0).mean()


def _responses(features: torch.Tensor, starts: torch.Tensor, cells: int) -> torch.Tensor:
    """Returns the cross-correlation (2N, places * places) of each map's template with the map of the other frame.

    Every cell of a frame is compared with every cell of the other once, for both directions, and the products that meet
    in a place are added up: a tenth of the time of the convolutions of a template each, and no copies of features.

    Args:
        features: (2N, C, h, h).
        starts: (2N, 2), the templates' first cells x, y.
        cells: side of a template.
    """
    side, half = features.shape[-1], len(features) // 2
    first, second = features.flatten(2).chunk(2)
    products = first.transpose(1, 2) @ second  # (N, h * h, h * h)
    row, column = (part.flatten() for part in _grid(cells, features.device))
    place_row, place_column = (part.flatten()[:, None] for part in _grid(side - cells + 1, features.device))
    searched = (place_row + row) * side + place_column + column  # (places * places, cells * cells)
    template = (starts[:, 1:] + row) * side + starts[:, :1] + column  # (2N, cells * cells)
    template = template[:, None].expand(-1, len(searched), -1)
    index = torch.cat([template[:half] * side**2 + searched, searched * side**2 + template[half:]])
    pair = torch.arange(half, device=index.device).repeat(2)[:, None, None] * side**4
    taken = products.flatten().index_select(0, (pair + index).flatten())  # its gradient keeps the index alone
    return taken.view_as(index).sum(dim=2)


def _grid(side: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    number = torch.arange(side, device=device)
    return number[:, None].expand(-1, side), number.expand(side, -1)
