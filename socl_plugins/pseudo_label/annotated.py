"""A data set with pseudo boxes, as box regressors learn from them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch

from ltr.dataset.annotation_wrapper import AnnotationWrapper
from ltr.dataset.base_video_dataset import SequenceInfo
from socl_plugins.clicks import SparseBoxAnnotated
from socl_plugins.pseudo_label.build import sparse_labels
from socl_plugins.pseudo_label.fuse import Kind
from socl_plugins.pseudo_label.store import PseudoBoxStore
from socl_plugins.stores import StoreError

ALL_KINDS = tuple(kind for kind in Kind if kind is not Kind.ABSENT)


class PseudoBoxAnnotated(AnnotationWrapper):
    """The videos of a data set with the pseudo boxes of a store, and what kind each is.

    The true boxes are hidden: what it shows comes from the store, which was made from sparse boxes and clicks.

    Args:
        dataset: the sparse boxes and clicks that the store was made from.
        store: pseudo boxes of all its videos.
        kinds: a frame whose box is of another kind shows no target.

    Raises:
        StoreError: the store lacks videos.
    """

    def __init__(self, dataset: SparseBoxAnnotated, store: PseudoBoxStore, kinds: Collection[Kind] = ALL_KINDS) -> None:
        super().__init__(dataset)
        self.labels = dataset
        self.store = store
        self.kinds = tuple(kinds)
        missing = [name for name in map(dataset.sequence_name, range(len(dataset))) if name not in store.records]
        if missing:
            raise StoreError(
                f"{store.path} lacks {len(missing)} of {len(dataset)} videos, such as {missing[0]}: run the build "
                "again, it goes on"
            )

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        """Returns ``bbox`` (T, 4), ``kind`` (T,) uint8, ``has_box``, ``valid`` and ``visible`` (T,) bool of a video.

        Raises:
            StoreError: the stored boxes cannot be read, or were made from other labels.
        """
        info = self.labels.get_sequence_info(seq_id)
        boxes, kinds = self.store.read(self.sequence_name(seq_id), sparse_labels(self.labels, seq_id))
        valid = torch.from_numpy(np.isin(kinds, self.kinds))
        return {
            "bbox": torch.where(valid[:, None], torch.from_numpy(boxes).float(), float("nan")),
            "kind": torch.from_numpy(kinds.astype(np.uint8)),
            "has_box": info["has_box"],
            "valid": valid,
            "visible": valid & info["visible"],
        }
