"""Tracked boxes as other tools' files: CVAT, MOTChallenge, CSV, supervision, COCO-video, TAO, and bare boxes.

Every command that tracks writes them with this: benchmarks, plain videos, clips with clicks.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from ltr.admin.files import write_bytes_atomically
from ltr.registry import near_names
from pytracking.command_line import EXPORT_NAMES
from pytracking.evaluation.results import box_lines
from pytracking.evaluation.tracker import Judgement


class ExportError(ValueError):
    """A format that there is not, or that cannot hold what it is asked to."""


@dataclass(frozen=True)
class ExportedTrack:
    """A target that was tracked.

    Attributes:
        target: its name.
        first: frame of the first box, counted in frames that were tracked.
        boxes: (T, 4) x, y, w, h in pixels of the source.
        scores: (T,) the tracker's score, NaN where it gave none; None: it gives none.
        judged: how sure the tracker was of each box, and where it had lost the target; None: it has no calibration.
    """

    target: str
    first: int
    boxes: np.ndarray
    scores: np.ndarray | None = None
    judged: Judgement | None = None

    def score(self, place: int) -> float:
        """Returns how sure a box is: the confidence or, without a calibration, the score; 1 where there is neither."""
        known = self.scores if self.judged is None else self.judged.confidence
        value = 1.0 if known is None else float(known[place])
        return round(value, 6) if np.isfinite(value) else 1.0


@dataclass(frozen=True)
class TrackedVideo:
    """A video with its tracks; frames from 0 and pixels are those of the source."""

    name: str
    frames: int
    width: int
    height: int
    fps: float
    every: int
    tracks: Sequence[ExportedTrack]

    def frame(self, track: ExportedTrack, place: int) -> int:
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
            frame = video.frame(track, place) + 1
            lines.append(
                (frame, number, f"{x + 1:.2f},{y + 1:.2f},{w:.2f},{h:.2f},{track.score(place):.4g},-1,-1,-1\n")
            )
    return "".join(f"{frame},{number},{rest}" for frame, number, rest in sorted(lines)).encode()


def flat(video: TrackedVideo) -> bytes:
    """Returns a CSV file with a row for each box; frames count from 0. What is not known is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("frame", "time_s", "target", "x", "y", "w", "h", "cx", "cy", "score", "confidence", "lost"))
    for track in video.tracks:
        for place, (x, y, w, h) in enumerate(track.boxes.tolist()):
            frame = video.frame(track, place)
            numbers = [f"{value:.2f}" for value in (x, y, w, h, x + w / 2, y + h / 2)]
            time = f"{frame / video.fps:.4f}" if video.fps else None
            known = track.scores is not None and np.isfinite(track.scores[place])
            score = f"{track.scores[place]:.6g}" if known and track.scores is not None else None
            sure: tuple[str | None, str | None] = (None, None)
            if track.judged is not None:
                sure = f"{track.judged.confidence[place]:.4f}", str(int(track.judged.lost[place]))
            writer.writerow((frame, time, track.target, *numbers, score, *sure))
    return out.getvalue().encode()


def bare(video: TrackedVideo) -> bytes:
    """Returns a text file with x, y, w, h a line, as benchmarks have it: one target, from the first frame on.

    Raises:
        ExportError: there are several targets, or not every frame from the first on has a box.
    """
    (track, *more), last = video.tracks, video.frames - 1
    instead = "csv holds it, or cvat, mot, supervision, coco-video and tao"
    if more:
        names = ", ".join(each.target for each in video.tracks)
        raise ExportError(
            f"the format boxes holds one target, and {video.name} has {1 + len(more)} ({names}): {instead}"
        )
    if video.every != 1 or track.first:
        raise ExportError(
            f"the format boxes has a line for each frame, and of {video.name} not every frame from the first on was "
            f"tracked (first {track.first * video.every}, last {last}, one of {video.every}): {instead}"
        )
    return "".join(f"{line}\n" for line in box_lines(track.boxes)).encode()


def supervision(video: TrackedVideo) -> bytes:
    """Returns a JSON file as supervision's ``JSONSink`` writes it: a list of detections, frames from 0."""
    rows: list[dict[str, object]] = []
    for number, track in enumerate(video.tracks, 1):
        for place, (x, y, w, h) in enumerate(_rounded(track.boxes)):
            sides = {"x_min": x, "y_min": y, "x_max": round(x + w, 2), "y_max": round(y + h, 2)}
            frame = video.frame(track, place)
            told = {"class_id": 0, "confidence": track.score(place), "tracker_id": number, "frame_index": frame}
            rows.append({**sides, **told, "class_name": track.target})
    rows.sort(key=lambda row: (row["frame_index"], row["tracker_id"]))
    return json.dumps(rows, indent=1).encode()


def coco_video(videos: Sequence[TrackedVideo]) -> bytes:
    """Returns one COCO file of all videos: each frame of the source is an image, whose ``frame_id`` counts from 0."""
    listed: dict[str, list[dict[str, object]]] = {"videos": [], "images": [], "annotations": []}
    for first_image, first_track, number, video in _numbered(videos):
        size = {"width": video.width, "height": video.height}
        listed["videos"].append({"id": number, "name": video.name, "fps": video.fps, **size})
        for frame in range(video.frames):
            file = f"{video.name}/{frame + 1:08d}.jpg"
            known = {"id": first_image + frame, "file_name": file, "video_id": number, "frame_id": frame}
            listed["images"].append({**known, **size})
        for track_number, track in enumerate(video.tracks, first_track):
            for place, box in enumerate(_rounded(track.boxes)):
                listed["annotations"].append(
                    {
                        "id": len(listed["annotations"]) + 1,
                        "image_id": first_image + video.frame(track, place),
                        "video_id": number,
                        "category_id": 1,
                        "instance_id": track_number,
                        "bbox": box,
                        "area": round(box[2] * box[3], 2),
                        "iscrowd": 0,
                        "score": track.score(place),
                        "attributes": {"target": track.target},
                    }
                )
    return json.dumps({**listed, "categories": [{"id": 1, "name": "target"}]}).encode()


def tao(videos: Sequence[TrackedVideo]) -> bytes:
    """Returns TAO's results of all videos; images, videos and tracks have the numbers that :func:`coco_video` gives."""
    rows = []
    for first_image, first_track, number, video in _numbered(videos):
        for track_number, track in enumerate(video.tracks, first_track):
            for place, box in enumerate(_rounded(track.boxes)):
                image = first_image + video.frame(track, place)
                known = {"image_id": image, "category_id": 1, "bbox": box, "score": track.score(place)}
                rows.append({**known, "track_id": track_number, "video_id": number})
    return json.dumps(rows).encode()


def _numbered(videos: Sequence[TrackedVideo]) -> Iterator[tuple[int, int, int, TrackedVideo]]:
    """Yields the number of each video's first image and first track, and the video with its own number, all from 1."""
    image = track = 1
    for number, video in enumerate(videos, 1):
        yield image, track, number, video
        image += video.frames
        track += len(video.tracks)


def _rounded(boxes: np.ndarray) -> list[list[float]]:
    return [[round(value, 2) for value in box] for box in boxes.tolist()]


FILE_PER_VIDEO: dict[str, tuple[str, Callable[[TrackedVideo], bytes]]] = {
    "cvat": (".xml", cvat),
    "mot": (".txt", mot),
    "csv": (".csv", flat),
    "supervision": (".json", supervision),
    "boxes": (".txt", bare),
}
ONE_FILE: dict[str, Callable[[Sequence[TrackedVideo]], bytes]] = {"coco-video": coco_video, "tao": tao}


def exported(form: str, videos: Sequence[TrackedVideo]) -> dict[str, bytes]:
    """Returns the files, by name, of tracked videos in one of ``EXPORT_NAMES``.

    Raises:
        ExportError: there is no such format, or it cannot hold these tracks.
    """
    if form not in EXPORT_NAMES:
        raise ExportError(
            f"there is no export format {form!r}.{near_names(form, EXPORT_NAMES)} Known: {', '.join(EXPORT_NAMES)}"
        )
    if form in ONE_FILE:
        return {f"{form}.json": ONE_FILE[form](videos)}
    suffix, write = FILE_PER_VIDEO[form]
    return {f"{video.name}{suffix}": write(video) for video in videos}


def write_exports(forms: Sequence[str], videos: Sequence[TrackedVideo], folder: Path) -> list[Path]:
    """Writes tracked videos in each format to ``<folder>/<format>/``, and returns these folders.

    Raises:
        ExportError: a format cannot hold these tracks; nothing is written.
        WriteError: a file cannot be written; those before it are whole.
    """
    made = {form: exported(form, videos) for form in forms}
    for form, files in made.items():
        for name, content in files.items():
            write_bytes_atomically(folder / form / name, content)
    return [folder / form for form in made]
