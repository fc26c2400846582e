"""The targets of a video: named, each with a box or a click in the frame that it is tracked from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ltr.dataset.text import read_csv, short
from pytracking.live.session import StartError, click_to_box
from pytracking.tracker.base import check_initial_box

FORWARDS, BACKWARDS, BOTH = "forwards", "backwards", "both"
DIRECTIONS = (FORWARDS, BACKWARDS, BOTH)
LONGEST_NAME = 64
COLUMNS = ("frame", "x", "y", "target", "video")  # of a file of clicks; the last two may be missing


@dataclass(frozen=True)
class Target:
    """A target before it is tracked.

    Attributes:
        name: of the target; empty: :func:`named` numbers it.
        box: x, y, w, h in pixels, or None.
        click: x, y in pixels, where there is no box.
        frame: which shows it there, from 0.
        video: name of the video that it is in; empty: it is in every one.
    """

    name: str = ""
    box: tuple[float, ...] | None = None
    click: tuple[float, float] | None = None
    frame: int = 0
    video: str = ""

    def first_box(self, image: np.ndarray, method: str | None = None) -> np.ndarray:
        """Returns its box (4,) in the frame ``image``; a click becomes one as ``click_to_box`` says.

        Raises:
            StartError: the box or the click is not in the frame; the message names the target.
            RegistryError: there is no such method.
        """
        try:
            if self.box is not None:
                return check_initial_box(self.box, image)
            assert self.click is not None
            return click_to_box(image, self.click, method)
        except ValueError as error:  # a StartError is one
            raise StartError(f"target {self.name!r}, frame {self.frame}: {error}") from error


def named(targets: Iterable[Target]) -> tuple[Target, ...]:
    """Returns the targets, those without a name numbered from 1, each with a name of its own in its video.

    >>> [target.name for target in named([Target(click=(1, 2)), Target("cat", click=(3, 4)), Target(click=(5, 6))])]
    ['1', 'cat', '2']

    Raises:
        StartError: there is no target, two have one name, or a name cannot be written into every file.
    """
    given = list(targets)
    if not given:
        raise StartError("no target is given: name one by a click or a box (--click X Y, --box X Y W H, --clicks FILE)")
    taken = {target.name for target in given}
    free = (str(number) for number in range(1, 2 * len(given) + 1) if str(number) not in taken)
    found = tuple(target if target.name else replace(target, name=next(free)) for target in given)
    for target in found:
        if len(target.name) > LONGEST_NAME or not target.name.isprintable() or target.name != target.name.strip():
            raise StartError(
                f"{short(target.name)} cannot be a target's name: give at most {LONGEST_NAME} printable characters, "
                "and no blank at its ends"
            )
    for one in found:
        twice = [other for other in found if other.name == one.name and _share_a_video(other, one)]
        if len(twice) > 1:
            frames = ", ".join(str(target.frame) for target in twice)
            raise StartError(
                f"{len(twice)} targets are named {one.name!r} (in the frames {frames}): a target is tracked from one "
                "box or click, so give each another name"
            )
    return found


def check_targets(targets: Sequence[Target], count: int, direction: str, where: str) -> None:
    """Checks targets against the number of a video's frames.

    Raises:
        StartError: one begins beyond the video, or where nothing is left to track in that direction.
    """
    for target in targets:
        if target.frame >= count:
            raise StartError(
                f"target {target.name!r} begins in frame {target.frame}, but {where} has {count} frames, from 0 to "
                f"{count - 1}"
            )
        if direction == FORWARDS and target.frame == count - 1:
            raise StartError(
                f"target {target.name!r} begins in frame {target.frame}, the last one of {where}: nothing is left to "
                "track forwards. Track it backwards (--backwards, or --both), or begin earlier"
            )
        if direction == BACKWARDS and target.frame == 0:
            raise StartError(
                f"target {target.name!r} begins in frame 0 of {where}: nothing is left to track backwards. Track it "
                "forwards, or begin later (--start)"
            )


def read_clicks(path: Path) -> list[Target]:
    """Returns the targets that a CSV file names: a header with ``frame``, ``x``, ``y``, and a row for each click.

    Frames count from 0. ``target``, a name, and ``video`` may be missing.

    Raises:
        FileNotFoundError: there is no such file.
        StartError: it is none, or a row is wrong; the message names file and line.
        DatasetError: it is no text.
    """
    rows = read_csv(path)
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or any(header.count(name) != 1 for name in COLUMNS[:3]) or len(set(header)) < len(header):
        raise StartError(
            f"{path} must begin with a header such as frame,x,y,target (target and video may be missing); it has "
            f"{short(','.join(header))}"
        )
    found = [_clicked(dict(zip(header, row)), len(row) == len(header), path, row) for row in rows[1:]]
    if not found:
        raise StartError(f"{path} holds no click: a row for each target, such as 0,105,170,cat")
    return found


def _clicked(cells: dict[str, str], whole: bool, path: Path, row: Sequence[str]) -> Target:
    where = f"{path}: the row {short(','.join(row))}"
    if not whole:
        raise StartError(f"{where} has another number of cells than the header")
    frame = cells["frame"].strip()
    if not frame.isdecimal() or len(frame) > 9:
        raise StartError(f"{where}: frame must be a whole number from 0 on")
    try:
        x, y = float(cells["x"]), float(cells["y"])
    except ValueError:
        x = y = float("nan")
    if not np.isfinite([x, y]).all():
        raise StartError(f"{where}: x and y must be numbers")
    name, video = (cells.get(key, "").strip() for key in ("target", "video"))
    return Target(name, click=(x, y), frame=int(frame), video=video)


def _share_a_video(one: Target, other: Target) -> bool:
    return not one.video or not other.video or one.video == other.video
