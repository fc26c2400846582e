"""ECO on a ResNet-18 that was trained to classify ImageNet, and nothing else: faster than ``eco/res18_cf``."""

from __future__ import annotations

from dataclasses import replace

from pytracking.parameter.eco import res18_cf
from pytracking.tracker.eco.params import ECOParams


def parameters() -> ECOParams:
    """Returns the parameters of ``eco/res18_cf`` without histograms, and with the nearest side for the sample.

    Raises:
        OSError: see :func:`pytracking.parameter.eco.res18_cf.parameters`.
    """
    return replace(res18_cf.parameters(), hand_crafted=(), side_rule="nearest")
