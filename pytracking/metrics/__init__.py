"""Metrics: pure functions on arrays, each naming the protocol that it follows.

What lives here: numbers from boxes. What never does: files, trackers, tables.
"""

from __future__ import annotations

from pytracking.metrics.boxes import center_distance, iou
from pytracking.metrics.errors import MetricError
from pytracking.metrics.got10k import GOT10kScores, bounded, got10k, got10k_curve, got10k_overlaps
from pytracking.metrics.ope import OPE, PROTOCOLS, FrameErrors, OPEProtocol, frame_errors, mean_ope, ope
from pytracking.metrics.regions import bounding_boxes, corners, region_overlap
from pytracking.metrics.vot import EAO_INTERVALS, VOT_PROTOCOLS, VOTScores, vot_supervised

__all__ = [
    "EAO_INTERVALS",
    "OPE",
    "PROTOCOLS",
    "VOT_PROTOCOLS",
    "FrameErrors",
    "GOT10kScores",
    "MetricError",
    "OPEProtocol",
    "VOTScores",
    "bounded",
    "bounding_boxes",
    "center_distance",
    "corners",
    "frame_errors",
    "got10k",
    "got10k_curve",
    "got10k_overlaps",
    "iou",
    "mean_ope",
    "ope",
    "region_overlap",
    "vot_supervised",
]
