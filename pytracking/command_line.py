"""What the command lines of tracking share: options, and what follows once sequences are tracked."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ltr.admin.command_line import CommandParser, add_common_options, add_jobs_option, add_set_option
from ltr.admin.jobs import add_backend_option

if TYPE_CHECKING:
    from ltr.admin.ownership import Owner
    from pytracking.evaluation import Sequence, SequenceList, TrackedFrame, Tracker
    from pytracking.evaluation.running import RunReport

DEVICES = """\
devices: --set device=auto (the default: an NVIDIA or AMD GPU if there is one, else the CPU), cpu, cuda, cuda:1 or mps
  (the GPU of Apple's chips). --set precision=bfloat16 computes networks in half precision, auto does so where it pays:
  1.2 to 1.7 times the frames a second on two cores of a CPU that multiplies it in hardware (docs/benchmarks.md).
"""
# Of pytracking.analysis.track_exports, whose import help does not wait for; a test compares.
EXPORT_NAMES = ("cvat", "mot", "csv", "supervision", "coco-video", "tao", "boxes")

EXIT_STATUS = "exit status: 0 all tracked, 1 error or a sequence failed, 2 wrong usage, 130 stopped with Ctrl-C"


def bare_parser(prog: str, description: str, examples: str) -> CommandParser:
    """Returns a parser with the options that every command line which tracks has."""
    made = CommandParser(prog, description, f"{examples}\n{DEVICES}\n{EXIT_STATUS}\n")
    levels = "1: stop at the first error with its traceback, and show each frame on a visdom server that answers"
    add_common_options(made, "trackers, parameter sets, data sets or experiments", levels)
    add_set_option(made, "a parameter of the tracker, such as device=cpu")
    return made


def parser(prog: str, description: str, examples: str) -> CommandParser:
    """Returns a parser with the options of the command lines that track sequences."""
    made = bare_parser(prog, description, examples)
    add_jobs_option(made)
    add_backend_option(made)
    made.add_argument("--overwrite", action="store_true", help="track again what has results already")
    made.add_argument("--render", action="store_true", help="write a video and an image strip of each tracked sequence")
    add_export_option(made)
    made.add_argument("--per-sequence", action="store_true", help="print a number for each sequence, too")
    made.add_argument("--list", action="store_true", help="list what can be named here, and stop")
    return made


def add_export_option(parser: argparse.ArgumentParser) -> None:
    """Adds ``--export FORMAT``, gathered in ``export``."""
    parser.add_argument(
        "--export",
        action="append",
        default=[],
        choices=EXPORT_NAMES,
        metavar="FORMAT",
        help=f"write the boxes as other programs read them: {', '.join(EXPORT_NAMES)}; may be given several times",
    )


@contextlib.contextmanager
def watched(debug: int, title: str) -> Iterator[Callable[[Sequence, TrackedFrame], None] | None]:
    """Gives what shows each frame on a visdom server, or None if ``debug`` is 0 or no server answers."""
    from pytracking.analysis.render import has_true_box
    from pytracking.live.views import PlaybackCommand
    from pytracking.live.visdom_view import environment_name, visdom_view

    view = visdom_view(environment_name(title)) if debug else None

    def watch(sequence: Sequence, frame: TrackedFrame) -> None:
        assert view is not None
        truth = sequence.ground_truth_rect[frame.index] if has_true_box(sequence, frame.index) else None
        if view.show(frame, truth) is PlaybackCommand.STOP:
            raise KeyboardInterrupt

    try:
        yield watch if view else None
    finally:
        if view:
            view.close()


def track_and_report(options: argparse.Namespace, trackers: list[Tracker], dataset: SequenceList, title: str) -> int:
    """Tracks the sequences, prints the table, renders if asked to, and returns the exit status."""
    from ltr.admin.ownership import own
    from pytracking.analysis import print_results
    from pytracking.evaluation import ResultError, run_dataset
    from pytracking.evaluation.running import OTHER_RUN
    from pytracking.evaluation.sequence import FIRST_BOX_ONLY

    with contextlib.ExitStack() as held:
        # Until the table is printed: no other run may change what it is made of.
        owners = [held.enter_context(own(tracker.results_dir, OTHER_RUN)) for tracker in trackers]
        watch = held.enter_context(watched(options.debug, title))
        report = run_dataset(
            dataset,
            trackers,
            options.debug,
            options.jobs,
            overwrite=options.overwrite,
            backend=options.backend,
            watch=watch,
        )
        for owner in owners:
            owner.check()
        try:
            if any(sequence.meta.get(FIRST_BOX_ONLY) for sequence in dataset):
                print(
                    "no table: the true boxes are not public; pytracking/pack_results.py packs the results for the "
                    "server"
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
            settings = ", ".join(f"{name}={value}" for name, value in tracker.changed.items())
            print(f"  {tracker.results_dir}{f' ({settings})' if settings else ''}")
        named = " ".join(tracker.merged_name for tracker in trackers if tracker.changed)
        if named:
            print(f"other commands call them: {named}, as in python -m pytracking.analysis {named}")
        if options.render:
            _render(trackers, dataset, report, owners)
        for tracker, owner in zip(trackers, owners):
            owner.check()
            export_results(options.export, tracker, dataset)
    return 1 if report.failures else 0


def export_results(forms: list[str], tracker: Tracker, dataset: SequenceList) -> None:
    """Writes a tracker's stored results in each format to ``exports/<format>/`` in its results, and prints where."""
    if not forms:
        return
    from pytracking.analysis.result_videos import result_videos
    from pytracking.analysis.track_exports import write_exports

    videos = result_videos(tracker, dataset)
    for folder in write_exports(list(dict.fromkeys(forms)), videos, tracker.results_dir / "exports") if videos else ():
        print(f"  {folder}")


def _render(trackers: list[Tracker], dataset: SequenceList, report: RunReport, owners: list[Owner]) -> None:
    """Writes a video and a strip of each tracked sequence beside its result, and prints their paths."""
    from pytracking.analysis.render import render_strip, render_video
    from pytracking.evaluation import load_result

    failed = {(failure.tracker, failure.sequence) for failure in report.failures}
    for tracker, owner in zip(trackers, owners):
        for sequence in dataset:
            if (tracker.run_name, sequence.name) in failed:
                continue
            result = load_result(tracker, sequence)
            boxes, judged, base = result.boxes, result.judged, tracker.results_dir / sequence.name
            owner.check()
            print(f"  {render_video(sequence, boxes, base.with_name(f'{base.name}.mp4'), judged=judged)}")
            print(f"  {render_strip(sequence, boxes, base.with_name(f'{base.name}.png'), rows=2, judged=judged)}")
