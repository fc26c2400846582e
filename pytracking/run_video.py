"""Tracks targets through videos: ``python pytracking/run_video.py TRACKER PARAMETERS VIDEO...``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if sys.path and Path(sys.path[0] or ".").resolve() == ROOT / "pytracking":
    # Started as a script: names such as "analysis" must not be looked up in the script's own directory.
    sys.path[0] = str(ROOT)

from collections.abc import Sequence  # noqa: E402

from ltr.admin.command_line import CommandParser, path, run_command  # noqa: E402
from pytracking.command_line import add_export_option  # noqa: E402
from pytracking.live.commands import add_output_options, live_parser, track_plain_videos  # noqa: E402
from pytracking.live.options import add_target_options  # noqa: E402

DESCRIPTION = """\
Tracks targets through videos: files, folders of frames, or globs in quotes.

A target is named by its box (--box) or by one click on it (--click), each as often as there are targets, or by a row
of a CSV file (--clicks). Without any of these, one is drawn with the mouse in a window. With --start, targets begin in
a later frame, and are tracked forwards from there, --backwards, or --both.

Where there is no screen, or with --headless or --save-results, a video with the boxes drawn in is written (MP4: H.264
where this machine has an encoder, 1080 pixels on the shorter side at most), and a table: <video>.txt, x, y, w, h a
line, of one target from the first frame on, else <video>.csv. --export writes what other programs read. Ctrl-C ends it
early and keeps what was tracked; a second one stops at once. Keys in the window: space: pause, n: next frame, r: new
box, q: stop.
"""

EXAMPLES = """\
examples:
  python pytracking/run_video.py siamfc untrained_res18 video.mp4 --box 80 60 40 90
  python pytracking/run_video.py siamfc socl_res18 video.mp4 --click 100 105 cat --click 300 80 dog --export cvat
  python pytracking/run_video.py siamfc socl_res18 video.mp4 --click 100 105 --start 250 --both --export csv
  python pytracking/run_video.py siamfc socl_res18 "film/*.mp4" frames/ --clicks clicks.csv --out tracked
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = live_parser("run_video.py", DESCRIPTION, EXAMPLES)
    parser.add_argument(
        "videos", nargs="*", type=path, metavar="VIDEO", help="a video file, a folder of frames or of videos, or a glob"
    )
    add_target_options(parser)
    add_export_option(parser)
    add_output_options(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if not options.videos:
        parser.error("no VIDEO is named; it stands before --click and --box, whose last word is a target's name")
    return run_command(options, track_plain_videos, interrupted="nothing half-written stays behind")


if __name__ == "__main__":
    sys.exit(main())
