"""Video sources: what a frame is, and what is known about it.

A data set numbers its videos and frames, reads a frame when asked, and tells the annotation as its files have it. It
never crops, augments or draws at random (that is ``ltr.data``), and never hides an annotation (that is for wrappers).
"""

from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.export import export_got10k
from ltr.dataset.got10k import DatasetError, Got10k
from ltr.dataset.synthetic import SyntheticVideo

__all__ = ["BaseVideoDataset", "DatasetError", "Got10k", "SyntheticVideo", "export_got10k"]
