"""Speed and boxes of this project's trackers beside the originals, in one run.

Each tracker runs in a process of its own, with one thread, and all get the same frames in turns, so that a machine that
does other things slows all of them down alike: look at the ratios. A ratio of more than 1 says that ours is faster.
Both sides have the same weights, drawn from a seed by the names of the layers, or loaded from a file.

The originals are not part of this project. Clone those that you want to compare with, and say where they are:

    git clone https://github.com/visionml/pytracking
    python benchmarks/peers FRAMES --pytracking pytracking --trackers dimp18

FRAMES is a folder of pictures, or with a folder img of them, and a file groundtruth_rect.txt whose first line is the
target's box. What needs a checkout that is not given is left out. The files of --weights are pickles, which may run
code in the original's process: take only those that you trust.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.peers.conversation import Conversation, worker_command  # noqa: E402
from benchmarks.peers.pairs import CHECKOUTS, PAIRS, Pair, PeerError  # noqa: E402
from benchmarks.peers.table import Row, markdown, row  # noqa: E402
from benchmarks.peers.turns import Clip, read_clip, take_turns  # noqa: E402
from ltr.admin.command_line import CommandParser, key_and_value, path, whole_number  # noqa: E402
from ltr.admin.files import write_bytes_atomically  # noqa: E402


def build_parser() -> CommandParser:
    """Returns the parser of the command line."""
    parser = CommandParser("python benchmarks/peers", __doc__)
    parser.add_argument("frames", type=path, metavar="FRAMES", help="folder of frames with groundtruth_rect.txt")
    for checkout in CHECKOUTS:
        parser.add_argument(f"--{checkout.option}", type=path, metavar="DIR", help=f"a clone of {checkout.source}")
    parser.add_argument(
        "--trackers", nargs="+", choices=list(PAIRS), default=list(PAIRS), metavar="NAME", help=", ".join(PAIRS)
    )
    parser.add_argument("--count", type=whole_number, default=40, help="frames, the first included (default: 40)")
    parser.add_argument(
        "--precision",
        nargs="+",
        choices=("float32", "bfloat16", "auto"),
        default=["float32"],
        help="of our networks; one row for each (default: float32)",
    )
    parser.add_argument(
        "--weights",
        action="append",
        default=[],
        type=key_and_value,
        metavar="NAME=FILE",
        help="published weights of a tracker, for both sides; may be given several times",
    )
    parser.add_argument("--threads", type=whole_number, default=1, help="of each process (default: 1)")
    parser.add_argument("--seed", type=whole_number, default=0, help="of the weights (default: 0)")
    parser.add_argument("--python", default=sys.executable, help="the originals' Python (default: this one)")
    parser.add_argument("--out", type=path, metavar="FILE", help="JSON file for the numbers")
    parser.add_argument("--debug", action="store_true", help="show the traceback of every error")
    return parser


def conversations(pair: Pair, weights: str | None, options: argparse.Namespace) -> dict[str, Conversation]:
    """Returns the processes to start, not yet started: the original first, then ours by their names in the table."""
    common = {"weights": weights, "seed": options.seed, "threads": options.threads}
    folder = pair.checkout and str(getattr(options, pair.checkout.option).resolve())
    about = {"adapter": pair.adapter, "checkout": folder, "settings": dict(pair.settings), **common}
    names = {pair.title: dict(pair.changes)}
    if pair.network is not None:
        names = {f"{pair.title}, {kind}": {**pair.changes, "precision": kind} for kind in options.precision}
    found = {
        pair.original: Conversation(
            pair.original, worker_command("originals", about, options.python), threads=options.threads
        )
    }
    for name, changes in names.items():
        table = folder if pair.colour_names else None
        mine = {"parameters": pair.parameters, "network": pair.network, "changes": changes, **common}
        mine["colour_names"] = table
        found[name] = Conversation(name, worker_command("ours", mine), threads=options.threads)
    return found


def compare(pair: Pair, clip: Clip, weights: str | None, options: argparse.Namespace) -> list[Row]:
    """Returns a row for each precision.

    Raises:
        PeerDied: a tracker's process ended.
        PeerError: the two sides have different weights.
    """
    with ExitStack() as stack:
        talks = [stack.enter_context(talk) for talk in conversations(pair, weights, options).values()]
        for talk in talks[1:]:
            check_weights(talks[0], talk)
        theirs, *ours = take_turns(talks, clip)
    return [row(talk.name, pair.original, mine, theirs, pair.goal) for talk, mine in zip(talks[1:], ours)]


def check_weights(original: Conversation, mine: Conversation) -> None:
    """Raises PeerError if one of our weights is none of the original's, which may have others that it does not use."""
    other = [name for name, value in mine.weights.items() if original.weights.get(name) != value]
    if other:
        raise PeerError(f"{mine.name} and {original.name} have different weights, such as {other[0]}")


def run(options: argparse.Namespace) -> int:
    """Runs the comparisons, and prints the table; returns 1 if one of them failed, else 0."""
    weights = dict(options.weights)
    unknown = [name for name in weights if name not in PAIRS]
    if unknown:
        raise PeerError(f"--weights {unknown[0]}: no such tracker; there are {', '.join(PAIRS)}")
    for name, file in weights.items():
        if not Path(file).is_file():
            raise PeerError(f"--weights {name}={file}: there is no such file")
        if PAIRS[name].network is None:
            raise PeerError(f"--weights {name}={file}: {PAIRS[name].title} has no network")
    for checkout in CHECKOUTS:
        if getattr(options, checkout.option) is not None:
            checkout.check(getattr(options, checkout.option))
    if options.count < 2 or options.threads < 1:
        raise PeerError("--count must be 2 or more, and --threads 1 or more")
    clip = read_clip(options.frames, options.count)
    rows: list[Row] = []
    failed = False
    for name in options.trackers:
        pair = PAIRS[name]
        if pair.checkout is not None and getattr(options, pair.checkout.option) is None:
            print(f"{name} is left out: it needs --{pair.checkout.option}, a clone of {pair.checkout.source}")
            continue
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            rows += compare(pair, clip, weights.get(name), options)
        except PeerError as error:
            told(error, options.debug)
            failed = True
    print(f"\n{len(clip.frames)} frames of {options.frames.resolve().name}, {options.threads} thread(s) a process\n")
    print(markdown(rows))
    if options.out is not None:
        write_bytes_atomically(options.out, json.dumps([asdict(one) for one in rows], indent=1).encode())
    return int(failed)


def told(error: Exception, debug: bool) -> None:
    """Prints an error in one line, or with its traceback."""
    if debug:
        traceback.print_exception(error)
    else:
        print(f"error: {error}", file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        return run(options)
    except (PeerError, OSError) as error:
        told(error, options.debug)
        return 1


if __name__ == "__main__":
    sys.exit(main())
