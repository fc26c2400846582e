"""Charts as inline SVG: the curves of one-pass evaluation, and overlap over time. Colours follow the page's theme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from pytracking.analysis.curves import Curve, colour, dashes
from pytracking.analysis.tables import TrackerScores

WIDTH, HEIGHT = 360, 280
LEFT, RIGHT, TOP, BOTTOM = 40, 20, 10, 40  # margins in pixels
TIMELINE_WIDTH, TIMELINE_HEIGHT = 1000, 90


def curve_chart(scores: Sequence[TrackerScores], curve: Curve) -> str:
    """Returns the chart of one curve of each tracker, in the colours of their order."""
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(curve.title)} plot">']
    for tick in np.linspace(0, 1, 6):
        x, y = LEFT + tick * across, TOP + (1 - tick) * down
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}h{across}M{x:.1f} {TOP}v{down}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:.1f}</text>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{tick * curve.x_end:g}</text>')
    middle = LEFT + across / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(curve.x_label)}</text>')
    for index in reversed(range(len(scores))):  # the best tracker is drawn last, on top
        x, y = curve.points(scores[index].mean)
        path = _path(LEFT + x / curve.x_end * across, TOP + (1 - y) * down)
        style = f'style="stroke:{colour(index)}" stroke-dasharray="{" ".join(map(str, dashes(index)))}"'
        parts.append(f'<path class="curve" {style} d="{path}"><title>{escape(scores[index].title)}</title></path>')
    return "".join([*parts, "</svg>"])


def cost_chart(points: Sequence[tuple[int, float, float]]) -> str:
    """Returns the chart of AUC by what labels cost.

    Args:
        points: number of the tracker (its colour), dollars, and AUC.
    """
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    # Costs differ by factors. Trackers that cost next to nothing stand at one dollar.
    x = np.log10([max(dollars, 1.0) for _, dollars, _ in points])
    first, last = math.floor(x.min()), max(math.ceil(x.max()), math.floor(x.min()) + 1)
    top = max(math.ceil(max(auc for _, _, auc in points) * 10) / 10, 0.1)
    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="AUC by cost of labels">']
    for power in range(first, last + 1):
        place = LEFT + (power - first) / (last - first) * across
        parts.append(f'<path class="grid" d="M{place:.1f} {TOP}v{down}"/>')
        parts.append(f'<text x="{place:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{_dollars(power)}</text>')
    for tick in np.linspace(0, top, round(top * 10) + 1):
        y = TOP + (1 - tick / top) * down
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}h{across}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:.1f}</text>')
    parts.append(f'<text x="{LEFT + across / 2}" y="{HEIGHT - 6}" text-anchor="middle">dollars for labels</text>')
    for (index, dollars, auc), place in zip(points, x.tolist()):
        center = f'cx="{LEFT + (place - first) / (last - first) * across:.1f}" cy="{TOP + (1 - auc / top) * down:.1f}"'
        title = f"<title>AUC {auc:.3f} for ${dollars:,.2f}</title>"
        parts.append(f'<circle {center} r="6" style="fill:{colour(index)}">{title}</circle>')
    return "".join([*parts, "</svg>"])


def overlap_timeline(overlaps: Sequence[np.ndarray], shown: Sequence[int]) -> str:
    """Returns the chart of overlap by frame, one line for each tracker's (T,) overlaps; gaps where one is NaN.

    Args:
        overlaps: of each tracker, in the order of their colours.
        shown: indices of the frames that the strip above shows; they are marked.
    """
    last = max(len(overlaps[0]) - 1, 1)
    down = TIMELINE_HEIGHT - 10
    parts = [
        f'<svg class="timeline" viewBox="0 0 {TIMELINE_WIDTH} {TIMELINE_HEIGHT}" preserveAspectRatio="none" '
        'role="img" aria-label="overlap by frame">'
    ]
    for level in (0, 0.5, 1):
        parts.append(f'<path class="grid" d="M0 {5 + (1 - level) * down:.1f}h{TIMELINE_WIDTH}"/>')
    for frame in shown:
        parts.append(f'<path class="mark" d="M{frame / last * TIMELINE_WIDTH:.1f} 5v{down}"/>')
    for index in reversed(range(len(overlaps))):
        y = overlaps[index]
        x = np.arange(len(y)) / last * TIMELINE_WIDTH
        path = _path(x, 5 + (1 - y) * down)
        parts.append(f'<path class="curve" style="stroke:{colour(index)}" d="{path}"/>')
    return "".join([*parts, "</svg>"])


def _dollars(power: int) -> str:
    """Returns a power of ten as a short price.

    >>> _dollars(1), _dollars(3), _dollars(5)
    ('$10', '$1k', '$100k')
    """
    return f"${10 ** (power % 3)}{('', 'k', 'M', 'G')[power // 3]}"


def _path(x: np.ndarray, y: np.ndarray) -> str:
    """Returns the points as a path of SVG, interrupted at NaN.

    >>> _path(np.arange(4.0), np.array([0, 1, np.nan, 2.5]))
    'M0 0L1 1M3 2.5'
    """
    commands, pen_is_down = [], False
    for across, down in zip(x.tolist(), y.tolist()):
        known = bool(np.isfinite(down))
        if known:
            commands.append(f"{'L' if pen_is_down else 'M'}{round(across, 1):g} {round(down, 1):g}")
        pen_is_down = known
    return "".join(commands)
