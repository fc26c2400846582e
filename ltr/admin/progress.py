"""How far long work is, for a person at a terminal and for the log of a job."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10.0  # where there is no terminal


def progress_bar(*iterable: Any, **options: Any) -> Any:
    """Returns a ``tqdm.tqdm`` on standard error; where that is no terminal, it says less often how far things are."""
    often = 0.1 if sys.stderr.isatty() else SECONDS_BETWEEN_LINES
    return tqdm(*iterable, **{"mininterval": often, **options})
