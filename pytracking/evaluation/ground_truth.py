"""The reader of ground-truth files: boxes and polygons, one a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ltr.dataset.text import DatasetError, read_rows

BOX, POLYGON = 4, 8  # numbers of a line


def read_regions(file: Path, polygons: bool = False, missing: bool = False) -> np.ndarray:
    """Returns the regions (T, 4) or (T, 8) of a text file, one a line: x, y, w, h, or four corners x1, y1, ..., x4, y4.

    Args:
        file: the file.
        polygons: lines may hold four corners; if one does, boxes become their four corners.
        missing: lines of NaN alone are frames without the target.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: a line holds something else or nothing, or the file does; the message names it.
    """
    rows = read_rows(file, (BOX, POLYGON) if polygons else (BOX,), missing)
    if not rows:
        raise DatasetError(f"{file} holds no boxes")
    if len({len(row) for row in rows}) > 1:
        from pytracking.metrics.regions import corners

        rows = [row if len(row) == POLYGON else corners([row]).reshape(-1).tolist() for row in rows]
    return np.array(rows)
