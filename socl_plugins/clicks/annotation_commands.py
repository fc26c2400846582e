"""What the commands do that make clicks: prepare, annotate, compile."""

from __future__ import annotations

import argparse
import sys

from socl_plugins.clicks.clips import open_clips
from socl_plugins.clicks.compiled import compile_clips
from socl_plugins.clicks.prepare import Cutting, prepare


def prepare_clips(options: argparse.Namespace) -> int:
    """Cuts videos into a folder of clips."""
    from tqdm import tqdm

    cutting = Cutting(options.every, options.max_side, options.max_frames, options.quality, options.val)
    with tqdm(unit="frame", disable=None, leave=False) as bar:

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


def compile_files(options: argparse.Namespace) -> int:
    """Writes the files that training reads from the click logs."""
    clicks = compile_clips(open_clips(options.clips))
    print(f"{options.clips}: {clicks:,} clicks on visible targets")
    return 0
