"""DiMP-18 as its authors set it for VOT-2018: see ``dimp50_vot18``."""

from __future__ import annotations

from dataclasses import replace

from pytracking.parameter.dimp import dimp18, dimp50_vot18
from pytracking.tracker.dimp import DiMPParams


def parameters() -> DiMPParams:
    """Returns the parameters of ``dimp50_vot18`` with the network of ``dimp18``."""
    return replace(dimp50_vot18.parameters(), network=dimp18.parameters().network)
