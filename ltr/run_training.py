"""Trains a network by a recipe: ``python ltr/run_training.py MODULE NAME``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if sys.path and Path(sys.path[0] or ".").resolve() == ROOT / "ltr":
    # Started as a script: names such as "data" must not be looked up in the script's own directory.
    sys.path[0] = str(ROOT)

import argparse  # noqa: E402
import os  # noqa: E402
import shlex  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from typing import TYPE_CHECKING, Literal  # noqa: E402

from ltr.admin.command_line import (  # noqa: E402
    CommandParser,
    add_common_options,
    add_set_option,
    common_options,
    print_entries,
    print_error,
    reader_has_gone,
    whole_number,
)
from ltr.admin.processes import ProcessDied, stopped_by_sigterm  # noqa: E402
from ltr.registry import TRAIN_SETTINGS  # noqa: E402
from ltr.training import find_recipe, run  # noqa: E402

if TYPE_CHECKING:
    from ltr.engine.result import TrainingResult

DESCRIPTION = """\
Trains a network by a recipe and keeps the checkpoint that does best on held-out videos.

A recipe is a file of numbers, ltr/train_settings/MODULE/NAME.py, or one that a plugin registers; MODULE NAME --help
lists all of its settings. Checkpoints go to <workspace>/checkpoints/ltr/MODULE/NAME. `python -m ltr.admin.environment`
shows where that is and where data sets are looked for.
"""

EXAMPLES = """\
examples:
  python ltr/run_training.py --list
  python ltr/run_training.py socl socl_res18
  python ltr/run_training.py socl socl_res18 --help
  python ltr/run_training.py socl socl_res18 --set optimizer.learning_rate=1e-3 --set schedule.epochs=5 --seed 1
  python ltr/run_training.py socl socl_res18 --resume
  torchrun --nproc_per_node=8 ltr/run_training.py socl socl_res18

exit status: 0 trained, 1 error, 2 wrong usage, 130 stopped with Ctrl-C (--resume goes on from there)
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("run_training.py", DESCRIPTION, EXAMPLES, add_help=False)
    parser.add_argument(
        "-h", "--help", action="store_true", help="show this, and with MODULE and NAME all settings of the recipe"
    )
    parser.add_argument("module", nargs="?", metavar="MODULE", help="the recipe's group, such as socl")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the recipe, such as socl_res18")
    parser.add_argument("--list", action="store_true", help="list the recipes and stop")
    add_set_option(parser, "a hyper-parameter of the recipe")
    parser.add_argument(
        "--schedule",
        choices=("auto", "short", "paper"),
        default="auto",
        help="short: minutes on two cores; paper: as published; auto (the default): the paper's from 1,000 videos on",
    )
    parser.add_argument("--seed", type=whole_number, default=0, help="seed of all random numbers (default: 0)")
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="auto (the default): an NVIDIA or AMD GPU if there is one, else the CPU; mps: the GPU of Apple's chips",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint, if there is one")
    parser.add_argument(
        "--resume-with-changes", action="store_true", help="--resume, though seed, data sets or labels have changed"
    )
    add_common_options(parser, "recipes")
    return parser


def main(
    arguments: Sequence[str] | None = None, typed: Sequence[str] | None = None, track_with: str | None = None
) -> int:
    """Runs the command line and returns the exit status.

    Args:
        arguments: the words after the program's name; none: those that this process was started with.
        typed: for a command that trains through this one: the words that its user typed after its name, which it tells
            to go on with after an interrupt. None: ``arguments``.
        track_with: what to start Python with to track with what was trained, to which the tracker's name is added, such
            as ``-m my.command track clips --tracker``. None: what the recipe says.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = build_parser()
    options = parser.parse_args(words)
    words = words if typed is None else list(typed)
    if options.help and not options.name:
        parser.print_help()
        return 0
    if not options.list and not (options.module and options.name):
        parser.error("give MODULE and NAME of a recipe (--list shows them)")
    try:
        with stopped_by_sigterm(), common_options(options):
            if options.list:
                print_entries(TRAIN_SETTINGS)
            elif options.help:
                parser.print_usage()
                _print_settings(options)
            else:
                _train(options, track_with)
            sys.stdout.flush()
        return 0
    except KeyboardInterrupt as interrupt:
        _say_interrupted(interrupt, words)
        return 130
    except BrokenPipeError:
        return reader_has_gone()
    except Exception as error:  # every error ends here, with an honest status
        print_error(error, options.debug)
        if isinstance(error, ProcessDied) and os.environ.get("RANK", "0") == "0":
            from ltr.engine.resume import command_to_go_on

            print(f"to go on: {command_to_go_on(words)}", file=sys.stderr)
        return 1


def _train(options: argparse.Namespace, track_with: str | None) -> None:
    result = run(
        f"{options.module}/{options.name}",
        dict(options.overrides),
        schedule=options.schedule,
        seed=options.seed,
        device=options.device,
        resume=options.resume,
        resume_with_changes=options.resume_with_changes,
    )
    if track_with is not None and result.tracker is not None:
        result.next_command = f"{track_with} {result.tracker}"
    if os.environ.get("RANK", "0") == "0":  # of a distributed run one process speaks
        _report(result, options.workspace)


def _print_settings(options: argparse.Namespace) -> None:
    """Prints every setting of a recipe: key, value, type and meaning."""
    from ltr.config import Recipe
    from ltr.config.run import settings_table

    recipe = find_recipe(f"{options.module}/{options.name}")
    if not isinstance(recipe, Recipe):
        print(f"\n{(recipe.__doc__ or '').strip()}\nThis recipe is a function, which says itself what --set changes.")
        return
    schedule: Literal["short", "paper"] = "paper" if options.schedule == "paper" else "short"
    rows = settings_table(recipe.scheduled(schedule, dict(options.overrides)))
    other = "short" if schedule == "paper" else "paper"
    print(f"\nsettings of the {schedule} schedule, for --set KEY=VALUE (--schedule {other} --help shows the other):")
    width = max(len(f"{key}={value}") for key, _, value, _ in rows)
    for key, kind, value, text in rows:
        print(f"  {f'{key}={value}':{width}}  {kind}: {text}")


def _report(result: TrainingResult, workspace: Path | str | None) -> None:
    if result.checkpoint is not None:
        print(f"checkpoint: {result.checkpoint}")
    if result.next_command:
        place = workspace.absolute() if isinstance(workspace, Path) else workspace  # or the URL of object storage
        more = f" --workspace {shlex.quote(str(place))}" if place else ""
        print(f"to use it: {shlex.quote(sys.executable)} {result.next_command}{more}")
    if result.score_name and result.trained is not None:
        before = "unknown" if result.untrained is None else f"{result.untrained:.3f}"
        choice = result.chosen or "the last weights"
        if not result.learned:
            choice = "learning did not help, so these are the weights before training: try more videos, another recipe"
        if not result.trusted:
            choice += "; one held-out video chose, which is not to be trusted: put more into val/"
        print(f"held-out {result.score_name}: {before} -> {result.trained:.3f} ({choice})")
    sys.stdout.flush()


def _say_interrupted(interrupt: KeyboardInterrupt, words: list[str]) -> None:
    if os.environ.get("RANK", "0") != "0":  # of a distributed run one process speaks
        return
    from ltr.engine.resume import command_to_go_on

    checkpoint = getattr(interrupt, "checkpoint", None)
    if checkpoint is None:
        print("\ninterrupted before an epoch was finished: there is nothing to resume", file=sys.stderr)
        return
    epoch = getattr(interrupt, "epoch", None)
    print(f"\ninterrupted: the checkpoint of epoch {epoch} is whole: {checkpoint}", file=sys.stderr)
    print(f"to go on: {command_to_go_on(words)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
