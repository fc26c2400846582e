"""Whole tracking networks, each in the registry NETWORKS. What tracks with them lives in ``pytracking.tracker``."""

from ltr.models.tracking.siamfcnet import SiamFCNet, siamfc, siamfc_resnet18

__all__ = ["SiamFCNet", "siamfc", "siamfc_resnet18"]
