"""Options that name the targets of videos and what is written of them, for every command that tracks plain videos."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ltr.admin.command_line import add_option, number, path, whole_number

if TYPE_CHECKING:
    from pytracking.live.targets import Target

Named = tuple[tuple[float, ...], str]  # the numbers of a click or a box, and the target's name, or nothing


class _NamedNumbers(argparse.Action):
    """Gathers numbers, and a name after them, of an option that may be given several times."""

    def __call__(self, parser, namespace, values, option_string=None):  # type: ignore[no-untyped-def] # as argparse has it
        count = len(self.metavar[0].split()) if self.metavar else 0
        if len(values) not in (count, count + 1):
            wanted = " ".join(self.metavar or ())
            raise argparse.ArgumentError(self, f"expected {wanted} (the name may be left out), not {' '.join(values)}")
        try:
            numbers = tuple(number(value) for value in values[:count])
        except argparse.ArgumentTypeError as error:
            raise argparse.ArgumentError(self, str(error)) from error
        found: Named = (numbers, values[count] if len(values) > count else "")
        setattr(namespace, self.dest, [*(getattr(namespace, self.dest) or []), found])


def add_target_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--box``, ``--click``, ``--clicks``, ``--start``, ``--backwards``, ``--both`` and ``--click-method``."""
    named = {"action": _NamedNumbers, "nargs": "+", "default": []}
    what = "a target by its box in the start frame, in pixels; may be given several times"
    add_option(parser, "--box", "--optional-box", metavar=("X Y W H", "NAME"), help=what, **named)
    what = "a target by a point on it in the start frame; may be given several times"
    parser.add_argument("--click", metavar=("X Y", "NAME"), help=what, **named)  # type: ignore[arg-type]
    parser.add_argument(
        "--clicks", type=path, metavar="FILE", help="targets of a CSV file: frame,x,y[,target][,video], from frame 0 on"
    )
    parser.add_argument(
        "--start",
        type=whole_number,
        metavar="FRAME",
        help="the frame of --box and --click, from 0 on (default: 0); --clicks names each target's own",
    )
    direction = parser.add_mutually_exclusive_group()
    direction.add_argument(
        "--backwards", action="store_const", const="backwards", dest="direction", help="track to the first frame"
    )
    direction.add_argument(
        "--both", action="store_const", const="both", dest="direction", help="track to the first frame and to the last"
    )
    parser.add_argument("--click-method", metavar="NAME", help="makes a box of a click (default: the best there is)")


def targets_of(options: argparse.Namespace) -> tuple[Target, ...]:
    """Returns the targets that the options name, those without a name numbered.

    Raises:
        StartError: there are none, two have one name, or a file of clicks is wrong.
        FileNotFoundError: there is no such file.
    """
    from pytracking.live.session import StartError
    from pytracking.live.targets import Target, named, read_clicks

    if options.start is not None and not options.box and not options.click:
        raise StartError("--start is the frame of --click and --box, and none is given; --clicks names frames itself")
    start = options.start or 0
    given = [Target(name, box=box, frame=start) for box, name in options.box]
    given += [Target(name, click=(x, y), frame=start) for (x, y), name in options.click]
    if options.clicks is not None:
        given += read_clicks(options.clicks)
    return named(given)


def names_targets(options: argparse.Namespace) -> bool:
    """Returns whether the options name a target, or say how targets that they name are tracked."""
    return bool(options.box or options.click or options.clicks or options.start or options.direction or options.export)


def is_one_from_the_start(options: argparse.Namespace) -> bool:
    """Returns whether the options name one target, to be tracked forwards from the first frame on, and no export."""
    others = options.clicks or options.start or options.direction or options.export
    return len(options.box) + len(options.click) == 1 and not others
