"""From raw frames with clicks and proposals to the crops and TOP maps that the SoCL actor learns from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ltr.data import processing
from ltr.data.processing import PARTS, PairAugmentation, as_tensor, jittered_crop
from ltr.data.tensordict import TensorDict
from ltr.models.tracking import FeatureGrid, SiamFCNet
from ltr.registry import PROCESSINGS
from socl_plugins.top_map.map import render_maps, score_map
from socl_plugins.top_map.proposals import Proposals


@dataclass(frozen=True)
class TopMapCropSettings(processing.CropSettings):
    """Which part of a frame the network sees, and how its TOP map is rendered.

    The target's extent is that of the mean proposal, or what second clicks told.

    Attributes:
        eta: share of the places, those with the highest scores, whose mean score is the map's upper limit.
        temperature: of the softmax over places; lower ones make the map steeper.
    """

    eta: float = 0.1
    temperature: float = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.temperature < float("inf"):
            raise ValueError(f"temperature of the crop is {self.temperature}; it must be positive")
        if not 0 < self.eta <= 1:
            raise ValueError(f"eta is {self.eta}; it is a part of the map, in (0, 1]")


@PROCESSINGS.register("soft_contrastive")
class SoftContrastiveProcessing:
    """Makes of each frame a crop around its click, and the TOP map of just that crop on the network's feature cells.

    Args:
        crop: which part of a frame is cut out.
        grid: where the network's feature cells lie in a crop of that size.
        augmentation: of crop, point and boxes together.
        with_scores: also give the score maps that TOP maps are made of, for pictures.

    Raises:
        ValueError: there are too few cells to tell target from background.
    """

    def __init__(
        self,
        crop: TopMapCropSettings,
        grid: FeatureGrid,
        augmentation: PairAugmentation = PairAugmentation(),
        with_scores: bool = False,
    ) -> None:
        if grid.cells < 2:
            raise ValueError(
                f"a crop of {crop.size} pixels leaves {grid.cells} feature cells at stride {grid.stride}; enlarge it"
            )
        self.crop = crop
        self.grid = grid
        self.augmentation = augmentation
        self.with_scores = with_scores
        self._start = np.array([grid.start, grid.start, 0, 0], np.float32)

    @classmethod
    def from_recipe(
        cls,
        net: SiamFCNet,
        crop: TopMapCropSettings = TopMapCropSettings(),
        augmentation: PairAugmentation = PairAugmentation(),
    ) -> SoftContrastiveProcessing:
        """Returns the processing for a network's feature cells; ``crop`` and ``augmentation`` as for the class."""
        return cls(crop, net.grid(crop.size), augmentation)

    def __call__(self, data: TensorDict, rng: np.random.Generator) -> TensorDict:
        """Returns, for ``train`` and ``test``: images (3, S, S) uint8, top (h, w) and point (2,) in crop pixels."""
        result = TensorDict(dataset=data["dataset"], seq_id=data["seq_id"])
        seen = []
        for part, drawn in zip(PARTS, self.augmentation.draw(rng)):
            image, point, proposals = (data[f"{part}_{key}"][0] for key in ("images", "point", "proposals"))
            size = data[f"{part}_size"][0].numpy() if f"{part}_size" in data else proposals.mean_box()[2:]
            extent = float(np.sqrt(size.prod()))
            crop, region = jittered_crop(image, point.numpy(), extent, self.crop, rng)
            boxes = drawn.boxes(region.boxes_to_crop(proposals.boxes), crop.shape).astype(np.float32)
            seen.append(Proposals(boxes - self._start, proposals.scores))
            result[f"{part}_images"] = as_tensor(drawn.image(crop))
            point = drawn.points(region.to_crop(point[None]), crop.shape)[0]
            result[f"{part}_point"] = torch.from_numpy(point).float()
        shape = (self.grid.cells, self.grid.cells)
        maps = render_maps(seen, shape, self.grid.stride, self.crop.eta, self.crop.temperature)
        for part, top in zip(PARTS, maps):
            result[f"{part}_top"] = torch.from_numpy(top)
        if self.with_scores:
            for part, proposals in zip(PARTS, seen):
                result[f"{part}_score"] = torch.from_numpy(score_map(proposals, shape, self.grid.stride)).float()
        return result
