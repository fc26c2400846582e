"""Anchor-based hard negative mining (AHM): the mini-batch of an anchor is its nearest neighbours in feature space.

PUL, supplement, sections A and C. Random mini-batches hold few negatives that are hard to tell from the anchor unless
they are very large; these hold nothing else. Patches of one video often show one object, which is no negative of
itself, so that a mini-batch has at most one patch of each video: our choice, since the supplement is silent on it.
"""

from __future__ import annotations

import importlib.util

import numpy as np
import torch

# From so many patches and anchors on faiss is faster (benchmarks/anchor_mining.py); for fewer anchors torch always is.
LARGE, MANY = 20_000, 500
BLOCK = 256  # anchors at once


def nearest(features: torch.Tensor, anchors: np.ndarray, count: int) -> np.ndarray:
    """Returns the numbers (A, count) of the vectors nearest to each anchor, the nearest first; the anchor is one.

    Exact: by torch, or, for many anchors in a large set, by faiss where it is installed.

    Args:
        features: (P, C), unit vectors; nearness is their dot product.
        anchors: (A,), numbers of vectors.
        count: at most P.
    """
    if len(features) >= LARGE and len(anchors) >= MANY and importlib.util.find_spec("faiss") is not None:
        return nearest_by_faiss(features, anchors, count)
    return nearest_by_torch(features, anchors, count)


def nearest_by_torch(features: torch.Tensor, anchors: np.ndarray, count: int) -> np.ndarray:
    """Does what :func:`nearest` does, with a matrix product for each block of anchors."""
    queries = features[torch.from_numpy(anchors)]
    parts = [(block @ features.T).topk(count, dim=1).indices for block in queries.split(BLOCK)]
    return torch.cat(parts).numpy()


def nearest_by_faiss(features: torch.Tensor, anchors: np.ndarray, count: int) -> np.ndarray:
    """Does what :func:`nearest` does, with faiss, which keeps no more similarities than are asked for."""
    import faiss

    vectors = np.ascontiguousarray(features.numpy(), np.float32)
    # Without an index: features are searched but once before they are computed anew.
    _, found = faiss.knn(vectors[anchors], vectors, count, metric=faiss.METRIC_INNER_PRODUCT)
    return np.asarray(found, np.int64)


def hard_groups(features: torch.Tensor, video: np.ndarray, anchors: np.ndarray, size: int) -> np.ndarray:
    """Returns for each anchor the numbers (A, size) of itself and its nearest neighbours, one of a video at the most.

    Args:
        features: (P, C), unit vectors.
        video: (P,), of which each is.
        anchors: (A,), numbers of vectors.
        size: of a group, the anchor included; at most the number of videos.
    """
    groups = np.empty((len(anchors), size), np.int64)
    left = np.arange(len(anchors))
    count = min(4 * size, len(features))
    while len(left):
        unfilled = []
        for row, found in zip(left, nearest(features, anchors[left], count)):
            found = np.append(anchors[row], found)  # first, whatever rounding makes of its own similarity
            first = np.unique(video[found], return_index=True)[1]
            if len(first) < size:
                unfilled.append(row)
            else:
                groups[row] = found[np.sort(first)[:size]]
        left = np.array(unfilled, np.int64)
        count = min(2 * count, len(features))
    return groups


def random_group(video: np.ndarray, anchor: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Returns the numbers (size,) of an anchor and patches of other videos drawn at random, one of each at the most.

    Args:
        video: (P,), of which video each patch is, in rising order.
        anchor: number of a patch.
        size: at most the number of videos.
        rng: source of randomness.
    """
    names, start, count = np.unique(video, return_index=True, return_counts=True)
    others = np.flatnonzero(names != video[anchor])
    drawn = rng.choice(others, size - 1, replace=False)
    return np.append(anchor, start[drawn] + rng.integers(count[drawn])).astype(np.int64)
