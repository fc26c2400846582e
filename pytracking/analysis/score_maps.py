"""Where trackers see the target in one frame: their score maps side by side, as in DiMP's Fig. 1.

``python -m pytracking.analysis.score_maps TRACKER/PARAMETERS ... --sequence NAME --frame N --out maps.png``

Networks that learned from other labels are compared by one tracker: ``siamfc/socl_res18 ... --network FILE FILE``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ltr.admin.command_line import (
    CommandParser,
    add_common_options,
    add_dataset_option,
    path,
    run_command,
    whole_number,
)

if TYPE_CHECKING:
    from pytracking.evaluation import Tracker


def draw(options: argparse.Namespace) -> int:
    """Writes the picture that the options describe."""
    import cv2

    from ltr.admin.files import write_bytes_atomically
    from pytracking.analysis.score_map_picture import score_map_picture
    from pytracking.evaluation import get_dataset

    trackers = _trackers(options.trackers, options.network)
    sequence = get_dataset(options.dataset)[options.sequence]
    picture = score_map_picture(trackers, sequence, options.frame - 1)
    encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
    write_bytes_atomically(options.out, encoded.tobytes())
    print(f"written: {options.out}")
    return 0


def _trackers(names: Sequence[str], networks: Sequence[str]) -> list[Tracker]:
    from pytracking.api import named_tracker

    if not networks:
        return [named_tracker(name) for name in names]
    if len(names) not in (1, len(networks)):
        raise ValueError(
            f"{len(networks)} networks for {len(names)} trackers: give one for each, or several for one tracker"
        )
    named = list(names) * (len(networks) // len(names))
    made = [named_tracker(name, overrides={"network": network}) for name, network in zip(named, networks)]
    return [replace(one, display_name=Path(network).name) for one, network in zip(made, networks)]


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("python -m pytracking.analysis.score_maps", __doc__)
    parser.add_argument("trackers", nargs="+", metavar="TRACKER/PARAMETERS", help="such as dimp/dimp18")
    add_dataset_option(parser, default="synthetic", help="default: synthetic")
    parser.add_argument("--sequence", required=True, metavar="NAME", help="the video")
    parser.add_argument("--frame", required=True, type=whole_number, metavar="N", help="the frame, from 2 on")
    parser.add_argument("--out", required=True, type=path, metavar="FILE", help="file to write, a PNG")
    parser.add_argument(
        "--network",
        nargs="+",
        default=[],
        metavar="FILE",
        help="networks: one for each tracker, or several for one tracker",
    )
    add_common_options(parser, "trackers, parameter sets or data sets")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if any("/" not in name for name in options.trackers):
        parser.error("name each tracker with its parameter set, such as dimp/dimp18")
    return run_command(options, draw, interrupted="nothing was written")


if __name__ == "__main__":
    sys.exit(main())
