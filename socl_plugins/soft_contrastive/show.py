"""Pictures of where soft samples come from: frame, score map, TOP map, masked similarity, hard negatives (fig. 11)."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch

from ltr.data.processing import PARTS
from ltr.data.sampler import TrackingSampler
from ltr.data.tensordict import TensorDict
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.models.tracking import FeatureGrid, SiamFCNet
from pytracking.analysis.pictures import Shown
from socl_plugins.soft_contrastive.equations import (
    global_soft_template,
    hard_negative_map,
    similarity_map,
    target_mask,
)
from socl_plugins.soft_contrastive.loss import SoftContrastiveSettings
from socl_plugins.soft_contrastive.processing import SoftContrastiveProcessing, TopMapCropSettings

TEXT = (
    "From left to right: the crop that the network sees; the score map, the summed scores of the proposals; the TOP "
    "map; the similarity of each place to the soft template of the same crop, the target masked out (black); and the "
    "hard-negative map, by which the soft negative sums up the background."
)
FRAME_SHARE = 0.35  # of the frame under a map
GAP = 4  # pixels between two pictures


def draw_pairs(
    dataset: BaseVideoDataset, crop: TopMapCropSettings, grid: FeatureGrid, pairs: int, max_gap: int = 50, seed: int = 0
) -> list[TensorDict]:
    """Returns samples as training sees them, not augmented and with score maps.

    Args:
        dataset: shows ``point`` and ``proposals``.
        crop: which part of a frame.
        grid: where the network's feature cells lie in it.
        pairs: how many samples.
        max_gap: how many frames apart those of a pair may be.
        seed: of what is drawn.
    """
    processing = SoftContrastiveProcessing(crop, grid, with_scores=True)
    sampler = TrackingSampler(
        [dataset], max_gap=max_gap, processing=processing, frame_sample_mode="interval", seed=seed
    )
    return [sampler[number] for number in range(pairs)]


@torch.no_grad()
def explain(
    net: SiamFCNet, pairs: list[TensorDict], grid: FeatureGrid, settings: SoftContrastiveSettings
) -> Iterator[Shown]:
    """Yields the five pictures of each frame of some pairs, side by side.

    Args:
        net: in evaluation mode.
        pairs: of :func:`draw_pairs`.
        grid: that they were drawn with.
        settings: of the loss.
    """
    device = next(net.parameters()).device
    for pair in pairs:
        for part in PARTS:
            features = net.embed(pair[f"{part}_images"][None].float().to(device)).float()
            top = pair[f"{part}_top"][None].to(device)
            template = global_soft_template(features, top)
            if settings.normalise:
                template = torch.nn.functional.normalize(template, dim=1)
            similarity = similarity_map(features, template)
            hard = hard_negative_map(similarity, top, settings.theta_b, settings.background_temperature)
            masked = similarity.masked_fill(target_mask(top, settings.theta_b), float("nan"))
            image = pair[f"{part}_images"].numpy().transpose(1, 2, 0)
            maps = (pair[f"{part}_score"], top[0], masked[0], hard[0])
            panels = [image, *(overlay(image, one.cpu().numpy(), grid) for one in maps)]
            gap = np.full((image.shape[0], GAP, 3), 255, np.uint8)
            row = [piece for panel in panels for piece in (panel, gap)][:-1]
            yield Shown(f"{pair['dataset']}, video {pair['seq_id']}, {part} frame", np.hstack(row))


def overlay(image: np.ndarray, values: np.ndarray, grid: FeatureGrid) -> np.ndarray:
    """Returns a crop (S, S, 3) under a map of its feature cells, from least (dark) to most; nan is black.

    Args:
        image: (S, S, 3) uint8, RGB.
        values: (cells, cells).
        grid: where the cells lie; what is beyond them is left as dark as the least value.
    """
    known = np.isfinite(values)
    least, most = (float(end(values[known], initial=limit)) for end, limit in ((np.min, np.inf), (np.max, -np.inf)))
    scaled = np.where(known, (values - least) / max(most - least, 1e-12), 0.0) if known.any() else np.zeros_like(values)
    # A cell's value stands at its middle: OpenCV counts pixels, and cells, from their middles, too.
    scale, size = float(grid.stride), (image.shape[1], image.shape[0])
    offset = grid.start + (scale - 1) / 2
    place = np.array([[scale, 0, offset], [0, scale, offset]])
    level = cv2.warpAffine(scaled.astype(np.float32), place, size, flags=cv2.INTER_LINEAR)
    hidden = cv2.warpAffine((~known).astype(np.uint8), place, size, flags=cv2.INTER_NEAREST)
    heat = cv2.applyColorMap(np.rint(np.clip(level, 0, 1) * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    mixed = cv2.addWeighted(np.ascontiguousarray(image), FRAME_SHARE, np.ascontiguousarray(heat), 1 - FRAME_SHARE, 0)
    mixed[hidden > 0] = 0
    return mixed
