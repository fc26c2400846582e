"""Charts as inline SVG: curves, a number by another, and overlap over time. Colours follow the page's theme."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from pytracking.analysis.curves import Curve, colour, dashes
from pytracking.analysis.tables import TrackerScores
from pytracking.evaluation.tracker import Judgement

WIDTH, HEIGHT = 360, 280
LEFT, RIGHT, TOP, BOTTOM = 40, 20, 10, 40  # margins in pixels
ACROSS, DOWN = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
TIMELINE_WIDTH, TIMELINE_HEIGHT = 1000, 90

_OPEN = Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">')
_TEXT = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')


def curve_chart(scores: Sequence[TrackerScores], curve: Curve) -> Markup:
    """Returns the chart of one curve of each tracker, in the colours of their order."""
    points = [curve.points(score.overall.curves) for score in scores]
    frames = max(float(x.max(initial=1)) for x, _ in points)
    end = curve.x_end or math.ceil(frames / 100) * 100  # so that its fifths are whole numbers
    parts = [_OPEN.format("chart", WIDTH, HEIGHT, f"{curve.title} plot")]
    for tick in np.linspace(0, 1, 6):
        x, y = LEFT + tick * ACROSS, TOP + (1 - tick) * DOWN
        parts.append(
            Markup('<path class="grid" d="M{} {:.1f}h{}M{:.1f} {}v{}"/>').format(LEFT, y, ACROSS, x, TOP, DOWN)
        )
        parts.append(_TEXT.format(LEFT - 6, y + 4, "end", f"{tick:.1f}"))
        parts.append(_TEXT.format(x, HEIGHT - BOTTOM + 16, "middle", f"{tick * end:g}"))
    parts.append(_TEXT.format(LEFT + ACROSS / 2, HEIGHT - 6, "middle", curve.x_label))
    drawn = Markup('<path class="curve" style="stroke:{}" stroke-dasharray="{}" d="{}"><title>{}</title></path>')
    for index in reversed(range(len(scores))):  # the best tracker is drawn last, on top
        thresholds, values = points[index]
        path = _path(LEFT + thresholds / end * ACROSS, TOP + (1 - values) * DOWN)
        parts.append(drawn.format(colour(index), " ".join(map(str, dashes(index))), path, scores[index].title))
    return Markup("").join([*parts, Markup("</svg>")])


def number_chart(points: Sequence[tuple[int, float, float]], x_name: str, y_name: str) -> Markup:
    """Returns the chart of a number, 0 to 1, by another one that differs by factors, such as what labels cost.

    Args:
        points: index of the tracker (its colour), the number across, from 0 on, and the number upwards.
        x_name: of the number across; its axis is logarithmic, with a place of its own for 0.
        y_name: of the number upwards.
    """
    powers = [math.log10(number) for _, number, _ in points if number > 0]
    first, last = (math.floor(min(powers)), math.ceil(max(powers))) if powers else (0, 1)
    last = max(last, first + 1)
    zero = first - 1  # where a number of 0 stands
    left = zero if any(number <= 0 for _, number, _ in points) else first

    def place(power: float) -> float:
        return LEFT + (power - left) / (last - left) * ACROSS

    top = max(math.ceil(max(value for _, _, value in points) * 10) / 10, 0.1)
    parts = [_OPEN.format("chart", WIDTH, HEIGHT, f"{y_name} by {x_name}")]
    for power in range(left, last + 1):
        parts.append(Markup('<path class="grid" d="M{:.1f} {}v{}"/>').format(place(power), TOP, DOWN))
        label = "0" if power == zero else power_of_ten(power)
        parts.append(_TEXT.format(place(power), HEIGHT - BOTTOM + 16, "middle", label))
    for tick in np.linspace(0, top, round(top * 10) + 1):
        y = TOP + (1 - tick / top) * DOWN
        parts.append(Markup('<path class="grid" d="M{} {:.1f}h{}"/>').format(LEFT, y, ACROSS))
        parts.append(_TEXT.format(LEFT - 6, y + 4, "end", f"{tick:.1f}"))
    parts.append(_TEXT.format(LEFT + ACROSS / 2, HEIGHT - 6, "middle", x_name))
    drawn = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="6" style="fill:{}"><title>{}</title></circle>')
    for index, number, value in points:
        x = place(math.log10(number) if number > 0 else zero)
        said = f"{y_name} {value:.3f} at {number:,.2f} {x_name}"
        parts.append(drawn.format(x, TOP + (1 - value / top) * DOWN, colour(index), said))
    return Markup("").join([*parts, Markup("</svg>")])


def overlap_timeline(overlaps: Sequence[np.ndarray], shown: Sequence[int]) -> Markup:
    """Returns the chart of overlap by frame, one line for each tracker's (T,) overlaps; gaps where one is NaN.

    Args:
        overlaps: of each tracker, in the order of their colours.
        shown: indices of the frames that the strip above shows; they are marked.
    """
    return _timeline("overlap by frame", overlaps, shown, Markup(""))


def confidence_timeline(judged: Sequence[Judgement | None], shown: Sequence[int]) -> Markup:
    """Returns the chart of confidence by frame, one line for each tracker that has one; tinted where it was lost.

    Args:
        judged: of each tracker, in the order of their colours.
        shown: indices of the frames that the strip above shows; they are marked.
    """
    frames = max(len(each.confidence) for each in judged if each is not None)
    width = TIMELINE_WIDTH / max(frames - 1, 1)
    tint = Markup('<path class="lost" style="fill:{}" d="M{:.1f} 5h{:.1f}v{}h-{:.1f}z"><title>lost</title></path>')
    tints = [
        tint.format(colour(index), max(first - 0.5, 0) * width, count * width, TIMELINE_HEIGHT - 10, count * width)
        for index, each in enumerate(judged)
        if each is not None
        for first, count in _stretches(each.lost)
    ]
    lines = [np.full(frames, np.nan) if each is None else each.confidence for each in judged]
    return _timeline("confidence by frame", lines, shown, Markup("").join(tints))


def _stretches(flags: np.ndarray) -> list[tuple[int, int]]:
    """Returns first index and length of each stretch of true flags (T,).

    >>> _stretches(np.array([True, False, True, True]))
    [(0, 1), (2, 2)]
    """
    ends = np.flatnonzero(np.diff(np.r_[0, np.asarray(flags, int), 0]))
    return [(int(first), int(last - first)) for first, last in zip(ends[::2], ends[1::2])]


def _timeline(label: str, lines: Sequence[np.ndarray], shown: Sequence[int], behind: Markup) -> Markup:
    last = max(len(lines[0]) - 1, 1)
    down = TIMELINE_HEIGHT - 10
    parts = [
        Markup(
            '<svg class="timeline" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        ).format(TIMELINE_WIDTH, TIMELINE_HEIGHT, label),
        behind,
    ]
    for level in (0, 0.5, 1):
        parts.append(Markup('<path class="grid" d="M0 {:.1f}h{}"/>').format(5 + (1 - level) * down, TIMELINE_WIDTH))
    for frame in shown:
        parts.append(Markup('<path class="mark" d="M{:.1f} 5v{}"/>').format(frame / last * TIMELINE_WIDTH, down))
    for index in reversed(range(len(lines))):
        y = lines[index]
        path = _path(np.arange(len(y)) / last * TIMELINE_WIDTH, 5 + (1 - y) * down)
        parts.append(Markup('<path class="curve" style="stroke:{}" d="{}"/>').format(colour(index), path))
    return Markup("").join([*parts, Markup("</svg>")])


def power_of_ten(power: int) -> str:
    """Returns a power of ten in short.

    >>> [power_of_ten(power) for power in (-2, -1, 0, 3, 5)]
    ['0.01', '0.1', '1', '1k', '100k']
    """
    if power < 0:
        return f"{10.0**power:.{-power}f}"
    return f"{10 ** (power % 3)}{('', 'k', 'M', 'G')[power // 3]}"


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
