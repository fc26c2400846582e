"""Tracks a target through a video file: ``python pytracking/run_video.py TRACKER PARAMETERS VIDEOFILE``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if sys.path and Path(sys.path[0] or ".").resolve() == ROOT / "pytracking":
    # Started as a script: names such as "analysis" must not be looked up in the script's own directory.
    sys.path[0] = str(ROOT)

import argparse  # noqa: E402
from collections.abc import Sequence  # noqa: E402

from ltr.admin.command_line import CommandParser, path, run_command  # noqa: E402
from pytracking.live.commands import live_parser, track_live  # noqa: E402

DESCRIPTION = """\
Tracks a target through a video file.

The target is named by its box in the first frame (--optional-box), by one click on it (--click), or drawn with the
mouse in a window. Where there is no screen, or with --headless, the frames with the box drawn in become an MP4, and
the boxes a text file, one x, y, w, h a line; Ctrl-C ends both early and keeps what was tracked. Keys in the window:
space: pause, n: next frame, r: new box, q: stop.
"""

EXAMPLES = """\
examples:
  python pytracking/run_video.py siamfc untrained_res18 video.mp4 --optional-box 80 60 40 90
  python pytracking/run_video.py siamfc socl_res18 video.mp4 --click 100 105
  python pytracking/run_video.py siamfc socl_res18 video.mp4 --click 100 105 --debug --save-results --out tracked
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = live_parser("run_video.py", DESCRIPTION, EXAMPLES)
    parser.add_argument("videofile", type=path, metavar="VIDEOFILE", help="a video that OpenCV can read")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    return run_command(options, _track, interrupted="nothing half-written stays behind")


def _track(options: argparse.Namespace) -> int:
    from pytracking.live.source import open_video

    return track_live(options, open_video(options.videofile))


if __name__ == "__main__":
    sys.exit(main())
