"""The curves that plots show, and the colours of trackers in plots and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# Told apart by colour-blind eyes, on white and on black. Green is left to the true boxes.
COLOURS = ("#e5484d", "#3b82f6", "#f59e0b", "#a855f7", "#06b6d4", "#ec4899", "#a16207", "#8b8d98")


@dataclass(frozen=True)
class Column:
    """A number of a metric, as a column of tables.

    Attributes:
        key: its name in files, such as ``precision20``.
        head: the column's head.
        plot: the plot type that it belongs to; empty: none.
        percent: papers give it in percent.
        higher_is_better: or else lower is.
    """

    key: str
    head: str
    plot: str = ""
    percent: bool = True
    higher_is_better: bool = True


@dataclass(frozen=True)
class Curve:
    """A curve of a metric, and what the axes of its plot are.

    Attributes:
        kind: the plot type, which also names its files.
        column: the number that stands for the curve in legends.
        field: the curve's name among those of a score.
        title: of the plot.
        x_label: of the thresholds.
        y_label: of the curve.
        x_end: the last threshold; the first is 0. None: thresholds are 0, 1, 2, ...
    """

    kind: str
    column: Column
    field: str
    title: str
    x_label: str
    y_label: str
    x_end: float | None

    def points(self, curves: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Returns the thresholds (K,) and the curve (K,), without what is not known of it."""
        y = np.asarray(curves[self.field])
        x = np.linspace(0, len(y) - 1 if self.x_end is None else self.x_end, len(y))
        return x[~np.isnan(y)], y[~np.isnan(y)]


def colour(index: int) -> str:
    """Returns the colour of tracker ``index``, such as ``#e5484d``; after the last one they start again."""
    return COLOURS[index % len(COLOURS)]


def dashes(index: int) -> tuple[int, ...]:
    """Returns the dashes and gaps of tracker ``index``'s line, none for the first trackers: a solid line.

    >>> dashes(0), dashes(len(COLOURS))
    ((), (6, 3))
    """
    return ((), (6, 3), (2, 2), (8, 2, 2, 2))[index // len(COLOURS) % 4]
