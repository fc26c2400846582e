"""Readers of ground-truth files: boxes and polygons, one a line, and flags.

An interrupted or edited file is told by its line; nothing is guessed.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pytracking.evaluation.sequence import SequenceError

BOX, POLYGON = 4, 8  # numbers of a line


def read_regions(file: Path, polygons: bool = False, missing: bool = False) -> np.ndarray:
    """Returns the regions (T, 4) or (T, 8) of a text file, one a line, separated by commas, tabs or spaces.

    Args:
        file: the file.
        polygons: lines may hold four corners x1, y1, ..., x4, y4; if one does, boxes become their four corners.
        missing: lines of NaN alone are frames without the target.

    Raises:
        FileNotFoundError: there is no such file.
        SequenceError: a line holds something else, or the file nothing; the message names it.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FileNotFoundError(f"the ground truth {file} does not exist") from None
    except UnicodeDecodeError:
        raise SequenceError(f"{file} is no text; a ground truth has one box a line") from None
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = [float(value) for value in re.split(r"[,\s]+", line.strip().strip(","))]
        except ValueError:
            row = []
        known = len(row) == BOX or (polygons and len(row) == POLYGON)
        if not known or not (np.isfinite(row).all() or (missing and np.isnan(row).all())):
            what = "four finite numbers x, y, w, h" + (" or eight of a polygon" if polygons else "")
            what += ", or NaN alone" if missing else ""
            raise SequenceError(f"{file}, line {number}: expected {what}, not {line.strip()!r}")
        rows.append(row)
    if not rows:
        raise SequenceError(f"{file} holds no boxes")
    if len({len(row) for row in rows}) > 1:
        from pytracking.metrics.regions import corners

        rows = [row if len(row) == POLYGON else corners([row]).reshape(-1).tolist() for row in rows]
    return np.array(rows)


def read_flags(file: Path) -> np.ndarray:
    """Returns the whole numbers (T,) of a text file, separated by commas or white space.

    Raises:
        FileNotFoundError: there is no such file.
        SequenceError: it holds something else.
    """
    try:
        return np.array([int(word) for word in re.split(r"[,\s]+", file.read_text().strip(" ,\n\r\t"))])
    except FileNotFoundError:
        raise FileNotFoundError(f"{file} does not exist") from None
    except ValueError:
        raise SequenceError(f"{file} must hold whole numbers, one for each frame") from None
