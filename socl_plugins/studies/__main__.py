"""The command line of studies: ``python -m socl_plugins.studies list | run | report``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ltr.admin.command_line import CommandParser, add_common_options, add_set_option, path, run_command, whole_number
from ltr.admin.jobs import workers

DESCRIPTION = "The papers' comparisons: trains each row over seeds, tracks test videos, writes tables and plots."
EXAMPLES = """examples:
  python -m socl_plugins.studies list
  python -m socl_plugins.studies run table1 hours --out studies --jobs 2
  python -m socl_plugins.studies report table1 hours --out studies --csv results

What rows share can be changed with --set; what differs between rows stays. Run it again with the same options to go on.

exit status: 0 done, 1 an error or cells that failed, 2 wrong usage, 130 stopped with Ctrl-C
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("python -m socl_plugins.studies", DESCRIPTION, EXAMPLES)
    commands = parser.add_subparsers(dest="command", required=True, metavar="{list,run,report}")
    commands.add_parser("list", help="show the studies and their rows")
    run = commands.add_parser("run", help="train and track what is missing")
    report = commands.add_parser("report", help="write tables and plots of what is there")
    for command in (run, report):
        command.add_argument("studies", nargs="+", metavar="STUDY", help="from the list")
        command.add_argument("--out", type=path, required=True, help="folder of the results")
        command.add_argument("--seeds", type=whole_number, nargs="+", default=[0, 1, 2], help="default: 0 1 2")
        add_set_option(command, "a hyper-parameter that the rows share")
    run.add_argument("--rows", nargs="+", metavar="TITLE", help="only these rows")
    run.add_argument("--jobs", type=workers, default=1, metavar="N", help="cells at once; -1: one for each core")
    run.add_argument(
        "--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="default: cuda if there is one"
    )
    run.add_argument("--precision", choices=("float32", "bfloat16"), help="of tracking; default: the trackers' own")
    tests = "benchmarks, held_out_synthetic and, for tuning, got10k_val_starts (default: held_out_synthetic and otb)"
    run.add_argument("--tests", nargs="+", metavar="TEST", help=tests)
    run.add_argument("--keep", action="store_true", help="keep checkpoints and logs of each cell")
    report.add_argument("--tests", nargs="+", metavar="TEST", help="only these; default: all that were run")
    report.add_argument("--into", type=path, help="a Markdown file, in place of what it has between a study's marks")
    report.add_argument("--csv", type=path, metavar="FOLDER", help="write STUDY.csv and STUDY.png into this folder")
    report.add_argument("--note", default="", help="a line below each table, such as on what machine it was run")
    cell = commands.add_parser("cell")  # what `run` starts for each cell
    cell.add_argument("description")
    for command in commands.choices.values():
        add_common_options(command, "recipes, trackers or benchmarks")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    from socl_plugins.studies import commands

    name = "list_studies" if options.command == "list" else options.command
    kept = "finished cells are kept, and the same command goes on with the others"
    return run_command(options, getattr(commands, name), kept)


if __name__ == "__main__":
    sys.exit(main())
