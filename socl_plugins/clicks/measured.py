"""What the clicks of a folder of clips took: the seconds that were measured, and how far annotators are apart."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from socl_plugins.clicks.clips import CLIPS_FILE, Clips, open_clips
from socl_plugins.clicks.costs import Price, Prices, load_prices
from socl_plugins.clicks.log import Click, ClicksError, standing

LONGEST_LOOK = 60.0  # seconds; whoever takes longer is not looking at the frame


class MeasuredError(ClicksError):
    """There are no clicks whose time was measured."""


@dataclass(frozen=True)
class ClickTime:
    """How long people took for a click.

    Attributes:
        clicks: that a person made on the page, and whose time counts.
        seconds: the mean time of one, those that were taken back or skipped included.
        median: of the clicks alone.
        paused: clicks that are left out since their frame was shown for longer than a minute.
    """

    clicks: int
    seconds: float
    median: float
    paused: int


def click_time(clicks: Sequence[Click]) -> ClickTime:
    """Returns how long a click took: all time that people spent on answers over the clicks that stand.

    Raises:
        MeasuredError: none was timed.
    """
    timed = [click for click in clicks if click.ms is not None and click.source != "imported"]
    spent = [click.ms / 1000 for click in timed if click.ms is not None]
    counted = [seconds for seconds in spent if seconds <= LONGEST_LOOK]
    kept = {id(click) for click in standing(clicks)}
    stand = [c for c in timed if id(c) in kept and c.state in ("visible", "occluded", "absent")]
    times = [click.ms / 1000 for click in stand if click.ms is not None and click.ms <= LONGEST_LOOK * 1000]
    if not times:
        raise MeasuredError("no click was timed: times are measured on the page of `socl annotate`")
    return ClickTime(len(times), sum(counted) / len(times), float(np.median(times)), len(spent) - len(counted))


def clips_time(clips: Clips) -> ClickTime:
    """Returns how long a click took in all videos of a folder. Raises MeasuredError if none was timed."""
    return click_time([click for clip in clips for click in clips.log(clip).clicks])


def measured_prices(time: ClickTime, prices: Prices | None = None) -> Prices:
    """Returns prices with the measured time of a click; its dollars stay in proportion to it."""
    prices = prices or load_prices()
    share = time.seconds / prices.click.seconds if prices.click.seconds else 1.0
    source = f"measured on {time.clicks:,} clicks"
    return replace(prices, click=Price(time.seconds, prices.click.dollars * share, source))


def prices_of(root: str | Path | None) -> Prices | None:
    """Returns the prices that were measured in the folder of clips that a split lies in, or None if it is none."""
    if root is None or not (Path(root).parent / CLIPS_FILE).is_file():
        return None
    try:
        return measured_prices(clips_time(open_clips(Path(root).parent)))
    except ClicksError:
        return None


@dataclass(frozen=True)
class Agreement:
    """How far two annotators' clicks on the same frames and targets are apart.

    Attributes:
        authors: the two.
        distances: (N,) pixels between their clicks.
        parts: (N,) the same over the square root of the frame's area.
        other_state: how often one saw the target, and the other did not.
    """

    authors: tuple[str, str]
    distances: np.ndarray
    parts: np.ndarray
    other_state: int


def agreement(clips: Clips) -> list[Agreement]:
    """Returns the agreement of each two authors who answered for a frame and target in common."""
    distances: dict[tuple[str, str], list[tuple[float, float]]] = {}
    states: dict[tuple[str, str], int] = {}
    for clip in clips:
        by_frame: dict[tuple[int, str], list[Click]] = {}
        for click in standing(clips.log(clip).clicks):
            if click.state != "skipped":
                by_frame.setdefault((click.frame, click.target), []).append(click)
        for clicks in by_frame.values():
            for one, other in itertools.combinations(sorted(clicks, key=lambda click: click.author), 2):
                pair = one.author, other.author
                found = distances.setdefault(pair, [])
                if one.place and other.place:
                    apart = float(np.hypot(one.place[0] - other.place[0], one.place[1] - other.place[1]))
                    found.append((apart, apart / (clip.width * clip.height) ** 0.5))
                states[pair] = states.get(pair, 0) + ((one.state == "absent") != (other.state == "absent"))
    return [
        Agreement(pair, np.array([d for d, _ in found]), np.array([p for _, p in found]), states[pair])
        for pair, found in sorted(distances.items())
    ]
