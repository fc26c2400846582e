"""DeepLabCut's CSV: header rows ``scorer``, perhaps ``individuals``, ``bodyparts``, ``coords``; an empty cell is none.

A row is an image ``labeled-data/<video>/imgNNN.png``, in one cell or in three, or the number of a frame, from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from socl_plugins.clicks.exchange.marks import (
    ClickedVideo,
    ExchangeError,
    Format,
    Mark,
    Reading,
    Space,
    image_mark,
    number,
    read_cells,
    rows_of,
    target_name,
)

HEADERS = ("scorer", "individuals", "bodyparts", "coords")


def read(path: Path, base: int = 0) -> Reading:
    """Returns the marks of a DeepLabCut file."""
    rows = read_cells(path)
    headers = {row[0].strip().lower(): row for row in rows if row[0].strip().lower() in HEADERS}
    if "bodyparts" not in headers or "coords" not in headers:
        raise ExchangeError(f"{path} has no rows bodyparts and coords, as DeepLabCut's files have")
    found = Reading()
    names = _targets(headers)
    for row in rows:
        if row[0].strip().lower() in HEADERS:
            continue
        first = next(column for column, kind in enumerate(headers["coords"]) if kind in ("x", "y", "likelihood"))
        place = _place(row[:first], base)
        if place is None:
            found.dropped[f"the row's name holds no frame number, such as {row[0]!r}"] += 1
            continue
        for target, columns in names.items():
            x, y = (row[columns[axis]].strip() if columns[axis] < len(row) else "" for axis in "xy")
            if not x or not y or "nan" in (x.lower(), y.lower()):
                continue
            where = f"{path}, {'/'.join(row[:first])}"
            point = number({"x": x}, "x", where), number({"y": y}, "y", where)
            found.marks.append(Mark(place[0], place[1], target, *point, space=place[2]))
    return found


def _targets(headers: dict[str, list[str]]) -> dict[str, dict[str, int]]:
    """Returns the columns of x and y of each target."""
    parts, people = headers["bodyparts"], headers.get("individuals")
    several = len({part for part, kind in zip(parts, headers["coords"]) if kind == "x"}) > 1
    found: dict[str, dict[str, int]] = {}
    for column, kind in enumerate(headers["coords"]):
        if kind in ("x", "y"):
            name = target_name(parts[column])
            if people is not None:
                name = target_name(people[column], parts[column]) if several else target_name(people[column])
            found.setdefault(name, {})[kind] = column
    return {name: columns for name, columns in found.items() if len(columns) == 2}


def _place(index: Sequence[str], base: int) -> tuple[str | None, int, Space] | None:
    name = "/".join(cell for cell in index if cell)
    return (None, int(name), "source") if name.isdecimal() else image_mark(name, base)


def write(videos: Sequence[ClickedVideo]) -> dict[str, bytes]:
    """Returns a file for each video, whose rows are the video's images."""
    files = {}
    for video in videos:
        targets = video.targets()
        columns = [target for target in targets for _ in "xy"]
        rows: list[Sequence[object]] = [("bodyparts", *columns), ("coords", *(["x", "y"] * len(targets)))]
        for frame in sorted({mark.frame for mark in video.marks}):
            here = {mark.target: mark for mark in video.marks if mark.frame == frame}
            cells = [
                value for name in targets for value in ((here[name].x, here[name].y) if name in here else ("", ""))
            ]
            rows.append((f"labeled-data/{video.name}/{frame + 1:08d}.jpg", *cells))
        files[f"{video.name}/CollectedData_socl.csv"] = rows_of(("scorer", *(["socl"] * len(columns))), rows)
    return files


def recognise(path: Path) -> bool:
    """Returns whether it is a CSV file whose first row is the scorer."""
    try:
        rows = read_cells(path)
    except (ExchangeError, OSError):
        return False
    return bool(rows) and rows[0][0].strip().lower() == "scorer"


FORMAT = Format("DeepLabCut (CSV)", recognise, read, ".csv", write, of_images=True)
