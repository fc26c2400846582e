"""The same frames for several trackers, in turns, so that what slows the machine down slows all of them alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from benchmarks.peers.conversation import Answer
from benchmarks.peers.pairs import PeerError

Box = tuple[float, float, float, float]

BOXES = "groundtruth_rect.txt"
STARTS = 3  # the first call of a tracker does much that later ones need not


@dataclass(frozen=True)
class Clip:
    """Frames, and the first one's box."""

    frames: Sequence[Path]
    box: Box


@dataclass
class Record:
    """What one tracker did with a clip.

    Attributes:
        starts: milliseconds of each beginning on the first frame.
        frames: milliseconds of each frame after it.
        boxes: in each frame after it.
    """

    starts: list[float] = field(default_factory=list)
    frames: list[float] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)


class Asked(Protocol):
    """A tracker that is asked, such as a :class:`benchmarks.peers.conversation.Conversation`."""

    def start(self, frame: Path, box: Sequence[float]) -> Answer:
        """Begins on a box of a frame."""

    def track(self, frame: Path) -> Answer:
        """Finds the target in the next frame."""


def read_clip(folder: Path, count: int) -> Clip:
    """Returns the first frames of a folder with pictures, or with a folder ``img`` of them, and a file of boxes.

    Raises:
        PeerError: there is no such folder, file, box or fewer than two frames.
    """
    from ltr.dataset.frames import numbered_images
    from ltr.dataset.text import DatasetError, read_rows  # here, so that --help is there at once

    pictures = folder / "img" if (folder / "img").is_dir() else folder
    if not pictures.is_dir():
        raise PeerError(f"{folder} is no folder of frames")
    file = folder / BOXES
    if not file.is_file():
        raise PeerError(f"{folder} has no file {BOXES}, whose first line is the target's box: x, y, width, height")
    try:
        frames = list(numbered_images(pictures).values())[:count]
        rows = read_rows(file, (4,))
    except DatasetError as error:
        raise PeerError(str(error)) from error
    if len(frames) < 2:
        raise PeerError(f"{pictures} has {len(frames)} pictures with numbers in their names; there must be 2 or more")
    if not rows:
        raise PeerError(f"{file} is empty; its first line must be the target's box: x, y, width, height")
    x, y, width, height = rows[0]
    return Clip(frames, (x, y, width, height))


def take_turns(trackers: Iterable[Asked], clip: Clip, starts: int = STARTS) -> list[Record]:
    """Shows a clip to trackers, frame by frame; each frame is asked about in the other order than the one before."""
    pairs = [(tracker, Record()) for tracker in trackers]
    for number in range(starts):
        for tracker, record in _in_turn(pairs, number):
            record.starts.append(tracker.start(clip.frames[0], clip.box).ms)
    for number, frame in enumerate(clip.frames[1:], starts):
        for tracker, record in _in_turn(pairs, number):
            answer = tracker.track(frame)
            record.frames.append(answer.ms)
            record.boxes.append(answer.box)
    return [record for _, record in pairs]


def _in_turn(pairs: list[tuple[Asked, Record]], number: int) -> list[tuple[Asked, Record]]:
    return pairs[::-1] if number % 2 else pairs
