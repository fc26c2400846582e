"""SuperDiMP: DiMP-50 with larger crops that stay in the frame, and a box branch that learned a density of boxes."""

from __future__ import annotations

from dataclasses import replace

from pytracking.parameter.dimp import dimp50
from pytracking.tracker.dimp import DiMPParams


def parameters() -> DiMPParams:
    """Returns what is different from ``dimp50``, with the newest best network of the recipe ``dimp super_dimp``.

    Crops show six times the target's side in 352 pixels; at the frame's border they become up to 1.5 times smaller,
    until one side fits. Boxes are refined by ten steps in relative coordinates.
    """
    return replace(
        dimp50.parameters(),
        network="dimp/super_dimp",
        image_sample_size=352,
        search_area_scale=6.0,
        border_mode="inside_major",
        border_limit=1.5,
        box_refinement_iter=10,
        box_refinement_space="relative",
        box_refinement_step_length=0.0025,
    )
