"""Whole tracking networks, each in the registry NETWORKS. What tracks with them lives in ``pytracking.tracker``."""

from ltr.models.tracking.siamfcnet import SiamFCNet, siamfc, siamfc_resnet18
from ltr.models.tracking.transt import TransT, transt50

__all__ = ["SiamFCNet", "TransT", "siamfc", "siamfc_resnet18", "transt50"]
