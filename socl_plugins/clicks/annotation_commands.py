"""What the commands do that make clicks: prepare, annotate, compile."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

import numpy as np

from socl_plugins.clicks.clips import open_clips
from socl_plugins.clicks.compiled import compile_clips
from socl_plugins.clicks.prepare import Cutting, prepare


def prepare_clips(options: argparse.Namespace) -> int:
    """Cuts videos into a folder of clips."""
    from ltr.admin.progress import progress_bar

    cutting = Cutting(
        options.every, options.max_side, options.max_frames, options.quality, options.val, not options.uncut
    )
    with progress_bar(unit="frame", leave=False) as bar:

        def progress(name: str, done: int, of: int | None) -> None:
            bar.set_description(name, refresh=False)
            bar.total = of
            bar.update(done - bar.n)

        prepared = prepare(options.videos, options.out, cutting, progress)
    for failure in prepared.failed:
        print(f"left out: {failure}", file=sys.stderr)
    clips = prepared.clips
    parts = [f"{len(prepared.new)} new"] + ([f"{prepared.known} were there"] if prepared.known else [])
    splits = {split: sum(clip.split == split for clip in clips) for split in ("train", "val")}
    print(
        f"{options.out}: {', '.join(parts)}; {splits['train']} videos to learn from, {splits['val']} to score, "
        f"{sum(clip.frames for clip in clips):,} frames"
    )
    print(f"next: socl annotate {options.out}")
    return 1 if prepared.failed else 0


def annotate(options: argparse.Namespace) -> int:
    """Serves the page on which people click."""
    from socl_plugins.clicks.page.serve import serve

    clicks = serve(options.clips, options.every, options.tracker, options.host, options.port, options.open)
    print(f"\n{clicks:,} clicks on visible targets are stored. next: socl train socl/socl_res18 --data {options.clips}")
    return 0


def import_file(options: argparse.Namespace) -> int:
    """Takes the clicks of another tool's file."""
    from socl_plugins.clicks.exchange.transfer import import_clicks

    report = import_clicks(open_clips(options.clips), options.file, options.format, options.base, options.video)
    print(f"{options.file} ({report.form}): {sum(report.taken.values()):,} clicks taken")
    for video, count in report.taken.items():
        print(f"  {video}: {count:,}")
    if report.known:
        print(f"  {report.known:,} were there already")
    _print_dropped(report.dropped)
    return 0


def export_files(options: argparse.Namespace) -> int:
    """Writes the clicks as another tool's files."""
    from socl_plugins.clicks.exchange.transfer import export_clicks

    report = export_clicks(open_clips(options.clips), options.out, options.format)
    print(f"{options.out} ({report.form}): {sum(report.taken.values()):,} clicks of {len(report.taken)} videos")
    _print_dropped(report.dropped)
    return 0


def _print_dropped(dropped: Counter[str]) -> None:
    for reason, count in dropped.most_common():
        print(f"  left out: {count:,} x {reason}")


def print_agreement(options: argparse.Namespace) -> int:
    """Prints how far annotators' clicks on the same frames are apart."""
    from socl_plugins.clicks.measured import agreement

    found = agreement(open_clips(options.clips))
    if not found:
        print("no frame was clicked by two people: let two of them annotate the same video")
        return 0
    print(f"{'annotators':44}{'frames':>8}{'median px':>11}{'90% px':>9}{'median % of frame':>19}{'seen by one':>13}")
    for pair in found:
        names = " and ".join(pair.authors)[:43]
        if len(pair.distances):
            numbers = f"{np.median(pair.distances):11.1f}{np.percentile(pair.distances, 90):9.1f}"
            numbers += f"{100 * np.median(pair.parts):19.2f}"
        else:
            numbers = f"{'-':>11}{'-':>9}{'-':>19}"
        print(f"{names:44}{len(pair.distances):8}{numbers}{pair.other_state:13}")
    return 0


def compile_files(options: argparse.Namespace) -> int:
    """Writes the files that training reads from the click logs."""
    clicks = compile_clips(open_clips(options.clips))
    print(f"{options.clips}: {clicks:,} clicks on visible targets")
    return 0
