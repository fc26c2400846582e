"""Fits the likelihoods that objectness is made of: ``python -m socl_plugins.top_map.fit --got10k DIR --out FILE``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.got10k import Got10k
from socl_plugins.top_map.cues import Cues, window_cues
from socl_plugins.top_map.objectness import fit_likelihoods
from socl_plugins.top_map.proposals import random_proposals
from socl_plugins.top_map.propose import SMALLEST_SIDE


def annotated_windows(
    dataset: BaseVideoDataset, every: int, count: int, seed: int = 0
) -> Iterator[tuple[Cues, np.ndarray, np.ndarray]]:
    """Yields, for every so many frames, the cues of random windows around the box, the windows, and the box."""
    for video in range(len(dataset)):
        info = dataset.get_sequence_info(video)
        for frame in range(0, len(info["visible"]), every):
            if not bool(info["visible"][frame]):
                continue
            image = dataset.load_frame(video, frame)
            box = info["bbox"][frame].double().numpy()
            x, y = np.clip(box[:2] + box[2:] / 2, 0, [image.shape[1], image.shape[0]]).tolist()
            boxes = random_proposals((x, y), image.shape[:2], count, np.random.default_rng((seed, video, frame)))
            boxes = boxes[boxes[:, 2:].min(axis=1) >= SMALLEST_SIDE]
            if len(boxes):
                yield window_cues(image, boxes), boxes, box


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(description="Fits the likelihoods of the objectness cues on annotated boxes.")
    parser.add_argument("--got10k", type=Path, required=True, help="videos with boxes, in GOT-10k's layout")
    parser.add_argument("--out", type=Path, required=True, help="the table to write, JSON")
    parser.add_argument("--split", default="val", help="train, val or test: videos whose boxes training may not see")
    parser.add_argument("--step", type=int, default=1, help="use every so many videos (2 leaves a half to measure on)")
    parser.add_argument("--every", type=int, default=6, help="use every so many frames of a video")
    parser.add_argument("--windows", type=int, default=1500, help="random windows a frame")
    parser.add_argument("--bins", type=int, default=24, help="bins a cue")
    options = parser.parse_args(arguments)
    videos = len(Got10k(options.got10k, options.split))
    dataset = Got10k(options.got10k, options.split, seq_ids=range(0, videos, options.step))
    source = (
        f"fitted on {len(dataset)} of the {videos} annotated videos in {options.got10k.name}/{options.split} "
        f"(step {options.step}), on one frame in {options.every}, with {options.windows} random windows around each box"
    )
    fit_likelihoods(annotated_windows(dataset, options.every, options.windows), source, options.bins).save(options.out)
    print(f"{options.out}: {source}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
