from __future__ import annotations

import pytest

from socl_plugins.clicks.__main__ import main
from socl_plugins.clicks.costs import load_prices
from socl_plugins.clicks.log import Click
from socl_plugins.clicks.measured import MeasuredError, agreement, click_time, measured_prices, prices_of

from .conftest import MakeClips


def timed(frame: int, ms: int | None, state: str = "visible", **changes: object) -> Click:
    place = {"x": 1.0, "y": 1.0} if state == "visible" else {}
    return Click("video_0", frame, state=state, ms=ms, **place, **changes)  # type: ignore[arg-type]


def test_the_time_of_what_was_skipped_or_taken_back_is_paid_for_too() -> None:
    clicks = [timed(0, 1000), timed(1, 2000), timed(1, None, "undone"), timed(1, 3000), timed(2, 500, "skipped")]
    time = click_time([*clicks, timed(3, 90_000), timed(4, None, source="imported")])
    assert (time.clicks, time.seconds, time.median, time.paused) == (2, 3.25, 2.0, 1)
    with pytest.raises(MeasuredError, match="no click was timed"):
        click_time([timed(0, None, source="imported")])


def test_a_measured_click_costs_in_proportion_to_its_time() -> None:
    paper = load_prices().click
    prices = measured_prices(click_time([timed(0, round(2000 * paper.seconds))]))
    assert prices.click.seconds == pytest.approx(2 * paper.seconds)
    assert prices.click.dollars == pytest.approx(2 * paper.dollars)
    assert prices.click.source == "measured on 1 clicks" and prices.box == load_prices().box


def test_the_cost_of_labels_can_be_as_measured(make_clips: MakeClips, capsys: pytest.CaptureFixture[str]) -> None:
    clips = make_clips(2)
    assert prices_of(clips.root / "train") is None and prices_of(clips.root) is None and prices_of(None) is None
    assert main(["cost", "--measured", str(clips.root)]) == 1
    assert "error: no click was timed" in capsys.readouterr().err
    clips.log(clips.videos[0]).append([timed(0, 3200), timed(1, 3200)])
    measured = prices_of(clips.root / "train")
    assert measured is not None and measured.click.seconds == 3.2
    assert main(["cost", "--frames", "3600", "--measured", str(clips.root)]) == 0
    said = capsys.readouterr().out
    assert "a click: 3.20 s on the average of 2" in said
    assert "3.6" in next(line for line in said.splitlines() if line.startswith("a click on each"))  # + 0.4 s a map


def test_agreement_is_the_distance_of_two_people_on_the_same_frames(
    make_clips: MakeClips, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = make_clips(2)
    log = clips.log(clips.videos[0])
    log.append([Click("video_0", frame, x=10.0, y=10.0, author="ann") for frame in range(3)])
    log.append([Click("video_0", frame, x=13.0, y=14.0, author="bob") for frame in (1, 2, 3)])
    log.append([Click("video_0", 0, state="absent", author="bob")])
    (pair,) = agreement(clips)
    assert pair.authors == ("ann", "bob") and pair.distances.tolist() == [5, 5] and pair.other_state == 1
    assert main(["agreement", str(clips.root)]) == 0
    assert "5.0" in capsys.readouterr().out
