"""Metrics: pure functions on arrays, each naming the protocol that it follows.

What lives here: numbers from boxes. What never does: files, trackers, tables.
"""

from __future__ import annotations

from pytracking.analysis.metrics.boxes import center_distance, iou
from pytracking.analysis.metrics.ope import OPE, PROTOCOLS, MetricError, OPEProtocol, mean_ope, ope

__all__ = ["OPE", "PROTOCOLS", "MetricError", "OPEProtocol", "center_distance", "iou", "mean_ope", "ope"]
