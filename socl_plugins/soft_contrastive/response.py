"""A term on the tracker's response: the click is where the other frame's template answers most.

Not in the paper. SoCL compares pooled vectors, whereas a Siamese tracker compares maps: features that are alike all
over a target serve the loss and blur the response. This term asks for a peak, and needs nothing but the two clicks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ltr.models.tracking import FeatureGrid, SiamFCNet

TEMPLATE_SIZE = 127
"""Side in pixels of the template that SiamFC tracks with."""


@dataclass(frozen=True)
class ResponseSettings:
    """What is asked of the response.

    Attributes:
        weight: of the term beside the contrastive loss; 0 leaves it out.
        sigma: standard deviation in cells of the Gaussian around the click that the response is to be like.
        temperature: of the softmax over the response.
    """

    weight: float = 0.0
    sigma: float = 1.0
    temperature: float = 0.05

    def __post_init__(self) -> None:
        if not 0 <= self.weight < float("inf"):
            raise ValueError(f"weight of the response is {self.weight}; it must be 0 or more")
        for name in ("sigma", "temperature"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} of the response is {getattr(self, name)}; it must be positive")


@dataclass(frozen=True)
class ResponseTerm:
    """The term, for one network and one size of crops.

    Attributes:
        settings: what is asked of the response.
        grid: where the feature cells lie in the crops.
        template_cells: side of the template in feature cells.
        factor: on the sum over the template, see :meth:`ltr.models.tracking.SiamFCNet.response_factor`.

    Raises:
        ValueError: a crop is hardly larger than a template, so there is nowhere to look for it.
    """

    settings: ResponseSettings
    grid: FeatureGrid
    template_cells: int
    factor: float

    def __post_init__(self) -> None:
        if self.grid.cells < self.template_cells + 1:
            raise ValueError(
                f"crops of {self.grid.cells} feature cells leave no room to look for a template of "
                f"{self.template_cells}: enlarge the crop"
            )

    @classmethod
    def of(cls, net: SiamFCNet, crop_size: int, settings: ResponseSettings) -> ResponseTerm:
        """Returns the term for crops of ``crop_size`` pixels: with the template, and compared as, SiamFC tracks."""
        cells = net.grid(TEMPLATE_SIZE).cells
        return cls(settings, net.grid(crop_size), cells, net.response_factor(cells**2))

    def __call__(self, features: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """Returns the cross-entropy between responses and Gaussians around the clicks, averaged over the 2N frames.

        Of each frame a template is cut out around the click, as far as the map reaches, and compared with the whole map
        of the other frame of the pair. Where the target lies nowhere in the response, that counts as 0: so the mean
        over the processes of a distributed run is the loss of one process with the whole batch.

        Args:
            features: (2N, C, h, h); frames q and q + N show the same target.
            points: (2N, 2), the clicks x, y in pixels of the crops.
        """
        half, places = len(features) // 2, self.grid.cells - self.template_cells + 1
        centers = (points - self.grid.start) / self.grid.stride - 0.5
        starts = (centers - (self.template_cells - 1) / 2).round().long().clamp(0, places - 1)
        response = self.factor * cross_correlation(features, starts, self.template_cells)
        wanted = centers.roll(half, dims=0) - (centers - starts)  # the place of the template that shows the other click
        inside = ((wanted > -0.5) & (wanted < places - 0.5)).all(dim=1)
        place = torch.arange(places, device=features.device)
        along = (place - wanted[..., None]).square()  # (2N, 2, places)
        distance = along[:, 0, None, :] + along[:, 1, :, None]
        label = (distance.flatten(1) / (-2 * self.settings.sigma**2)).softmax(dim=1)
        cross_entropy = -(label * (response / self.settings.temperature).log_softmax(dim=1)).sum(dim=1)
        return torch.where(inside, cross_entropy, 0).mean()


def cross_correlation(features: torch.Tensor, starts: torch.Tensor, cells: int) -> torch.Tensor:
    """Returns the cross-correlation (2N, places * places) of each map's template with the map of the other frame.

    It is what :meth:`ltr.models.tracking.SiamFCNet.correlate` sums up. Here every cell of a frame is compared with
    every cell of the other once, for both directions, and the products that meet in a place are added up: a third of
    the time of a convolution for each template, and no copies of features.

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
