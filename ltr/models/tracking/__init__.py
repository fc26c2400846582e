"""Whole tracking networks, each in the registry NETWORKS. What tracks with them lives in ``pytracking.tracker``."""

from ltr.models.tracking.dimpnet import DiMPNet, dimpnet18, dimpnet50
from ltr.models.tracking.siamfcnet import (
    FeatureGrid,
    SiamFCNet,
    siamfc,
    siamfc_alexnet,
    siamfc_resnet18,
    siamfc_resnet22,
)
from ltr.models.tracking.transt import TransT, transt18, transt50

__all__ = [
    "DiMPNet",
    "FeatureGrid",
    "SiamFCNet",
    "TransT",
    "dimpnet18",
    "dimpnet50",
    "siamfc",
    "siamfc_alexnet",
    "siamfc_resnet18",
    "siamfc_resnet22",
    "transt18",
    "transt50",
]
