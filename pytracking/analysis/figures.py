"""Plots as PNG, PDF or SVG files. matplotlib is needed here only, and imported here only."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ltr.admin.files import check_file_writable, write_bytes_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".png", ".pdf", ".svg")

Lines = Mapping[str, Sequence[tuple[float, ...]]]  # by their names: points x, y, or x, y, error of y

LETTERS = 30  # of a bar's name in a line: more would leave no room for the bars


def check_figure_path(path: Path) -> None:
    """Checks, before the work that a figure shows is done, that it can be written.

    Raises:
        ValueError: matplotlib is missing, or the ending is none of ``ENDINGS``.
        OSError: nothing can be written in the folder.
    """
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"{path}: what is to be written is told by the ending, one of {', '.join(ENDINGS)}")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ValueError(f"{path}: plots need matplotlib, which is not installed: pip install matplotlib") from error
    check_file_writable(path)


def write_line_plot(
    path: Path,
    lines: Lines,
    x_label: str,
    y_label: str,
    x_ticks: Sequence[float] | None = None,
    y_limits: tuple[float, float] | None = None,
) -> None:
    """Writes the plot of :func:`line_plot` with a logarithmic x axis to a file; its ending says of which kind."""
    content = line_plot(path.suffix.lower().lstrip("."), lines, x_label, y_label, x_ticks, y_limits, x_scale="log")
    write_bytes_atomically(path, content)


def line_plot(
    kind: str,
    lines: Lines,
    x_label: str,
    y_label: str,
    x_ticks: Sequence[float] | None = None,
    y_limits: tuple[float, float] | None = None,
    x_scale: str = "linear",
) -> bytes:
    """Returns a plot of lines as a file of a kind, such as ``png``.

    Args:
        kind: of the file.
        lines: each named and given by its points; an error of y is drawn as a bar, one of 0 is not.
        x_label: of the x axis.
        y_label: of the y axis.
        x_ticks: where the x axis has its ticks, and what they say; matplotlib's choice by default.
        y_limits: the ends of the y axis.
        x_scale: ``linear`` or ``log``.
    """
    figure, axes = _figure(3.6)
    for name, points in lines.items():
        x, y, errors = zip(*((*point, 0.0)[:3] for point in sorted(points)))
        axes.errorbar(x, y, yerr=[error or float("nan") for error in errors], marker="o", capsize=3, label=name)
    axes.set(xscale=x_scale, xlabel=x_label, ylabel=y_label)
    if x_ticks is not None:
        axes.set_xticks(list(x_ticks), [f"{tick:.3g}" for tick in x_ticks])
        axes.minorticks_off()
    if y_limits is not None:
        axes.set_ylim(*y_limits)
    axes.grid(alpha=0.3)
    axes.legend()
    return _saved(figure, kind)


def bar_plot(kind: str, bars: Mapping[str, tuple[float, float]], x_label: str) -> bytes:
    """Returns a plot of horizontal bars from the top down, each named and given by its length and by the error of it.

    Args:
        kind: of the file, such as ``png``.
        bars: length and error of each; an error of 0 is not drawn.
        x_label: what the length is.
    """
    names = [textwrap.fill(name, LETTERS) for name in bars]
    most = max(name.count("\n") + 1 for name in names)
    figure, axes = _figure(0.9 + (0.2 + 0.15 * most) * len(bars))
    lengths, errors = zip(*bars.values())
    axes.barh(names, lengths, xerr=[error or float("nan") for error in errors], capsize=3, height=0.6)
    axes.invert_yaxis()
    axes.set(xlabel=x_label)
    axes.grid(axis="x", alpha=0.3)
    return _saved(figure, kind)


def _figure(height: float) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _saved(figure: Figure, kind: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=150)
    return buffer.getvalue()
