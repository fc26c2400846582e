"""The sampler of progressive learning: mini-batches of an anchor and others, and the pairs mined so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset

from ltr.config.errors import SettingsError
from ltr.data.sampler import Processing, no_processing
from ltr.data.tensordict import TensorDict
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.registry import SAMPLERS
from socl_plugins.progressive.neighbours import hard_groups, random_group
from socl_plugins.progressive.patches import Patches, PatchSettings, find_patches


@dataclass(frozen=True)
class MinedPairs:
    """Where patches were found again in other frames of their videos.

    Attributes:
        patch: (M,) int, numbers of patches, in rising order.
        frame: (M,) int, the other frame.
        box: (M, 4) float64, x, y, w, h in it, in pixels.
    """

    patch: np.ndarray
    frame: np.ndarray
    box: np.ndarray

    def __len__(self) -> int:
        return len(self.patch)

    @classmethod
    def none(cls) -> MinedPairs:
        """Returns no pairs."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 4)))


@SAMPLERS.register("anchor")
class AnchorSampler(Dataset[TensorDict]):
    """Draws mini-batches of patches, a group of consecutive samples each, with the frame that each is found again in.

    Sample number k is a function of the seed, k, and what was last computed with the network: the neighbours
    (:meth:`refresh`) and the mined ``pairs``. Both are small and travel in checkpoints, so a resumed run goes on with
    just the samples of an unbroken one. Without neighbours, groups are drawn at random; the anchors are the same.

    A sample holds ``train_images`` and ``train_anno``, the patch's frame and box, ``test_images`` and ``test_anno``,
    those of a mined pair (of the same frame, if the patch has none), ``dataset`` and ``seq_id``.

    Args:
        dataset: holds the frames.
        patches: of the data set.
        group_size: samples of a group, each of another video: a mini-batch over all processes.
        samples_per_epoch: the length of an epoch.
        processing: makes crops of frames and boxes.
        seed: chooses among runs.

    Raises:
        ValueError: there are too few videos with patches for a group.
    """

    def __init__(
        self,
        dataset: BaseVideoDataset,
        patches: Patches,
        group_size: int,
        samples_per_epoch: int = 1000,
        processing: Processing = no_processing,
        seed: int = 0,
    ) -> None:
        videos = len(np.unique(patches.video))
        if not 1 <= group_size <= videos:
            raise ValueError(
                f"a mini-batch of {group_size} patches of different videos cannot be drawn from {videos} videos with "
                "patches: lower batch_size, or give more videos"
            )
        self.dataset = dataset
        self.datasets = [dataset]
        self.patches = patches
        self.group_size = group_size
        self.samples_per_epoch = samples_per_epoch
        self.processing = processing
        self.seed = seed
        self.pairs = MinedPairs.none()
        self._first_epoch = 0
        self._groups = np.zeros((0, 0, group_size), np.int64)

    @classmethod
    def from_recipe(
        cls,
        datasets: Sequence[BaseVideoDataset],
        processing: Processing,
        samples_per_epoch: int,
        batch_size: int,
        seed: int,
        patches: PatchSettings = PatchSettings(),
    ) -> AnchorSampler:
        """Returns a sampler of one data set, whose mini-batches are groups.

        Args:
            datasets: exactly one.
            processing: makes crops of frames and boxes.
            samples_per_epoch: the length of an epoch.
            batch_size: samples of a group.
            seed: chooses among runs.
            patches: which patches are learned from.

        Raises:
            SettingsError: there are several data sets.
        """
        if len(datasets) != 1:
            raise SettingsError(f"sampler=anchor draws from one data set, but data.sets are {len(datasets)}")
        found = find_patches(datasets[0], patches)
        return cls(datasets[0], found, batch_size, samples_per_epoch, processing, seed)

    def __len__(self) -> int:
        return self.samples_per_epoch

    def __getitem__(self, index: int) -> TensorDict:
        if index < 0:
            raise IndexError(f"sample number {index} is negative")
        epoch, place = divmod(index, self.samples_per_epoch)
        group, member = divmod(place, self.group_size)
        patch = int(self.group(epoch, group)[member])
        rng = np.random.default_rng((self.seed, index))
        return self.processing(self._read(patch, rng), rng)

    @property
    def groups_per_epoch(self) -> int:
        """How many groups an epoch has, the last one perhaps cut short."""
        return -(-self.samples_per_epoch // self.group_size)

    def covers(self, epoch: int) -> bool:
        """Returns whether the neighbours of an epoch, counted from 0, are known."""
        return 0 <= epoch - self._first_epoch < len(self._groups)

    def group(self, epoch: int, number: int) -> np.ndarray:
        """Returns the numbers (group_size,) of the patches of a group of an epoch, the anchor first."""
        if self.covers(epoch):
            return self._groups[epoch - self._first_epoch, number]
        anchor, rng = self._anchor(epoch, number)
        return random_group(self.patches.video, anchor, self.group_size, rng)

    def refresh(self, features: torch.Tensor, first_epoch: int, epochs: int, candidates: int = 1) -> None:
        """Makes the groups of some epochs those of the anchors' nearest neighbours.

        Args:
            features: (P, C), unit vectors, of all patches.
            first_epoch: from 0.
            epochs: how many.
            candidates: anchors that are drawn for each group; the one whose neighbours are closest to it is taken.
        """
        numbers = [(first_epoch + epoch, group) for epoch in range(epochs) for group in range(self.groups_per_epoch)]
        anchors = np.concatenate([self._anchors(*number, candidates) for number in numbers])
        groups = hard_groups(features, self.patches.video, anchors, self.group_size)
        if candidates > 1:
            near = (features[groups[:, 1:]] * features[groups[:, :1]]).sum(dim=2).mean(dim=1)
            chosen = near.view(-1, candidates).argmax(dim=1).numpy()
            groups = groups.reshape(-1, candidates, self.group_size)[np.arange(len(chosen)), chosen]
        self._first_epoch, self._groups = first_epoch, groups.reshape(epochs, -1, self.group_size)

    def neighbour_state(self) -> dict[str, int | torch.Tensor]:
        """Returns the neighbours, as plain data."""
        return {"first_epoch": self._first_epoch, "groups": torch.from_numpy(self._groups)}

    def load_neighbour_state(self, state: dict[str, int | torch.Tensor]) -> None:
        """Takes what :meth:`neighbour_state` returned."""
        groups = state["groups"]
        assert isinstance(groups, torch.Tensor)
        if groups.shape[-1] == self.group_size and groups.shape[1] in (0, self.groups_per_epoch):
            self._first_epoch, self._groups = int(state["first_epoch"]), groups.numpy()

    def _anchor(self, epoch: int, number: int) -> tuple[int, np.random.Generator]:
        rng = np.random.default_rng((self.seed, epoch, number))
        return int(rng.integers(len(self.patches))), rng

    def _anchors(self, epoch: int, number: int, candidates: int) -> np.ndarray:
        first, rng = self._anchor(epoch, number)
        return np.array([first, *rng.integers(len(self.patches), size=candidates - 1)])

    def _read(self, patch: int, rng: np.random.Generator) -> TensorDict:
        video, frame, box = int(self.patches.video[patch]), int(self.patches.frame[patch]), self.patches.box[patch]
        first, last = np.searchsorted(self.pairs.patch, [patch, patch + 1])
        other, moved = frame, box
        if last > first:
            pair = int(rng.integers(first, last))
            other, moved = int(self.pairs.frame[pair]), self.pairs.box[pair]
        images = {number: self.dataset.load_frame(video, number) for number in {frame, other}}
        return TensorDict(
            dataset=self.dataset.get_name(),
            seq_id=video,
            train_images=[images[frame]],
            train_anno=[torch.from_numpy(box)],
            test_images=[images[other]],
            test_anno=[torch.from_numpy(moved)],
        )
