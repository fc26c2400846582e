"""TransT on a ResNet-50 that learned from GOT-10k alone, as ``ltr/run_training.py transt transt50_got10k`` trains it."""

from __future__ import annotations

from dataclasses import replace

from pytracking.parameter.transt import transt50
from pytracking.tracker.transt import TransTParams


def parameters() -> TransTParams:
    """Returns the parameters of ``transt50`` with the newest best network of the recipe ``transt transt50_got10k``."""
    return replace(transt50.parameters(), network="transt/transt50_got10k")
