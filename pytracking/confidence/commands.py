"""What each command of ``python -m pytracking.confidence`` does."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from ltr.admin.files import check_file_writable
from pytracking.analysis.figures import check_figure_path
from pytracking.api import named_tracker
from pytracking.confidence.calibration import (
    Calibration,
    CalibrationError,
    calibration_file,
    calibration_key,
    find_calibration,
    load_calibration,
    save_calibration,
)
from pytracking.confidence.fit import FOUND_ABOVE, FitSettings, Frames, check_videos, fit_calibration
from pytracking.confidence.gather import cover_middle, cut_middle, frames_of, gather, with_covered
from pytracking.confidence.judged import WIDEN
from pytracking.confidence.report import curve_table, summary_line, summary_titles, write_reliability_plot
from pytracking.evaluation.datasets import get_dataset, videos_with_boxes
from pytracking.evaluation.sequence import Sequence, SequenceList
from pytracking.evaluation.tracker import Tracker
from pytracking.parameter.params import ParameterError, TrackerParams
from pytracking.registry import TRACKERS

Videos = list[tuple[Sequence, str, bool]]
LARGEST_ERROR, FEW_VIDEOS = 0.1, 20  # a fit beyond either is said not to be relied on


def fit(options: argparse.Namespace) -> int:
    """Fits a calibration and writes it to where tracking finds it."""
    settings = FitSettings(natural=options.natural)
    tracker = named_tracker(options.tracker, overrides=dict(options.overrides))
    tracker.check_names()
    sequences = SequenceList(sequence for name in options.data for sequence in _drawn(videos_with_boxes(name), options))
    check_videos(len(sequences), settings)
    params = tracker.parameters()
    out = options.out or calibration_file(tracker)
    check_file_writable(out)
    frames = _frames(tracker, params, list(with_covered(sequences)))
    made = fit_calibration(frames, settings)
    about = {**(made.about or {}), "tracker": tracker.merged_name, "data": list(options.data)}
    made = replace(made, key=calibration_key(tracker, params), about=about)
    save_calibration(out, made)
    errors = ", ".join(f"{name} {error:.3f}" for name, error in about["errors_on_videos_left_out"].items())
    print(f"{out}: fitted on {about['frames']:,} frames of {about['videos']:,} videos, from {', '.join(made.numbers)}")
    print(f"expected calibration error on videos left out: {errors}; taken: {about['method']}")
    error = about["errors_on_videos_left_out"][about["method"]]
    if error > LARGEST_ERROR or about["videos"] < FEW_VIDEOS:
        print(
            f"do not rely on it: {about['videos']} videos, error {error:.3f}; fit on {FEW_VIDEOS} or more that are "
            f"like yours. With an error above {LARGEST_ERROR}, many boxes that are right can count as lost"
        )
    print(f"a target counts as lost where its confidence is below {made.lost_below:.2f} (--set lost_below=...)")
    return 0


def measure(options: argparse.Namespace) -> int:
    """Prints how well a calibration keeps its word on each data set, and over all of them."""
    if options.plot is not None:
        check_figure_path(options.plot)
    tracker = named_tracker(options.tracker, overrides=dict(options.overrides))
    params = tracker.parameters()
    calibration = _calibration(tracker, params, options.calibration)
    lost_below = calibration.lost_below if params.lost_below is None else params.lost_below
    parts: dict[str, Frames] = {}
    for name, title in zip(options.data, titles(options.data)):
        sequences = _drawn(get_dataset(name), options)
        kinds = {title: [(each, each.name, False) for each in sequences]}
        if options.covered:
            made = [(each, each.name, True) for each in map(cover_middle, sequences) if each is not None]
            kinds[f"{title}, covered"] = made
        for kind, videos in kinds.items():
            frames = _frames(tracker, params, videos, calibration)
            if len(frames.overlaps):
                parts[kind] = frames
            else:
                print(f"note: {kind} has no tracked frame with a true box, so it is left out", file=sys.stderr)
    if not parts:
        raise CalibrationError("there is no tracked frame with a true box to measure on")
    natural = [frames for frames in parts.values() if not frames.made.any()]
    if len(natural) > 1:
        parts["all, as they are"] = joined(natural)
    print(f"expected calibration error in 10 bins of equal width; lost: confidence below {lost_below:.2f}\n")
    print(summary_titles())
    for name, frames in parts.items():
        print(summary_line(name, calibration(frames.features), frames.overlaps, lost_below))
    everything = joined(list(parts.values())[: len(parts) - (len(natural) > 1)])
    confidence = calibration(everything.features)
    if options.curve:
        print(f"\nall of it:\n{curve_table(confidence, everything.overlaps == 0)}")
    if options.plot is not None:
        chosen = joined(natural)
        write_reliability_plot(options.plot, calibration(chosen.features), chosen.overlaps > FOUND_ABOVE)
        print(options.plot)
    return 0


def search(options: argparse.Namespace) -> int:
    """Prints how well a tracker does with covered targets and cuts, with and without a wider search when lost."""
    tracker = named_tracker(options.tracker, overrides=dict(options.overrides))
    params = tracker.parameters()
    if WIDEN not in params.names():
        raise ParameterError(f"{tracker.name} cannot search wider when it is lost: it has no parameter {WIDEN}")
    _calibration(tracker, params, None)
    print(f"{'':32}{'wider':>7}{'mean overlap':>14}{'after':>8}{'found again':>13}{'videos':>8}")
    for name, title in zip(options.data, titles(options.data)):
        sequences = _drawn(get_dataset(name), options)
        kinds = {"as they are": sequences}
        for kind, change in (("covered", cover_middle), ("cut", cut_middle)):
            kinds[kind] = SequenceList(made for made in map(change, sequences) if made is not None)
        kinds = {kind: videos for kind, videos in kinds.items() if videos}
        for kind, videos in kinds.items():
            for widen in (False, True):
                changed: dict[str, bool] = {WIDEN: widen}
                created = tracker.create(replace(params, **changed))  # type: ignore[arg-type]
                tracked = gather(created, ((each, each.name, False) for each in videos), len(videos))
                overlaps = [np.r_[1.0, each.overlaps] for each in tracked]
                after = [values[_first_after(video, kind) :] for video, values in zip(videos, overlaps)]
                shown = [values[_shown(video)] for video, values in zip(videos, overlaps)]
                again = np.mean([values[-5:].mean() > FOUND_ABOVE for values in after])
                print(
                    f"{f'{title}, {kind}'[:31]:32}{'yes' if widen else 'no':>7}"
                    f"{np.mean([values.mean() for values in shown]):14.3f}"
                    f"{np.mean([values.mean() for values in after]):8.3f}{again:13.2f}{len(videos):8}",
                    flush=True,
                )
    return 0


def joined(parts: list[Frames]) -> Frames:
    """Returns the frames of several data sets, which have the same numbers."""
    names = ("features", "overlaps", "videos", "made")
    return Frames(parts[0].numbers, *(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _calibration(tracker: Tracker, params: TrackerParams, file: Path | None) -> Calibration:
    found = find_calibration(tracker, params) if file is None else load_calibration(file)
    if found is None:  # a file that does not fit has been told
        raise CalibrationError(
            f"{tracker.merged_name} has no calibration for its settings and weights, {calibration_file(tracker)}; "
            f"make one with: python -m pytracking.confidence fit {tracker.name}/{tracker.parameter_name} DATA"
        )
    if found.key != calibration_key(tracker, params):
        raise CalibrationError(f"{file} was fitted for other weights or settings than those of {tracker.merged_name}")
    return found


def _drawn(sequences: SequenceList, options: argparse.Namespace) -> SequenceList:
    """Returns the videos that are asked for, evenly drawn, each as long as is asked for."""
    count = len(sequences) if options.max_videos is None else min(options.max_videos, len(sequences))
    places = np.linspace(0, len(sequences) - 1, count).round().astype(int)
    return SequenceList(sequences[int(place)].shortened(options.max_frames) for place in places)


def _frames(tracker: Tracker, params: TrackerParams, videos: Videos, calibration: Calibration | None = None) -> Frames:
    """Returns the frames of videos, tracked by the bare tracker, with the features that a calibration asks for."""
    from ltr.admin.progress import progress_bar

    created = TRACKERS[tracker.name](params)
    with progress_bar(total=len(videos), leave=False) as bar:

        def progress(name: str, done: int, total: int) -> None:
            bar.set_description(name, refresh=False)
            bar.update(done - bar.n)

        tracked = gather(created, iter(videos), len(videos), progress)
    return frames_of(tracked, None if calibration is None else calibration.numbers)


def _first_after(video: Sequence, kind: str) -> int:
    """Returns the index of the first frame after the target was covered, or after the cut; 1 where there is neither."""
    if kind == "covered":
        return int(np.flatnonzero(~_flags(video)).max(initial=0)) + 1
    return len(video) // 2 if kind == "cut" else 1


def _shown(video: Sequence) -> np.ndarray:
    shown = _flags(video)
    return shown & np.isfinite(video.ground_truth_rect).all(axis=1)


def _flags(video: Sequence) -> np.ndarray:
    return np.ones(len(video), bool) if video.target_visible is None else video.target_visible


def titles(names: list[str]) -> list[str]:
    """Returns what tables call data sets: their names or, where these are long, the ends of them; no two are alike.

    >>> titles(["otb", "a/" + "long_" * 6, "b/" + "long_" * 6])
    ['otb', '...ng_long_long_long_', '...ng_long_long_long_ 2']
    """
    found: list[str] = []
    for name in names:
        short, number = name if len(name) < 24 else f"...{name[-18:]}", 1
        while (title := short if number == 1 else f"{short} {number}") in found:
            number += 1
        found.append(title)
    return found
