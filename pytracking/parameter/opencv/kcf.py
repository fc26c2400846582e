"""OpenCV's KCF tracker."""

from __future__ import annotations

from pytracking.tracker.opencv import OpenCVParams


def parameters() -> OpenCVParams:
    """Returns the parameters that choose KCF, which keeps its own defaults."""
    return OpenCVParams(algorithm="KCF")
