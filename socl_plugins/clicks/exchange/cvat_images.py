"""CVAT, "for images 1.1": ``image/points`` and ``image/box``; an image's name tells the video and the frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from socl_plugins.clicks.exchange.cvat import center
from socl_plugins.clicks.exchange.marks import (
    ClickedVideo,
    ExchangeError,
    Format,
    Mark,
    Reading,
    image_mark,
    image_name,
    read_xml,
    target_name,
)


def read(path: Path, base: int = 0) -> Reading:
    """Returns the marks of a CVAT images file."""
    found = Reading()
    for image in read_xml(path).findall("image"):
        place = image_mark(image.get("name", ""), base)
        if place is None:
            found.dropped[f"the image's name holds no frame number, such as {image.get('name')!r}"] += 1
            continue
        video, frame, space = place
        if image.get("width") and image.get("height"):
            found.sizes[video] = int(image.get("width", 0)), int(image.get("height", 0))
        for shape in image:
            point = center(shape, f"{path}, image {image.get('name')}") if shape.tag in ("points", "box") else None
            if point is None:
                found.dropped["a shape without one centre"] += 1
                continue
            state = "occluded" if shape.get("occluded") == "1" else "visible"
            found.marks.append(Mark(video, frame, target_name(shape.get("label")), *point, state, space))
    return found


def write(videos: Sequence[ClickedVideo]) -> dict[str, bytes]:
    """Returns one file for all videos."""
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    labels = ElementTree.SubElement(ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task"), "labels")
    for target in dict.fromkeys(target for video in videos for target in video.targets()):
        ElementTree.SubElement(ElementTree.SubElement(labels, "label"), "name").text = target
    number = 0
    for video in videos:
        for frame in sorted({mark.frame for mark in video.marks}):
            image = ElementTree.SubElement(root, "image", id=str(number), name=image_name(video, frame))
            image.attrib |= {"width": str(video.width), "height": str(video.height)}
            number += 1
            for mark in video.marks:
                if mark.frame == frame:
                    hidden = str(int(mark.state == "occluded"))
                    points = f"{mark.x!r},{mark.y!r}"
                    ElementTree.SubElement(image, "points", label=mark.target, occluded=hidden, points=points)
    ElementTree.indent(root)
    return {"annotations.xml": ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)}


def recognise(path: Path) -> bool:
    """Returns whether it is an XML file with images."""
    try:
        root = read_xml(path)
    except ExchangeError:
        return False
    return root.tag == "annotations" and root.find("image") is not None and root.find("track") is None


FORMAT = Format(
    "CVAT for images 1.1 (XML)", recognise, read, ".xml", write, states=("visible", "occluded"), of_images=True
)
