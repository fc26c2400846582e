"""Plain CSV (``frame,x,y`` and perhaps ``target``, ``state``, ``video``) and MOTChallenge's boxes, of which centres."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from socl_plugins.clicks.exchange.marks import (
    ClickedVideo,
    ExchangeError,
    Format,
    Mark,
    Reading,
    header_is,
    number,
    read_cells,
    rows_of,
    target_name,
    whole_number,
)
from socl_plugins.clicks.log import FIRST_TARGET

COLUMNS = ("frame", "x", "y", "target", "state")
MOT_COLUMNS = ("frame", "id", "bb_left", "bb_top", "bb_width", "bb_height", "conf")
STATES = ("visible", "occluded", "absent")


def read(path: Path, base: int = 0) -> Reading:
    """Returns the marks of a plain CSV file; frames count from ``base``."""
    header, *rows = read_cells(path) or [[]]
    names = [name.strip().lower() for name in header]
    unknown = [name for name in names if name and name not in (*COLUMNS, "video")]
    if unknown:
        raise ExchangeError(f"{path}: unknown column {unknown[0]!r}; there are {', '.join(COLUMNS)} and video")
    found = Reading()
    for line, row in enumerate(rows, 2):
        values, where = dict(zip(names, (cell.strip() for cell in row))), f"{path}, line {line}"
        state = values.get("state") or "visible"
        if state not in STATES:
            found.dropped[f"the state {state!r}"] += 1
            continue
        frame = whole_number(values, "frame", where) - base
        target = target_name(values.get("target") or FIRST_TARGET)
        empty = state != "visible" and not values.get("x")
        x, y = (None, None) if empty else (number(values, "x", where), number(values, "y", where))
        found.marks.append(Mark(values.get("video") or None, frame, target, x, y, state))
    return found


def write(videos: Sequence[ClickedVideo]) -> dict[str, bytes]:
    """Returns a file for each video; frames count from 0."""
    return {
        f"{video.name}.csv": rows_of(COLUMNS, [(m.frame, m.x, m.y, m.target, m.state) for m in video.marks])
        for video in videos
    }


def recognise(path: Path) -> bool:
    """Returns whether it is a CSV file with the header ``frame,x,y``."""
    return header_is(path, *COLUMNS[:3])


def read_mot(path: Path, base: int = 1) -> Reading:
    """Returns the centres of the boxes of a MOTChallenge file: frames and pixels count from 1; conf 0 is ignored."""
    found = Reading()
    for line, row in enumerate(read_cells(path), 1):
        values = dict(zip(MOT_COLUMNS, row))
        frame = whole_number(values, "frame", f"{path}, line {line}")
        left, top, width, height = (number(values, name, f"{path}, line {line}") for name in MOT_COLUMNS[2:6])
        if len(row) > 6 and number(values, "conf", f"{path}, line {line}") == 0:
            found.dropped["to be ignored (conf 0)"] += 1
            continue
        place = left - 1 + width / 2, top - 1 + height / 2
        found.marks.append(Mark(None, frame - 1, target_name(row[1].strip()), *place))
    return found


def recognise_mot(path: Path) -> bool:
    """Returns whether each row of the file has six numbers or more."""
    try:
        rows = read_cells(path)
        return bool(rows) and all(len(row) >= 6 and all(map(float, row[:6])) is not None for row in rows[:20])
    except (ExchangeError, OSError, ValueError):
        return False


FORMAT = Format("plain CSV: frame,x,y[,target][,state][,video]", recognise, read, ".csv", write, states=STATES)
MOT = Format("MOTChallenge boxes (CSV), their centres", recognise_mot, read_mot, ".txt")
