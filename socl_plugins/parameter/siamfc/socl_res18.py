"""SoCL-Siam: SiamFC on the newest best checkpoint of ``socl socl_res18``."""

from __future__ import annotations

from pytracking.parameter.siamfc._cosine import cosine_params
from pytracking.tracker.siamfc import SiamFCParams


def parameters() -> SiamFCParams:
    """Returns parameters of SiamFC with the network that ``ltr/run_training.py socl socl_res18`` trained."""
    return cosine_params("socl/socl_res18")
