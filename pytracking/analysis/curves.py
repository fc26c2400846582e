"""The curves of one-pass evaluation as plots show them, and the colours of trackers in plots and pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytracking.metrics import OPE

# Told apart by colour-blind eyes, on white and on black. Green is left to the true boxes.
COLOURS = ("#e5484d", "#3b82f6", "#f59e0b", "#a855f7", "#06b6d4", "#ec4899", "#a16207", "#8b8d98")


@dataclass(frozen=True)
class Curve:
    """One curve of :class:`OPE`: its field, and what the axes are.

    Attributes:
        field: of OPE.
        title: of the plot.
        x_end: the last threshold; the first is 0.
        x_label: of the thresholds.
        y_label: of the curve.
    """

    field: str
    title: str
    x_end: float
    x_label: str
    y_label: str

    def points(self, result: OPE) -> tuple[np.ndarray, np.ndarray]:
        """Returns the thresholds (K,) and the curve (K,)."""
        y = np.asarray(getattr(result, self.field))
        return np.linspace(0, self.x_end, len(y)), y


CURVES = {
    "success": Curve("success", "Success", 1.0, "overlap threshold", "success rate"),
    "prec": Curve("precision", "Precision", 50.0, "location error threshold (pixels)", "precision"),
    "norm_prec": Curve(
        "norm_precision", "Normalised precision", 0.5, "location error threshold (of the target's size)", "precision"
    ),
}


def colour(index: int) -> str:
    """Returns the colour of tracker ``index``, such as ``#e5484d``; after the last one they start again."""
    return COLOURS[index % len(COLOURS)]


def dashes(index: int) -> tuple[int, ...]:
    """Returns the dashes and gaps of tracker ``index``'s line, none for the first trackers: a solid line.

    >>> dashes(0), dashes(len(COLOURS))
    ((), (6, 3))
    """
    return ((), (6, 3), (2, 2), (8, 2, 2, 2))[index // len(COLOURS) % 4]
