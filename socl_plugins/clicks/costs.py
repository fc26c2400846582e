"""What labels cost, in hours and dollars (SoCL, sections 3.1, 3.3 and 4.5).

>>> point, box = count_labels("point", 1_400_000), count_labels("box", 1_400_000)
>>> print(annotation_cost(point), annotation_cost(box), sep="; ")
883 hours, $7,000.00; 3,967 hours, $50,400.00
>>> print(annotation_cost(count_labels("sparse_box", 1_400_000, period=10)))
1,230 hours, $11,340.00
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

from ltr.registry import near_names

DEFAULT_PRICES = Path(__file__).with_name("prices.json")
SCHEMES = ("point", "box", "sparse_box")


@dataclass(frozen=True)
class Price:
    """What one unit costs: seconds of time, dollars, and who says so."""

    seconds: float
    dollars: float
    source: str


@dataclass(frozen=True)
class Prices:
    """Prices of what labels are made of.

    Attributes:
        click: a click on the target's centre.
        box: a box around the target.
        top_map: the machine's work on a clicked frame.
        tracked_frame: the machine's work on a frame whose box is tracked, between boxes that people drew.
        gpu_hour: an hour of training.
    """

    click: Price
    box: Price
    top_map: Price
    tracked_frame: Price
    gpu_hour: Price


@dataclass(frozen=True)
class LabelCounts:
    """How many labels people gave, and how many frames the machine worked on to make use of them."""

    clicks: int = 0
    boxes: int = 0
    top_maps: int = 0
    tracked_frames: int = 0

    def __add__(self, other: LabelCounts) -> LabelCounts:
        return LabelCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __str__(self) -> str:
        parts = [f"{number:,} {name}" for number, name in ((self.clicks, "clicks"), (self.boxes, "boxes")) if number]
        return " and ".join(parts) or "no labels"


@dataclass(frozen=True)
class Cost:
    """Hours of time, machine time that the paper counts included, and dollars."""

    hours: float
    dollars: float

    def __str__(self) -> str:
        hours = f"{self.hours:,.0f}" if self.hours >= 10 else f"{self.hours:.2f}"
        return f"{hours} hours, ${self.dollars:,.2f}"


@lru_cache(maxsize=8)
def load_prices(path: Path = DEFAULT_PRICES) -> Prices:
    """Returns the prices of a JSON file: for each name ``seconds``, ``dollars`` and ``source``.

    Raises:
        ValueError: the file cannot be read, lacks a price or has one that is not known, or a number is negative.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        known = [field.name for field in fields(Prices)]
        for name in content:
            if name not in known:
                raise ValueError(f"unknown price {name!r}.{near_names(name, known)}")
        prices = {name: Price(**content[name]) for name in known}
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"{path} is not a table of prices: {error}") from error
    for name, price in prices.items():
        if not (0 <= price.seconds < float("inf") and 0 <= price.dollars < float("inf")):
            raise ValueError(f"{path}: {name} takes {price.seconds} s and ${price.dollars}; neither may be negative")
    return Prices(**prices)


def count_labels(scheme: str, frames: int, period: int = 10) -> LabelCounts:
    """Returns what ``frames`` frames of one video, or of very long ones, need.

    Args:
        scheme: ``point``, a click and a TOP map on each; ``box``; or ``sparse_box``, a box on every so many frames, a
            click on the others, and all of them tracked.
        frames: with a target that can be seen.
        period: T, the frames from one box to the next; the first has one.

    Raises:
        ValueError: an unknown scheme, or numbers below what makes sense.
    """
    if frames < 0 or period < 1:
        raise ValueError(f"{frames} frames with a box on every {period}: frames count from 0, the period from 1")
    if scheme == "point":
        return LabelCounts(clicks=frames, top_maps=frames)
    if scheme == "box":
        return LabelCounts(boxes=frames)
    if scheme == "sparse_box":
        boxes = -(-frames // period)
        return LabelCounts(clicks=frames - boxes, boxes=boxes, top_maps=frames - boxes, tracked_frames=frames)
    raise ValueError(f"unknown scheme {scheme!r}.{near_names(scheme, SCHEMES)} Known: {', '.join(SCHEMES)}.")


def annotation_cost(labels: LabelCounts, prices: Prices | None = None) -> Cost:
    """Returns what labels cost; without prices of one's own, at the paper's."""
    prices = prices or load_prices()
    items = (
        (labels.clicks, prices.click),
        (labels.boxes, prices.box),
        (labels.top_maps, prices.top_map),
        (labels.tracked_frames, prices.tracked_frame),
    )
    return Cost(
        sum(number * price.seconds for number, price in items) / 3600,
        sum(number * price.dollars for number, price in items),
    )
