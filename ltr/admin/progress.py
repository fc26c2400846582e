"""How far long work is, for a person at a terminal and for the log of a job."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10.0  # where there is no terminal


class _Lines:
    """A stream on which each state of a bar is a line of its own, in place of one that is written over."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._last = ""

    def write(self, text: str) -> None:
        line = text.strip("\r\n ")
        if line and line != self._last:
            self.stream.write(f"{line}\n")
            self._last = line

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def progress_bar(*iterable: Any, **options: Any) -> Any:
    """Returns a ``tqdm.tqdm`` on standard error; where that is no terminal, it writes a line from time to time."""
    if sys.stderr.isatty():
        return tqdm(*iterable, **options)
    given = {"mininterval": SECONDS_BETWEEN_LINES, "file": _Lines(sys.stderr), "ascii": True, "ncols": 100}
    return tqdm(*iterable, **{**given, **options})


def end_bars() -> None:
    """Ends the lines of bars that are still drawn, so that what is printed next has a line of its own."""
    for bar in list(getattr(tqdm, "_instances", ())):
        bar.close()
