"""ECO on histograms of oriented gradients alone: it needs no network.

What ECO's authors call hand-crafted (ECO-HC), in the public Python implementation's settings for OTB, but without
colour names, whose table is not part of this project, and with an update in every sixth frame from the start.
"""

from __future__ import annotations

from pytracking.tracker.eco.params import ECOParams
from pytracking.tracker.eco.scale_filter import ScaleFilterSettings
from pytracking.tracker.eco.settings import LearningSettings

LEARNING = LearningSettings(
    label_sigma=1 / 14,
    projection_regularization=1e-7,
    samples=30,
    learning_rate=0.009,
    gauss_newton_steps=5,
    forgetting=50.0,
    precondition_data=0.75,
    precondition_regularization=0.25,
    precondition_projection=40.0,
)


def parameters() -> ECOParams:
    """Returns ECO's parameters with histograms in cells of 6 pixels and a filter for the scale."""
    return ECOParams(
        hand_crafted=("fhog6",),
        search_area=4.0,
        smallest_side=150.0,
        largest_side=200.0,
        scale_num=1,
        scale_filter=ScaleFilterSettings(),
        learning=LEARNING,
    )
