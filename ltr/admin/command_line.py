"""What all command lines share: types of options, listings, error messages, the exit status."""

from __future__ import annotations

import argparse
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterable

from ltr.admin.errors import message_for_people
from ltr.registry import load_plugins


def key_and_value(text: str) -> tuple[str, str]:
    """Returns the two sides of ``KEY=VALUE``."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, such as epochs=5, not {text!r}")
    return key.strip(), value.strip()


def add_set_option(parser: argparse.ArgumentParser, what: str) -> None:
    """Adds ``--set KEY=VALUE``, gathered in ``overrides`` as pairs; ``what`` it changes is for the help."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=key_and_value,
        metavar="KEY=VALUE",
        dest="overrides",
        help=f"change {what}; may be given several times",
    )


def add_plugin_option(parser: argparse.ArgumentParser, what: str) -> None:
    """Adds ``--plugin MODULE_OR_FILE``, gathered in ``plugin``; ``what`` it may register is for the help."""
    parser.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="MODULE_OR_FILE",
        help=f"import this module or Python file first, which may register {what}; may be given several times",
    )


def whole_number(text: str) -> int:
    """Returns a whole number from 0 on, of 18 digits at most: such numbers overflow nowhere."""
    if not text.isdecimal() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, of 18 digits at most, not {text[:40]!r}")
    return int(text)


def number_in(low: float, high: float = math.inf, above: bool = False) -> Callable[[str], float]:
    """Returns a type of options: finite numbers from ``low`` (if ``above``, beyond it) to ``high``.

    >>> number_in(0, 1)("0.5")
    0.5
    """
    start = f"above {low:g}" if above else f"from {low:g} on" if high == math.inf else f"from {low:g}"
    words = f"a number {start}" + (f" to {high:g}" if high < math.inf else "")

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (low < value if above else low <= value) or value > high or value == math.inf:
            raise argparse.ArgumentTypeError(f"expected {words}, not {text[:40]!r}")
        return value

    return number


def print_names(names: Iterable[str], entry: Callable[[str], object]) -> None:
    """Prints each name, with a space for its slash, and the first line of its entry's docstring."""
    for name in names:
        try:
            text = (entry(name).__doc__ or "").strip()
        except Exception as error:  # one broken entry must not hide the others
            text = f"(cannot be imported: {type(error).__name__}: {error})"
        print(f"  {name.replace('/', ' '):32}{text.splitlines()[0] if text else ''}".rstrip())


def print_error(error: Exception, debug: bool, option: str) -> None:
    """Prints an error that this project worded as one message, and any other with its traceback.

    Args:
        error: what ended the program.
        debug: print every traceback.
        option: what a person adds to the command line to get it.
    """
    message = None if debug else message_for_people(error)
    if message is None:
        traceback.print_exception(error)
    else:
        print(f"error: {message}\n({option} shows the traceback)", file=sys.stderr)


def run_command(
    options: argparse.Namespace,
    command: Callable[[argparse.Namespace], int],
    debug_option: str = "--debug 1",
    interrupted: str = "what was finished is saved, and the same command goes on from there",
) -> int:
    """Loads the plugins, runs the command and returns the exit status; errors become one line, or a traceback.

    Args:
        options: what was parsed: ``plugin`` and ``debug``, and what the command reads.
        command: takes the options and returns the exit status.
        debug_option: what a person adds to see the traceback of an error.
        interrupted: what Ctrl-C leaves behind.
    """
    try:
        load_plugins(options.plugin)
        status = command(options)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print(f"\ninterrupted; {interrupted}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # who read the output has seen enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it once more at its end
        return 141
    except Exception as error:  # every error ends here, with an honest status
        print_error(error, bool(options.debug), debug_option)
        return 1


def clock(seconds: float) -> str:
    """Returns a duration as people read it.

    >>> clock(61), clock(3661)
    ('1:01', '1:01:01')
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
