"""What the command lines of live tracking share: options, and the run from the source to the files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from ltr.admin.command_line import CommandParser, number, path
from pytracking import command_line

if TYPE_CHECKING:
    import numpy as np

    from pytracking.evaluation import TrackedFrame
    from pytracking.live.source import VideoSource


def live_parser(prog: str, description: str, examples: str) -> CommandParser:
    """Returns a parser with the options of live tracking."""
    parser = command_line.bare_parser(prog, description, examples)
    parser.add_argument("tracker", metavar="TRACKER", help="the tracker, such as siamfc")
    parser.add_argument("parameters", metavar="PARAMETERS", help="its parameter set")
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--optional-box", nargs=4, type=number, metavar=("X", "Y", "W", "H"), help="the target in the first frame"
    )
    start.add_argument(
        "--click", nargs=2, type=number, metavar=("X", "Y"), help="a point on the target in the first frame"
    )
    parser.add_argument("--click-method", metavar="NAME", help="makes a box of the click (default: the best there is)")
    parser.add_argument("--headless", action="store_true", help="open no window, even where there is a screen")
    parser.add_argument(
        "--save-results", action="store_true", help="write the video and the boxes (always done without a window)"
    )
    parser.add_argument("--out", type=path, metavar="FOLDER", help="where to (default: live/ in the results)")
    return parser


def track_live(options: argparse.Namespace, source: VideoSource, camera: bool = False) -> int:
    """Tracks the source's frames, shows and writes them as the options say, and returns the exit status.

    Raises:
        StartError: nothing says where the target is.
        VideoError: the source gives no frames.
    """
    import numpy as np

    from ltr.admin.environment import load_environment
    from ltr.admin.progress import progress_bar
    from pytracking.analysis.render import even_size, write_video
    from pytracking.evaluation import Tracker
    from pytracking.evaluation.results import write_boxes
    from pytracking.live.session import StartError, click_to_box, live_frames
    from pytracking.live.source import until_interrupted
    from pytracking.live.views import View, picture
    from pytracking.live.visdom_view import environment_name, visdom_view
    from pytracking.live.window import WindowView, has_display
    from pytracking.tracker.base import check_initial_box

    tracker = Tracker(options.tracker, options.parameters, overrides=dict(options.overrides))
    params = tracker.parameters()
    window = None if options.headless or not has_display() else WindowView(tracker.run_name)
    watcher = visdom_view(environment_name(tracker.run_name, source.name)) if options.debug else None
    views: list[View] = [view for view in (window, watcher) if view is not None]

    def first_box(image: np.ndarray) -> np.ndarray:
        if options.optional_box is not None:
            return check_initial_box(options.optional_box, image)
        if options.click is not None:
            return click_to_box(image, (options.click[0], options.click[1]), options.click_method)
        box = None if window is None else window.select_box(image)
        if box is None:
            why = "there is no screen to draw a box on" if window is None else "no box was drawn"
            raise StartError(f"{why}: give the target as --optional-box X Y W H, or --click X Y")
        return box

    stops: list[int] = []
    folder = options.out or load_environment().results_dir / "live" / tracker.run_name
    images = until_interrupted(source.frames(), lambda: stops.append(len(boxes)))
    boxes: list[np.ndarray] = []
    seconds: list[float] = []
    image = next(images)
    size = even_size(image, image.shape[0])
    new_box = window.select_box if window is not None else None
    frames = live_frames(lambda: tracker.create(params), chain([image], images), first_box, views, new_box, source.name)
    bar = progress_bar(
        desc=source.name,
        total=source.announced or None,
        unit="frame",
        disable=window is not None,
    )

    def noted() -> Iterator[TrackedFrame]:
        for frame in frames:
            boxes.append(frame.box)
            seconds.append(frame.seconds)
            bar.update()
            yield frame

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
    if stops and not camera:  # a camera has no other end
        print(f"interrupted: the {len(boxes)} frames that were tracked are kept", file=sys.stderr)
        return 130
    return 0
