"""Whole tracking networks, each in the registry NETWORKS. What tracks with them lives in ``pytracking.tracker``."""

from ltr.models.tracking.dimpnet import DiMPNet, dimpnet18, dimpnet50
from ltr.models.tracking.siamfcnet import SiamFCNet, siamfc, siamfc_resnet18
from ltr.models.tracking.transt import TransT, transt50

__all__ = ["DiMPNet", "SiamFCNet", "TransT", "dimpnet18", "dimpnet50", "siamfc", "siamfc_resnet18", "transt50"]
