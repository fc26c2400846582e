"""SiamFC on an AlexNet that learned from boxes."""

from __future__ import annotations

from pytracking.tracker.siamfc import SiamFCParams


def parameters() -> SiamFCParams:
    """Returns SiamFC's own parameters with the best network of ``ltr/run_training.py siamfc box_siam_alexnet``."""
    return SiamFCParams(network="siamfc/box_siam_alexnet")
