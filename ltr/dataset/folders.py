"""The base of data sets whose videos each have annotation files of their own, which are read when asked for."""

from __future__ import annotations

from abc import abstractmethod

import torch

from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo

CACHED_SEQUENCES = 1024  # a worker that lives long must not hold all of them


class FolderVideos(BaseVideoDataset):
    """Videos with boxes; a subclass reads those of one video, and its frames."""

    @abstractmethod
    def read_info(self, seq_id: int) -> SequenceInfo:
        """Returns :meth:`get_sequence_info` from the video's files."""

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        known: dict[int, SequenceInfo] = self.__dict__.setdefault("_known", {})
        if seq_id not in known:
            if len(known) >= CACHED_SEQUENCES:
                del known[next(iter(known))]
            known[seq_id] = self.read_info(seq_id)
        return dict(known[seq_id])


def box_info(boxes: torch.Tensor, in_view: torch.Tensor | None = None) -> SequenceInfo:
    """Returns what boxes (T, 4), and flags (T,) if there are any, say of frames; a box of no area is none."""
    valid = torch.isfinite(boxes).all(dim=1) & (boxes[:, 2:] > 0).all(dim=1)
    info = {"bbox": boxes, "valid": valid, "visible": valid if in_view is None else valid & in_view}
    return info if in_view is None else {**info, "in_view": in_view}
