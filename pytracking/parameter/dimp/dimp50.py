"""DiMP on a ResNet-50, as ``ltr/run_training.py dimp dimp50`` trains it."""

from __future__ import annotations

from dataclasses import replace

from pytracking.parameter.dimp import dimp18
from pytracking.tracker.dimp import DiMPParams


def parameters() -> DiMPParams:
    """Returns the parameters of ``dimp18`` with the newest best network of the recipe ``dimp dimp50``."""
    return replace(dimp18.parameters(), network="dimp/dimp50")
