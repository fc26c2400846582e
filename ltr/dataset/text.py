"""The one reader of text files: numbers, flags, names and JSON that data sets, trackers and people have written.

Text is UTF-8, with or without a byte order mark; a line ends with LF, CRLF or CR. Numbers are separated by a comma or
a semicolon, by tabs or blanks, or by both (``x, y, w, h``). Empty lines at the end of a file do not count; one in the
middle of numbers is an error, since whatever follows it would belong to another frame.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np

_LINE_END = re.compile(r"\r\n|\r|\n")  # str.splitlines would also break at separators that a name may hold
_SEPARATOR = re.compile(r"\s*[,;]\s*|\s+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(nan|inf)", re.ASCII | re.IGNORECASE)
_SHOWN = 60  # letters of a broken line


class DatasetError(ValueError):
    """A data set, or another file of text, that is missing, incomplete or not in the expected form."""


def read_text(path: Path) -> str:
    """Returns the text of a file, with its line ends as they are and without a byte order mark.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: it cannot be read, is no regular file, or no UTF-8; the message names it, and the line.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise DatasetError(f"{path} cannot be read: it is a folder, a pipe or a device, and no file")
        data = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(_LINE_END.split(data[: error.start].decode("utf-8-sig", "replace")))
        raise DatasetError(f"{path}, line {line}: this is no text in UTF-8; save the file as UTF-8") from None


def read_csv(path: Path) -> list[list[str]]:
    """Returns the rows of a CSV file that are not empty, as cells; a quoted cell may hold commas and line ends.

    Raises:
        FileNotFoundError, DatasetError: as :func:`read_text`; or a cell is longer than a file of numbers has.
    """
    try:
        rows = list(csv.reader(io.StringIO(read_text(path), newline="")))
    except csv.Error as error:
        raise DatasetError(f"{path} is no CSV file: {error}") from None
    return [row for row in rows if any(cell.strip() for cell in row)]


def read_lines(path: Path) -> list[str]:
    """Returns the lines of a file without white space around them; those at the end that are empty are left out.

    Errors are those of :func:`read_text`.
    """
    lines = [line.strip() for line in _LINE_END.split(read_text(path))]
    while lines and not lines[-1]:
        del lines[-1]
    return lines


def read_rows(path: Path, columns: Collection[int], missing: bool = False) -> list[list[float]]:
    """Returns the numbers of each line.

    Args:
        path: of the file.
        columns: how many numbers a line may have.
        missing: a line of NaN and nothing else is one without a value.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: a line holds something else, or nothing; the message names file and line.
    """
    rows = []
    for number, line in enumerate(read_lines(path), start=1):
        row = _numbers(line)
        if row is None or len(row) not in columns or not _is_value(row, missing):
            wanted = " or ".join(f"{count} number{'s' * (count > 1)}" for count in columns)
            wanted += ", or nan alone" if missing else ""
            raise DatasetError(f"{path}, line {number}: expected {wanted}, not {short(line)}")
        rows.append(row)
    return rows


def read_table(path: Path, columns: int, rows: int | None = None, missing: bool = True) -> np.ndarray:
    """Returns the numbers of a file as (rows, columns) float64.

    Args:
        path: of the file.
        columns: numbers of a line.
        rows: lines that there must be, one for each image; by default as many as there are.
        missing: a line of NaN and nothing else is one without a value.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: a line holds something else, or there are not as many; the message names file and line, or both
            counts.
    """
    table = np.array(read_rows(path, (columns,), missing), np.float64).reshape(-1, columns)
    if rows is not None:
        check_count(path, len(table), "lines", rows)
    return table


def read_flags(path: Path, frames: int, highest: int = 1) -> np.ndarray:
    """Returns a whole number for each frame, (frames,) int64: one a line, or all in one line. ``1.0`` is 1.

    Args:
        path: of the file.
        frames: how many there must be.
        highest: each is from 0 to this.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: it holds something else, or not as many; the message names file and line, or both counts.
    """
    flags: list[float] = []
    lines = read_lines(path)
    for number, line in enumerate(lines, start=1):
        row = _numbers(line)
        if not row or (len(lines) > 1 and len(row) > 1) or not all(value in range(highest + 1) for value in row):
            wanted = f"a whole number from 0 to {highest}{', or all numbers in one line' * (len(lines) > 1)}"
            raise DatasetError(f"{path}, line {number}: expected {wanted}, not {short(line)}")
        flags += row
    check_count(path, len(flags), "numbers", frames)
    return np.array(flags).astype(np.int64)


def check_count(path: Path, count: int, what: str, images: int) -> None:
    """Raises DatasetError if a file has another ``count`` of ``what`` than there are images."""
    if count != images:
        raise DatasetError(
            f"{path} has {count} {what} for {images} images; it must have one for each image, so one of the two is not "
            "whole"
        )


def read_json(path: Path) -> Any:
    """Returns the content of a JSON file.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: it is no JSON; the message names file and line.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise DatasetError(f"{path}, line {error.lineno}: this is no JSON ({error.msg}); is the file whole?") from None
    except (RecursionError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{path} cannot be read: it is nested too deep, or has a number that is too long") from None


def read_xml(path: Path) -> ElementTree.Element:
    """Returns the root of an XML file.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: it is no XML, or has a DOCTYPE, which can make a small file a huge one, or read other files.
    """
    content = read_text(path)

    def refuse(*_: object) -> None:
        raise DatasetError(f"{path} has a DOCTYPE, which is not read; remove that line")

    checker = expat.ParserCreate()
    checker.StartDoctypeDeclHandler = refuse
    try:
        checker.Parse(content, True)
        return ElementTree.fromstring(content)
    except (expat.ExpatError, ElementTree.ParseError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{path} is no whole XML file: {error}") from error


def _numbers(line: str) -> list[float] | None:
    """Returns the numbers of a line, or None if it holds something else."""
    words = _SEPARATOR.split(line)
    if len(words) > 1 and not words[-1]:  # a separator at the end
        del words[-1]
    return [float(word) for word in words] if all(map(_NUMBER.fullmatch, words)) else None


def _is_value(row: list[float], missing: bool) -> bool:
    return all(map(math.isfinite, row)) or (missing and all(map(math.isnan, row)))


def short(line: str) -> str:
    """Returns a line for an error's message, quoted, and cut if it is long."""
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}...")
