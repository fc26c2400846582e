"""What a click is outside a folder of clips, and what the formats' modules share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

from ltr.dataset import text
from ltr.dataset.text import DatasetError, read_csv
from socl_plugins.clicks.log import LONGEST_NAME, ClicksError

Space = Literal["source", "clip", "relative"]
_OWN_IMAGE = re.compile(r"\d{8}\.jpe?g")


class ExchangeError(ClicksError):
    """A file of clicks that cannot be read, or does not belong to these clips."""


@dataclass(frozen=True)
class Mark:
    """A place of a target in a frame.

    Attributes:
        video: name of the video, as far as the file tells; None where it does not.
        frame: from 0; of the source video, or of the clip where ``space`` says so.
        target: its name.
        x, y: None where the target is absent.
        state: ``visible``, ``occluded`` or ``absent``.
        space: what ``frame``, ``x`` and ``y`` count in: frames and pixels of the ``source``, those of the ``clip``, or
            frames of the source and parts of its width and height (``relative``).
    """

    video: str | None
    frame: int
    target: str
    x: float | None = None
    y: float | None = None
    state: str = "visible"
    space: Space = "source"


@dataclass
class Reading:
    """What a file holds.

    Attributes:
        marks: that were understood.
        sizes: width and height of the videos' frames, by the video's name, where the file tells them.
        dropped: how much was left out, by the reason.
    """

    marks: list[Mark] = field(default_factory=list)
    sizes: dict[str | None, tuple[int, int]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class ClickedVideo:
    """A video whose clicks are written: marks, frames and pixels all of the source, or all of the clip."""

    name: str
    frames: int
    width: int
    height: int
    fps: float
    marks: Sequence[Mark]

    def targets(self) -> dict[str, list[Mark]]:
        """Returns the marks of each target, by frame."""
        found: dict[str, list[Mark]] = {}
        for mark in sorted(self.marks, key=lambda mark: mark.frame):
            found.setdefault(mark.target, []).append(mark)
        return found


@dataclass(frozen=True)
class Format:
    """A format of clicks.

    Attributes:
        what: one line for people.
        recognise: whether a file is of this format; it has the suffix ``suffix``, or is a folder of such files.
        read: a file's marks; the second argument is the number of the first frame where the format leaves that open.
        suffix: of the files.
        write: the files, by name, of clicked videos; None where the format cannot hold clicks.
        states: what it can hold; the others are left out.
        of_images: it is about the clip's image files, not about the source video.
    """

    what: str
    recognise: Callable[[Path], bool]
    read: Callable[[Path, int], Reading]
    suffix: str
    write: Callable[[Sequence[ClickedVideo]], dict[str, bytes]] | None = None
    states: tuple[str, ...] = ("visible",)
    of_images: bool = False


def image_mark(name: str, base: int) -> tuple[str | None, int, Space] | None:
    """Returns video, frame and space of an image's name, or None if it holds no number.

    An image ``<video>/00000001.jpg`` is the clip's first. Any other is a frame of the source, numbered from ``base``.
    """
    path = Path(name.replace("\\", "/"))
    digits = re.search(r"(\d+)$", path.stem)
    if digits is None:
        return None
    video = path.parent.name or re.sub(r"[ ._-]*(frame|img|image)?[ ._-]*$", "", path.stem[: digits.start()]) or None
    if _OWN_IMAGE.fullmatch(path.name):
        return video, int(digits.group()) - 1, "clip"
    return video, int(digits.group()) - base, "source"


def image_name(video: ClickedVideo, frame: int) -> str:
    """Returns the name of a clip's image file, with its video's folder."""
    return f"{video.name}/{frame + 1:08d}.jpg"


def target_name(*parts: object) -> str:
    """Returns a target's name made of what a file says, without characters that names cannot have."""
    text = " ".join(str(part) for part in parts if part not in (None, ""))
    return re.sub(r"[^\w .-]+", "_", text).strip(" .-")[:LONGEST_NAME].rstrip(" .") or "1"


def unique_names(labels: Sequence[tuple[str, object]]) -> list[str]:
    """Returns a name for each (label, id): the label, with its id where several have that label."""
    count = Counter(label for label, _ in labels)
    return [
        target_name(label) if label and count[label] == 1 else target_name(label, number) for label, number in labels
    ]


def read_xml(path: Path) -> ElementTree.Element:
    """Returns the root of an XML file. Raises ExchangeError if it is none, or has a DOCTYPE."""
    try:
        return text.read_xml(path)
    except DatasetError as error:
        raise ExchangeError(str(error)) from error


def read_json(path: Path) -> Any:
    """Returns what a JSON file holds. Raises ExchangeError if it is none."""
    try:
        return text.read_json(path)
    except DatasetError as error:
        raise ExchangeError(str(error)) from error


def read_cells(path: Path) -> list[list[str]]:
    """Returns the rows of a CSV file that are not empty. Raises ExchangeError if it is no text."""
    try:
        return read_csv(path)
    except DatasetError as error:
        raise ExchangeError(f"{path} is no CSV file: {error}") from error


def rows_of(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Returns a CSV file."""
    lines = [",".join(header)] + [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def number(values: Mapping[str, Any], name: str, where: str) -> float:
    """Returns a finite number of a file. Raises ExchangeError, which names field and place, for anything else."""
    try:
        value = float(values[name])
    except (KeyError, TypeError, ValueError):
        value = float("nan")
    if not abs(value) < float("inf"):
        raise ExchangeError(f"{where}: {name} is {values.get(name)!r}, not a number")
    return value


def whole_number(values: Mapping[str, Any], name: str, where: str) -> int:
    """Returns a whole number of a file. Raises ExchangeError for anything else, such as a time in place of a frame."""
    value = number(values, name, where)
    if value != int(value):
        raise ExchangeError(f"{where}: {name} is {values[name]!r}, not a whole number")
    return int(value)


def header_is(path: Path, *names: str) -> bool:
    """Returns whether a CSV file's first row begins with these names."""
    try:
        rows = read_cells(path)
    except (ExchangeError, OSError):
        return False
    return bool(rows) and [cell.strip().lower() for cell in rows[0][: len(names)]] == list(names)
