"""Video sources: what a frame is, and what is known about it.

A data set numbers its videos and frames, reads a frame when asked, and tells the annotation as its files have it. It
never crops, augments or draws at random (that is ``ltr.data``), and never hides an annotation (that is for wrappers).
"""

from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.coco import Coco
from ltr.dataset.export import export_got10k
from ltr.dataset.got10k import Got10k
from ltr.dataset.imagenet_vid import ImageNetVid
from ltr.dataset.lasot import Lasot
from ltr.dataset.synthetic import SyntheticVideo
from ltr.dataset.text import DatasetError
from ltr.dataset.trackingnet import TrackingNet

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
