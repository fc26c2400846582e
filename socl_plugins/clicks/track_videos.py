"""Tracking of plain videos from clicks or boxes that a command names: ``socl track VIDEO... --click X Y``."""

from __future__ import annotations

import argparse

from ltr.admin.environment import load_environment
from ltr.dataset.video_sources import find_sources
from pytracking.api import named_tracker
from pytracking.live.options import targets_of
from pytracking.live.targets import FORWARDS
from pytracking.live.videos import VideoJob, track_videos


def track_named_targets(options: argparse.Namespace) -> int:
    """Tracks the targets through each video, writes what is asked for, and returns the exit status."""
    tracker = named_tracker(options.tracker, overrides=dict(options.overrides))
    job = VideoJob(
        tracker,
        targets_of(options),
        options.out or load_environment().results_dir / "live" / tracker.run_name,
        options.direction or FORWARDS,
        options.click_method,
        tuple(dict.fromkeys(options.export)),
        options.render,
        inputs=() if options.clicks is None else (options.clicks,),
    )
    return track_videos(job, find_sources(map(str, options.paths)))
