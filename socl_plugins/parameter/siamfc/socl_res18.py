"""SoCL-Siam: SiamFC on the newest best checkpoint of ``socl socl_res18``."""

from __future__ import annotations

from pytracking.tracker.siamfc import SiamFCParams


def parameters() -> SiamFCParams:
    """Returns SiamFC's own parameters with the network that ``ltr/run_training.py socl socl_res18`` trained."""
    return SiamFCParams(network="socl/socl_res18")
