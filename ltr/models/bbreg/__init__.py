"""Bounding box estimation: networks that say how well a box fits the target. Refining boxes with them is tracking."""

from ltr.models.bbreg.atom_iou_net import AtomIoUNet, Modulation

__all__ = ["AtomIoUNet", "Modulation"]
