"""DiMP-50 as its authors set it for VOT-2019, where time is short: fewer samples and steps than ``dimp50_vot18``."""

from __future__ import annotations

from dataclasses import replace

from pytracking.parameter.dimp import dimp50_vot18
from pytracking.tracker.dimp import DiMPParams
from pytracking.tracker.dimp.sampling import FirstFrameAugmentation

AUGMENTATION = FirstFrameAugmentation(
    shifts=((0.6, 0.6), (-0.6, -0.6)), blurs=((0.2, 2), (3, 1)), rotations=(-5, 10, -30, 60), dropouts=3
)


def parameters() -> DiMPParams:
    """Returns what is different from ``dimp50_vot18``."""
    return replace(
        dimp50_vot18.parameters(),
        image_sample_size=256,
        search_area_scale=4.5,
        sample_memory_size=100,
        net_opt_iter=15,
        net_opt_update_iter=2,
        net_opt_hn_iter=2,
        augmentation=AUGMENTATION,
        augmentation_expansion_factor=1.4,
        box_refinement_iter=3,
    )
