"""labelme: a JSON file for each image, with ``shapes`` of the type ``point``; ``group_id`` tells targets apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from socl_plugins.clicks.exchange.marks import (
    ClickedVideo,
    ExchangeError,
    Format,
    Mark,
    Reading,
    image_mark,
    image_name,
    number,
    read_json,
    target_name,
)


def read(path: Path, base: int = 0) -> Reading:
    """Returns the marks of a labelme file, or of all in a folder."""
    found = Reading()
    for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
        content = read_json(file)
        if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
            raise ExchangeError(f"{file} is no labelme file: it has no shapes")
        name = Path(str(content.get("imagePath", "")).replace("\\", "/")).name
        place = image_mark(f"{file.parent.name}/{name}", base)
        if place is None:
            found.dropped[f"the image's name holds no frame number, such as {name!r}"] += 1
            continue
        video, frame, space = place
        if content.get("imageWidth") and content.get("imageHeight"):
            found.sizes[video] = int(content["imageWidth"]), int(content["imageHeight"])
        for shape in content["shapes"]:
            points = shape.get("points") or []
            if shape.get("shape_type") != "point" or len(points) != 1:
                found.dropped[f"a {shape.get('shape_type')} is no point"] += 1
                continue
            x, y = (number(dict(zip("xy", points[0])), key, str(file)) for key in "xy")
            state = "occluded" if (shape.get("flags") or {}).get("occluded") else "visible"
            target = target_name(shape.get("label"), shape.get("group_id"))
            found.marks.append(Mark(video, frame, target, x, y, state, space))
    return found


def write(videos: Sequence[ClickedVideo]) -> dict[str, bytes]:
    """Returns a file for each frame that has a click."""
    files = {}
    for video in videos:
        for frame in sorted({mark.frame for mark in video.marks}):
            name = image_name(video, frame)
            content: dict[str, Any] = {
                "version": "5.0.0",
                "flags": {},
                "shapes": [_shape(mark) for mark in video.marks if mark.frame == frame],
                "imagePath": Path(name).name,
                "imageData": None,
                "imageHeight": video.height,
                "imageWidth": video.width,
            }
            files[f"{Path(name).with_suffix('.json')}"] = (json.dumps(content, indent=1) + "\n").encode()
    return files


def _shape(mark: Mark) -> dict[str, Any]:
    flags = {"occluded": True} if mark.state == "occluded" else {}
    shape = {"label": mark.target, "points": [[mark.x, mark.y]], "group_id": None}
    return {**shape, "shape_type": "point", "flags": flags}


def recognise(path: Path) -> bool:
    """Returns whether it is a labelme file, or a folder with one."""
    file = next(iter(sorted(path.rglob("*.json"))), None) if path.is_dir() else path
    try:
        content = None if file is None else read_json(file)
    except (ExchangeError, OSError):
        return False
    return isinstance(content, dict) and "shapes" in content


FORMAT = Format(
    "labelme (a folder of JSON files)", recognise, read, ".json", write, states=("visible", "occluded"), of_images=True
)
