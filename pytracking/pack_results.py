"""Packs results for an evaluation server: ``python pytracking/pack_results.py TRACKER PARAMETERS DATASET``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if sys.path and Path(sys.path[0] or ".").resolve() == ROOT / "pytracking":
    # Started as a script: names such as "analysis" must not be looked up in the script's own directory.
    sys.path[0] = str(ROOT)

import argparse  # noqa: E402
from collections.abc import Sequence  # noqa: E402

from ltr.admin.command_line import (  # noqa: E402
    CommandParser,
    add_common_options,
    add_run_id_option,
    path,
    run_command,
)

DESCRIPTION = """\
Writes the zip file that the server of a data set takes. GOT-10k's and TrackingNet's test splits publish only the first
boxes; their servers score the results. Track the sequences first, with run_tracker.py. With --layout pytracking,
results on any data set are written as pytracking lays them out.
"""

EXAMPLES = """\
examples:
  python pytracking/run_tracker.py siamfc socl_res18 --dataset got10k_test
  python pytracking/pack_results.py siamfc socl_res18 got10k_test
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("pack_results.py", DESCRIPTION, EXAMPLES)
    parser.add_argument("tracker", metavar="TRACKER", help="the tracker, such as siamfc")
    parser.add_argument("parameters", metavar="PARAMETERS", help="its parameter set")
    parser.add_argument("dataset", metavar="DATASET", help="got10k_test, got10k_val or trackingnet")
    parser.add_argument(
        "--layout",
        choices=("server", "pytracking"),
        default="server",
        help="server (default): as the data set's server takes it; pytracking: to be unpacked in its folder of results",
    )
    add_run_id_option(parser, help="number of the repetition")
    parser.add_argument("--output", type=path, metavar="FILE", help="the zip file (default: beside the results)")
    add_common_options(parser, "data sets", "1: show the traceback of an error")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    return run_command(options, _pack)


def _pack(options: argparse.Namespace) -> int:
    from pytracking.evaluation import Tracker
    from pytracking.evaluation.packing import pack_pytracking, pack_results
    from pytracking.registry import BENCHMARKS

    sequences = BENCHMARKS[options.dataset]()  # by name alone: no server takes results on one's own videos
    tracker = Tracker(options.tracker, options.parameters, options.run_id)
    folder = tracker.results_dir
    file = options.output or folder.with_name(f"{folder.name}_{options.dataset}.zip")
    pack = pack_pytracking if options.layout == "pytracking" else pack_results
    print(pack(tracker, sequences, file))
    return 0


if __name__ == "__main__":
    sys.exit(main())
