"""SiamFC on SiamDW's ResNet-22 that learned from boxes."""

from __future__ import annotations

from pytracking.tracker.siamfc import SiamFCParams


def parameters() -> SiamFCParams:
    """Returns SiamFC's own parameters with the best network of ``ltr/run_training.py siamfc box_siam_res22``."""
    return SiamFCParams(network="siamfc/box_siam_res22")
