"""Several targets in one video: a tracker for each, batched where the kind of tracker can."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np

from pytracking.tracker.base import BaseTracker


class TracksMany(Protocol):
    """A tracker that tracks several targets for less than each alone: what its class offers beside track."""

    def sibling(self) -> BaseTracker:
        """Returns a tracker for another target, to be initialized, which shares what does not belong to one target."""

    def track_many(
        self, trackers: Sequence[BaseTracker], image: np.ndarray, infos: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Returns what ``track`` of each of the siblings would, up to rounding."""


class TrackerGroup:
    """Trackers of several targets, by the targets' names. Each has its own state; one does not know of the others.

    Args:
        create: makes a new tracker.
    """

    def __init__(self, create: Callable[[], BaseTracker]) -> None:
        self._create = create
        self._first: BaseTracker | None = None
        self._trackers: dict[str, BaseTracker] = {}

    def initialize(self, target: str, image: np.ndarray, info: Mapping[str, Any]) -> dict[str, Any]:
        """Starts on a target, or starts on it anew; takes and returns what ``BaseTracker.initialize`` does."""
        tracker = self._trackers[target] = self._new()
        return tracker.initialize(image, info) or {}

    def track(
        self, targets: Iterable[str], image: np.ndarray, infos: Iterable[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Returns what ``BaseTracker.track`` does, for each of the targets; all of them must have been started."""
        trackers = [self._trackers[target] for target in targets]
        if len(trackers) > 1 and batches(trackers[0]):
            return cast(TracksMany, trackers[0]).track_many(trackers, image, list(infos))
        return [tracker.track(image, info) for tracker, info in zip(trackers, infos)]

    def tracker(self, target: str) -> BaseTracker:
        """Returns the tracker of a target that was started."""
        return self._trackers[target]

    def _new(self) -> BaseTracker:
        if self._first is None:
            self._first = self._create()
            return self._first
        return cast(TracksMany, self._first).sibling() if batches(self._first) else self._create()


def batches(tracker: BaseTracker) -> bool:
    """Returns whether a tracker tracks several targets together, just as it tracks one.

    A class that derives from one which does, and has another ``track``, does not, unless it has its own ``track_many``.
    """
    inner = getattr(tracker, "inner", None)  # of one that only adds something to what another returns
    if inner is not None:
        return batches(inner)
    kinds = type(tracker).__mro__
    several = next((place for place, kind in enumerate(kinds) if "track_many" in vars(kind)), None)
    one = next((place for place, kind in enumerate(kinds) if "track" in vars(kind)), len(kinds))
    return several is not None and several <= one and hasattr(tracker, "sibling")
