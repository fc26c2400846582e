"""COCO's key points: ``annotations[].keypoints`` of x, y, v; v is 0 for none, 1 for occluded, 2 for visible."""

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

NOT_THERE, OCCLUDED, VISIBLE = 0, 1, 2


def read(path: Path, base: int = 0) -> Reading:
    """Returns the marks of a COCO file."""
    content = read_json(path)
    found = Reading()
    try:
        images = {image["id"]: image for image in content["images"]}
        categories = {category["id"]: category for category in content.get("categories", [])}
        annotations = [
            (images[each["image_id"]], categories.get(each.get("category_id"), {}), each)
            for each in content["annotations"]
        ]
    except (KeyError, TypeError) as error:
        raise ExchangeError(f"{path} is not as COCO has it: {error!r}") from error
    for image, category, annotation in annotations:
        place = image_mark(str(image.get("file_name", "")), base)
        if place is None:
            found.dropped[f"the image's name holds no frame number, such as {image.get('file_name')!r}"] += 1
            continue
        video, frame, space = place
        if image.get("width") and image.get("height"):
            found.sizes[video] = int(image["width"]), int(image["height"])
        points = annotation.get("keypoints") or []
        if not points:
            found.dropped["an annotation without key points"] += 1
        track = (annotation.get("attributes") or {}).get("track_id")
        name = target_name(category.get("name") if track is None else track)
        names = category.get("keypoints") or []
        for part in range(len(points) // 3):
            values = dict(zip("xyv", points[3 * part : 3 * part + 3]))
            x, y, seen = (number(values, key, f"{path}, annotation {annotation.get('id')}") for key in "xyv")
            if seen == NOT_THERE:
                found.dropped["a key point that was not labelled (v = 0)"] += 1
                continue
            target = name if len(points) == 3 else target_name(name, names[part] if part < len(names) else part)
            state = "occluded" if seen == OCCLUDED else "visible"
            found.marks.append(Mark(video, frame, target, x, y, state, space))
    return found


def write(videos: Sequence[ClickedVideo]) -> dict[str, bytes]:
    """Returns one file for all videos."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for video in videos:
        for frame in sorted({mark.frame for mark in video.marks}):
            size = {"width": video.width, "height": video.height}
            images.append({"id": len(images) + 1, "file_name": image_name(video, frame), **size})
            for mark in video.marks:
                if mark.frame == frame:
                    seen = OCCLUDED if mark.state == "occluded" else VISIBLE
                    annotations.append(
                        {
                            "id": len(annotations) + 1,
                            "image_id": len(images),
                            "category_id": 1,
                            "keypoints": [mark.x, mark.y, seen],
                            "num_keypoints": 1,
                            "bbox": [mark.x, mark.y, 0, 0],
                            "area": 0,
                            "iscrowd": 0,
                            "attributes": {"track_id": mark.target},
                        }
                    )
    categories = [{"id": 1, "name": "target", "keypoints": ["centre"], "skeleton": []}]
    content = {"images": images, "categories": categories, "annotations": annotations}
    return {"coco.json": (json.dumps(content, indent=1) + "\n").encode()}


def recognise(path: Path) -> bool:
    """Returns whether it is a JSON file with images and annotations."""
    try:
        content = read_json(path)
    except ExchangeError:
        return False
    return isinstance(content, dict) and {"images", "annotations"} <= content.keys()


FORMAT = Format(
    "COCO key points (JSON)", recognise, read, ".json", write, states=("visible", "occluded"), of_images=True
)
