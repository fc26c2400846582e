"""The data sets that come with the project: importing this module registers them."""

from __future__ import annotations

from ltr.dataset import coco, got10k, imagenet_vid, lasot, synthetic, trackingnet

__all__ = ["coco", "got10k", "imagenet_vid", "lasot", "synthetic", "trackingnet"]
