"""DiMP on a ResNet-18, as ``ltr/run_training.py dimp dimp18`` trains it."""

from __future__ import annotations

from pytracking.tracker.dimp import DiMPParams


def parameters() -> DiMPParams:
    """Returns DiMP's own parameters with the newest best network of the recipe ``dimp dimp18``."""
    return DiMPParams(network="dimp/dimp18")
