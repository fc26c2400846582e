"""Fits the likelihoods that objectness is made of: ``python -m socl_plugins.top_map fit --dataset NAME --out FILE``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ltr.dataset.base_video_dataset import BaseVideoDataset
from socl_plugins.top_map.cues import Cues, window_cues
from socl_plugins.top_map.edges import find_edges
from socl_plugins.top_map.propose import ProposalSettings, gather_proposals, reduce_frame

NOISE = (0.0, 20.0)  # pixels: clicks as exact and as far off as the paper's annotators


def annotated_windows(
    dataset: BaseVideoDataset, videos: Sequence[int], every: int, settings: ProposalSettings, seed: int = 0
) -> Iterator[tuple[Cues, np.ndarray, np.ndarray]]:
    """Yields, for clicks on every so many frames, the cues of the proposals, the proposals, and the box.

    The windows are those that objectness will have to judge: around exact clicks, and around clicks that are 20 px off.

    Args:
        dataset: shows ``bbox``.
        videos: numbers of the videos to use.
        every: use every so many frames of a video.
        settings: of the proposals.
        seed: of random proposals and of the shifts.
    """
    for video in videos:
        info = dataset.get_sequence_info(video)
        if "bbox" not in info:
            raise ValueError(f"{dataset.name}, video {dataset.sequence_name(video)}: fitting needs boxes")
        for frame in range(0, len(info["visible"]), every):
            if not bool(info["visible"][frame]):
                continue
            image, scale = reduce_frame(dataset.load_frame(video, frame), settings.frame_side)
            box = info["bbox"][frame].double().numpy() * np.tile(scale, 2)
            edges = find_edges(image)
            radius = settings.edge_radius * float(np.sqrt(scale.prod()))
            for noise in NOISE:
                angle = np.random.default_rng((seed, video, frame)).uniform(0, 2 * np.pi)
                click = box[:2] + box[2:] / 2 + noise * scale * [np.cos(angle), np.sin(angle)]
                x, y = np.clip(click, 0, [image.shape[1], image.shape[0]]).tolist()
                boxes = gather_proposals(image, edges, (x, y), settings, (seed, video, frame), radius)
                yield window_cues(image, edges, boxes), boxes, box


def fewer_random(settings: ProposalSettings, count: int) -> ProposalSettings:
    """Returns the settings with so many random proposals: a part of them tells as much about the cues as all."""
    return replace(settings, random_count=min(count, settings.random_count))
