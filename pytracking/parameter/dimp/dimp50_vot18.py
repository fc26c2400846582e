"""DiMP-50 as its authors set it for VOT-2018: smaller crops, a Hann window, and a classifier that learns more often."""

from __future__ import annotations

from dataclasses import replace

from pytracking.parameter.dimp import dimp50
from pytracking.tracker.dimp import DiMPParams
from pytracking.tracker.dimp.sampling import FirstFrameAugmentation

AUGMENTATION = FirstFrameAugmentation(
    blurs=((0.2, 2), (2, 0.2), (1, 3), (3, 1), (2, 2)),
    rotations=(5, -5, 10, -10, 20, -20, 30, -30, 45, -45, -60, 60),
    dropouts=7,
)


def parameters() -> DiMPParams:
    """Returns what is different from ``dimp50``. Every peak counts as the target, and none as uncertain."""
    return replace(
        dimp50.parameters(),
        image_sample_size=224,
        search_area_scale=4.0,
        sample_memory_size=250,
        learning_rate=0.0075,
        init_samples_minimum_weight=0.0,
        train_skipping=10,
        net_opt_iter=25,
        net_opt_update_iter=3,
        net_opt_hn_iter=3,
        augmentation=AUGMENTATION,
        window_output=True,
        target_not_found_threshold=0.0,
        distractor_threshold=100.0,
        hard_negative_threshold=0.45,
        displacement_scale=0.7,
    )
