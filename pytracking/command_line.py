"""What the command lines of tracking share: options, and what follows once sequences are tracked."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ltr.admin.command_line import add_plugin_option, add_set_option, whole_number

if TYPE_CHECKING:
    from pytracking.evaluation import Sequence, SequenceList, TrackedFrame, Tracker

EXIT_STATUS = "exit status: 0 all tracked, 1 error or a sequence failed, 2 wrong usage, 130 stopped with Ctrl-C"


def bare_parser(prog: str, description: str, examples: str) -> argparse.ArgumentParser:
    """Returns a parser with the options that every command line which tracks has."""
    made = argparse.ArgumentParser(
        prog=prog,
        description=description,
        epilog=f"{examples}\n{EXIT_STATUS}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--debug",
        type=whole_number,
        nargs="?",
        const=1,
        default=0,
        metavar="LEVEL",
        help="1: stop at the first error with its traceback, and show each frame on a visdom server that answers",
    )
    add_plugin_option(made, "trackers, parameter sets, data sets or experiments")
    add_set_option(made, "a parameter of the tracker, such as device=cpu")
    return made


def parser(prog: str, description: str, examples: str) -> argparse.ArgumentParser:
    """Returns a parser with the options of the command lines that track sequences."""
    made = bare_parser(prog, description, examples)
    made.add_argument(
        "--threads", type=whole_number, default=0, metavar="N", help="worker processes (default: 0, none but this one)"
    )
    made.add_argument("--overwrite", action="store_true", help="track again what has results already")
    made.add_argument("--render", action="store_true", help="write a video and an image strip of each tracked sequence")
    made.add_argument("--per_sequence", action="store_true", help="print a number for each sequence, too")
    made.add_argument("--list", action="store_true", help="list what can be named here, and stop")
    return made


@contextlib.contextmanager
def watched(debug: int, title: str) -> Iterator[Callable[[Sequence, TrackedFrame], None] | None]:
    """Gives what shows each frame on a visdom server, or None if ``debug`` is 0 or no server answers."""
    from pytracking.analysis.render import has_true_box
    from pytracking.live.views import Wish
    from pytracking.live.visdom_view import environment_name, visdom_view

    view = visdom_view(environment_name(title)) if debug else None

    def watch(sequence: Sequence, frame: TrackedFrame) -> None:
        assert view is not None
        truth = sequence.ground_truth_rect[frame.index] if has_true_box(sequence, frame.index) else None
        if view.show(frame, truth) is Wish.STOP:
            raise KeyboardInterrupt

    try:
        yield watch if view else None
    finally:
        if view:
            view.close()


def track_and_report(options: argparse.Namespace, trackers: list[Tracker], dataset: SequenceList, title: str) -> int:
    """Tracks the sequences, prints the table, renders if asked to, and returns the exit status."""
    from pytracking.analysis import print_results
    from pytracking.analysis.render import render_strip, render_video
    from pytracking.evaluation import ResultError, load_result, run_dataset
    from pytracking.evaluation.sequence import FIRST_BOX_ONLY

    with watched(options.debug, title) as watch:
        report = run_dataset(
            dataset, trackers, options.debug, options.threads, overwrite=options.overwrite, watch=watch
        )
    try:
        if any(sequence.meta.get(FIRST_BOX_ONLY) for sequence in dataset):
            print(
                "no table: the true boxes are not public; pytracking/pack_results.py packs the results for the server"
            )
        else:
            # What was tracked is one pass; VOT's own numbers come from run_vot.py.
            print_results(trackers, dataset, title, per_sequence=options.per_sequence, one_pass=True)
    except ResultError:
        if not report.failures:
            raise
        print("no table: no sequence was tracked by every tracker", file=sys.stderr)
    print("\nresults:")
    for tracker in trackers:
        print(f"  {tracker.results_dir}")
    if options.render:
        failed = {(failure.tracker, failure.sequence) for failure in report.failures}
        for tracker in trackers:
            for sequence in dataset:
                if (tracker.run_name, sequence.name) in failed:
                    continue
                boxes = load_result(tracker, sequence).boxes
                print(f"  {render_video(sequence, boxes, tracker.results_dir / f'{sequence.name}.mp4')}")
                print(f"  {render_strip(sequence, boxes, tracker.results_dir / f'{sequence.name}.png', rows=2)}")
    return 1 if report.failures else 0
