"""The samples that the classifier learns from, and how much each of them counts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ltr.models.target_classifier import LossMaps


@dataclass(frozen=True)
class Samples:
    """Stored samples: features (I, 1, C, H, W), the loss's maps (I, 1, H', W') and weights (I, 1) that sum to 1."""

    features: Tensor
    maps: LossMaps
    weights: Tensor


class DiMPMemory:
    """Keeps the first frame's samples, and the newest others.

    A new sample weighs ``learning_rate``, and each older one less by that factor, but the first frame's together never
    less than ``minimum``. When the memory is full, the lightest of the others is replaced; without a minimum, the
    lightest of all.

    Args:
        size: number of samples.
        first: the first frame's samples, features (I, C, H, W) and maps (I, 1, H', W'), which all count alike.
        maps: label, mask and weight of each of these samples.
        minimum: weight that they keep together.
    """

    def __init__(self, size: int, first: Tensor, maps: LossMaps, minimum: float) -> None:
        self.count = self.first_count = len(first)
        self.minimum = minimum
        self._features = first.new_zeros(size, 1, *first.shape[1:])
        self._maps = torch.zeros(3, size, *maps.label.shape[1:], dtype=first.dtype, device=first.device)
        self._weights = torch.zeros(size, dtype=torch.float64)
        self._features[: self.count, 0] = first
        self._maps[:, : self.count] = torch.stack([maps.label, maps.mask, maps.weight])
        self._weights[: self.count] = 1 / self.count
        self._newest: int | None = None

    @property
    def samples(self) -> Samples:
        """What is stored now; not copied."""
        used = slice(0, self.count)
        weights = self._weights[used, None].to(self._features.dtype).to(self._features.device)
        return Samples(self._features[used], LossMaps(*self._maps[:, used]), weights)

    def add(self, features: Tensor, maps: LossMaps, learning_rate: float) -> None:
        """Stores a sample, features (1, C, H, W) and maps (1, 1, H', W')."""
        place = self._make_room(learning_rate)
        self._features[place] = features
        self._maps[:, place] = torch.stack([maps.label, maps.mask, maps.weight])[:, 0]

    def _make_room(self, learning_rate: float) -> int:
        weights = self._weights
        if self.count < len(weights):
            place = self.count
            self.count += 1
        else:
            kept = self.first_count if self.minimum > 0 else 0
            place = kept + int(weights[kept:].argmin())
        if self._newest is None:
            weights /= 1 - learning_rate
            weights[place] = learning_rate
        else:
            weights[place] = weights[self._newest] / (1 - learning_rate)
        weights /= weights.sum()
        others = weights[self.first_count :].sum()
        if self.minimum > 0 and 1 - others < self.minimum:
            weights[self.first_count :] *= (1 - self.minimum) / others
            weights[: self.first_count] = self.minimum / self.first_count
        self._newest = place
        return place
