"""DiMP that averages filters: model averaging, of the paper's table 3."""

from __future__ import annotations

from dataclasses import replace

from pytracking.parameter.dimp import dimp18
from pytracking.tracker.dimp import DiMPParams


def parameters() -> DiMPParams:
    """Returns the parameters of ``dimp18``, with a filter that moves a hundredth of the way to each frame's own."""
    return replace(dimp18.parameters(), model_averaging_rate=0.01)
