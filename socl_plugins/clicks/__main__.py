"""The command line of labels: making clicks, exchanging them, and what they cost."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Any

from ltr.admin.command_line import (
    CommandParser,
    add_common_options,
    add_dataset_option,
    number_in,
    path,
    run_command,
    whole_number,
)

PROG = "python -m socl_plugins.clicks"
DESCRIPTION = "Clicks: how they are made and exchanged, what labels cost, and what tracking is got for it."
EXAMPLES = """examples:
  python -m socl_plugins.clicks prepare videos/*.mp4 --out clips
  python -m socl_plugins.clicks annotate clips
  python -m socl_plugins.clicks cost                              the paper's figures, for GOT-10k
  python -m socl_plugins.clicks cost --frames 2860 --period 5
  python -m socl_plugins.clicks cost --dataset got10k_train
  python -m socl_plugins.clicks plot workspace/checkpoints/ltr/socl/* --out cost.png

exit status: 0 done, 1 an error, 2 wrong usage
"""
WRITTEN_NAMES = ("cvat", "cvat-images", "label-studio", "coco", "labelme", "deeplabcut", "sleap", "csv")
FORMAT_NAMES = (*WRITTEN_NAMES, "sleap-project", "mot", "tap-vid")  # the last ones are only read
CLIPS_HELP = "a folder that `socl prepare` made"


def build_parser(prog: str = PROG) -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser(prog, DESCRIPTION, EXAMPLES)
    commands = parser.add_subparsers(dest="command", required=True)
    cost = commands.add_parser("cost", help="hours and dollars of clicks, boxes, and boxes on some frames only")
    what = cost.add_mutually_exclusive_group()
    what.add_argument("--frames", type=whole_number, help="frames (default: the 1,400,000 of GOT-10k)")
    add_dataset_option(what, help="count the labelled frames of a training data set, such as got10k_train")
    cost.add_argument("--root", type=path, help="folder of the data set (default: as configured)")
    cost.add_argument("--period", type=whole_number, default=10, help="frames from one sparse box to the next")
    cost.add_argument(
        "--measured", type=path, metavar="CLIPS", help="a click takes as long as it took in this folder of clips"
    )
    cost.add_argument("--prices", type=path, help="a table like socl_plugins/clicks/prices.json (default: the paper's)")
    cost.add_argument(
        "--training-hours",
        type=number_in(0),
        nargs=2,
        metavar=("BOXES", "CLICKS"),
        help="GPU hours of training (default: for GOT-10k, 8 and 24, as the paper has for SiamFC and SoCL)",
    )
    cost.set_defaults(run="socl_plugins.clicks.commands:cost")
    plot = commands.add_parser("plot", help="draw the held-out score of runs against the hours of their labels")
    plot.add_argument("runs", type=path, nargs="+", metavar="RUN", help="folders of runs, or checkpoints")
    plot.add_argument("--out", type=path, required=True, help="a .png, .pdf or .svg file")
    plot.set_defaults(run="socl_plugins.clicks.commands:plot")
    _add_making(commands)
    for command in commands.choices.values():
        add_common_options(command, "data sets")
    return parser


def _add_making(commands: Any) -> None:
    making = "socl_plugins.clicks.annotation_commands"
    prepare = commands.add_parser("prepare", help="cut videos into a folder of clips")
    prepare.add_argument("videos", nargs="+", metavar="VIDEO", help="video files, folders of frames or videos, globs")
    prepare.add_argument("--out", type=path, required=True, help="the folder of clips, new or to be added to")
    prepare.add_argument("--every", type=whole_number, default=1, metavar="N", help="keep one of N frames (default: 1)")
    prepare.add_argument("--max-side", type=whole_number, metavar="PIXELS", help="reduce larger frames to this")
    prepare.add_argument("--max-frames", type=whole_number, metavar="N", help="frames of a video that are kept at most")
    prepare.add_argument(
        "--uncut", action="store_true", help="leave the frames of video files there: less disk, slower training"
    )
    prepare.add_argument("--quality", type=whole_number, default=95, help="of the JPEG files (default: 95)")
    prepare.add_argument(
        "--val", type=number_in(0, 1), default=0.2, help="part of the videos kept for scoring (default: 0.2)"
    )
    prepare.set_defaults(run=f"{making}:prepare_clips")
    annotate = commands.add_parser("annotate", help="open the page on which people click")
    annotate.add_argument("clips", type=path, metavar="CLIPS", help=CLIPS_HELP)
    annotate.add_argument(
        "--every", type=whole_number, default=10, metavar="N", help="ask about one of N frames (default: 10)"
    )
    annotate.add_argument("--tracker", default="siamfc/socl_res18", metavar="TRACKER/PARAMETERS", help="that proposes")
    annotate.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    annotate.add_argument("--port", type=whole_number, default=8765, help="default: 8765; 0: any that is free")
    annotate.add_argument("--open", action="store_true", help="show the page in the default browser")
    annotate.set_defaults(run=f"{making}:annotate")
    compiled = commands.add_parser("compile", help="write points.txt and absence.label again from the clicks")
    compiled.add_argument("clips", type=path, metavar="CLIPS", help=CLIPS_HELP)
    compiled.set_defaults(run=f"{making}:compile_files")
    taken = commands.add_parser("import", help="take the clicks of another tool's file")
    taken.add_argument("clips", type=path, metavar="CLIPS", help=CLIPS_HELP)
    taken.add_argument("file", type=path, metavar="FILE", help="the file, or a folder of labelme's files")
    taken.add_argument("--format", default="auto", help=f"auto (the default), or one of {', '.join(FORMAT_NAMES)}")
    taken.add_argument("--base", type=int, choices=(0, 1), default=0, help="number of the first frame, if left open")
    taken.add_argument("--video", metavar="NAME", help="that the clicks belong to, if the file does not say")
    taken.set_defaults(run=f"{making}:import_file")
    given = commands.add_parser("export", help="write the clicks as another tool's files")
    given.add_argument("clips", type=path, metavar="CLIPS", help=CLIPS_HELP)
    given.add_argument("--format", required=True, help=f"one of {', '.join(WRITTEN_NAMES)}")
    given.add_argument("--out", type=path, required=True, help="folder to write to")
    given.set_defaults(run=f"{making}:export_files")
    agreed = commands.add_parser("agreement", help="how far annotators' clicks on the same frames are apart")
    agreed.add_argument("clips", type=path, metavar="CLIPS", help=CLIPS_HELP)
    agreed.set_defaults(run=f"{making}:print_agreement")


def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser(prog).parse_args(arguments)
    module, _, function = options.run.partition(":")

    def command(options: argparse.Namespace) -> int:
        return int(getattr(importlib.import_module(module), function)(options))

    return run_command(options, command, "every click that was made and every video that was finished is kept")


if __name__ == "__main__":
    sys.exit(main())
