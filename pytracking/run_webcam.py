"""Tracks a target that a camera sees: ``python pytracking/run_webcam.py TRACKER PARAMETERS``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if sys.path and Path(sys.path[0] or ".").resolve() == ROOT / "pytracking":
    # Started as a script: names such as "analysis" must not be looked up in the script's own directory.
    sys.path[0] = str(ROOT)

import argparse  # noqa: E402
from collections.abc import Sequence  # noqa: E402

from ltr.admin.command_line import CommandParser, run_command  # noqa: E402
from pytracking.live.commands import (  # noqa: E402
    add_one_target_options,
    add_output_options,
    live_parser,
    track_live,
)

DESCRIPTION = """\
Tracks a target that a camera sees.

The target is drawn with the mouse in the first frame, or named by its box (--box) or one click (--click).
Keys in the window: space: pause, n: next frame, r: new box, q: stop. Without a screen, or with --headless or
--save-results, an MP4 and a text file of boxes are written; Ctrl-C ends the recording in good order.
"""

EXAMPLES = """\
examples:
  python pytracking/run_webcam.py siamfc socl_res18
  python pytracking/run_webcam.py siamfc socl_res18 --camera 1 --save-results
  python pytracking/run_webcam.py siamfc socl_res18 --camera video.mp4 --click 100 105 --headless
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = live_parser("run_webcam.py", DESCRIPTION, EXAMPLES)
    add_one_target_options(parser)
    add_output_options(parser)
    parser.add_argument(
        "--camera", default="0", metavar="N", help="the camera's number, or a video file in its place (default: 0)"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    return run_command(options, _track, interrupted="nothing half-written stays behind")


def _track(options: argparse.Namespace) -> int:
    from pytracking.evaluation import Tracker
    from pytracking.live.source import open_camera
    from pytracking.live.targets import Target

    Tracker(options.tracker, options.parameters).check_names()  # before the camera: a wrong name is not its fault
    target = None
    if options.box is not None:
        target = Target("target", box=tuple(options.box))
    elif options.click is not None:
        target = Target("target", click=(options.click[0], options.click[1]))
    return track_live(options, open_camera(options.camera), target, camera=True)


if __name__ == "__main__":
    sys.exit(main())
