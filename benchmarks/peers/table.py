"""What was measured, as a Markdown table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, median

from benchmarks.peers.turns import Box, Record

HEADER = (
    "tracker",
    "original",
    "ours, ms",
    "original, ms",
    "ratio of medians",
    "of means",
    "first frame",
    "IoU of the two, least",
    "goal",
)


@dataclass(frozen=True)
class Row:
    """A tracker beside its original; a ratio of more than 1 says that the tracker is faster.

    Attributes:
        tracker: with its precision.
        original: its name.
        ours: median milliseconds of a frame after the first.
        theirs: those of the original.
        ratio: of these two.
        mean_ratio: of the means, in which updates count that only some frames have.
        first_ratio: of the medians of the first frame's time.
        iou: mean intersection over union of the two boxes.
        least_iou: of all frames.
        goal: wanted ratio, if there is one.
    """

    tracker: str
    original: str
    ours: float
    theirs: float
    ratio: float
    mean_ratio: float
    first_ratio: float
    iou: float
    least_iou: float
    goal: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; none without one."""
        return None if self.goal is None else self.ratio >= self.goal

    def cells(self) -> tuple[str, ...]:
        """Returns the row as text."""
        met = {None: "", True: ", met", False: ", missed"}[self.met]
        goal = "-" if self.goal is None else f"{self.goal:g}{met}"
        return (
            self.tracker,
            self.original,
            f"{self.ours:.1f}",
            f"{self.theirs:.1f}",
            f"{self.ratio:.2f}",
            f"{self.mean_ratio:.2f}",
            f"{self.first_ratio:.2f}",
            f"{self.iou:.3f}, {self.least_iou:.3f}",
            goal,
        )


def row(tracker: str, original: str, ours: Record, theirs: Record, goal: float | None = None) -> Row:
    """Returns what two records of one clip say."""
    overlaps = [iou(a, b) for a, b in zip(ours.boxes, theirs.boxes, strict=True)]
    return Row(
        tracker=tracker,
        original=original,
        ours=median(ours.frames),
        theirs=median(theirs.frames),
        ratio=median(theirs.frames) / median(ours.frames),
        mean_ratio=fmean(theirs.frames) / fmean(ours.frames),
        first_ratio=median(theirs.starts) / median(ours.starts),
        iou=fmean(overlaps),
        least_iou=min(overlaps),
        goal=goal,
    )


def markdown(rows: Iterable[Row]) -> str:
    """Returns a table, one line a row."""
    lines = [HEADER, ("---",) * len(HEADER), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def iou(one: Box, other: Box) -> float:
    """Returns the intersection over union of two boxes x, y, w, h; 0 if both are empty.

    >>> iou((0, 0, 2, 2), (1, 0, 2, 2))
    0.3333333333333333
    """
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    common = max(width, 0.0) * max(height, 0.0)
    whole = one[2] * one[3] + other[2] * other[3] - common
    return common / whole if whole > 0 else 0.0
