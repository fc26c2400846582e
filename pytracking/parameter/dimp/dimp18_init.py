"""DiMP without its optimizer module: Init of the paper's table 1."""

from __future__ import annotations

from dataclasses import replace

from pytracking.parameter.dimp import dimp18
from pytracking.tracker.dimp import DiMPParams


def parameters() -> DiMPParams:
    """Returns the parameters of ``dimp18`` for the recipe ``dimp dimp18_init``: a filter is predicted, and kept."""
    return replace(dimp18.parameters(), network="dimp/dimp18_init", net_opt_iter=0, train_skipping=None)
