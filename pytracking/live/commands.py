"""What the command lines of live tracking share: options, and the run from the source to the files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from glob import has_magic
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ltr.admin.command_line import CommandParser, add_option, number, path
from pytracking import command_line

if TYPE_CHECKING:
    import numpy as np

    from ltr.dataset.video_sources import Source
    from pytracking.evaluation import TrackedFrame, Tracker
    from pytracking.live.source import VideoSource
    from pytracking.live.targets import Target


def live_parser(prog: str, description: str, examples: str) -> CommandParser:
    """Returns a parser of a command that tracks what is not a benchmark."""
    parser = command_line.bare_parser(prog, description, examples)
    parser.add_argument("tracker", metavar="TRACKER", help="the tracker, such as siamfc")
    parser.add_argument("parameters", metavar="PARAMETERS", help="its parameter set")
    return parser


def add_one_target_options(parser: CommandParser) -> None:
    """Adds the options that name the one target of a camera."""
    start = parser.add_mutually_exclusive_group()
    what = "the target in the first frame"
    add_option(start, "--box", "--optional-box", nargs=4, type=number, metavar=("X", "Y", "W", "H"), help=what)
    start.add_argument(
        "--click", nargs=2, type=number, metavar=("X", "Y"), help="a point on the target in the first frame"
    )
    parser.add_argument("--click-method", metavar="NAME", help="makes a box of the click (default: the best there is)")


def add_output_options(parser: CommandParser) -> None:
    """Adds the options that say what is shown and what is written."""
    parser.add_argument("--headless", action="store_true", help="open no window, even where there is a screen")
    parser.add_argument(
        "--save-results", action="store_true", help="write the video and the boxes (always done without a window)"
    )
    parser.add_argument("--out", type=path, metavar="FOLDER", help="where to (default: live/ in the results)")


def live_folder(options: argparse.Namespace, tracker: Tracker) -> Path:
    """Returns the folder that is written to."""
    from ltr.admin.environment import load_environment

    return options.out or load_environment().results_dir / "live" / tracker.run_name


def track_plain_videos(options: argparse.Namespace) -> int:
    """Tracks what the options name in the videos that they name, and returns the exit status.

    One target from the first frame on is tracked as a camera's is, with its keys in a window; so is one that a person
    draws. Several, and what begins later or goes backwards, are tracked in one pass each way.

    Raises:
        StartError, ExportError, VideoError, SourceError, ...: as :func:`track_live` and ``track_videos``.
    """
    from ltr.dataset.video_sources import find_sources
    from pytracking.live.options import is_one_from_the_start, names_targets, targets_of
    from pytracking.live.source import open_source, open_video

    targets = targets_of(options) if names_targets(options) else ()
    one = targets[0] if targets and is_one_from_the_start(options) else None
    file = options.videos[0]
    is_file = len(options.videos) == 1 and not file.is_dir() and (file.is_file() or not has_magic(str(file)))
    if is_file and (one is not None or not targets):
        return track_live(options, open_video(file), one)  # whatever its name ends in
    sources = find_sources(map(str, options.videos))
    if targets and not (one and len(sources) == 1):
        return _track_targets(options, sources, targets)
    return max(track_live(options, open_source(source), one) for source in sources)


def _track_targets(options: argparse.Namespace, sources: Sequence[Source], targets: tuple[Target, ...]) -> int:
    from pytracking.evaluation import Tracker
    from pytracking.live.targets import FORWARDS
    from pytracking.live.videos import VideoJob, track_videos
    from pytracking.live.views import View
    from pytracking.live.visdom_view import environment_name, visdom_view
    from pytracking.live.window import WindowView, has_display

    tracker = Tracker(options.tracker, options.parameters, overrides=dict(options.overrides))
    window = None if options.headless or not has_display() else WindowView(tracker.run_name)
    watcher = visdom_view(environment_name(tracker.run_name, sources[0].name)) if options.debug else None
    views: list[View] = [view for view in (window, watcher) if view is not None]
    job = VideoJob(
        tracker,
        targets,
        live_folder(options, tracker),
        options.direction or FORWARDS,
        options.click_method,
        tuple(dict.fromkeys(options.export)),
        options.save_results or window is None,
        views,
        () if options.clicks is None else (options.clicks,),
    )
    try:
        return track_videos(job, sources)
    finally:
        for view in views:
            view.close()


def track_live(
    options: argparse.Namespace, source: VideoSource, target: Target | None = None, camera: bool = False
) -> int:
    """Tracks one target through the source's frames, shows and writes them, and returns the exit status.

    Args:
        options: of the command line.
        source: of the frames.
        target: from the first frame on; None: it is drawn in a window.
        camera: the source has no end but Ctrl-C.

    Raises:
        StartError: nothing says where the target is.
        ImageError, SourceError, VideoError: the source gives no frames. Where a later one cannot be read, what was
            tracked until then is kept, and the status is 1.
    """
    import numpy as np

    from ltr.admin.files import check_keeps
    from ltr.admin.progress import progress_bar
    from ltr.data.image_loader import ImageError
    from ltr.dataset.video_sources import SourceError
    from pytracking.analysis.render import write_video
    from pytracking.evaluation import Tracker
    from pytracking.evaluation.results import write_boxes
    from pytracking.live.session import StartError, live_frames
    from pytracking.live.source import VideoError, until_interrupted
    from pytracking.live.videos import video_size
    from pytracking.live.views import View, picture
    from pytracking.live.visdom_view import environment_name, visdom_view
    from pytracking.live.window import WindowView, has_display

    tracker = Tracker(options.tracker, options.parameters, overrides=dict(options.overrides))
    params = tracker.parameters()
    window = None if options.headless or not has_display() else WindowView(tracker.run_name)
    watcher = visdom_view(environment_name(tracker.run_name, source.name)) if options.debug else None
    views: list[View] = [view for view in (window, watcher) if view is not None]

    def first_box(image: np.ndarray) -> np.ndarray:
        if target is not None:
            return target.first_box(image, options.click_method)
        box = None if window is None else window.select_box(image)
        if box is None:
            why = "there is no screen to draw a box on" if window is None else "no box was drawn"
            raise StartError(f"{why}: give the target as --box X Y W H, or --click X Y")
        return box

    stops: list[int] = []
    broken: list[Exception] = []
    folder = live_folder(options, tracker)
    check_keeps([folder / f"{source.name}{ending}" for ending in (".mp4", ".txt")], [Path(source.where)])
    images = until_interrupted(source.frames(), lambda: stops.append(len(boxes)))
    boxes: list[np.ndarray] = []
    seconds: list[float] = []
    image = next(images)
    size = video_size(image)
    new_box = window.select_box if window is not None else None
    frames = live_frames(lambda: tracker.create(params), chain([image], images), first_box, views, new_box, source.name)
    bar = progress_bar(
        desc=source.name,
        total=source.announced or None,
        unit="frame",
        disable=window is not None,
    )

    def noted() -> Iterator[TrackedFrame]:
        try:
            for frame in frames:
                boxes.append(frame.box)
                seconds.append(frame.seconds)
                bar.update()
                yield frame
        except (ImageError, SourceError, VideoError) as error:
            if len(boxes) < 2:  # nothing was tracked that could be kept
                raise
            broken.append(error)

    try:
        if options.save_results or window is None:
            pictures = (picture(frame, size) for frame in noted())
            write_video(folder / f"{source.name}.mp4", pictures, size, source.rate)
            write_boxes(folder / f"{source.name}.txt", np.array(boxes))
            print(folder / f"{source.name}.mp4", folder / f"{source.name}.txt", sep="\n")
        else:
            for _ in noted():
                pass
    finally:
        bar.close()
        images.close()  # the camera goes back to others, Ctrl-C to its usual meaning
        for view in views:
            view.close()
    tracked = sum(seconds[1:])
    speed = f", {(len(seconds) - 1) / tracked:.1f} frames/s in the tracker" if tracked > 0 else ""
    print(f"{len(boxes)} frames{speed}")
    if broken:
        print(f"error: {broken[0]}; the {len(boxes)} frames that were tracked until then are kept", file=sys.stderr)
        return 1
    if stops and not camera:  # a camera has no other end
        print(f"interrupted: the {len(boxes)} frames that were tracked are kept", file=sys.stderr)
        return 130
    return 0
