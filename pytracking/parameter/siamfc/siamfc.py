"""SiamFC on its own AlexNet, as `ltr/run_training.py siamfc siamfc` trains it."""

from __future__ import annotations

from pytracking.tracker.siamfc import SiamFCParams


def parameters() -> SiamFCParams:
    """Returns SiamFC's own parameters with the best network of ``ltr/run_training.py siamfc siamfc``."""
    return SiamFCParams(network="siamfc/siamfc")
