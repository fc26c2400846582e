"""Video sources: what a frame is, and what is known about it.

A data set numbers its videos and frames, reads a frame when asked, and tells the annotation as its files have it. It
never crops, augments or draws at random (that is ``ltr.data``), and never hides an annotation (that is for wrappers).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ltr.dataset.base_video_dataset import BaseVideoDataset
    from ltr.dataset.coco import Coco
    from ltr.dataset.export import export_got10k
    from ltr.dataset.got10k import Got10k
    from ltr.dataset.imagenet_vid import ImageNetVid
    from ltr.dataset.lasot import Lasot
    from ltr.dataset.synthetic import SyntheticVideo
    from ltr.dataset.text import DatasetError
    from ltr.dataset.trackingnet import TrackingNet

_MODULES = {
    "BaseVideoDataset": "base_video_dataset",
    "Coco": "coco",
    "DatasetError": "text",
    "Got10k": "got10k",
    "ImageNetVid": "imagenet_vid",
    "Lasot": "lasot",
    "SyntheticVideo": "synthetic",
    "TrackingNet": "trackingnet",
    "export_got10k": "export",
}

__all__ = [
    "BaseVideoDataset",
    "Coco",
    "DatasetError",
    "Got10k",
    "ImageNetVid",
    "Lasot",
    "SyntheticVideo",
    "TrackingNet",
    "export_got10k",
]


def __getattr__(name: str) -> Any:
    # Data sets give tensors; who only reads files by the modules here, such as a benchmark, need not wait for torch.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
