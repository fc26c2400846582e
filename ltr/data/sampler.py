"""Samplers: which frames of which videos make one training sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch.utils.data import Dataset

from ltr.data.tensordict import TensorDict
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.registry import SAMPLERS

Processing = Callable[[TensorDict, np.random.Generator], TensorDict]
FrameSampleMode = Literal["causal", "interval", "segment"]

# So many draws of an unusable video in a row are a reason to look through all videos of the data set.
PATIENCE = 50


def no_processing(data: TensorDict, rng: np.random.Generator) -> TensorDict:
    """Returns the sample as it is."""
    return data


@SAMPLERS.register("tracking")
class TrackingSampler(Dataset[TensorDict]):
    """Draws frames to learn the target from (train) and frames to find it in (test), all of one video.

    Sample number k is a function of the seed and k alone. So the samples of a run depend neither on the number of
    workers nor on what was drawn before, and a run can go on from any k.

    A sample holds ``train_images`` and ``test_images`` (lists of RGB arrays (H, W, 3) uint8), ``train_frame_ids`` and
    ``test_frame_ids`` (lists of int), ``train_frame_names`` and ``test_frame_names`` (lists of ``frame_name``),
    ``dataset`` (its name), ``seq_id``, and of every annotation of the data set a list for train and one for test:
    ``bbox`` as ``train_anno`` and ``test_anno``, any other, such as ``point``, as ``train_point`` and ``test_point``.

    Args:
        datasets: where videos are drawn from.
        p_datasets: how often each data set is drawn, in proportion; by default by its number of videos.
        samples_per_epoch: the length of an epoch.
        max_gap: how many frames apart a train and a test frame may be.
        num_test_frames: test frames in a sample.
        num_train_frames: train frames in a sample.
        processing: makes crops and targets of the raw frames; gets the sample's own random generator.
        frame_sample_mode: ``causal``: test frames come after the last train frame, at most ``max_gap`` later, and other
            train frames at most ``max_gap`` before it; ``interval``: any order, all within ``max_gap`` of each other;
            ``segment``: train frames from the first half, test frames from the second half of a random segment of
            2 ``max_gap`` frames (DiMP, section 3.6), which a shorter video need not fill.
        seed: chooses among runs.

    Raises:
        ValueError: an argument is out of range. Drawing raises it if no video of a data set has enough usable frames.
    """

    def __init__(
        self,
        datasets: Sequence[BaseVideoDataset],
        p_datasets: Sequence[float] | None = None,
        samples_per_epoch: int = 1000,
        max_gap: int = 100,
        num_test_frames: int = 1,
        num_train_frames: int = 1,
        processing: Processing = no_processing,
        frame_sample_mode: FrameSampleMode = "causal",
        seed: int = 0,
    ) -> None:
        if not datasets:
            raise ValueError("datasets is empty; give at least one data set to draw from")
        weights = np.asarray([len(dataset) for dataset in datasets] if p_datasets is None else p_datasets, np.float64)
        fair = np.isfinite(weights).all() and (weights >= 0).all() and weights.any()
        if weights.shape != (len(datasets),) or not fair:
            raise ValueError(f"p_datasets is {p_datasets}; give one weight >= 0 for each of {len(datasets)} data sets")
        if seed < 0:
            raise ValueError(f"seed is {seed}; it must be at least 0")
        if samples_per_epoch < 1:
            raise ValueError(f"samples_per_epoch is {samples_per_epoch}; it must be at least 1")
        if num_test_frames < 1 or num_train_frames < 1:
            raise ValueError(
                f"num_train_frames is {num_train_frames} and num_test_frames {num_test_frames}; each must be at least 1"
            )
        if frame_sample_mode not in get_args(FrameSampleMode):
            raise ValueError(f"frame_sample_mode is {frame_sample_mode!r}; choose from {get_args(FrameSampleMode)}")
        needed = {
            "causal": max(num_test_frames, num_train_frames - 1),
            "interval": num_train_frames + num_test_frames - 1,
            "segment": max(num_test_frames, num_train_frames),
        }[frame_sample_mode]
        if max_gap < needed:
            raise ValueError(f"max_gap is {max_gap}; for so many frames in a sample it must be at least {needed}")
        self.datasets = list(datasets)
        self.p_datasets = weights / weights.sum()
        self.samples_per_epoch = samples_per_epoch
        self.max_gap = max_gap
        self.num_test_frames = num_test_frames
        self.num_train_frames = num_train_frames
        self.processing = processing
        self.frame_sample_mode = frame_sample_mode
        self.seed = seed
        self._usable: dict[int, list[int]] = {}

    def __len__(self) -> int:
        return self.samples_per_epoch

    def __getitem__(self, index: int) -> TensorDict:
        if index < 0:
            raise IndexError(f"sample number {index} is negative")
        rng = np.random.default_rng((self.seed, index))
        number = int(rng.choice(len(self.datasets), p=self.p_datasets))
        seq_id, train_ids, test_ids = self._draw(number, rng)
        return self.processing(self._read(self.datasets[number], seq_id, train_ids, test_ids), rng)

    def _read(self, dataset: BaseVideoDataset, seq_id: int, train_ids: list[int], test_ids: list[int]) -> TensorDict:
        frames, anno, _ = dataset.get_frames(seq_id, train_ids + test_ids, dataset.get_sequence_info(seq_id))
        names = [dataset.frame_name(seq_id, frame_id) for frame_id in train_ids + test_ids]
        per_frame: dict[str, list[Any]] = {"images": frames, "frame_ids": train_ids + test_ids, "frame_names": names}
        per_frame |= {"anno" if key == "bbox" else key: values for key, values in anno.items()}
        data = TensorDict(dataset=dataset.get_name(), seq_id=seq_id)
        for key, values in per_frame.items():
            data[f"train_{key}"] = values[: len(train_ids)]
            data[f"test_{key}"] = values[len(train_ids) :]
        return data

    def _draw(self, number: int, rng: np.random.Generator) -> tuple[int, list[int], list[int]]:
        """Returns a video of a data set, its train and its test frames."""
        dataset = self.datasets[number]
        for _ in range(PATIENCE):
            seq_id = int(rng.integers(len(dataset)))
            frames = self._draw_frames(dataset, seq_id, rng)
            if frames is not None:
                return seq_id, *frames
        # Nearly all videos are unusable, or all: look at each once, rather than draw for ever.
        if number not in self._usable:
            ids = range(len(dataset))
            self._usable[number] = [i for i in ids if len(self._bases(dataset, self._usable_frames(dataset, i)))]
        usable = self._usable[number]
        if not usable:
            raise ValueError(
                f"no video of the data set {dataset.get_name()!r} ({len(dataset)} videos, in {dataset.root}) has "
                f"{self.num_train_frames} train and {self.num_test_frames} test frames with a visible target within "
                f"max_gap = {self.max_gap} frames; give longer videos, a larger max_gap or fewer frames a sample"
            )
        seq_id = usable[int(rng.integers(len(usable)))]
        frames = self._draw_frames(dataset, seq_id, rng)
        assert frames is not None
        return seq_id, *frames

    def _draw_frames(
        self, dataset: BaseVideoDataset, seq_id: int, rng: np.random.Generator
    ) -> tuple[list[int], list[int]] | None:
        """Returns train and test frames of a video, both in order of time, or None if it has too few."""
        usable = self._usable_frames(dataset, seq_id)
        bases = self._bases(dataset, usable)
        if not len(bases):
            return None
        base = int(rng.choice(bases))
        if not dataset.is_video_sequence():  # a still image stands for all frames
            return [base] * self.num_train_frames, [base] * self.num_test_frames
        if self.frame_sample_mode == "segment":
            halves = (
                (usable >= base - self.max_gap) & (usable < base),
                (usable >= base) & (usable < base + self.max_gap),
            )
            counts = (self.num_train_frames, self.num_test_frames)
            train, test = (rng.choice(usable[half], count, replace=False) for half, count in zip(halves, counts))
            return sorted(train.tolist()), sorted(test.tolist())
        after = usable[(usable > base) & (usable <= base + self.max_gap)]
        if self.frame_sample_mode == "interval":
            others = rng.choice(after, self.num_train_frames + self.num_test_frames - 1, replace=False)
            frames = rng.permutation(np.append(others, base)).tolist()
            return sorted(frames[: self.num_train_frames]), sorted(frames[self.num_train_frames :])
        before = usable[(usable < base) & (usable >= base - self.max_gap)]
        train = rng.choice(before, self.num_train_frames - 1, replace=False).tolist() if len(before) else []
        test = rng.choice(after, self.num_test_frames, replace=False).tolist()
        return sorted([*train, base]), sorted(test)

    def _usable_frames(self, dataset: BaseVideoDataset, seq_id: int) -> np.ndarray:
        info = dataset.get_sequence_info(seq_id)
        return torch.nonzero(info["valid"] & info["visible"]).flatten().numpy()

    def _bases(self, dataset: BaseVideoDataset, usable: np.ndarray) -> np.ndarray:
        """Returns the frames around which a whole sample can be drawn: causal: as last train frame; interval: as first
        frame of all; segment: as the one that its second half begins with, which need not be usable itself.
        """
        if not dataset.is_video_sequence():
            return usable
        if self.frame_sample_mode == "segment":
            middles = np.arange(usable[-1] + 1 if len(usable) else 0)
            first, at, end = (np.searchsorted(usable, middles + gap) for gap in (-self.max_gap, 0, self.max_gap))
            return middles[(at - first >= self.num_train_frames) & (end - at >= self.num_test_frames)]
        position = np.arange(len(usable))
        after = np.searchsorted(usable, usable + self.max_gap, side="right") - position - 1
        if self.frame_sample_mode == "interval":
            return usable[after >= self.num_train_frames + self.num_test_frames - 1]
        before = position - np.searchsorted(usable, usable - self.max_gap, side="left")
        return usable[(after >= self.num_test_frames) & (before >= self.num_train_frames - 1)]
