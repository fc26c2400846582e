"""How good confidences are, as lines of a table and a plot."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ltr.admin.files import write_bytes_atomically
from pytracking.analysis.figures import line_plot
from pytracking.confidence.fit import FOUND_ABOVE
from pytracking.metrics.calibration import lost_curve, reliability

THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7)


def summary_titles() -> str:
    """Returns the heads of the columns of :func:`summary_line`."""
    heads = ("frames", "found", "confidence", "error", "no overlap", "precision", "recall", "AP")
    return f"{'':32}{''.join(f'{head:>12}' for head in heads)}"


def summary_line(name: str, confidence: np.ndarray, overlaps: np.ndarray, lost_below: float) -> str:
    """Returns a line about the confidences (N,) of frames with these overlaps (N,).

    It has the number of frames, how many of them were found (overlap above a half), the mean confidence, the expected
    calibration error, how many have no overlap, precision and recall of ``lost`` for these, and the average precision.
    """
    found, gone = overlaps > FOUND_ABOVE, overlaps == 0
    precision, recall, average = np.nan, np.nan, np.nan
    if gone.any():
        curve = lost_curve(confidence, gone)
        (precision, recall), average = curve.at(lost_below), curve.average_precision
    error = reliability(confidence, found).error
    values = [found.mean(), confidence.mean(), error]
    numbers = "".join(f"{value:12.3f}" for value in values) + f"{gone.sum():12}"
    rates = "".join(f"{'-' if np.isnan(value) else f'{value:.3f}':>12}" for value in (precision, recall, average))
    return f"{name[:31]:32}{len(overlaps):12}{numbers}{rates}"


def curve_table(confidence: np.ndarray, gone: np.ndarray) -> str:
    """Returns precision and recall of ``lost`` for frames without overlap (N,) at some thresholds, as lines."""
    if not gone.any():
        return "every frame has some overlap"
    curve = lost_curve(confidence, gone)
    rows = [(threshold, *curve.at(threshold)) for threshold in THRESHOLDS]
    lines = [f"{'lost below':>12}{'precision':>12}{'recall':>12}"]
    return "\n".join(
        lines + [f"{threshold:12.2f}{precision:12.3f}{recall:12.3f}" for threshold, precision, recall in rows]
    )


def write_reliability_plot(path: Path, confidence: np.ndarray, found: np.ndarray) -> None:
    """Writes the reliability plot: in how many frames of each bin the target was found, by their mean confidence."""
    made = reliability(confidence, found)
    filled = made.counts > 0
    points = list(zip(made.confidence[filled].tolist(), made.found[filled].tolist()))
    lines = {
        f"measured, calibration error {made.error:.3f}": points,
        "what the confidence says": [(0.0, 0.0), (1.0, 1.0)],
    }
    kind = path.suffix.lower().lstrip(".")
    labels = ("confidence", f"frames with an overlap above {FOUND_ABOVE:g}")
    write_bytes_atomically(path, line_plot(kind, lines, *labels, y_limits=(0, 1)))
