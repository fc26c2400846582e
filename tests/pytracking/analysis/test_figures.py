"""Plots show what tables show: errors as bars, ticks where their numbers are."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("matplotlib")

from pytracking.analysis.figures import bar_plot, line_plot


def test_an_error_is_drawn_as_a_bar_of_its_length_and_none_as_no_bar() -> None:
    lines = {"a": [(1, 10, 2), (10, 20, 0.0), (100, 25, 4)]}
    drawn = line_plot("svg", lines, "hours", "AUC", [1, 10, 100], x_scale="log").decode()
    bars = drawn[drawn.index('id="LineCollection_1"') :]
    bars = bars[: bars.index("</g>")]
    spans = [float(a) - float(b) for a, b in re.findall(r"M \S+ (\S+) \nL \S+ (\S+) \n", bars)]
    assert len(spans) == 2 and spans[1] == pytest.approx(2 * spans[0], rel=1e-5)


def test_ticks_stand_at_their_numbers_and_not_at_rounded_ones() -> None:
    drawn = line_plot("svg", {"a": [(0.004, 1), (0.6, 2)]}, "hours", "AUC", [0.004, 0.6], x_scale="log").decode()
    places = re.findall(r'id="xtick_\d+".*?<use xlink:href="[^"]+" x="([\d.]+)"', drawn, re.DOTALL)
    points = re.findall(r'id="line2d_\d+">\s*<path d="M ([\d.]+) [\d.]+ \nL ([\d.]+) [\d.]+ \n" clip-path', drawn)
    assert [pytest.approx(float(x), abs=0.01) for x in places[-2:]] in [list(map(float, pair)) for pair in points]


def test_the_name_of_a_bar_leaves_room_for_the_bars() -> None:
    name = "trained from clicks and a box on every tenth frame, with the extents of pseudo boxes"
    drawn = bar_plot("svg", {name: (49.5, 0.0), "short": (51.2, 1.0)}, "AUC").decode()
    axes = drawn[drawn.index('id="patch_2"') :]
    left, right = (float(x) for x in re.findall(r"[ML] ([\d.]+) ", axes)[:2])
    assert right - left > 100, "of 360 points"
