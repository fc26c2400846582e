"""SiamFC as siamfc-pytorch publishes it: AlexNet, learned from boxes of GOT-10k."""

from __future__ import annotations

from pytracking.tracker.siamfc import SiamFCParams


def parameters() -> SiamFCParams:
    """Returns SiamFC's own parameters with the file ``siamfc_alexnet_e50.pth`` in ``network_dir``."""
    return SiamFCParams(network="siamfc_alexnet_e50.pth")
