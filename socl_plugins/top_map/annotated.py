"""A point-annotated data set with the proposals that TOP maps are rendered from."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ltr.admin.jobs import local_cores
from ltr.dataset.annotation_wrapper import AnnotationWrapper
from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo
from ltr.engine import distributed
from socl_plugins.top_map.proposals import Proposals
from socl_plugins.top_map.propose import ProposalSettings, propose_target
from socl_plugins.top_map.store import ProposalReader


class ObjectnessAnnotated(AnnotationWrapper):
    """A data set of clicks that shows, beside each, the proposals around it (``proposals``).

    They come from the store, from what :meth:`prepare` computed, or are computed when a frame is asked for: with the
    same result, since the random proposals of a frame depend on the settings and the frame's name alone.

    Args:
        dataset: shows ``point``.
        settings: how proposals are made.
        store: of proposals made with these settings; a frame that it lacks is computed.
    """

    def __init__(
        self,
        dataset: BaseVideoDataset,
        settings: ProposalSettings = ProposalSettings(),
        store: ProposalReader | None = None,
    ) -> None:
        super().__init__(dataset)
        self.settings = settings
        self.store = store
        self._prepared: dict[tuple[int, int], Proposals] = {}

    def get_frames(
        self, seq_id: int, frame_ids: Sequence[int], anno: SequenceInfo | None = None
    ) -> tuple[list[np.ndarray], dict[str, list[Any]], dict[str, Any]]:
        """Returns frames, clicks and ``proposals``, see the base class. A frame without a click has none."""
        frames, annotation, meta = self.dataset.get_frames(seq_id, frame_ids, anno)
        proposals: list[Proposals | None] = []
        for frame, point, frame_id in zip(frames, annotation["point"], frame_ids):
            x, y = point.tolist()
            found = self._prepared.get((seq_id, frame_id))
            if found is None and math.isfinite(x) and math.isfinite(y):
                if self.store is not None:
                    found = self.store.get(self.frame_name(seq_id, frame_id), (x, y))
                if found is None:
                    found = self.propose(frame, (x, y), seq_id, frame_id)
            proposals.append(found)
        return frames, {**annotation, "proposals": proposals}, meta

    def propose(self, frame: np.ndarray, point: tuple[float, float], seq_id: int, frame_id: int) -> Proposals:
        """Returns the proposals of a frame (H, W, 3) for its click x, y, computed here and now."""
        seed = (self.settings.seed, zlib.crc32(self.frame_name(seq_id, frame_id).encode()))
        return propose_target(frame, point, self.settings, seed)

    def propose_frame(self, seq_id: int, frame_id: int) -> tuple[Proposals, tuple[float, float]]:
        """Returns the proposals of a frame, computed here and now, and the click that they are for."""
        frames, annotation, _ = self.dataset.get_frames(seq_id, [frame_id])
        x, y = annotation["point"][0].tolist()
        return self.propose(frames[0], (x, y), seq_id, frame_id), (x, y)

    def visible_frames(self, seq_id: int) -> list[int]:
        """Returns the numbers of the frames of a video that have a click on a target that can be seen."""
        return torch.nonzero(self.get_sequence_info(seq_id)["visible"]).flatten().tolist()

    def prepare(self, jobs: int | None = None, progress: bool = True) -> None:
        """Computes what the store lacks of the frames with a visible target, and keeps it in memory (1.3 KB a frame).

        In a distributed run each process computes its share, and all get all.

        Args:
            jobs: processes to compute with; by default this process's share of the machine's cores.
            progress: show a progress bar on standard error.
        """
        from joblib import Parallel, delayed

        from ltr.admin.progress import progress_bar

        jobs = local_cores() if jobs is None else jobs
        own = range(distributed.rank(), self.get_num_sequences(), distributed.world_size())
        videos = {video: frames for video in own if (frames := self._missing(video))}
        # A copy without what is prepared already: that grows while tasks are being sent to the workers.
        worker = ObjectnessAnnotated(self.dataset, self.settings)
        results = Parallel(n_jobs=jobs, return_as="generator")(
            delayed(worker._propose_frames)(video, frames) for video, frames in videos.items()
        )
        hidden = not progress or not videos
        # The results first: they are asked once more than there are, or joblib would warn of tasks left undone.
        bar = progress_bar(zip(results, videos), total=len(videos), desc="TOP maps", unit="video", disable=hidden)
        share = {(video, frame_id): proposals for found, video in bar for frame_id, proposals in found.items()}
        for part in distributed.gather(share):
            self._prepared.update(part)

    def _missing(self, seq_id: int) -> list[int]:
        frames = self.visible_frames(seq_id)
        if self.store is None:
            return frames
        return [frame_id for frame_id in frames if self.frame_name(seq_id, frame_id) not in self.store]

    def _propose_frames(self, seq_id: int, frame_ids: list[int]) -> dict[int, Proposals]:
        return {frame_id: self.propose_frame(seq_id, frame_id)[0] for frame_id in frame_ids}
