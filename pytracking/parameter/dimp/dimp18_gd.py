"""DiMP with gradient descent: GD of the paper's table 1."""

from __future__ import annotations

from dataclasses import replace

from pytracking.parameter.dimp import dimp18
from pytracking.tracker.dimp import DiMPParams


def parameters() -> DiMPParams:
    """Returns the parameters of ``dimp18`` with the network of the recipe ``dimp dimp18_gd``."""
    return replace(dimp18.parameters(), network="dimp/dimp18_gd")
