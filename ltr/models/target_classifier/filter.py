"""The target model is one filter: its scores on features, and the transpose of that map, which its gradient needs.

Features are (I, S, C, H, W): I images of each of S sequences, with one filter (C, kh, kw) a sequence. A filter of k
cells is applied with padding k // 2, so an even one gives a map that is one cell larger than the features.

A convolution with a single output channel keeps few arithmetic units busy. Both functions here are instead one matrix
product over the channels, between the features as they lie and the filter's taps, and then a sum of shifted maps.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def score_size(feature_size: tuple[int, int], filter_size: tuple[int, int]) -> tuple[int, int]:
    """Returns height and width of the score map."""
    height, width = (cells + 1 - k % 2 for cells, k in zip(feature_size, filter_size))
    return height, width


def apply_filter(features: Tensor, filters: Tensor) -> Tensor:
    """Returns the scores (I, S, H', W') of filters (S, C, kh, kw) on features (I, S, C, H, W)."""
    images, sequences, _, height, width = features.shape
    kernel = (int(filters.shape[-2]), int(filters.shape[-1]))
    # Turned by half a turn, so that what cell p says about tap k belongs to the score at p + k - padding.
    taps = filters.flip((-2, -1)).flatten(2).transpose(1, 2) @ features.flatten(3)
    size = score_size((height, width), kernel)
    scores = F.fold(taps.flatten(0, 1), size, kernel, padding=_fold_padding(kernel))
    return scores.view(images, sequences, *size)


def apply_transpose(features: Tensor, maps: Tensor, filter_size: tuple[int, int]) -> Tensor:
    """Returns the filters (S, C, kh, kw) that :func:`apply_filter`, a linear map, turns score maps back into.

    It is the gradient of sum(maps * scores) in the filter.
    """
    images, sequences, channels, height, width = features.shape
    patches = F.unfold(maps.flatten(0, 1)[:, None], filter_size, padding=_fold_padding(filter_size))
    patches = patches.view(images, sequences, -1, height * width)
    taps = (features.flatten(3) @ patches.transpose(2, 3)).sum(dim=0)
    return taps.view(sequences, channels, *filter_size).flip((-2, -1))


def _fold_padding(kernel: tuple[int, int]) -> tuple[int, int]:
    rows, columns = (k - 1 - k // 2 for k in kernel)
    return rows, columns
