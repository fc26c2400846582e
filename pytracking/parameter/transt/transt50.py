"""TransT on a ResNet-50, as ``ltr/run_training.py transt transt50`` trains it."""

from __future__ import annotations

from pytracking.tracker.transt import TransTParams


def parameters() -> TransTParams:
    """Returns TransT's own parameters with the newest best network of the recipe ``transt transt50``."""
    return TransTParams(network="transt/transt50")
