"""Text files of numbers, as data sets hold their annotations, and what is said of broken ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np


class DatasetError(ValueError):
    """A data set whose files are missing, incomplete or not in the expected form."""


def read_table(path: Path, columns: int, rows: int | None = None) -> np.ndarray:
    """Returns the numbers of a text file as (rows, columns) float32. A row of several nan is one without a value.

    Args:
        path: of the file; numbers are separated by commas or spaces.
        columns: numbers of a line.
        rows: lines that there must be; by default as many as there are.

    Raises:
        DatasetError: a line holds something else, or there are not as many; the message names file and line.
    """
    lines = path.read_text(encoding="utf-8-sig", errors="replace").rstrip().splitlines()
    table = np.empty((len(lines), columns), np.float32)
    for number, line in enumerate(lines):
        try:
            values = [float(word) for word in line.replace(",", " ").split()]
        except ValueError:
            values = []
        empty = columns > 1 and all(np.isnan(values))
        if len(values) != columns or not (empty or np.isfinite(values).all()):
            wanted = "a number" if columns == 1 else f"{columns} numbers with commas between them, or nan for all"
            raise DatasetError(f"{path}, line {number + 1}: {line.strip()!r} is not {wanted}")
        table[number] = values
    if rows is not None and len(lines) != rows:
        raise DatasetError(f"{path} has {len(lines)} lines for {rows} images; it must have one for each image")
    return table
