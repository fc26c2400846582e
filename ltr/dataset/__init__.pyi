from .base_video_dataset import BaseVideoDataset
from .coco import Coco
from .export import export_got10k
from .got10k import Got10k
from .imagenet_vid import ImageNetVid
from .lasot import Lasot
from .synthetic import SyntheticVideo
from .text import DatasetError
from .trackingnet import TrackingNet

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
