"""Whole tracking networks, each registered in NETWORKS. The loops that track with them live in ``pytracking.tracker``."""

from ltr.models.tracking.siamfcnet import SiamFCNet, siamfc_resnet18

__all__ = ["SiamFCNet", "siamfc_resnet18"]
