"""Tracked boxes as other tools' files: CVAT for video 1.1, MOTChallenge, and a flat CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

from socl_plugins.clicks.exchange.marks import rows_of


@dataclass(frozen=True)
class Track:
    """A target that was tracked: name, frame of the first box, boxes (T, 4) x, y, w, h, and scores (T,) or None."""

    target: str
    first: int
    boxes: np.ndarray
    scores: np.ndarray | None = None


@dataclass(frozen=True)
class TrackedVideo:
    """A video with its tracks; frames from 0 and pixels are those of the source."""

    name: str
    frames: int
    width: int
    height: int
    fps: float
    every: int
    tracks: Sequence[Track]

    def frame(self, track: Track, place: int) -> int:
        """Returns the frame of a track's box."""
        return (track.first + place) * self.every


def cvat(video: TrackedVideo) -> bytes:
    """Returns a CVAT file: a box of each tracked frame is a key frame, and a box outside closes a track."""
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    for name, value in (("name", video.name), ("size", video.frames), ("mode", "interpolation")):
        ElementTree.SubElement(task, name).text = str(value)
    labels = ElementTree.SubElement(task, "labels")
    for track in video.tracks:
        ElementTree.SubElement(ElementTree.SubElement(labels, "label"), "name").text = track.target
    size = ElementTree.SubElement(task, "original_size")
    ElementTree.SubElement(size, "width").text = str(video.width)
    ElementTree.SubElement(size, "height").text = str(video.height)
    for number, track in enumerate(video.tracks):
        element = ElementTree.SubElement(root, "track", id=str(number), label=track.target, source="auto")
        for place, box in enumerate(track.boxes):
            _box(element, video.frame(track, place), box, 0)
        end = video.frame(track, len(track.boxes))
        if end < video.frames:
            _box(element, end, track.boxes[-1], 1)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _box(parent: ElementTree.Element, frame: int, box: np.ndarray, outside: int) -> None:
    x, y, w, h = (float(value) for value in box)
    sides = {"xtl": x, "ytl": y, "xbr": x + w, "ybr": y + h}
    element = ElementTree.SubElement(
        parent, "box", frame=str(frame), keyframe="1", outside=str(outside), occluded="0", z_order="0"
    )
    element.attrib |= {name: f"{value:.2f}" for name, value in sides.items()}


def mot(video: TrackedVideo) -> bytes:
    """Returns a MOTChallenge file: frames, targets and pixels count from 1."""
    lines = []
    for number, track in enumerate(video.tracks, 1):
        for place, (x, y, w, h) in enumerate(track.boxes.tolist()):
            score = 1.0 if track.scores is None else float(track.scores[place])
            frame = video.frame(track, place) + 1
            lines.append((frame, number, f"{x + 1:.2f},{y + 1:.2f},{w:.2f},{h:.2f},{score:.4g},-1,-1,-1\n"))
    return "".join(f"{frame},{number},{rest}" for frame, number, rest in sorted(lines)).encode()


def flat(video: TrackedVideo) -> bytes:
    """Returns a CSV file with a row for each box; frames count from 0."""
    header = ("frame", "time_s", "target", "x", "y", "w", "h", "cx", "cy", "score")
    rows: list[Sequence[object]] = []
    for track in video.tracks:
        for place, (x, y, w, h) in enumerate(track.boxes.tolist()):
            frame = video.frame(track, place)
            numbers = (f"{value:.2f}" for value in (x, y, w, h, x + w / 2, y + h / 2))
            time = f"{frame / video.fps:.4f}" if video.fps else None
            score = None if track.scores is None else f"{track.scores[place]:.6g}"
            rows.append((frame, time, track.target, *numbers, score))
    return rows_of(header, rows)


EXPORTS: dict[str, tuple[str, Callable[[TrackedVideo], bytes]]] = {
    "cvat": (".xml", cvat),
    "mot": (".txt", mot),
    "csv": (".csv", flat),
}
