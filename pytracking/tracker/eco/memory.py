"""The training samples of a tracker: a fixed number of components that new samples join.

M. Danelljan et al., ECO: Efficient Convolution Operators for Tracking, CVPR 2017, section 3.3: a Gaussian mixture
whose components are means of similar samples.
"""

from __future__ import annotations

import torch
from torch import Tensor


class ECOMemory:
    """At most ``capacity`` samples, each a list of spectra (C, m, m // 2 + 1), with weights that sum to one.

    Distances are kept up to date by their inner products, so that a sample is compared with the others once.

    Args:
        capacity: how many samples are kept apart.
        learning_rate: the weight of a new sample.
    """

    def __init__(self, capacity: int, learning_rate: float) -> None:
        self.capacity = capacity
        self.learning_rate = learning_rate
        self.least_weight = learning_rate * (1 - learning_rate) ** (2 * capacity)
        self.count = 0
        self.weights = torch.zeros(capacity, dtype=torch.float64)
        self.products = torch.zeros(capacity, capacity, dtype=torch.float64)
        self.spectra: list[Tensor] = []

    def add(self, sample: list[Tensor]) -> None:
        """Takes in a sample, with the weight ``learning_rate`` (the first: 1).

        Where there is no room, it takes the place of a sample that has hardly any weight left. Without such a one, the
        two that are closest to each other, among the old and the new, become one, their weighted mean.
        """
        if not self.spectra:
            self.spectra = [part.new_zeros(self.capacity, *part.shape) for part in sample]
        products, norm = self._products_with(sample)
        rate = self.learning_rate if self.count else 1.0
        if self.count < self.capacity:
            self._scale_weights(1 - rate)
            self._place(self.count, sample, products, norm, rate)
            self.count += 1
            return
        lightest = int(self.weights.argmin())
        if self.weights[lightest] < self.least_weight:
            self.weights[lightest] = 0
            self._scale_weights((1 - rate) / float(self.weights.sum()))
            self._place(lightest, sample, products, norm, rate)
            return
        squares = self.products.diagonal()
        distances = squares[:, None] + squares - 2 * self.products
        distances.fill_diagonal_(torch.inf)
        to_new = norm + squares - 2 * products
        self._scale_weights(1 - rate)
        nearest = int(to_new.argmin())
        if to_new[nearest] < distances.min():
            self._merge(nearest, sample, products, norm, rate)
            return
        first, second = divmod(int(distances.argmin()), self.capacity)
        if self.weights[second] > self.weights[first]:
            first, second = second, first
        other = [part[second] for part in self.spectra]
        weight = float(self.weights[second])
        kept = self._part(first, weight)
        self._merge(first, other, self.products[second].clone(), squares[second].clone(), weight)
        products[first] = kept * products[first] + (1 - kept) * products[second]
        self._place(second, sample, products, norm, rate)

    def _scale_weights(self, factor: float) -> None:
        self.weights *= factor

    def _part(self, index: int, weight: float) -> float:
        """Returns the part that sample ``index`` has in its mean with a sample of ``weight``."""
        own = float(self.weights[index])
        return own / (own + weight)

    def _products_with(self, sample: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Returns the inner products of a sample with all kept ones (capacity,), and with itself."""
        products = torch.zeros(self.capacity, dtype=torch.float64)
        norm = torch.zeros((), dtype=torch.float64)
        for kept, part in zip(self.spectra, sample, strict=True):
            flat = torch.view_as_real(part).flatten()
            # Counting the middle column like the others changes all distances a little, and saves a pass.
            products[: self.count] += 2 * (torch.view_as_real(kept[: self.count]).flatten(1) @ flat).cpu()
            norm += 2 * (flat @ flat).cpu()
        return products, norm

    def _place(self, index: int, sample: list[Tensor], products: Tensor, norm: Tensor, weight: float) -> None:
        """Puts a sample where none is, or where one is given up."""
        for kept, part in zip(self.spectra, sample, strict=True):
            kept[index] = part
        self.products[index] = products
        self.products[:, index] = products
        self.products[index, index] = norm
        self.weights[index] = weight

    def _merge(self, index: int, sample: list[Tensor], products: Tensor, norm: Tensor, weight: float) -> None:
        """Makes sample ``index`` the weighted mean of itself and another one."""
        own = self._part(index, weight)
        for kept, part in zip(self.spectra, sample, strict=True):
            kept[index].lerp_(part, 1 - own)
        square = own**2 * self.products[index, index] + (1 - own) ** 2 * norm + 2 * own * (1 - own) * products[index]
        mixed = own * self.products[index] + (1 - own) * products
        self.products[index] = mixed
        self.products[:, index] = mixed
        self.products[index, index] = square
        self.weights[index] += weight
