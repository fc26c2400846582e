"""The command ``socl``: one name for the commands of clicks, training, tracking and reports.

Nothing is imported but the command that is called, so that ``socl --help`` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ltr.admin.command_line import CommandParser

USAGE = "usage: socl COMMAND ..."
EXAMPLES = """\
from videos to a tracker:
  socl prepare VIDEOS... --out clips          mp4 files, folders of frames, globs
  socl annotate clips                         a page on this machine; clicks are stored as they are made
  socl train socl/socl_res18 --data clips     from clicks alone, scored on clicks
  socl track clips --tracker siamfc/socl_res18 --render --export cvat
without clips, from a click on each target:
  socl track VIDEO --click 100 105 cat --click 300 80 dog --render --export cvat

`socl COMMAND --help` says more of each.
"""


@dataclass(frozen=True)
class Command:
    """A command: what it does, the module and function that do it, and the words that come first."""

    what: str
    module: str
    function: str = "main"
    first: tuple[str, ...] = ()


GOES_ON = "what was finished is saved, and the same command goes on from there"
NETWORK_FORMAT = "onnx"  # of a network, not of boxes
_CLICKS = "socl_plugins.clicks.__main__"
COMMANDS: dict[str, Command] = {
    "prepare": Command("cut videos into a folder of clips", _CLICKS, first=("prepare",)),
    "annotate": Command("click the targets, on a page in the browser", _CLICKS, first=("annotate",)),
    "clicks": Command("import, export, agreement, compile, cost, plot", _CLICKS),
    "train": Command("train a network by a recipe", __name__, "train"),
    "track": Command("track the videos of a folder of clips, or targets in any video", __name__, "track"),
    "export": Command("write tracked boxes as other tools' files, or a network as ONNX", __name__, "export"),
    "share": Command("write a network as a folder to give away", "ltr.sharing.__main__"),
    "confidence": Command("fit how sure a tracker is of each frame, and measure it", "pytracking.confidence.__main__"),
    "report": Command("tables, plots and a page of tracking results", "pytracking.analysis.__main__"),
    "cost": Command("what labels cost, at the paper's prices or as measured", _CLICKS, first=("cost",)),
    "studies": Command("the papers' comparisons", "socl_plugins.studies.__main__"),
    "doctor": Command("what this machine can do, and what has to be mended", "socl_plugins.doctor"),
    "env": Command("where data sets, networks and results lie", "ltr.admin.environment"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(help_text())
        return 0 if words else 2
    name, *rest = words
    if name not in COMMANDS:
        from ltr.registry import near_names

        print(f"{USAGE}\nsocl: unknown command {name!r}.{near_names(name, COMMANDS)}", file=sys.stderr)
        print(f"commands: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    command = COMMANDS[name]
    run: Callable[..., int] = getattr(importlib.import_module(command.module), command.function)
    if command.module == _CLICKS:
        return run([*command.first, *rest], prog="socl" if command.first else "socl clicks")
    return run(rest)


def help_text() -> str:
    """Returns the list of commands."""
    listed = "\n".join(f"  {name:12}{command.what}" for name, command in COMMANDS.items())
    return f"{USAGE}\n\ncommands:\n{listed}\n\n{EXAMPLES}"


def train(words: Sequence[str]) -> int:
    """Trains: ``socl train RECIPE [--data CLIPS]`` and the options of ``ltr/run_training.py``."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("recipe", nargs="?")
    parser.add_argument("--data", type=Path)
    options, rest = parser.parse_known_args(words)
    from ltr import run_training
    from ltr.admin.path_variables import using_paths

    if options.recipe is None and ("-h" in rest or "--help" in rest):
        print("usage: socl train RECIPE [--data CLIPS] ...\n")
        print("  --data CLIPS  learn from the clicks of a folder of clips")
        print("\nRECIPE is MODULE/NAME, such as socl/socl_res18. Everything else is as here:\n")
    paths: dict[str, Path | None] = {}
    track_with = None
    if options.data is not None:
        from socl_plugins.clicks import __main__ as clicks

        status = clicks.main(["compile", str(options.data)])
        if status:
            return status
        val = options.data.resolve() / "val"
        paths = {"got10k_dir": options.data.resolve(), "got10k_val_dir": val if val.is_dir() else None}
        if val.is_dir():
            rest = ["--set", "score.name=click_precision", *rest]
        track_with = f"-m socl_plugins.command track {shlex.quote(str(options.data))} --tracker"
    given = [*(options.recipe.split("/") if options.recipe else []), *rest]
    with using_paths(paths):
        return run_training.main(given, typed=["train", *words], track_with=track_with)


def track_parser() -> CommandParser:
    """Returns the parser of ``socl track``."""
    from ltr.admin.command_line import add_jobs_option, path
    from pytracking.command_line import add_export_option
    from pytracking.live.options import add_target_options

    parser = _parser(
        "socl track",
        "Tracks every clicked target of a folder of clips from its first click on, and compares the boxes' centres "
        "with the other clicks; or tracks the targets that --click, --box or --clicks name through videos of any kind, "
        "each forwards, --backwards or --both. A data set by name, or with true boxes: pytracking/run_tracker.py.",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        type=path,
        metavar="CLIPS | VIDEO ...",
        help="a folder that `socl prepare` made; or video files, folders of frames, globs in quotes",
    )
    parser.add_argument(
        "--render", action="store_true", help="write a video of what was tracked (of clips a strip, too)"
    )
    add_export_option(parser)
    add_target_options(parser)
    add_jobs_option(parser)
    return parser


def export_parser() -> CommandParser:
    """Returns the parser of ``socl export``."""
    from ltr.admin.command_line import path
    from pytracking.command_line import EXPORT_NAMES

    parser = _parser(
        "socl export",
        "Writes the boxes of an earlier `socl track` in other tools' formats; nothing is tracked anew.\n\n"
        f"With --format {NETWORK_FORMAT}, what is written is a network: `socl export siamfc/socl_res18 --format "
        f"{NETWORK_FORMAT}`.\nIts options: `socl export --format {NETWORK_FORMAT} --help`.",
    )
    parser.add_argument("clips", type=path, metavar="CLIPS", help="a folder that `socl prepare` made")
    parser.add_argument(
        "--format",
        action="append",
        required=True,
        choices=(*EXPORT_NAMES, NETWORK_FORMAT),
        help="repeat it to write several",
    )
    return parser


def _parser(program: str, description: str) -> CommandParser:
    from ltr.admin.command_line import CommandParser, add_common_options, add_set_option, path

    parser = CommandParser(program, description)
    parser.add_argument("--tracker", default="siamfc/socl_res18", metavar="TRACKER/PARAMETERS")
    parser.add_argument("--out", type=path, help="folder of pictures and exports (default: beside the results)")
    add_common_options(parser, "trackers or parameter sets")
    add_set_option(parser, "a parameter of the tracker, such as device=cpu")
    return parser


def track(words: Sequence[str]) -> int:
    """Tracks: ``socl track CLIPS --tracker TRACKER/PARAMETERS``, or ``socl track VIDEO... --click X Y``."""
    from pytracking.live.options import names_targets

    parser = track_parser()
    options = parser.parse_args(words)
    if not options.paths:
        parser.error("name a folder of clips or a video; it stands before --click and --box, whose last word is a name")
    options.clips = options.paths[0]
    is_clips = len(options.paths) == 1 and (options.clips / "clips.json").is_file()
    targets = bool(options.box or options.click or options.clicks)
    if is_clips and (targets or options.start is not None or options.direction or options.click_method):
        parser.error(
            f"{options.clips} is a folder of clips, whose targets are those that were clicked: --box, --click, "
            "--clicks, --start, --backwards, --both and --click-method are for plain videos"
        )
    folder = len(options.paths) == 1 and options.clips.is_dir()
    if folder and not is_clips and not names_targets(options):
        parser.error(
            f"{options.clips} is no folder of clips (socl prepare VIDEOS... --out CLIPS makes one); in plain videos "
            "and folders of frames, name the targets: --click X Y, or --box X Y W H"
        )
    if is_clips:
        stored = "what was tracked is stored, and socl export writes it; the same command tracks all of them anew"
        return _run(options, "track_clips", "track_clips", stored)
    if options.jobs:
        parser.error("--jobs is for folders of clips: plain videos are tracked in this process")
    return _run(options, "track_videos", "track_named_targets", "nothing was tracked yet")


def export(words: Sequence[str]) -> int:
    """Exports boxes, ``socl export CLIPS --tracker TRACKER/PARAMETERS --format FORMAT``, or a network as ONNX."""
    first = argparse.ArgumentParser(add_help=False)
    first.add_argument("--format", action="append", default=[])
    options, rest = first.parse_known_args(words)
    if options.format == [NETWORK_FORMAT]:
        from pytracking.onnx import __main__ as networks

        return networks.main(rest, prog=f"socl export --format {NETWORK_FORMAT}")
    if NETWORK_FORMAT in options.format:
        print(
            f"socl export: {NETWORK_FORMAT} is the format of a network, the others are of boxes: export one at a time",
            file=sys.stderr,
        )
        return 2
    return _run(export_parser().parse_args(words), "track_clips", "export_clips")


def _run(options: argparse.Namespace, module: str, function: str, interrupted: str = GOES_ON) -> int:
    from ltr.admin.command_line import run_command

    def run(options: argparse.Namespace) -> int:
        found = importlib.import_module(f"socl_plugins.clicks.{module}")
        status: int = getattr(found, function)(options)
        return status

    return run_command(options, run, interrupted)


if __name__ == "__main__":
    sys.exit(main())
