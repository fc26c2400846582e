"""DiMP that keeps the first frame's filter: no update, of the paper's table 3."""

from __future__ import annotations

from dataclasses import replace

from pytracking.parameter.dimp import dimp18
from pytracking.tracker.dimp import DiMPParams


def parameters() -> DiMPParams:
    """Returns the parameters of ``dimp18`` without updates."""
    return replace(dimp18.parameters(), train_skipping=None)
