"""What all command lines share: one set of option names, types of options, listings, errors, the exit status."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from ltr.admin.errors import message_for_people
from ltr.admin.jobs import let_waiting_threads_sleep, local_cores
from ltr.admin.path_files import EnvironmentError_, is_url, user_path
from ltr.admin.path_variables import set_paths
from ltr.admin.processes import stopped_by_sigterm
from ltr.registry import Registry, load_plugins, near_names

LARGEST_NUMBER = 2**31 - 1
"""Of whole numbers that are typed: what every library takes, as a count and as a seed."""
LONGEST_WORD = 300
"""Characters of a word in an error message; of a longer one the middle is left out."""

T = TypeVar("T")


class CommandParser(argparse.ArgumentParser):
    """A parser whose options are spelled with dashes, and understood with underscores, too (``--run_id``).

    An unknown option is told near names, and a message is one line that can be read.
    """

    def __init__(self, prog: str, description: str | None = None, epilog: str | None = None, **settings: Any) -> None:
        raw = argparse.RawDescriptionHelpFormatter
        super().__init__(prog, description=description, epilog=epilog, formatter_class=raw, **settings)

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def,override] # as argparse has it
        """Parses the words, with dashes in the names of options."""
        words = sys.argv[1:] if args is None else list(args)
        end = words.index("--") if "--" in words else len(words)
        return super().parse_known_args([*map(_dashed, words[:end]), *words[end:]], namespace)

    def parse_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def,override]
        """Returns the options; an unknown one ends the program with status 2."""
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            more = self._where_it_belongs(unknown[0].partition("=")[0]) if unknown[0][:1] == "-" else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{more and '.' + more}")
        return options

    def format_help(self) -> str:
        """Returns the help, without the double backquotes of the docstrings that its texts come from."""
        return super().format_help().replace("``", "")

    def error(self, message: str) -> Any:
        """Prints the usage and the message, and ends the program with status 2."""
        super().error(shortened(message))

    def _where_it_belongs(self, option: str) -> str:
        subparsers = (each.choices for each in self._actions if isinstance(each, argparse._SubParsersAction))
        having = [name for each in subparsers for name, parser in each.items() if option in parser._shown_options()]
        return f" {option} is an option of {', '.join(having)}" if having else near_names(option, self._shown_options())

    def _shown_options(self) -> list[str]:
        shown: list[str] = []
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for command in action.choices.values():
                    shown += command._shown_options()
            elif action.help is not argparse.SUPPRESS:
                shown += action.option_strings
        return list(dict.fromkeys(shown))  # commands share options


def _dashed(word: str) -> str:
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value


def add_option(parser: argparse._ActionsContainer, name: str, *earlier: str, **settings: Any) -> None:
    """Adds an option, and the names that it had earlier, which are understood and not shown.

    Args:
        parser: or a group of one.
        name: as the help shows it.
        *earlier: names.
        **settings: as ``add_argument`` takes them.
    """
    dest = parser.add_argument(name, **settings).dest
    hidden = {**settings, "dest": dest, "default": argparse.SUPPRESS, "help": argparse.SUPPRESS, "required": False}
    for other in earlier:
        parser.add_argument(other, **hidden)


def add_common_options(parser: argparse.ArgumentParser, plugins: str, debug_levels: str = "") -> None:
    """Adds the options that every command has: ``--workspace``, ``--plugin`` and ``--debug``.

    :func:`run_command`, or :func:`common_options`, does what they say.

    Args:
        parser: of a command.
        plugins: what a plugin may register, for the help.
        debug_levels: makes of ``--debug`` an option with a level, 1 if none is given, and says what these do.
    """
    parser.add_argument(
        "--workspace",
        type=workspace,
        metavar="DIR",
        help="where what is written goes, by default: a folder, or object storage such as s3://BUCKET/FOLDER "
        "(default: as configured)",
    )
    add_plugin_option(parser, plugins)
    if debug_levels:
        parser.add_argument(
            "--debug", type=whole_number, nargs="?", const=1, default=0, metavar="LEVEL", help=debug_levels
        )
    else:
        parser.add_argument("--debug", action="store_true", help="show the traceback of every error")


@contextlib.contextmanager
def common_options(options: argparse.Namespace) -> Iterator[None]:
    """Sets the workspace and how threads wait, here and for the processes started from here, and loads the plugins.

    A workspace on object storage is its copy on this machine while open, and is stored when it closes.

    Raises:
        PluginError: a plugin that was named cannot be imported.
        ObjectStorageError: the workspace cannot be reached.
    """
    let_waiting_threads_sleep()
    with contextlib.ExitStack() as stack:
        folder = options.workspace
        if isinstance(folder, str):
            from ltr.admin.object_storage import workspace_at

            folder = stack.enter_context(workspace_at(folder))
        if folder is not None:
            set_paths({"workspace_dir": folder})
        load_plugins(options.plugin)
        yield


def add_dataset_option(parser: argparse._ActionsContainer, **settings: Any) -> None:
    """Adds ``--dataset``, which was ``--dataset_name``; the settings are those of ``add_argument``."""
    add_option(parser, "--dataset", "--dataset-name", **{"metavar": "NAME", **settings})


def add_run_id_option(parser: argparse._ActionsContainer, **settings: Any) -> None:
    """Adds ``--run-id N``, which was ``--runid``; the settings are those of ``add_argument``."""
    add_option(parser, "--run-id", "--runid", **{"type": whole_number, "metavar": "N", **settings})


def add_jobs_option(parser: argparse._ActionsContainer) -> None:
    """Adds ``--jobs N``, which was ``--threads``, for commands that track in this process by default."""
    what = "worker processes; -1: one on each core (default: 0, none but this one)"
    add_option(parser, "--jobs", "--threads", type=processes, default=0, metavar="N", help=what)


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


def key_and_value(text: str) -> tuple[str, str]:
    """Returns the two sides of ``KEY=VALUE``."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, such as epochs=5, not {text!r}")
    return key.strip(), value.strip()


def whole_number(text: str) -> int:
    """Returns a whole number from 0 to 2,147,483,647."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, not {text!r}")
    if len(text) > 4000 or int(text) > LARGEST_NUMBER:  # Python itself refuses to read more than 4300 digits
        raise argparse.ArgumentTypeError(f"{text} is too large; the largest number is {LARGEST_NUMBER:,}")
    return int(text)


def processes(text: str) -> int:
    """Returns a number of worker processes: from 0 on; -1 stands for one on each core."""
    return local_cores() if text == "-1" else whole_number(text)


def number(text: str) -> float:
    """Returns a finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a number, not {text!r}")
    return value


def number_in(low: float, high: float = math.inf, above: bool = False) -> Callable[[str], float]:
    """Returns a type of options: finite numbers from ``low`` (if ``above``, beyond it) to ``high``.

    >>> number_in(0, 1)("0.5")
    0.5
    """
    bounds = f"above {low:g}" if above else f"from {low:g}"
    bounds += f" to {high:g}" if high < math.inf else "" if above else " on"

    def bounded(text: str) -> float:
        value = number(text)
        if value > high or value < low or (above and value == low):
            raise argparse.ArgumentTypeError(f"expected a number {bounds}, not {text!r}")
        return value

    return bounded


def path(text: str) -> Path:
    """Returns a path, with the home folder in place of ``~``."""
    try:
        return user_path(text)
    except EnvironmentError_ as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def workspace(text: str) -> Path | str:
    """Returns a path, or, as it is, the URL of object storage."""
    return text if is_url(text) else path(text)


def shortened(message: str) -> str:
    """Returns a message whose words of more than 300 characters have lost their middle.

    >>> len(shortened("no number: " + 5000 * "9"))
    114
    """

    def cut(word: re.Match[str]) -> str:
        return f"{word[0][:50]}...{word[0][-50:]}"

    return re.sub(rf"\S{{{LONGEST_WORD + 1},}}", cut, message)


def print_entries(registry: Registry[T], names: Iterable[str] | None = None) -> None:
    """Prints the names of a registry's entries, with a space for a slash, and what each is; nothing is imported."""
    print_descriptions(registry.names() if names is None else names, registry.describe)


def print_descriptions(names: Iterable[str], describe: Callable[[str], str]) -> None:
    """Prints each name, with a space for its slash, and what it is."""
    for name in names:
        try:
            text = describe(name)
        except Exception as error:  # one broken entry must not hide the others
            text = f"(cannot be read: {type(error).__name__}: {error})"
        print(f"  {name.replace('/', ' '):32}{text}".rstrip())


def print_error(error: Exception, debug: bool, option: str = "--debug") -> None:
    """Prints an error that this project worded as one message, and any other with its traceback.

    Args:
        error: what ended the program.
        debug: print every traceback.
        option: what a person adds to the command line to get it.
    """
    if "tqdm" in sys.modules:  # otherwise there can be no bar
        from ltr.admin.progress import end_bars

        end_bars()
    message = None if debug else message_for_people(error)
    if message is None:
        traceback.print_exception(error)
    else:
        print(f"error: {shortened(message)}\n({option} shows the traceback)", file=sys.stderr)


def run_command(
    options: argparse.Namespace,
    command: Callable[[argparse.Namespace], int],
    interrupted: str = "what was finished is saved, and the same command goes on from there",
) -> int:
    """Does what the common options say, runs the command and returns the exit status; an error becomes one line.

    SIGTERM stops it as Ctrl-C does.

    Args:
        options: what was parsed: the common ones, and what the command reads.
        command: takes the options and returns the exit status.
        interrupted: what Ctrl-C or SIGTERM leaves behind.
    """
    try:
        with stopped_by_sigterm(), common_options(options):
            status = command(options)
            sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print(f"\ninterrupted; {interrupted}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return reader_has_gone()
    except Exception as error:  # every error ends here, with an honest status
        print_error(error, bool(options.debug))
        return 1


def reader_has_gone() -> int:
    """Returns the exit status of a command whose output nobody reads any more, such as that of ``... | head``."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it once more at its end
    return 141


def clock(seconds: float) -> str:
    """Returns a duration as people read it.

    >>> clock(61), clock(3661)
    ('1:01', '1:01:01')
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
