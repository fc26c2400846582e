"""SiamFC on a network that ONNX Runtime computes."""

from __future__ import annotations

from pytracking.tracker.siamfc import SiamFCParams


def parameters() -> SiamFCParams:
    """Returns SiamFC's own parameters with what ``socl export siamfc/socl_res18 --format onnx`` writes.

    Say ``network=FILE.onnx`` for another. Every parameter set of SiamFC takes such a file.
    """
    return SiamFCParams(network="siamfc_socl_res18.onnx")
