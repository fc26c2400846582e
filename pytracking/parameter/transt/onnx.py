"""TransT on a network that ONNX Runtime computes."""

from __future__ import annotations

from pytracking.tracker.transt import TransTParams


def parameters() -> TransTParams:
    """Returns TransT's own parameters with what ``socl export transt/transt50 --format onnx`` writes.

    Say ``network=FILE.onnx`` for another. Every parameter set of TransT takes such a file.
    """
    return TransTParams(network="transt_transt50.onnx")
