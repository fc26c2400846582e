"""From boxes, clicks and what a tracker made of them to one box a frame. Pure functions of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np

from socl_plugins.clicks.told_size import sizes_between
from socl_plugins.pseudo_label.tracks import SnippetTrack, SparseLabels

Centers = Literal["tracked", "click", "smooth"]


class Kind(IntEnum):
    """Where the box of a frame comes from."""

    ABSENT = 0
    """There is no box: nobody labelled the frame."""
    HUMAN = 1
    """A person drew it."""
    TRACKED = 2
    """A tracker that was near the click."""
    CORRECTED = 3
    """A tracker that had failed: its size, around the click."""
    INTERPOLATED = 4
    """The size lies between those of the neighbouring boxes; the centre is the click."""
    TOP_MAP = 5
    """A TOP map at a threshold."""


@dataclass(frozen=True)
class FuseSettings:
    """How the boxes that several sources give for a frame become one.

    Attributes:
        centers: ``tracked``: the tracker's, and the click where it failed (the paper); ``click``: the click;
            ``smooth``: a path of little acceleration near both.
        size_trust: weight of the tracked size against one that is interpolated between the neighbouring boxes: they
            err independently, so their mean is better than either.
        click_px: how far clicks are off, a standard deviation in pixels, for ``smooth``.
        track_part: how far tracked centres are off, a standard deviation over the target's mean side, for ``smooth``.
        acceleration_part: how much the speed changes from frame to frame, as a part of the target's mean side.
    """

    centers: Centers = "click"
    size_trust: float = 0.5
    click_px: float = 5.0
    track_part: float = 0.05
    acceleration_part: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.size_trust <= 1:
            raise ValueError(f"size_trust is {self.size_trust}; it is a weight, from 0 to 1")
        for name in ("click_px", "track_part", "acceleration_part"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} is {getattr(self, name)}; it must be positive")


@dataclass(frozen=True)
class PseudoBoxes:
    """Boxes (n, 4) x, y, w, h of the labelled frames, and the :class:`Kind` of each (n,)."""

    boxes: np.ndarray
    kinds: np.ndarray


def fuse(labels: SparseLabels, tracks: Sequence[SnippetTrack], settings: FuseSettings = FuseSettings()) -> PseudoBoxes:
    """Returns a box for each labelled frame; those that people drew stay as they are.

    Between two boxes the nearer one's track counts for more: a tracker drifts as it goes, so the weights are one less
    the share of the way that it went. A track that failed in a frame says nothing of the centre there, but of the size.
    Sizes are averaged as logarithms, so that twice and half make one.

    Args:
        labels: of the video.
        tracks: none, the one forwards, or that and the one backwards.
        settings: what to make of them.
    """
    share = _share_of_the_way(labels)
    weights = np.stack([1 - share, share][: len(tracks)]) if tracks else np.zeros((0, len(share)))
    for weight, track in zip(weights, tracks):
        weight[~np.isfinite(track.boxes).all(axis=1)] = 0
    failed = np.stack([track.failed for track in tracks]) if tracks else np.zeros((0, len(share)), bool)
    good = weights * ~failed
    tracked, all_failed = weights.sum(axis=0) > 0, good.sum(axis=0) == 0
    centers, between = labels.centers, interpolated_sizes(labels)
    sizes, track_centers = between, centers
    if tracks:
        boxes = np.stack([np.nan_to_num(track.boxes, nan=1.0) for track in tracks])
        mean = _weighted(np.log(np.maximum(boxes[..., 2:], 1e-3)), weights)
        mixed = settings.size_trust * mean + (1 - settings.size_trust) * np.log(between)
        sizes = np.where(tracked[:, None], np.exp(mixed), between)
        middle = _weighted(boxes[..., :2] + boxes[..., 2:] / 2, good)
        track_centers = np.where((tracked & ~all_failed)[:, None], middle, centers)
    if settings.centers == "tracked":
        centers = track_centers
    elif settings.centers == "smooth":
        sides = np.sqrt(between.prod(axis=1))
        centers = _smooth(labels, track_centers, tracked & ~all_failed, sides, settings)
    kinds = np.where(tracked, np.where(all_failed, Kind.CORRECTED, Kind.TRACKED), Kind.INTERPOLATED)
    kinds[labels.has_box] = Kind.HUMAN
    made = np.concatenate([centers - sizes / 2, sizes], axis=1)
    return PseudoBoxes(np.where(labels.has_box[:, None], labels.boxes, made), kinds)


def interpolated_sizes(labels: SparseLabels) -> np.ndarray:
    """Returns widths and heights (n, 2): geometric in time between two boxes, constant beyond the outer ones."""
    drawn = labels.has_box
    return sizes_between(labels.frames[drawn], labels.boxes[drawn, 2:], labels.frames)


def _share_of_the_way(labels: SparseLabels) -> np.ndarray:
    """Returns (n,): 0 at a box, rising to 1 at the next; 0 beyond the last box, and 1 before the first."""
    before, after = labels.neighbours()
    start, end = labels.frames[before], labels.frames[after]
    share = (labels.frames - start) / np.maximum(end - start, 1)
    return np.where(after < 0, 0.0, np.where(before < 0, 1.0, share))


def _weighted(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns the mean (n, 2) of values (tracks, n, 2) with weights (tracks, n)."""
    return (values * weights[..., None]).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-12)[:, None]


def _smooth(
    labels: SparseLabels, tracked: np.ndarray, has_track: np.ndarray, sides: np.ndarray, settings: FuseSettings
) -> np.ndarray:
    click = np.full(len(sides), settings.click_px**2)
    track = np.where(has_track, (settings.track_part * sides) ** 2, np.inf)
    weight = 1 / click + 1 / track
    seen = (labels.centers / click[:, None] + tracked / track[:, None]) / weight[:, None]
    variance = np.where(labels.has_box, 1e-2, 1 / weight)
    seen = np.where(labels.has_box[:, None], labels.centers, seen)
    return smooth_path(labels.frames, seen, variance, settings.acceleration_part * float(np.median(sides)))


def smooth_path(times: np.ndarray, places: np.ndarray, variances: np.ndarray, acceleration: float) -> np.ndarray:
    """Returns the likeliest path (n, d) through measured places, if speed changes by random small amounts.

    A Kalman filter with constant speed, and the Rauch-Tung-Striebel smoother back over it.

    >>> times, places = np.arange(3), np.array([[0.0], [3.0], [2.0]])
    >>> smooth_path(times, places, np.array([1e-6, 1e6, 1e-6]), 1e-3).round(3)[1].tolist()
    [1.0]

    Args:
        times: (n,), rising.
        places: (n, d), measured.
        variances: (n,), of the measurements, the same for each axis.
        acceleration: standard deviation of the change of speed in a unit of time.
    """
    count, axes = places.shape
    states = np.zeros((count, 2, axes))  # place and speed
    spreads = np.zeros((count, 2, 2))
    predicted_states, predicted_spreads, steps = states.copy(), spreads.copy(), np.zeros((count, 2, 2))
    state, spread = np.stack([places[0], np.zeros(axes)]), np.diag([1e8, 1e8])
    for index in range(count):
        gap = float(times[index] - times[index - 1]) if index else 0.0
        step = np.array([[1.0, gap], [0.0, 1.0]])
        push = np.array([gap**2 / 2, gap])
        state, spread = step @ state, step @ spread @ step.T + acceleration**2 * np.outer(push, push)
        predicted_states[index], predicted_spreads[index], steps[index] = state, spread, step
        gain = spread[:, 0] / (spread[0, 0] + variances[index])
        state = state + np.outer(gain, places[index] - state[0])
        spread = spread - np.outer(gain, spread[0])
        states[index], spreads[index] = state, spread
    for index in reversed(range(count - 1)):
        back = spreads[index] @ steps[index + 1].T @ np.linalg.pinv(predicted_spreads[index + 1])
        states[index] += back @ (states[index + 1] - predicted_states[index + 1])
    return states[:, 0]
