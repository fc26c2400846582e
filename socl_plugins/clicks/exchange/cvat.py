"""CVAT, "for video 1.1": ``track/points`` and ``track/box``; frames from 0, of the whole video.

Only key frames are read: what lies between them was interpolated, not clicked. ``outside`` is absent.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from socl_plugins.clicks.exchange.marks import (
    ClickedVideo,
    ExchangeError,
    Format,
    Mark,
    Reading,
    number,
    read_xml,
    target_name,
    unique_names,
)


def read(path: Path, base: int = 0) -> Reading:
    """Returns the marks of a CVAT video file."""
    root = read_xml(path)
    found = Reading()
    video = Path(root.findtext("meta/source") or root.findtext("meta/task/source") or "").stem or None
    if width := root.findtext("meta/original_size/width") or root.findtext("meta/task/original_size/width"):
        height = root.findtext("meta/original_size/height") or root.findtext("meta/task/original_size/height") or "0"
        found.sizes[video] = int(width), int(height)
    tracks = root.findall("track")
    names = unique_names([(track.get("label", ""), track.get("id", "")) for track in tracks])
    for track, name in zip(tracks, names):
        for shape in track:
            where = f"{path}, track {track.get('id')}, frame {shape.get('frame')}"
            if shape.tag == "skeleton":
                for part in shape.findall("points"):
                    _take(found, part, shape, video, target_name(name, part.get("label")), where)
            elif shape.tag in ("points", "box"):
                _take(found, shape, shape, video, name, where)
            else:
                found.dropped[f"a {shape.tag} has no one centre"] += 1
    return found


def _take(
    found: Reading,
    shape: ElementTree.Element,
    frame_of: ElementTree.Element,
    video: str | None,
    target: str,
    where: str,
) -> None:
    if frame_of.get("keyframe", shape.get("keyframe", "1")) != "1":
        found.dropped["interpolated by CVAT (not a key frame)"] += 1
        return
    frame = int(number(frame_of.attrib, "frame", where))
    if "1" in (shape.get("outside"), frame_of.get("outside")):
        found.marks.append(Mark(video, frame, target, state="absent"))
        return
    place = center(shape, where)
    if place is None:
        found.dropped["several points in one shape"] += 1
        return
    state = "occluded" if "1" in (shape.get("occluded"), frame_of.get("occluded")) else "visible"
    found.marks.append(Mark(video, frame, target, *place, state))


def center(shape: ElementTree.Element, where: str) -> tuple[float, float] | None:
    """Returns the place of a point, or the centre of a box; None for several points."""
    if shape.tag == "box":
        left, top, right, bottom = (number(shape.attrib, name, where) for name in ("xtl", "ytl", "xbr", "ybr"))
        return (left + right) / 2, (top + bottom) / 2
    places = shape.get("points", "").split(";")
    if len(places) != 1:
        return None
    x, _, y = places[0].partition(",")
    return number({"x": x}, "x", where), number({"y": y}, "y", where)


def write(videos: Sequence[ClickedVideo]) -> dict[str, bytes]:
    """Returns a file for each video."""
    return {f"{video.name}.xml": _document(video) for video in videos}


def _document(video: ClickedVideo) -> bytes:
    root = ElementTree.Element("annotations")
    _text(root, "version", "1.1")
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    for name, value in (("name", video.name), ("size", video.frames), ("mode", "interpolation")):
        _text(task, name, value)
    labels = ElementTree.SubElement(task, "labels")
    for target in video.targets() or ("target",):
        label = ElementTree.SubElement(labels, "label")
        _text(label, "name", target)
        _text(label, "type", "points")
    size = ElementTree.SubElement(task, "original_size")
    _text(size, "width", video.width)
    _text(size, "height", video.height)
    _text(task, "source", video.name)
    for place, (target, marks) in enumerate(video.targets().items()):
        track = ElementTree.SubElement(root, "track", id=str(place), label=target, source="manual")
        last = (0.0, 0.0)
        for mark in marks:
            last = (mark.x, mark.y) if mark.x is not None and mark.y is not None else last
            ElementTree.SubElement(
                track,
                "points",
                frame=str(mark.frame),
                keyframe="1",
                outside=str(int(mark.state == "absent")),
                occluded=str(int(mark.state == "occluded")),
                points=f"{last[0]!r},{last[1]!r}",
                z_order="0",
            )
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _text(parent: ElementTree.Element, name: str, value: object) -> None:
    ElementTree.SubElement(parent, name).text = str(value)


def recognise(path: Path) -> bool:
    """Returns whether it is an XML file with tracks."""
    return _root_has(path, "track")


def _root_has(path: Path, child: str) -> bool:
    try:
        root = read_xml(path)
    except ExchangeError:
        return False
    return root.tag == "annotations" and root.find(child) is not None


FORMAT = Format("CVAT for video 1.1 (XML)", recognise, read, ".xml", write, states=("visible", "occluded", "absent"))
